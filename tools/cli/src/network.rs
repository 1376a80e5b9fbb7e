//! Networks that canisters are on: where they are, and what proves that an answer is theirs.

use std::str::FromStr;

use candid::Principal;
use url::{Host, Url};

/// Where a network answers: `ic`, `local` or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(Url);

/// What proves that an answer is the network's: a root key in hexadecimal, or `fetch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The key of the Internet Computer.
    InternetComputer,
    /// This key, as DER.
    RootKey(Vec<u8>),
    /// Whatever key the network says it has, which proves nothing to who cannot trust the way
    /// there.
    Fetched,
}

/// Bytes of a root key: DER with a BLS public key of 96.
const ROOT_KEY: usize = 133;

/// The id of a canister.
///
/// # Errors
///
/// If the text is none, or names somebody who is no canister.
pub fn canister(text: &str) -> Result<Principal, String> {
    // The last byte tells the class; the management canister has none (interface specification,
    // "Special forms of Principals").
    const OPAQUE: u8 = 1;
    match Principal::from_text(text) {
        Ok(id) if id.as_slice().last() == Some(&OPAQUE) => Ok(id),
        Ok(_) => Err("it is not the id of a canister, but of somebody who calls them".to_owned()),
        Err(_) => Err("it is no id of a canister, such as ryjl3-tyaaa-aaaaa-aaaba-cai".to_owned()),
    }
}

impl Location {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// What proves answers from there: what was named, or else [`default_trust`](Self::default_trust).
    pub fn trust(&self, named: Option<&Trust>) -> Trust {
        named.cloned().unwrap_or_else(|| self.default_trust())
    }

    /// What proves answers from there unless somebody says otherwise: nobody comes between a
    /// network on this machine and its clients, and any other is the Internet Computer.
    pub fn default_trust(&self) -> Trust {
        let here = match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if here {
            Trust::Fetched
        } else {
            Trust::InternetComputer
        }
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Location, String> {
        let address = match text {
            "ic" => "https://icp-api.io",
            "local" => "http://localhost:8000",
            other => other,
        };
        match Url::parse(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(Location(url))
            }
            _ => Err("a network is `ic`, `local` or a URL of http or https".to_owned()),
        }
    }
}

impl FromStr for Trust {
    type Err = String;

    fn from_str(text: &str) -> Result<Trust, String> {
        if text == "fetch" {
            return Ok(Trust::Fetched);
        }
        match hex::decode(text) {
            Ok(key) if key.len() == ROOT_KEY => Ok(Trust::RootKey(key)),
            _ => Err(format!(
                "a root key is `fetch` or {ROOT_KEY} bytes in hexadecimal"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_this_machine_is_believed() {
        for (network, trust) in [
            ("ic", Trust::InternetComputer),
            ("https://icp0.io", Trust::InternetComputer),
            ("http://192.168.0.1:8000", Trust::InternetComputer),
            ("http://localhost.example.com", Trust::InternetComputer),
            ("local", Trust::Fetched),
            ("http://127.0.0.1:4943", Trust::Fetched),
            ("http://[::1]:4943", Trust::Fetched),
            ("http://a.localhost", Trust::Fetched),
        ] {
            let location: Location = network.parse().unwrap();
            assert_eq!(location.default_trust(), trust, "{network}");
        }
    }

    #[test]
    fn only_canisters_have_sites() {
        let id = "ryjl3-tyaaa-aaaaa-aaaba-cai";
        assert_eq!(canister(id).unwrap().to_text(), id);
        for text in [
            "",
            "aaaaa-aa",
            "2vxsx-fae",
            "ryjl3-tyaaa-aaaaa-aaaba-caj",
            "site",
        ] {
            assert!(canister(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_network_and_no_key_is_refused() {
        for text in ["", "mainnet", "localhost:8000", "ftp://icp0.io", "http://"] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
        for text in ["", "fetched", "3081", &"g".repeat(2 * ROOT_KEY)] {
            assert!(text.parse::<Trust>().is_err(), "{text}");
        }
        let key = "30".repeat(ROOT_KEY);
        assert_eq!(key.parse(), Ok(Trust::RootKey(vec![0x30; ROOT_KEY])));
    }
}
