//! The forest and the bodies of a site together, and what leaves hold of bodies.
//!
//! A leaf's attachment says what the leaf keeps alive. When the last tree lets go of a leaf, the forest hands its
//! attachment over, and what it kept alive is let go in turn.
//!
//! ```text
//! 0 | address              a blob in the index, which keeps nothing alive
//! 1 | CBOR                 an asset, and its bodies
//! 2 | address              an answer, and its resource
//! 3 | piece                an uploaded chunk, or the operations of a proposal
//! 4 | trees                a stage: the trees before and those after
//! 5 | trees | CBOR         a release: its trees, and the cookie in the answers
//! ```

use super::{
    asset::Asset,
    bodies::{Bodies, Body, Piece},
    log::Release,
    staging::Stage,
    trees::Trees,
};
use crate::{
    storage::{Address, Heap, Memory, StorageError},
    tree::{Forest, Tree},
};

/// Nodes and bodies in stable memory.
#[derive(Debug)]
pub(crate) struct Store<M> {
    pub(crate) forest: Forest<M>,
    pub(crate) bodies: Bodies<M>,
}

/// What a leaf keeps alive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    Nothing,
    Bodies(Vec<Body>),
    Resource(Address),
    Piece(Piece),
    Trees(Vec<Trees>),
}

/// Bytes of which the blocks of bodies are multiples.
pub(crate) const BODY_UNIT: u32 = 64;

pub(super) const INDEX: u8 = 0;
pub(super) const ASSET: u8 = 1;
pub(super) const ANSWER: u8 = 2;
pub(crate) const CHUNK: u8 = 3;
pub(super) const STAGE: u8 = 4;
pub(super) const RELEASE: u8 = 5;

/// Nodes that cost about as much to free as a piece of a body. To let go of one that is held elsewhere costs as one.
const PIECE: u32 = 8;

impl Holding {
    pub(crate) fn of_attachment(attachment: &[u8]) -> Result<Self, StorageError> {
        let corrupt = StorageError::Corrupt {
            structure: "attachment",
            at: 0,
        };
        Ok(match attachment.split_first() {
            None | Some((&INDEX, _)) => Self::Nothing,
            Some((&ASSET, stored)) => Self::Bodies(Asset::bodies(stored)?),
            Some((&ANSWER, address)) => Self::Resource(address_of(address).ok_or(corrupt)?),
            Some((&CHUNK, piece)) => {
                Self::Piece(Piece::decode(piece.first_chunk().ok_or(corrupt)?))
            }
            Some((&STAGE, stored)) => Self::Trees(Stage::trees(stored).ok_or(corrupt)?.into()),
            Some((&RELEASE, stored)) => Self::Trees(vec![Release::of_attachment(stored)?.trees]),
            Some(_) => return Err(corrupt),
        })
    }
}

/// An attachment of a tag and an address.
pub(super) fn attach(tag: u8, address: Address) -> [u8; 5] {
    let [a, b, c, d] = address.0.to_le_bytes();
    [tag, a, b, c, d]
}

pub(super) fn address_of(bytes: &[u8]) -> Option<Address> {
    let bytes = bytes.first_chunk()?;
    Some(Address(u32::from_le_bytes(*bytes)))
}

impl<M: Memory> Store<M> {
    pub(super) fn open(forks: M, leaves: M, bodies: M) -> Result<Self, StorageError> {
        Ok(Self {
            forest: Forest::open(forks, leaves)?,
            bodies: Bodies {
                heap: Heap::open(bodies, BODY_UNIT)?,
                index: Tree::EMPTY,
            },
        })
    }

    /// Frees up to `budget` nodes that no tree refers to, with all they kept alive; fewer, if those let go of pieces of
    /// bodies, of which one node can hold thousands. Returns true if none is left.
    pub(crate) fn reclaim(&mut self, budget: u32) -> Result<bool, StorageError> {
        let mut spent = 0;
        while spent < budget && !self.forest.is_reclaimed() {
            let mut freed = None;
            spent += self
                .forest
                .reclaim(1, |attachment| freed = Some(attachment));
            if let Some(attachment) = freed {
                spent += self.let_go(Holding::of_attachment(&attachment)?)?;
            }
        }
        Ok(self.forest.is_reclaimed())
    }

    /// Returns how many nodes cost about as much.
    fn let_go(&mut self, holding: Holding) -> Result<u32, StorageError> {
        let bodies = match holding {
            Holding::Nothing => return Ok(0),
            Holding::Bodies(bodies) => bodies,
            Holding::Resource(address) => self.bodies.release_resource(address)?,
            Holding::Piece(piece) => vec![Body::new(vec![piece])],
            Holding::Trees(all) => {
                all.into_iter().for_each(|trees| trees.release(self));
                return Ok(0);
            }
        };
        let mut cost = 0;
        for piece in bodies.iter().flat_map(Body::pieces) {
            let is_freed = self.bodies.release(&mut self.forest, *piece)?;
            cost += if is_freed { PIECE } else { 1 };
        }
        Ok(cost)
    }

    pub(crate) fn release_body(&mut self, body: &Body) -> Result<(), StorageError> {
        for piece in body.pieces() {
            self.bodies.release(&mut self.forest, *piece)?;
        }
        Ok(())
    }

    /// Stores a blob, or finds it, with one more reference.
    pub(crate) fn put(&mut self, content: &[u8]) -> Result<Piece, StorageError> {
        self.bodies.put(&mut self.forest, content)
    }
}
