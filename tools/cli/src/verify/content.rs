//! The assets of a canister against those that a directory makes: which are missing, which are
//! extra, which are served otherwise, and which content has to be looked at.
//!
//! Content that is the same is found by its digests alone. Content in an encoding that is other
//! bytes may be the same after all, compressed by another program: that takes looking.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use ic_hallmark::api::AssetDetails;
use ic_hallmark::site::{Outline, Properties, content_hash};

use super::chain::Reason;
use super::log::Hash;

/// Assets by their keys.
pub type Outlines = BTreeMap<String, Outline>;

/// Reads a list of assets; `None` if it has two with one key, or does not tell what an asset is.
pub fn outlines(list: &[AssetDetails]) -> Option<Outlines> {
    let mut outlines = Outlines::new();
    for asset in list {
        if outlines
            .insert(asset.key.clone(), asset.outline()?)
            .is_some()
        {
            return None;
        }
    }
    Some(outlines)
}

/// Whether a list is that of what is certified: all of it, and nothing else.
///
/// # Errors
///
/// [`Reason::ListDiffers`].
pub fn check_list(listed: &Outlines, certified: Option<Hash>) -> Result<(), Reason> {
    let assets = listed
        .iter()
        .map(|(key, outline)| (&**key, outline.clone()));
    // A list that no site can have is none of a site.
    let listed = content_hash(assets).unwrap_or(None);
    if listed == certified {
        return Ok(());
    }
    Err(Reason::ListDiffers { listed, certified })
}

/// How a canister's assets compare with those of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is wrong already.
    pub reasons: Vec<Reason>,
    /// Content that has to be looked at: keys, with encodings.
    pub doubtful: BTreeSet<(String, String)>,
    /// Assets that have other encodings than the directory's.
    pub encoded_otherwise: usize,
}

/// Compares the assets of a canister with those that a directory makes.
pub fn compare(stored: &Outlines, wanted: &Outlines) -> Comparison {
    let mut comparison = Comparison::default();
    for (key, wanted) in wanted {
        match stored.get(key) {
            None => comparison
                .reasons
                .push(Reason::Missing { key: key.clone() }),
            Some(stored) => comparison.add(key, stored, wanted),
        }
    }
    let extra = stored.keys().filter(|key| !wanted.contains_key(*key));
    let extra = extra.map(|key| Reason::Extra { key: key.clone() });
    comparison.reasons.extend(extra);
    comparison
}

impl Comparison {
    /// Whether only looking tells what an encoding of an asset holds.
    pub fn is_doubtful(&self, key: &str, encoding: &str) -> bool {
        let named = (key.to_owned(), encoding.to_owned());
        self.doubtful.contains(&named)
    }

    fn add(&mut self, key: &str, stored: &Outline, wanted: &Outline) {
        if let Some(what) = difference(&stored.properties, &wanted.properties) {
            let (key, what) = (key.to_owned(), what.to_owned());
            self.reasons.push(Reason::ServedOtherwise { key, what });
        }
        let is_same = |(name, content): &(&String, &(Hash, u64))| {
            wanted.encodings.get(*name) == Some(*content)
        };
        let (same, other): (Vec<_>, Vec<_>) = stored.encodings.iter().partition(is_same);
        if same.len() < wanted.encodings.len() || !other.is_empty() {
            self.encoded_otherwise += 1;
        }
        let identity = |(name, _): &(&String, &(Hash, u64))| name.as_str() == IDENTITY;
        let has_nothing = stored.encodings.is_empty() && !wanted.encodings.is_empty();
        // Without an encoding there is nothing to decode: other bytes are other content.
        let differs = other.iter().any(identity) && wanted.encodings.contains_key(IDENTITY);
        if has_nothing || differs {
            let key = key.to_owned();
            self.reasons.push(Reason::Differs { key });
            return;
        }
        for (name, _) in other {
            self.doubtful.insert((key.to_owned(), name.clone()));
        }
    }
}

/// The name of the encoding that is none.
pub const IDENTITY: &str = "identity";

/// In what properties differ, where what is not said means the same.
fn difference(stored: &Properties, wanted: &Properties) -> Option<&'static str> {
    if stored.content_type != wanted.content_type {
        Some("content type")
    } else if stored.max_age != wanted.max_age {
        Some("max age")
    } else if headers(stored) != headers(wanted) {
        Some("set of headers")
    } else if stored.is_aliased.unwrap_or(true) != wanted.is_aliased.unwrap_or(true) {
        Some("setting of aliases")
    } else if stored.allow_raw_access.unwrap_or(true) != wanted.allow_raw_access.unwrap_or(true) {
        Some("setting of raw access")
    } else {
        None
    }
}

/// The headers but the environment's cookie, which dfx's asset canister keeps among them.
fn headers(properties: &Properties) -> Vec<(&String, &String)> {
    let headers = properties.headers.iter().flatten();
    headers
        .filter(|(name, value)| {
            !(name.eq_ignore_ascii_case("set-cookie") && value.starts_with("ic_env="))
        })
        .collect()
}

/// The content that was encoded, up to `limit` bytes of it and one more; `None` if it is not in
/// this encoding, or the encoding not known.
pub fn decode(body: &[u8], encoding: &str, limit: usize) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let limit = limit as u64 + 1;
    match encoding {
        IDENTITY => return Some(body.to_vec()),
        "gzip" => flate2::read::MultiGzDecoder::new(body)
            .take(limit)
            .read_to_end(&mut content)
            .ok()?,
        "deflate" => flate2::read::ZlibDecoder::new(body)
            .take(limit)
            .read_to_end(&mut content)
            .ok()?,
        "br" => brotli::Decompressor::new(body, 4096)
            .take(limit)
            .read_to_end(&mut content)
            .ok()?,
        _ => return None,
    };
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(encodings: &[(&str, u8)]) -> Outline {
        let encodings = encodings.iter();
        Outline {
            encodings: encodings
                .map(|&(name, byte)| (name.to_owned(), ([byte; 32], 1)))
                .collect(),
            ..Outline::default()
        }
    }

    fn site(assets: &[(&str, &[(&str, u8)])]) -> Outlines {
        let assets = assets.iter();
        assets
            .map(|&(key, encodings)| (key.to_owned(), outline(encodings)))
            .collect()
    }

    #[test]
    fn files_are_missing_extra_or_other() {
        let wanted = site(&[
            ("/a", &[(IDENTITY, 1)]),
            ("/b", &[(IDENTITY, 2)]),
            ("/c", &[]),
        ]);
        let stored = site(&[("/b", &[(IDENTITY, 3)]), ("/c", &[]), ("/d", &[])]);
        let key = |key: &str| key.to_owned();
        let comparison = compare(&stored, &wanted);
        let expected = [
            Reason::Missing { key: key("/a") },
            Reason::Differs { key: key("/b") },
            Reason::Extra { key: key("/d") },
        ];
        assert_eq!(comparison.reasons, expected);
        assert!(comparison.doubtful.is_empty());
        assert_eq!(compare(&wanted, &wanted), Comparison::default());
    }

    #[test]
    fn other_compression_has_to_be_looked_at() {
        let wanted = site(&[("/a", &[(IDENTITY, 1), ("gzip", 2)])]);
        let stored = site(&[("/a", &[(IDENTITY, 1), ("gzip", 3), ("br", 4)])]);
        let comparison = compare(&stored, &wanted);
        assert_eq!(comparison.reasons, []);
        let doubtful = ["br", "gzip"].map(|name| ("/a".to_owned(), name.to_owned()));
        assert_eq!(comparison.doubtful, doubtful.into());
        assert_eq!(comparison.encoded_otherwise, 1);

        let without = site(&[("/a", &[(IDENTITY, 1)])]);
        let comparison = compare(&without, &wanted);
        assert_eq!(
            (comparison.reasons.len(), comparison.encoded_otherwise),
            (0, 1)
        );
        assert_eq!(compare(&site(&[("/a", &[])]), &wanted).reasons.len(), 1);
    }

    #[test]
    fn what_is_not_said_is_the_default_and_the_cookie_is_not_looked_at() {
        let headers = |headers: &[(&str, &str)]| {
            let headers = headers.iter();
            Some(
                headers
                    .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            )
        };
        let plain = Properties::default();
        let told = Properties {
            headers: headers(&[("Set-Cookie", "ic_env=a; SameSite=Lax")]),
            is_aliased: Some(true),
            allow_raw_access: Some(true),
            ..Properties::default()
        };
        assert_eq!(difference(&told, &plain), None);
        let other = Properties {
            headers: headers(&[("Set-Cookie", "a=b")]),
            ..Properties::default()
        };
        assert_eq!(difference(&other, &plain), Some("set of headers"));
        let unaliased = Properties {
            is_aliased: Some(false),
            ..Properties::default()
        };
        assert_eq!(difference(&plain, &unaliased), Some("setting of aliases"));
    }

    #[test]
    fn encodings_are_undone_up_to_the_limit() {
        let text = "certified ".repeat(50);
        let asset = crate::content::Asset::new("/a.txt", text.clone().into_bytes());
        assert_eq!(asset.encodings.len(), 3);
        for encoding in &asset.encodings {
            let content = decode(&encoding.body, encoding.name, text.len());
            assert_eq!(
                content.as_deref(),
                Some(text.as_bytes()),
                "{}",
                encoding.name
            );
        }
        let gzip = &asset.encodings[1].body;
        assert_eq!(decode(gzip, "gzip", 3).unwrap().len(), 4);
        assert_eq!(decode(b"no", "gzip", 3), None);
        assert_eq!(decode(gzip, "zstd", 3), None);
    }

    #[test]
    fn a_list_with_two_of_one_key_is_none() {
        let details = |key: &str| AssetDetails {
            key: key.to_owned(),
            content_type: String::new(),
            encodings: Vec::new(),
            max_age: None,
            headers: None,
            allow_raw_access: None,
            is_aliased: None,
        };
        let two = outlines(&[details("/a"), details("/b")]).unwrap();
        assert_eq!(outlines(&[details("/a"), details("/a")]), None);
        let hash = content_hash(two.iter().map(|(key, it)| (&**key, it.clone()))).unwrap();
        assert_eq!(check_list(&two, hash), Ok(()));
        for certified in [None, Some([0; 32])] {
            let differs = Reason::ListDiffers {
                listed: hash,
                certified,
            };
            assert_eq!(check_list(&two, certified), Err(differs));
        }
    }
}
