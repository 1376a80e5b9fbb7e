//! What has to change at the canister for it to hold a directory, and nothing more.
//!
//! An asset is compared by type, by the hash of each encoding, and by its properties. A changed
//! type means deleting and creating, since the interface cannot change it. The changes come in the order in which clients of this interface send
//! them: deletes, creates, unsets, contents, properties, each by key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::content::{Asset, Encoding};
use crate::legacy::{AssetDetails, AssetProperties, EncodingDetails};

/// An asset that a canister has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The path it is served under.
    pub key: String,
    /// The media type.
    pub content_type: String,
    /// What can be sent.
    pub encodings: Vec<EncodingDetails>,
    /// What else is set; `None` if the canister does not tell.
    pub properties: Option<AssetProperties>,
}

impl From<AssetDetails> for Stored {
    /// Of a listing that tells everything.
    fn from(details: AssetDetails) -> Stored {
        Stored {
            key: details.key,
            content_type: details.content_type,
            encodings: details.encodings,
            properties: Some(AssetProperties {
                max_age: details.max_age,
                headers: details.headers,
                allow_raw_access: details.allow_raw_access,
                is_aliased: details.is_aliased,
            }),
        }
    }
}

/// The changes that lead from what is stored to what is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// In the order to make them.
    pub changes: Vec<Change<'a>>,
}

/// One change; the variants are in the order of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Delete the asset.
    Delete {
        /// Its key.
        key: &'a str,
    },
    /// Create the asset, without content yet.
    Create {
        /// What to create.
        asset: &'a Asset,
    },
    /// Take an encoding away.
    Unset {
        /// The asset's key.
        key: &'a str,
        /// The encoding.
        encoding: &'a str,
    },
    /// Set the content of an encoding.
    Set {
        /// The asset's key.
        key: &'a str,
        /// What to set.
        encoding: &'a Encoding,
    },
    /// Set the properties.
    Adjust {
        /// What to set.
        asset: &'a Asset,
    },
}

/// What becomes of an asset, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// Its content is, or its type.
    Changed,
    /// Its properties are, and nothing else.
    Adjusted,
    /// It goes.
    Deleted,
}

impl<'a> Plan<'a> {
    /// Compares what is wanted with what is stored. Either may be in any order.
    pub fn new(wanted: &'a [Arc<Asset>], stored: &'a [Stored]) -> Plan<'a> {
        let stored_by_key: BTreeMap<&str, _> = stored.iter().map(|s| (&*s.key, s)).collect();
        let wanted_by_key: BTreeMap<&str, _> = wanted.iter().map(|w| (&*w.key, &**w)).collect();

        let mut changes = Vec::new();
        for (&key, stored) in &stored_by_key {
            let wanted = wanted_by_key.get(key);
            if wanted.is_none_or(|wanted| wanted.properties.content_type != stored.content_type) {
                changes.push(Change::Delete { key });
            }
        }
        for (&key, &asset) in &wanted_by_key {
            let kept = stored_by_key.get(key).copied();
            let kept = kept.filter(|stored| stored.content_type == asset.properties.content_type);
            match kept {
                None => changes.push(Change::Create { asset }),
                Some(stored) => {
                    let is_wanted = |name: &str| asset.encodings.iter().any(|e| e.name == name);
                    for stored in &stored.encodings {
                        let encoding = &*stored.content_encoding;
                        if !is_wanted(encoding) {
                            changes.push(Change::Unset { key, encoding });
                        }
                    }
                    if !has_properties_of(stored, asset) {
                        changes.push(Change::Adjust { asset });
                    }
                }
            }
            for encoding in &asset.encodings {
                if !kept.is_some_and(|stored| holds(stored, encoding)) {
                    changes.push(Change::Set { key, encoding });
                }
            }
        }
        // Stable: within one kind, changes stay in the order of keys.
        changes.sort_by_key(Change::rank);
        Plan { changes }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The keys of the assets it concerns.
    pub fn keys(&self) -> BTreeSet<String> {
        let keys = self.changes.iter().map(|change| change.key().to_owned());
        keys.collect()
    }

    /// The assets it concerns, by key.
    pub fn fates(&self) -> BTreeMap<&'a str, Fate> {
        let mut fates = BTreeMap::new();
        for change in &self.changes {
            let fate = match change {
                Change::Delete { .. } => Fate::Deleted,
                Change::Create { .. } => Fate::Added,
                Change::Unset { .. } | Change::Set { .. } => Fate::Changed,
                Change::Adjust { .. } => Fate::Adjusted,
            };
            fates
                .entry(change.key())
                .and_modify(|known| {
                    // Deleted and created again: that is a change.
                    if (*known, fate) == (Fate::Deleted, Fate::Added) {
                        *known = Fate::Changed;
                    }
                })
                .or_insert(fate);
        }
        fates
    }
}

impl<'a> Change<'a> {
    /// The key of the asset it is about.
    pub fn key(&self) -> &'a str {
        match *self {
            Change::Delete { key } | Change::Unset { key, .. } | Change::Set { key, .. } => key,
            Change::Create { asset } | Change::Adjust { asset } => &asset.key,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Change::Delete { .. } => 0,
            Change::Create { .. } => 1,
            Change::Unset { .. } => 2,
            Change::Set { .. } => 3,
            Change::Adjust { .. } => 4,
        }
    }
}

fn holds(stored: &Stored, encoding: &Encoding) -> bool {
    stored.encodings.iter().any(|stored| {
        let sha256 = stored.sha256.as_deref().map(Vec::as_slice);
        stored.content_encoding == encoding.name && sha256 == Some(&encoding.sha256)
    })
}

fn has_properties_of(stored: &Stored, asset: &Asset) -> bool {
    let Some(stored) = &stored.properties else {
        return true;
    };
    let wanted = &asset.properties;
    // Said or not makes a difference to the content hash, even where it makes no other.
    stored.max_age == wanted.max_age
        && has_headers(stored.headers.as_deref(), wanted.headers.as_ref())
        && stored.allow_raw_access == wanted.allow_raw_access
        && stored.is_aliased == wanted.is_aliased
}

fn has_headers(
    stored: Option<&[(String, String)]>,
    wanted: Option<&BTreeMap<String, String>>,
) -> bool {
    // Canisters of dfx put the environment's cookie on pages, again at each commit.
    let is_cookie = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("set-cookie") && value.starts_with("ic_env=")
    };
    let Some(stored) = stored else {
        return wanted.is_none();
    };
    let own = stored.iter().filter(|header| !is_cookie(header));
    let own: BTreeMap<_, _> = own.map(|(name, value)| (name, value)).collect();
    match wanted {
        // Nothing but the cookie.
        None => own.is_empty() && !stored.is_empty(),
        Some(wanted) => own.into_iter().eq(wanted),
    }
}

#[cfg(test)]
mod tests {
    use serde_bytes::ByteBuf;

    use super::*;
    use crate::rules::Rules;

    fn asset(key: &str, text: &str) -> Arc<Asset> {
        Arc::new(Asset::new(key, text.as_bytes().to_vec()))
    }

    fn stored(asset: &Asset) -> Stored {
        Stored {
            key: asset.key.clone(),
            content_type: asset.properties.content_type.clone(),
            encodings: asset
                .encodings
                .iter()
                .map(|encoding| EncodingDetails {
                    content_encoding: encoding.name.to_owned(),
                    sha256: Some(ByteBuf::from(encoding.sha256)),
                })
                .collect(),
            properties: Some(AssetProperties {
                max_age: asset.properties.max_age,
                headers: asset
                    .properties
                    .headers
                    .clone()
                    .map(|headers| headers.into_iter().collect()),
                allow_raw_access: asset.properties.allow_raw_access,
                is_aliased: asset.properties.is_aliased,
            }),
        }
    }

    /// An asset that rules say something of.
    fn ruled(key: &str, text: &str, rule: &str) -> Arc<Asset> {
        let mut rules = Rules::default();
        let rule = format!("[{{ match: '*', {rule} }}]");
        rules.add("", "rules".as_ref(), &rule).unwrap();
        let settings = rules.settings(key);
        Arc::new(Asset::with(&settings, key, text.as_bytes().to_vec()))
    }

    /// The plan in words, such as `create /a`.
    fn words(wanted: &[Arc<Asset>], stored: &[Stored]) -> Vec<String> {
        let plan = Plan::new(wanted, stored);
        let words = plan.changes.iter().map(|change| match change {
            Change::Delete { key } => format!("delete {key}"),
            Change::Create { asset } => format!("create {}", asset.key),
            Change::Unset { key, encoding } => format!("unset {key} {encoding}"),
            Change::Set { key, encoding } => format!("set {key} {}", encoding.name),
            Change::Adjust { asset } => format!("adjust {}", asset.key),
        });
        words.collect()
    }

    #[test]
    fn what_is_there_stays() {
        let site = [asset("/a.txt", &"a".repeat(500)), asset("/b.png", "b")];
        let there: Vec<_> = site.iter().rev().map(|asset| stored(asset)).collect();
        assert!(Plan::new(&site, &there).is_empty());
    }

    #[test]
    fn an_empty_canister_gets_everything_in_order() {
        let site = [asset("/b.txt", &"b".repeat(500)), asset("/a.png", "a")];
        let plan = words(&site, &[]);
        let expected = [
            "create /a.png",
            "create /b.txt",
            "set /a.png identity",
            "set /b.txt identity",
            "set /b.txt gzip",
            "set /b.txt br",
        ];
        assert_eq!(plan, expected);
    }

    #[test]
    fn only_what_differs_is_touched() {
        let old = [
            asset("/a.png", "old"),
            asset("/b.png", "same"),
            asset("/c.png", "gone"),
        ];
        let new = [
            asset("/a.png", "new"),
            asset("/b.png", "same"),
            asset("/d.png", "here"),
        ];
        let there: Vec<_> = old.iter().map(|asset| stored(asset)).collect();
        let expected = [
            "delete /c.png",
            "create /d.png",
            "set /a.png identity",
            "set /d.png identity",
        ];
        assert_eq!(words(&new, &there), expected);
        let fates = Plan::new(&new, &there).fates();
        let expected = [
            ("/a.png", Fate::Changed),
            ("/c.png", Fate::Deleted),
            ("/d.png", Fate::Added),
        ];
        assert!(fates.into_iter().eq(expected));
    }

    #[test]
    fn an_encoding_that_is_no_longer_made_goes() {
        let there = stored(&asset("/a.txt", &"long ".repeat(100)));
        let new = [asset("/a.txt", "short")];
        let expected = [
            "unset /a.txt gzip",
            "unset /a.txt br",
            "set /a.txt identity",
        ];
        assert_eq!(words(&new, &[there]), expected);
    }

    #[test]
    fn another_type_is_another_asset() {
        let site = [asset("/a.png", "a")];
        let mut there = stored(&site[0]);
        there.content_type = "text/plain".into();
        let there = [there];
        let expected = ["delete /a.png", "create /a.png", "set /a.png identity"];
        assert_eq!(words(&site, &there), expected);
        let fates = Plan::new(&site, &there).fates();
        assert!(fates.into_iter().eq([("/a.png", Fate::Changed)]));
    }

    #[test]
    fn properties_become_those_that_rules_say() {
        let plain = [asset("/a.png", "a")];
        let with = |site: &[Arc<Asset>], change: fn(&mut AssetProperties)| {
            let mut there = stored(&plain[0]);
            change(there.properties.as_mut().unwrap());
            words(site, &[there])
        };
        let adjusted = ["adjust /a.png"];
        let changes: [fn(&mut AssetProperties); 6] = [
            |there| there.max_age = Some(0),
            |there| there.headers = Some(vec![("a".into(), "b".into())]),
            |there| there.headers = Some(vec![]),
            |there| there.allow_raw_access = Some(false),
            |there| there.allow_raw_access = None,
            |there| there.is_aliased = Some(true),
        ];
        for change in changes {
            assert_eq!(with(&plain, change), adjusted);
        }
        for rule in [
            "cache: { max_age: 5 }",
            "headers: { A: 'b' }",
            "headers: {}",
            "allow_raw_access: false",
            "enable_aliasing: true",
        ] {
            let site = [ruled("/a.png", "a", rule)];
            assert_eq!(with(&site, |_| ()), adjusted, "{rule}");
            assert_eq!(words(&site, &[stored(&site[0])]), [""; 0], "{rule}");
            let there = [stored(&plain[0])];
            let fates = Plan::new(&site, &there).fates();
            assert!(fates.into_iter().eq([("/a.png", Fate::Adjusted)]));
        }
        // The order of headers is nobody's.
        let site = [ruled("/a.png", "a", "headers: { A: 'b', C: 'd' }")];
        let mut there = stored(&site[0]);
        let headers = &mut there.properties.as_mut().unwrap().headers;
        headers.as_mut().unwrap().reverse();
        assert_eq!(words(&site, &[there]), [""; 0]);
    }

    #[test]
    fn the_cookie_of_the_environment_is_no_header_of_an_asset() {
        const COOKIE: &str = "ic_env=ic_root_key%3D3081; SameSite=Lax";
        for rule in ["", "headers: {}", "headers: { A: 'b' }"] {
            let site = [ruled("/a.png", "a", rule)];
            let mut there = stored(&site[0]);
            let headers = &mut there.properties.as_mut().unwrap().headers;
            let headers = headers.get_or_insert_default();
            headers.push(("Set-Cookie".into(), COOKIE.into()));
            assert_eq!(words(&site, &[there.clone()]), [""; 0], "{rule}");
            let headers = &mut there.properties.as_mut().unwrap().headers;
            headers.as_mut().unwrap()[0] = ("Set-Cookie".into(), "theme=dark".into());
            assert_eq!(words(&site, &[there]), ["adjust /a.png"], "{rule}");
        }
    }

    #[test]
    fn properties_that_are_not_told_are_left_alone() {
        let site = [ruled("/a.png", "a", "cache: { max_age: 5 }")];
        let mut there = stored(&site[0]);
        there.properties = None;
        assert_eq!(words(&site, &[there]), [""; 0]);
    }

    #[test]
    fn a_hash_that_is_not_told_does_not_match() {
        let site = [asset("/a.png", "a")];
        let mut there = stored(&site[0]);
        there.encodings[0].sha256 = None;
        assert_eq!(words(&site, &[there]), ["set /a.png identity"]);
    }
}
