//! Assets without their content, as a list tells of them, and the content hash that proves the list.
//!
//! Whoever has the list of all assets from one who may lie, and the content hash from a certificate, knows by
//! comparing the two that the list is true and complete.

use super::{
    asset::{Certified, Digested, Properties, to_cbor},
    draft::tree_error,
};
use crate::{
    error::Error,
    tree::{Forest, Hash, Labels, Tree},
};
use ic_stable_structures::VectorMemory;
use std::collections::BTreeMap;

/// What the content hash covers of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Everything but the content.
    pub properties: Properties,
    /// SHA-256 and bytes of the content in each of its encodings, by the encoding's name.
    pub encodings: BTreeMap<String, (Hash, u64)>,
}

/// The content hash of a site that has these assets, by their keys; `None` if it has none.
///
/// # Errors
///
/// Those of uploading assets with these keys.
pub fn content_hash<'a>(
    assets: impl IntoIterator<Item = (&'a str, Outline)>,
) -> Result<Option<Hash>, Error> {
    let mut forest = Forest::open(VectorMemory::default(), VectorMemory::default())?;
    let mut tree = Tree::EMPTY;
    for (key, outline) in assets {
        let path = Labels::new().with(key.as_bytes());
        let inserted = forest.insert(&mut tree, &path, &outline.value(), b"");
        inserted.map_err(|error| tree_error(key, error))?;
    }
    forest.seal(&mut tree);
    let hash = tree.hash();
    forest.release(tree);
    Ok(hash)
}

impl Outline {
    fn value(self) -> Vec<u8> {
        let encodings = self.encodings.into_iter();
        to_cbor(&Certified {
            properties: self.properties,
            encodings: encodings
                .map(|(name, (sha256, length))| (name, Digested { sha256, length }))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{ListArguments, list},
        site::{Memories, Operation, PropertyChange, Site},
    };

    #[test]
    fn a_list_has_the_content_hash_of_the_site_it_is_of() {
        let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
        assert_eq!(content_hash([]).unwrap(), site.root().content());
        for key in ["/index.html", "/a b/\u{e9}.txt", "/a.bin"] {
            site.put(key, "text/html", key, 5).unwrap();
        }
        let change = PropertyChange {
            max_age: Some(Some(7)),
            headers: Some(Some(BTreeMap::from([("X-A".to_owned(), "b".to_owned())]))),
            is_aliased: Some(Some(false)),
            allow_raw_access: Some(Some(true)),
            ..PropertyChange::default()
        };
        let operations = [
            Operation::SetProperties {
                key: "/index.html".to_owned(),
                change,
            },
            Operation::SetContent {
                key: "/index.html".to_owned(),
                encoding: "br".to_owned(),
                content: vec![1, 2, 3].into(),
                sha256: None,
            },
        ];
        site.commit(operations, 9).unwrap();

        let listed = list(&site, &ListArguments::default()).unwrap();
        let outlines = || {
            listed
                .iter()
                .map(|asset| (&*asset.key, asset.outline().unwrap()))
        };
        assert_eq!(content_hash(outlines()).unwrap(), site.root().content());
        let other = outlines().skip(1);
        assert_ne!(content_hash(other).unwrap(), site.root().content());
    }
}
