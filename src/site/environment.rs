//! The canister's environment, as pages learn of it: the cookie `ic_env`.
//!
//! A page that runs in a browser asks the cookie which network it is on (the root key) and what the canister's
//! public environment variables are. The asset canister of dfx keeps the cookie among the headers of its assets.
//! Here it belongs to the answers: nothing that lists assets shows it, and no hash of content covers it, so what
//! was uploaded stays equal to what the uploader has.
//!
//! The answers of pages, which are the assets whose keys end with `.html`, hold the cookie. A new one is written
//! into them by the next commits, [`REFRESH`] assets at a time; until then they have the old one.

use super::{By, Site, commit::RECLAIM_AT_LEAST, draft::Draft, log::Event};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The environment of a canister.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    cookie: String,
}

/// The cookie in the answers of pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Cookie {
    /// The value of `Set-Cookie`. Empty: there is none.
    #[n(0)]
    pub(super) text: String,
    /// Pages from this key on may still have another.
    #[n(1)]
    stale_from: Option<String>,
}

/// The name of the cookie.
pub(super) const NAME: &str = "ic_env";
/// Assets that one commit looks at, to write a new cookie into the pages among them. A page costs about a million
/// instructions, and a message has forty billion.
pub const REFRESH: u32 = 10_000;

impl Environment {
    /// The environment with this root key and these variables, of which those named `PUBLIC_…` count.
    pub fn new(root_key: &[u8], variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut public = BTreeMap::new();
        for (name, value) in variables {
            if name.starts_with("PUBLIC_") {
                public.insert(name, value);
            }
        }
        let mut cookie = Vec::with_capacity(512);
        cookie.extend_from_slice(NAME.as_bytes());
        cookie.push(b'=');
        encode(b"ic_root_key=", &mut cookie);
        for byte in root_key {
            cookie.extend(digits(*byte, b"0123456789abcdef"));
        }
        for (name, value) in public {
            for text in ["&", &name, "=", &value] {
                encode(text.as_bytes(), &mut cookie);
            }
        }
        cookie.extend_from_slice(b"; SameSite=Lax");
        Self {
            cookie: String::from_utf8(cookie).unwrap_or_default(),
        }
    }

    /// The value of the `Set-Cookie` header of pages.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

/// Appends bytes in percent encoding, as JavaScript's `decodeURIComponent` reads it.
fn encode(bytes: &[u8], into: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => into.push(*byte),
            byte => {
                into.push(b'%');
                into.extend(digits(*byte, b"0123456789ABCDEF"));
            }
        }
    }
}

fn digits(byte: u8, alphabet: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| alphabet[usize::from(digit)])
}

/// Whether an asset is a page, and tells of the environment.
pub(super) fn is_page(key: &str) -> bool {
    key.ends_with(".html")
}

impl<M: Memory> Site<M> {
    /// Says what the environment is. If the answers of pages say something else, this derives them again, from
    /// those among [`REFRESH`] assets; calling it again, with any next commit, goes on from there. If nothing has
    /// changed it does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if stable memory is full; nothing has changed then.
    pub fn set_environment(
        &mut self,
        environment: &Environment,
        by: impl Into<By>,
    ) -> Result<(), Error> {
        self.tell(environment, by.into(), REFRESH)
    }

    fn tell(&mut self, environment: &Environment, by: By, at_once: u32) -> Result<(), Error> {
        let Cookie { text, stale_from } = &self.state.cookie;
        let from = match stale_from {
            None if *text == environment.cookie => return Ok(()),
            Some(key) if *text == environment.cookie => key.clone(),
            _ => String::new(),
        };
        let (pages, stale_from) = self.pages_from(&from, at_once)?;
        let next = Cookie {
            text: environment.cookie.clone(),
            stale_from,
        };
        let before = std::mem::replace(&mut self.state.cookie, next);
        let now = self.state.last_change;
        let draft = Draft::of_live(&mut self.store, &self.state, now);
        let done = self.publish(
            draft,
            by,
            Event::Environment,
            RECLAIM_AT_LEAST,
            |_, draft| {
                draft.touch(pages);
                Ok(())
            },
        );
        if done.is_err() {
            self.state.cookie = before;
            self.save()?;
        }
        done
    }

    /// The pages among the assets from a key on, and the key where to go on.
    fn pages_from(
        &self,
        key: &str,
        at_once: u32,
    ) -> Result<(Vec<String>, Option<String>), StorageError> {
        let mut pages = Vec::new();
        let mut next = None;
        let start = self.assets_before(key)?;
        self.visit_assets(start, at_once, |key, _| {
            if is_page(&key) {
                pages.push(key);
            }
        })?;
        self.visit_assets(start.saturating_add(at_once), 1, |key, _| next = Some(key))?;
        Ok((pages, next))
    }

    /// How many assets have a smaller key.
    fn assets_before(&self, key: &str) -> Result<u32, StorageError> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let mut is_smaller = false;
            self.visit_assets(middle, 1, |other, _| is_smaller = *other < *key)?;
            match is_smaller {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        serve::{Request, serve},
        site::{Expected, Lock, Memories, Operation},
    };
    use candid::Principal;
    use ic_stable_structures::VectorMemory;

    const NOW: By = By {
        principal: Principal::anonymous(),
        now: 7,
    };

    /// The numbers of the pages that tell of an environment.
    fn told(site: &Site<VectorMemory>, environment: &Environment) -> Vec<u32> {
        let tells = |number: &u32| {
            let answer = serve(site, &Request::get(format!("/{number}.html")), b"");
            answer.header("set-cookie") == Some(environment.cookie())
        };
        (0..8).filter(tells).collect()
    }

    /// A site of eight pages, the environment that they tell of, and another.
    fn told_before() -> (Site<VectorMemory>, [Environment; 2]) {
        let [old, new] = [1, 2].map(|key| Environment::new(&[key], []));
        let mut site = Site::open(Memories::default()).unwrap();
        site.set_environment(&old, NOW).unwrap();
        for number in 0..8 {
            site.put(&format!("/{number}.html"), "text/html", "page", 0)
                .unwrap();
        }
        (site, [old, new])
    }

    #[test]
    fn a_large_site_is_told_step_by_step() {
        let (mut site, [old, new]) = told_before();
        site.put("/0.txt", "text/plain", "text", 0).unwrap();

        site.tell(&new, NOW, 3).unwrap();
        assert_eq!(told(&site, &new), [0, 1], "and the text between them");
        // Assets come and go meanwhile, the next one among them.
        let operations = ["/0.txt", "/2.html"].map(|key| Operation::Delete {
            key: key.to_owned(),
        });
        site.commit(operations, 0).unwrap();
        site.tell(&new, NOW, 3).unwrap();
        assert_eq!(told(&site, &new), [0, 1, 3, 4, 5]);
        assert_eq!(told(&site, &old), [6, 7]);
        // A change of mind begins anew.
        site.tell(&old, NOW, 6).unwrap();
        assert_eq!(told(&site, &old), [0, 1, 3, 4, 5, 6, 7]);
        let root = *site.root();
        site.tell(&old, NOW, 6).unwrap();
        site.tell(&old, NOW, 6).unwrap();
        assert_eq!(*site.root(), root);
        site.check().unwrap();
    }

    #[test]
    fn public_variables_are_told_in_the_order_of_their_names() {
        let variables = [
            ("TEST3", "hidden"),
            ("PUBLIC_TEST2", "value2"),
            ("PUBLIC_TEST1", "value 1/ü"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            Environment::new(&[0xab, 0x01], variables).cookie(),
            "ic_env=ic%5Froot%5Fkey%3Dab01%26PUBLIC%5FTEST1%3Dvalue%201%2F%C3%BC%26PUBLIC%5FTEST2%3Dvalue2; SameSite=Lax"
        );
    }

    #[test]
    fn what_is_scheduled_goes_on_where_the_live_site_was() {
        let (mut site, [_, new]) = told_before();
        site.tell(&new, NOW, 3).unwrap();
        let lock = Lock {
            delay: 1,
            is_frozen: false,
        };
        site.set_lock(lock, NOW).unwrap();
        let stage = site.create_stage(None, NOW).unwrap();
        site.seal_stage(stage, NOW, &|_| true).unwrap().unwrap();
        site.publish_stage(stage, &Expected::default(), "", NOW)
            .unwrap();
        site.carry_out(NOW.now + 1).unwrap().unwrap();
        assert_eq!(told(&site, &new), [0, 1, 2]);
        site.set_environment(&new, NOW).unwrap();
        assert_eq!(told(&site, &new).len(), 8);
    }
}
