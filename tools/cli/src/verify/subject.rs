//! Which canister is meant, and on which network: by its id, or by a URL that it is shown at.
//!
//! ```text
//! <id>                              on the network that is named, else the Internet Computer
//! https://<id>.icp0.io/…            on the Internet Computer
//! http://<id>.localhost:8000/…      on the network at http://localhost:8000
//! http://localhost:8000/?canisterId=<id>
//! https://example.com/…             whatever the gateway there says, which proves nothing
//! ```

use std::fmt;
use std::str::FromStr;

use candid::Principal;
use url::{Host, Url};

use super::certificate;
use super::fetch::get;
use crate::Error;
use crate::network::{Location, Trust, canister};
use crate::root_key::root_key;
use crate::time::Time;

/// What is to be verified, as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A canister.
    Canister(Principal),
    /// An address of a site.
    Url(Url),
}

/// A site, where it is, and what proves it, as far as that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The site.
    pub subject: Subject,
    /// The network it is on; `None` is the one that the URL is of, or the Internet Computer.
    pub network: Option<Location>,
    /// What proves the network's answers; `None` is [`Location::default_trust`].
    pub trust: Option<Trust>,
}

/// A canister on a network, and the network's root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The canister.
    pub canister: Principal,
    /// The network.
    pub location: Location,
    /// The address whose gateway named the canister, if nothing else did.
    pub named_by: Option<Url>,
    /// Where the root key is from.
    pub trust: Trust,
    /// The root key, as DER.
    pub root_key: Vec<u8>,
}

impl Place {
    /// Finds the canister, and the root key.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], or [`Error::NoCanisterAt`] if there is a gateway that does not say
    /// what it shows.
    pub fn find(&self) -> Result<Found, Error> {
        let (canister, location, named_by) = self.subject.find(self.network.as_ref())?;
        let trust = location.trust(self.trust.as_ref());
        Ok(Found {
            canister,
            root_key: root_key(&location, &trust)?,
            location,
            named_by,
            trust,
        })
    }
}

impl Found {
    /// What its answers are verified against, now.
    pub fn against(&self) -> certificate::Trust {
        certificate::Trust {
            root_key: self.root_key.clone(),
            canister: self.canister,
            now: Time::now(),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Subject, String> {
        if Principal::from_text(text).is_ok() {
            return canister(text).map(Subject::Canister);
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(Subject::Url(url))
            }
            _ => Err("a site is named by the id of its canister, or by a URL".to_owned()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Canister(canister) => canister.fmt(f),
            Subject::Url(url) => url.fmt(f),
        }
    }
}

impl Subject {
    /// The canister, its network, and the address whose gateway named it if nothing else did.
    fn find(
        &self,
        network: Option<&Location>,
    ) -> Result<(Principal, Location, Option<Url>), Error> {
        let named = network.cloned();
        match self {
            Subject::Canister(canister) => {
                Ok((*canister, named.unwrap_or_else(internet_computer), None))
            }
            Subject::Url(url) => {
                let location = named.unwrap_or_else(|| network_of(url));
                match canister_in(url) {
                    Some(canister) => Ok((canister, location, None)),
                    None => match get(url)?.canister {
                        Some(canister) => Ok((canister, location, Some(url.clone()))),
                        None => Err(Error::NoCanisterAt(url.to_string())),
                    },
                }
            }
        }
    }
}

/// The canister that a URL names itself.
fn canister_in(url: &Url) -> Option<Principal> {
    let in_host = url.host_str().and_then(|host| {
        let label = host.split('.').next()?;
        Principal::from_text(label).ok()
    });
    in_host.or_else(|| {
        let mut pairs = url.query_pairs();
        let (_, id) = pairs.find(|(name, _)| name == "canisterId")?;
        Principal::from_text(id).ok()
    })
}

/// The network behind a URL: one of this machine's, or else the Internet Computer.
fn network_of(url: &Url) -> Location {
    let mut origin = url.clone();
    origin.set_path("");
    origin.set_query(None);
    origin.set_fragment(None);
    if let Some(Host::Domain(name)) = url.host()
        && name.ends_with(".localhost")
    {
        // Not every resolver knows the names below it.
        let _ = origin.set_host(Some("localhost"));
    }
    let here: Result<Location, _> = origin.as_str().parse();
    let here = here.ok().filter(|it| it.default_trust() == Trust::Fetched);
    here.unwrap_or_else(internet_computer)
}

fn internet_computer() -> Location {
    "ic".parse().expect("it is the name of a network")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_canisters_and_networks() {
        let id = "lxzze-o7777-77777-aaaaa-cai";
        let canister = Principal::from_text(id).unwrap();
        for (text, network) in [
            (id.to_owned(), "ic"),
            (format!("https://{id}.icp0.io/a/b?c=d#e"), "ic"),
            (format!("https://{id}.raw.icp0.io"), "ic"),
            (format!("https://{id}.example.com"), "ic"),
            (
                format!("http://{id}.localhost:8000/a"),
                "http://localhost:8000",
            ),
            (
                format!("http://127.0.0.1:4943/a?b=c&canisterId={id}"),
                "http://127.0.0.1:4943",
            ),
        ] {
            let found = text.parse::<Subject>().unwrap().find(None).unwrap();
            let expected = (canister, network.parse().unwrap(), None);
            assert_eq!(found, expected, "{text}");
        }
        let elsewhere = "http://10.0.0.1".parse().unwrap();
        let found = id.parse::<Subject>().unwrap().find(Some(&elsewhere));
        assert_eq!(found.unwrap().1, elsewhere);
    }

    #[test]
    fn what_names_no_site_is_refused() {
        for text in [
            "",
            "site",
            "example.com",
            "ftp://example.com",
            "lxzze-o7777",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
