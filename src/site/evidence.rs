//! Evidence: what operations do, as one hash, byte for byte as `ic-asset` computes it from a directory.
//!
//! One SHA-256 runs over all operations in order, without lengths or separators. A byte says what follows, texts are
//! as they are, numbers big-endian:
//!
//! ```text
//! option                none 02 | some 03, then the value
//! bool                  00 | 01
//! headers               for each in the order of the names: name, value
//! create                04 key content-type max-age? headers? raw-access? aliased?
//! set content           05 key encoding sha256? content
//! unset content         06 key encoding
//! delete                07 key
//! clear                 08
//! set properties        09 key max-age?? headers?? raw-access?? aliased??
//! ```
//!
//! Content is all of it: uploaded chunks, then the last chunk. (The asset canister of dfx leaves out the last chunk
//! if there are others, so its evidence says nothing about it. `ic-asset` never sends both, so the hashes are the
//! same where it is used.)

use super::{Operation, Properties, PropertyChange, digest::Digest};
use std::collections::BTreeMap;

const NONE: u8 = 2;
const SOME: u8 = 3;
const CREATE: u8 = 4;
const SET_CONTENT: u8 = 5;
const UNSET_CONTENT: u8 = 6;
const DELETE: u8 = 7;
const CLEAR: u8 = 8;
const SET_PROPERTIES: u8 = 9;

impl Digest {
    /// An operation, but for the content that it may have.
    pub(crate) fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Create { key, properties } => self.create(key, properties),
            Operation::SetContent {
                key,
                encoding,
                sha256,
                ..
            } => self.set_content(key, encoding, sha256.as_deref()),
            Operation::UnsetContent { key, encoding } => {
                self.update(&[UNSET_CONTENT]);
                self.update(key.as_bytes());
                self.update(encoding.as_bytes());
            }
            Operation::Delete { key } => {
                self.update(&[DELETE]);
                self.update(key.as_bytes());
            }
            Operation::Clear => self.update(&[CLEAR]),
            Operation::SetProperties { key, change } => self.set_properties(key, change),
        }
    }

    pub(super) fn create(&mut self, key: &str, properties: &Properties) {
        self.update(&[CREATE]);
        self.update(key.as_bytes());
        self.update(properties.content_type.as_bytes());
        self.option(properties.max_age, Self::number);
        self.option(properties.headers.as_ref(), Self::headers);
        self.option(properties.allow_raw_access, Self::bool);
        self.option(properties.is_aliased, Self::bool);
    }

    pub(super) fn set_content(&mut self, key: &str, encoding: &str, sha256: Option<&[u8]>) {
        self.update(&[SET_CONTENT]);
        self.update(key.as_bytes());
        self.update(encoding.as_bytes());
        self.option(sha256, Self::update);
    }

    fn set_properties(&mut self, key: &str, change: &PropertyChange) {
        self.update(&[SET_PROPERTIES]);
        self.update(key.as_bytes());
        self.option(change.max_age, |digest, value| {
            digest.option(value, Self::number);
        });
        self.option(change.headers.as_ref(), |digest, value| {
            digest.option(value.as_ref(), Self::headers);
        });
        for change in [change.allow_raw_access, change.is_aliased] {
            self.option(change, |digest, value| digest.option(value, Self::bool));
        }
    }

    fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.update(&[NONE]),
            Some(value) => {
                self.update(&[SOME]);
                put(self, value);
            }
        }
    }

    fn number(&mut self, value: u64) {
        self.update(&value.to_be_bytes());
    }

    fn bool(&mut self, value: bool) {
        self.update(&[value.into()]);
    }

    fn headers(&mut self, headers: &BTreeMap<String, String>) {
        for (name, value) in headers {
            self.update(name.as_bytes());
            self.update(value.as_bytes());
        }
    }
}

/// The evidence of operations whose contents are all at hand, which tests compare with.
#[cfg(test)]
fn of_operations(operations: &[Operation]) -> crate::tree::Hash {
    let mut digest = Digest::NEW;
    for operation in operations {
        digest.operation(operation);
        if let Operation::SetContent { content, .. } = operation {
            digest.update(content.rest.as_deref().unwrap_or_default());
        }
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Hex;
    use sha2::Sha256;

    fn key(key: &str) -> String {
        key.to_owned()
    }

    /// Computed with the asset canister of dfx and, independently, from the table above.
    #[test]
    fn is_that_of_the_asset_canister_of_dfx() {
        let page = b"<!DOCTYPE html><html></html>";
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let operations = [
            Operation::Delete { key: key("/old") },
            Operation::Create {
                key: key("/a.html"),
                properties: Properties {
                    content_type: "text/html".to_owned(),
                    max_age: Some(600),
                    headers: Some([header("x-a", "1"), header("X-B", "2")].into()),
                    allow_raw_access: Some(true),
                    is_aliased: Some(false),
                },
            },
            Operation::UnsetContent {
                key: key("/b"),
                encoding: "gzip".to_owned(),
            },
            Operation::SetContent {
                key: key("/a.html"),
                encoding: "identity".to_owned(),
                content: page.to_vec().into(),
                sha256: Some(<Sha256 as sha2::Digest>::digest(page).to_vec()),
            },
            Operation::SetProperties {
                key: key("/b"),
                change: PropertyChange {
                    max_age: Some(None),
                    headers: Some(None),
                    is_aliased: Some(Some(true)),
                    ..PropertyChange::default()
                },
            },
        ];
        assert_eq!(
            Hex(&of_operations(&operations)).to_string(),
            "081e0d9c612b8cf9af34f7d8fe0cc7bb2f81d639ef0661557c73900bff144eca"
        );
        assert_eq!(
            Hex(&of_operations(&[])).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
