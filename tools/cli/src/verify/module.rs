//! Which module a canister runs, who can change that, and which modules have been published.
//!
//! The network certifies a canister's module hash and controllers in its own state, whatever the
//! canister says. That the module is known tells that the canister does what its source says; it
//! does not tell that it will tomorrow: controllers can install another.

use candid::Principal;
use ic_cbor::CborValue;
use ic_cbor::parse_cbor;
use ic_certification::{HashTree, LookupResult};

use super::chain::Reason;

/// The modules that this version of the program knows, one a line: SHA-256, name, version.
const PUBLISHED: &str = include_str!("../../modules.txt");

/// What the network certifies of a canister.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// SHA-256 of its module; `None` if it has none.
    pub module: Option<[u8; 32]>,
    /// Who can change it.
    pub controllers: Vec<Principal>,
}

impl State {
    /// The paths in the network's state to ask for.
    pub fn paths(canister: Principal) -> [Vec<Vec<u8>>; 2] {
        [b"module_hash".as_slice(), b"controllers"].map(|what| path(canister, what))
    }

    /// Reads it out of a certified tree.
    ///
    /// # Errors
    ///
    /// [`Reason::ModuleUnreadable`], or [`Reason::OtherCanister`] if the tree does not tell of
    /// this canister.
    pub fn read(tree: &HashTree, canister: Principal) -> Result<State, Reason> {
        let module = match tree.lookup_path(path(canister, b"module_hash")) {
            LookupResult::Found(hash) => {
                Some(hash.try_into().map_err(|_| Reason::ModuleUnreadable)?)
            }
            LookupResult::Absent => None,
            LookupResult::Unknown | LookupResult::Error => return Err(Reason::OtherCanister),
        };
        let controllers = match tree.lookup_path(path(canister, b"controllers")) {
            LookupResult::Found(cbor) => principals(cbor).ok_or(Reason::ModuleUnreadable)?,
            LookupResult::Absent => Vec::new(),
            LookupResult::Unknown | LookupResult::Error => return Err(Reason::OtherCanister),
        };
        Ok(State {
            module,
            controllers,
        })
    }
}

fn path(canister: Principal, what: &[u8]) -> Vec<Vec<u8>> {
    [b"canister", canister.as_slice(), what]
        .map(<[u8]>::to_vec)
        .to_vec()
}

fn principals(cbor: &[u8]) -> Option<Vec<Principal>> {
    let Ok(CborValue::Array(values)) = parse_cbor(cbor) else {
        return None;
    };
    let principals = values.into_iter().map(|value| match value {
        CborValue::ByteString(bytes) => Principal::try_from_slice(&bytes).ok(),
        _ => None,
    });
    principals.collect()
}

/// A module that has been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// SHA-256 of it, as it is installed: of the compressed file, if it is installed compressed.
    pub sha256: [u8; 32],
    /// Its name and version.
    pub name: String,
}

/// Modules that have been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules(Vec<Module>);

impl Modules {
    /// Those that this version of the program knows.
    pub fn known() -> Modules {
        Modules::read(PUBLISHED).expect("a test reads the list")
    }

    /// Reads a list: a line for each, SHA-256 in hexadecimal, then its name; what follows a `#`
    /// is for people. `None` if a line is not like that.
    pub fn read(text: &str) -> Option<Modules> {
        let mut modules = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (sha256, name) = line.split_once(char::is_whitespace)?;
            modules.push(Module {
                sha256: hex::decode(sha256).ok()?.try_into().ok()?,
                name: name.split_whitespace().collect::<Vec<_>>().join(" "),
            });
        }
        Some(Modules(modules))
    }

    /// The one with this hash.
    pub fn find(&self, sha256: &[u8; 32]) -> Option<&Module> {
        self.0.iter().find(|module| module.sha256 == *sha256)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_list_is_read() {
        assert!(Modules::read(PUBLISHED).is_some());
    }

    #[test]
    fn lists_are_read_and_what_is_none_is_not() {
        let hash = "ab".repeat(32);
        let list = format!("# modules\n\n{hash}  assets   1.2.3 # of today\n");
        let modules = Modules::read(&list).unwrap();
        assert_eq!(modules.find(&[0xab; 32]).unwrap().name, "assets 1.2.3");
        assert_eq!(modules.find(&[0xac; 32]), None);
        for bad in [&hash[..], "ab assets", &format!("{}zz assets", &hash[2..])] {
            assert_eq!(Modules::read(bad), None, "{bad}");
        }
    }
}
