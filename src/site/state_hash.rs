//! The state hash: all assets with their content, as one hash that a client computes from a directory.
//!
//! It is the evidence of the operations that would create every asset, in the order of keys, with its encodings in
//! the order of their names. Hashing all content takes long, so it is done in steps, and what is known holds for as
//! long as the content hash is the same: whoever changes anything, a state hash is never that of something else.

use super::{Site, digest::Digest};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
    tree::Hash,
};
use minicbor::{Decode, Encode};

/// Bytes of content that one call hashes at most, at 76 instructions each.
pub(crate) const HASHED_AT_ONCE: u64 = 200_000_000;
/// Assets that one call hashes at most.
const ASSETS_AT_ONCE: u32 = 20_000;
/// Bytes that are read at once.
const SLICE: u64 = 1 << 20;

/// What is known of the state hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct StateHash {
    /// The content hash of which it is known; none if there is no asset.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    content: Option<Hash>,
    #[n(1)]
    progress: Progress,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum Progress {
    #[n(0)]
    Partial {
        #[n(0)]
        digest: Digest,
        /// Assets done.
        #[n(1)]
        assets: u32,
        /// Encodings of the next asset that are done.
        #[n(2)]
        encodings: u32,
        /// Bytes of the next encoding that are done.
        #[n(3)]
        bytes: u64,
    },
    #[n(1)]
    Done(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        Hash,
    ),
}

impl<M: Memory> Site<M> {
    /// The state hash, if it was computed for what is stored now.
    pub fn state_hash(&self) -> Option<Hash> {
        match &self.state.hash {
            Some(StateHash {
                content,
                progress: Progress::Done(hash),
            }) if *content == self.root().content() => Some(*hash),
            _ => None,
        }
    }

    /// Computes the state hash, or the next 200 MB of it. `None`: call again, it goes on from there; it begins
    /// anew if an asset has changed in between.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if a record cannot be read or the progress not be kept.
    pub fn compute_state_hash(&mut self) -> Result<Option<Hash>, Error> {
        if let Some(hash) = self.state_hash() {
            return Ok(Some(hash));
        }
        let content = self.root().content();
        let known = self.state.hash.as_ref();
        let progress = match known.filter(|known| known.content == content) {
            Some(known) => known.progress.clone(),
            None => Progress::START,
        };
        let progress = self.hash_some(progress)?;
        let before = self.state.hash.replace(StateHash { content, progress });
        self.save().inspect_err(|_| self.state.hash = before)?;
        Ok(self.state_hash())
    }

    fn hash_some(&self, progress: Progress) -> Result<Progress, StorageError> {
        let Progress::Partial {
            mut digest,
            mut assets,
            mut encodings,
            mut bytes,
        } = progress
        else {
            return Ok(progress);
        };
        let mut budget = HASHED_AT_ONCE;
        let last = self.len().min(assets.saturating_add(ASSETS_AT_ONCE));
        while assets < last {
            let mut found = None;
            self.visit_assets(assets, 1, |key, asset| found = Some((key, asset)))?;
            let Some((key, asset)) = found else {
                break;
            };
            if encodings == 0 && bytes == 0 {
                digest.create(&key, &asset.properties);
            }
            for (name, encoding) in asset.encodings.iter().skip(encodings as usize) {
                if bytes == 0 {
                    digest.set_content(&key, name, Some(&encoding.sha256));
                }
                let length = encoding.body.length();
                while bytes < length {
                    if budget == 0 {
                        return Ok(Progress::Partial {
                            digest,
                            assets,
                            encodings,
                            bytes,
                        });
                    }
                    let end = length.min(bytes + SLICE.min(budget));
                    digest.update(&self.store.bodies.read(&encoding.body, bytes..end));
                    budget -= end - bytes;
                    bytes = end;
                }
                encodings += 1;
                bytes = 0;
            }
            assets += 1;
            encodings = 0;
        }
        Ok(match assets == self.len() {
            true => Progress::Done(digest.finish()),
            false => Progress::Partial {
                digest,
                assets,
                encodings,
                bytes,
            },
        })
    }
}

impl Progress {
    const START: Self = Self::Partial {
        digest: Digest::NEW,
        assets: 0,
        encodings: 0,
        bytes: 0,
    };
}
