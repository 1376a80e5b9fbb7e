//! Bodies: content-addressed blobs, written once, counted by reference.
//!
//! ```text
//! block of the heap:  SHA-256 [32] | references u32 | content
//! index:              a tree that is never sealed: SHA-256 → address
//! ```
//!
//! A [`Body`] is a list of pieces, in the sizes that they were uploaded in; equal pieces are stored once, whatever
//! they belong to.

use super::store::{INDEX, address_of, attach};
use crate::{
    storage::{Address, Heap, Memory, StorageError},
    tree::{Forest, Hash, Labels, Tree, TreeError},
};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// A stored blob and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    address: Address,
    length: u32,
}

/// What a representation consists of, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body(Vec<Piece>);

/// All bodies of a site.
#[derive(Debug)]
pub(crate) struct Bodies<M> {
    pub(crate) heap: Heap<M>,
    pub(super) index: Tree,
}

const REFERENCES: u32 = 32;
const CONTENT: u32 = 36;
const PIECE: usize = 8;

impl Body {
    /// The body made of these pieces, but for empty ones beside others, which would only be read for nothing.
    pub(crate) fn new(mut pieces: Vec<Piece>) -> Self {
        let empty = pieces.iter().position(|piece| piece.length == 0);
        let kept = empty.filter(|_| pieces.iter().all(|piece| piece.length == 0));
        let mut at = 0;
        pieces.retain(|piece| {
            at += 1;
            piece.length > 0 || kept == Some(at - 1)
        });
        Self(pieces)
    }

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.0.iter().map(|piece| u64::from(piece.length)).sum()
    }

    /// How many chunks it was uploaded in, but for empty ones.
    pub fn chunks(&self) -> u64 {
        self.0.len() as u64
    }

    /// The pieces.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PIECE * self.0.len());
        for piece in &self.0 {
            bytes.extend_from_slice(&piece.encode());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Self {
        let (pieces, _) = bytes.as_chunks::<PIECE>();
        Self(pieces.iter().map(Piece::decode).collect())
    }
}

impl Piece {
    pub(crate) fn encode(self) -> [u8; PIECE] {
        let mut bytes = [0; PIECE];
        bytes[..4].copy_from_slice(&self.address.0.to_le_bytes());
        bytes[4..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; PIECE]) -> Self {
        let [a, b, c, d, e, f, g, h] = *bytes;
        Self {
            address: Address(u32::from_le_bytes([a, b, c, d])),
            length: u32::from_le_bytes([e, f, g, h]),
        }
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }
}

impl<M: Memory> Bodies<M> {
    /// Stores a blob, or finds it, with one more reference.
    pub(crate) fn put(
        &mut self,
        forest: &mut Forest<M>,
        content: &[u8],
    ) -> Result<Piece, StorageError> {
        let hash: Hash = Sha256::digest(content).into();
        if let Some(piece) = self.find(forest, &hash)? {
            self.retain(piece);
            return Ok(piece);
        }
        let key = Labels::new().with(&hash);
        let length = content.len() as u32;
        let address = self.heap.store(&[&hash, &1u32.to_le_bytes(), content])?;
        match forest.insert(&mut self.index, &key, b"", &attach(INDEX, address)) {
            Ok(()) => Ok(Piece { address, length }),
            Err(error) => {
                self.heap.free(address);
                Err(match error {
                    TreeError::Storage(error) => error,
                    // A hundred bits in common with other hashes, one after the other.
                    _ => StorageError::Full { needed: u64::MAX },
                })
            }
        }
    }

    /// The blob with this SHA-256. This takes no reference.
    pub(crate) fn find(
        &self,
        forest: &Forest<M>,
        sha256: &[u8],
    ) -> Result<Option<Piece>, StorageError> {
        let Some(found) = forest.get(&self.index, &Labels::new().with(sha256)) else {
            return Ok(None);
        };
        let address = found.attachment.get(1..).and_then(address_of);
        let address = address.ok_or(StorageError::Corrupt {
            structure: "index of bodies",
            at: 0,
        })?;
        let length = self.heap.length(address) - CONTENT;
        Ok(Some(Piece { address, length }))
    }

    /// Takes one more reference.
    pub(crate) fn retain(&mut self, piece: Piece) {
        let references = self.heap.u32(piece.address, REFERENCES);
        self.heap.set_u32(piece.address, REFERENCES, references + 1);
    }

    /// Gives a reference back, and the blob with the last one. Returns true if it was that.
    pub(crate) fn release(
        &mut self,
        forest: &mut Forest<M>,
        piece: Piece,
    ) -> Result<bool, StorageError> {
        let references = self.heap.u32(piece.address, REFERENCES);
        if references > 1 {
            self.heap.set_u32(piece.address, REFERENCES, references - 1);
            return Ok(false);
        }
        let key = Labels::new().with(&self.hash(piece));
        forest
            .remove(&mut self.index, &key)
            .map_err(|_| StorageError::Full { needed: 0 })?;
        self.heap.free(piece.address);
        Ok(true)
    }

    /// The SHA-256 of a piece, computed when it was stored.
    pub(crate) fn hash(&self, piece: Piece) -> Hash {
        let mut hash = [0; 32];
        self.heap.read(piece.address, 0, &mut hash);
        hash
    }

    pub(super) fn references(&self, piece: Piece) -> u32 {
        self.heap.u32(piece.address, REFERENCES)
    }

    /// The SHA-256 of a part of a body, from the pieces' own hashes where one piece is all of it.
    pub(crate) fn hash_range(&self, body: &Body, range: Range<u64>) -> Hash {
        let mut start = 0;
        for piece in body.pieces() {
            let end = start + u64::from(piece.length);
            if range == (start..end) {
                return self.hash(*piece);
            }
            start = end;
        }
        self.hash_slices(body, range)
    }

    /// The SHA-256 of a piece, computed now.
    pub(super) fn hash_content(&self, piece: Piece) -> Hash {
        self.hash_slices(&Body(vec![piece]), 0..u64::from(piece.length))
    }

    fn hash_slices(&self, body: &Body, range: Range<u64>) -> Hash {
        let mut hasher = Sha256::new();
        self.for_each_slice(body, range, |piece, offset, length| {
            let mut buffer = vec![0; length.min(READ) as usize];
            let mut done = 0;
            while done < length {
                let slice = &mut buffer[..(length - done).min(READ) as usize];
                self.heap
                    .read(piece.address, CONTENT + offset + done, slice);
                hasher.update(&*slice);
                done += slice.len() as u32;
            }
        });
        hasher.finalize().into()
    }

    /// The bytes of a part of a body.
    pub(crate) fn read(&self, body: &Body, range: Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut done = 0;
        self.for_each_slice(body, range, |piece, offset, length| {
            let slice = &mut bytes[done..done + length as usize];
            self.heap.read(piece.address, CONTENT + offset, slice);
            done += length as usize;
        });
        bytes
    }

    /// Calls `visit` with each piece that a range touches, and the offset and length of the part within it.
    fn for_each_slice(
        &self,
        body: &Body,
        range: Range<u64>,
        mut visit: impl FnMut(&Piece, u32, u32),
    ) {
        let mut start = 0;
        for piece in body.pieces() {
            let end = start + u64::from(piece.length);
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                visit(piece, (from - start) as u32, (to - from) as u32);
            }
            start = end;
        }
    }
}

/// Bytes read at once while hashing.
const READ: u32 = 65_536;
