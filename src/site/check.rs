//! A walk over all of a site's memory, that finds any leak and any broken invariant.

use super::{
    Site,
    bodies::{Body, Piece},
    store::Holding,
    trees::Trees,
};
use crate::{
    import::{self, Import},
    storage::{Address, Memory, StorageError},
    tree::Census,
};
use std::collections::BTreeMap;

/// What [`Site::check`] counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteCensus {
    /// Nodes.
    pub nodes: Census,
    /// Bodies and pieces of bodies.
    pub pieces: u32,
    /// Resources.
    pub resources: u32,
    /// Bytes from the first body to the end of the last, free ones between them included.
    pub body_bytes: u64,
}

impl<M: Memory> Site<M> {
    /// Walks everything that is stored. Work and memory grow with the site: this is for tests, and for doubts.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first thing that is not what it should be.
    pub fn check(&self) -> Result<SiteCensus, StorageError> {
        self.state.log.check(&self.store)?;
        let mut bytes = 0;
        self.visit_assets(0, u32::MAX, |_, asset| bytes += asset.length())?;
        if bytes != self.bytes() {
            return Err(StorageError::Corrupt {
                structure: "tree of assets",
                at: bytes,
            });
        }
        let bodies = &self.store.bodies;
        let mut pieces: BTreeMap<Address, (Piece, u32)> = BTreeMap::new();
        let mut resources: BTreeMap<Address, u32> = BTreeMap::new();
        let mut count = |body: &Body| {
            for piece in body.pieces() {
                pieces.entry(piece.address()).or_insert((*piece, 0)).1 += 1;
            }
        };
        let live = &self.state.trees;
        let [parts, served] = live.remainder.trees();
        let mut trees = vec![
            &live.assets,
            &live.answers,
            parts,
            served,
            self.state.uploads.tree(),
            self.state.log.tree(),
            &bodies.index,
        ];
        trees.extend(self.state.import.as_ref().map(Import::tree));
        let mut broken = None;
        let nodes = self.store.forest.check(&trees, |attachment| {
            match Holding::of_attachment(attachment) {
                Ok(Holding::Trees(all)) => {
                    return all.into_iter().flat_map(Trees::into_trees).collect();
                }
                Ok(Holding::Nothing) => {}
                Ok(Holding::Bodies(held)) => held.iter().for_each(&mut count),
                Ok(Holding::Piece(piece)) => count(&Body::new(vec![piece])),
                Ok(Holding::Resource(address)) => *resources.entry(address).or_default() += 1,
                Err(error) => broken = Some(error),
            }
            Vec::new()
        })?;
        if let Some(error) = broken {
            return Err(error);
        }
        for (address, references) in &resources {
            if bodies.resource_references(*address) != *references {
                return Err(corrupt(*address));
            }
            let resource = bodies.resource(*address)?;
            resource.bodies().for_each(|body| count(&body));
        }
        for (address, (piece, references)) in &pieces {
            let content = bodies.hash_content(*piece);
            if bodies.references(*piece) != *references || bodies.hash(*piece) != content {
                return Err(corrupt(*address));
            }
        }
        let mut expected: Vec<Address> = pieces.keys().chain(resources.keys()).copied().collect();
        expected.extend(self.state.import.is_some().then_some(import::BLOCK));
        expected.sort_unstable();
        if bodies.heap.check()? != expected || bodies.index.len() as usize != pieces.len() {
            return Err(corrupt(Address(u32::MAX)));
        }
        Ok(SiteCensus {
            nodes,
            pieces: pieces.len() as u32,
            resources: resources.len() as u32,
            body_bytes: bodies.heap.extent(),
        })
    }
}

fn corrupt(at: Address) -> StorageError {
    StorageError::Corrupt {
        structure: "bodies",
        at: u64::from(at.0),
    }
}
