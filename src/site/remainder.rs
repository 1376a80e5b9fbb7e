//! Remainders: the later parts of large content that was replaced, certified beside the site's own answers for a while.
//!
//! Large content comes in parts, and a gateway asks for one after the other by its first byte, in queries. If the site
//! is published in the middle, those still to come must be of what was begun, and must be certified. A request says of
//! which content it wants a part ([`Partition`](super::Partition)), so both can be there.
//!
//! ```text
//! answers  ├─ a ─ <$> ─ what the site answers                        hashed as site hash
//! parts    │      └──── later parts of what was there before
//!          ├─ b ─ <$> ─ later parts of what is gone
//!          │
//! served   ├─ a ─ <$> ─ both                                         certified
//!          └─ b ─ <$> ─ the parts, and what the wildcard answers
//! ```
//!
//! It ends with the next publication, and else after [`GRACE`].

use super::{
    Next, Site,
    commit::RECLAIM_AT_LEAST,
    resource::Resource,
    store::{ANSWER, Holding, Store, attach},
};
use crate::{
    certification::{Expression, Reach},
    error::Error,
    storage::{Address, Memory, StorageError},
    tree::{Labels, Tree, TreeError},
};
use std::collections::BTreeSet;

/// Nanoseconds after the last change from which on downloads that began before are not waited for.
pub const GRACE: u64 = 3_600_000_000_000;

/// Parts that are kept at most: of what is replaced beyond, downloads begin anew. Joining them takes one message.
const MAX_PARTS: u32 = 500;

/// Labels of an answer below its expression path.
const BELOW: usize = 3;

/// What goes on beside a release.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remainder {
    /// Expression path, expression, hashes ► the resource that was there.
    parts: Tree,
    /// Answers and parts. Empty if there are no parts, or if they are to be joined anew.
    served: Tree,
}

impl Remainder {
    pub(super) const NONE: Self = Self {
        parts: Tree::EMPTY,
        served: Tree::EMPTY,
    };

    pub(super) fn of_trees([parts, served]: [Tree; 2]) -> Self {
        Self { parts, served }
    }

    pub(super) fn trees(&self) -> [&Tree; 2] {
        [&self.parts, &self.served]
    }

    pub(super) fn into_trees(self) -> [Tree; 2] {
        [self.parts, self.served]
    }

    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self::of_trees(self.trees().map(|tree| store.forest.share(tree)))
    }

    pub(super) fn is_none(&self) -> bool {
        self.parts.is_empty()
    }

    /// Lets nothing go on.
    pub(super) fn end<M: Memory>(&mut self, store: &mut Store<M>) {
        let ended = std::mem::replace(self, Self::NONE);
        for tree in ended.into_trees() {
            store.forest.release(tree);
        }
    }

    /// The tree of both, if there are parts in it.
    pub(super) fn served(&self) -> Option<&Tree> {
        (!self.served.is_empty()).then_some(&self.served)
    }

    /// The resource of which an answer with these labels, at this path, goes on.
    pub(super) fn find<M: Memory>(
        &self,
        store: &Store<M>,
        request: &Labels,
    ) -> Result<Option<Resource>, StorageError> {
        let Some(leaf) = store.forest.first_below(&self.parts, request) else {
            return Ok(None);
        };
        // Not joined, if the site has a part of its own that begins there.
        match store.forest.get(&self.served, &leaf.path) {
            Some(leaf) => store
                .bodies
                .resource(address_in(&leaf.attachment)?)
                .map(Some),
            None => Ok(None),
        }
    }

    /// Lets the later parts of what is at an expression path in `before` go on.
    pub(super) fn keep<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        before: &Tree,
        path: &Labels,
    ) -> Result<(), StorageError> {
        let parts = path.clone().with(Expression::Range.hash());
        let Some(leaf) = store.forest.first_below(before, &parts) else {
            return Ok(());
        };
        let address = address_in(&leaf.attachment)?;
        let later = store.bodies.resource(address)?.later_parts();
        if self.parts.len() as usize + later.len() > MAX_PARTS as usize {
            return Ok(());
        }
        let later: Vec<Labels> = later.iter().map(|labels| labels.below(path)).collect();
        // Nobody can tell parts that begin at the same bytes: those of what was replaced before are given up.
        for part in &later {
            let older = store
                .forest
                .remove_below(&mut self.parts, &request_of(part));
            older.map_err(storage_error)?;
        }
        for part in &later {
            add(store, &mut self.parts, part, address)?;
        }
        Ok(())
    }

    /// Has the parts joined again, because the answers are others.
    pub(super) fn separate<M: Memory>(&mut self, store: &mut Store<M>) {
        let served = std::mem::replace(&mut self.served, Tree::EMPTY);
        store.forest.release(served);
    }

    /// Joins the parts to these answers, if that is not done, and returns the tree of both.
    pub(super) fn join<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        answers: &Tree,
    ) -> Result<&mut Tree, StorageError> {
        if self.served.is_empty() && !self.parts.is_empty() {
            let mut served = store.forest.share(answers);
            match join(store, &mut served, answers, &self.parts) {
                Ok(()) => self.served = served,
                Err(error) => {
                    store.forest.release(served);
                    return Err(error);
                }
            }
        }
        Ok(&mut self.served)
    }

    /// The paths of all answers that are served and not the site's own, and what proves that the site has nothing there:
    /// paths next to them; and of those that repeat what a wildcard answers, that this is the nearest.
    pub(super) fn extra<M: Memory>(
        &self,
        store: &Store<M>,
        answers: &Tree,
    ) -> Result<Vec<Labels>, StorageError> {
        let parts = self.parts_beside(store, answers);
        let mut extra = Vec::new();
        for (part, _) in &parts {
            extra.extend(store.forest.shown_for(answers, &request_of(part)));
        }
        for place in self.places(store) {
            if !is_in(store, &self.served, &place) || is_in(store, answers, &place) {
                continue;
            }
            let (wildcard, address) = nearest_wildcard(store, answers, &place)?;
            for answer in store.bodies.resource(address)?.labels() {
                extra.extend([answer.below(&place), answer.below(&wildcard)]);
            }
            extra.extend(store.forest.shown_for(answers, &place));
            for nearer in wildcards(&place).take_while(|nearer| *nearer != wildcard) {
                extra.extend(store.forest.shown_for(answers, &nearer));
            }
        }
        extra.extend(parts.into_iter().map(|(part, _)| part));
        Ok(extra)
    }

    /// The first bytes of those of the contents whose parts are served and not the site's own.
    pub(super) fn first_bytes<M: Memory>(
        &self,
        store: &Store<M>,
        answers: &Tree,
    ) -> Result<BTreeSet<u64>, StorageError> {
        let parts = self.parts_beside(store, answers).into_iter();
        let resources: BTreeSet<Address> = parts
            .map(|(_, attachment)| address_in(&attachment))
            .collect::<Result<_, _>>()?;
        let mut bytes = BTreeSet::new();
        for address in resources {
            bytes.extend(store.bodies.resource(address)?.first_bytes());
        }
        Ok(bytes)
    }

    /// Paths and attachments of the parts that are served and not the site's own: what was replaced may be there again.
    fn parts_beside<M: Memory>(&self, store: &Store<M>, answers: &Tree) -> Vec<(Labels, Vec<u8>)> {
        let mut parts = Vec::new();
        store.forest.page(&self.parts, 0, MAX_PARTS, |leaf| {
            if is_in(store, &self.served, &leaf.path) && !is_in(store, answers, &leaf.path) {
                parts.push((leaf.path, leaf.attachment));
            }
        });
        parts
    }

    /// The expression paths that there are parts at.
    fn places<M: Memory>(&self, store: &Store<M>) -> BTreeSet<Labels> {
        let mut places = BTreeSet::new();
        store.forest.page(&self.parts, 0, MAX_PARTS, |leaf| {
            places.insert(place_of(&leaf.path));
        });
        places
    }
}

impl<M: Memory> Site<M> {
    /// Lets nothing go on beside the site.
    pub(super) fn end_remainder(&mut self) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        if state.trees.remainder.is_none() {
            return Ok(());
        }
        let next = Next {
            trees: Some(state.trees.share_release(store)),
            ..Next::default()
        };
        self.conclude(Ok(()), next, RECLAIM_AT_LEAST)
    }
}

fn join<M: Memory>(
    store: &mut Store<M>,
    served: &mut Tree,
    answers: &Tree,
    parts: &Tree,
) -> Result<(), StorageError> {
    let mut leaves = Vec::new();
    store
        .forest
        .page(parts, 0, MAX_PARTS, |leaf| leaves.push(leaf));
    for leaf in leaves {
        let place = place_of(&leaf.path);
        if store.forest.first_below(served, &place).is_none()
            && !repeat_wildcard(store, served, answers, &place)?
        {
            continue;
        }
        let request = request_of(&leaf.path);
        if store.forest.first_below(answers, &request).is_none() {
            add(store, served, &leaf.path, address_in(&leaf.attachment)?)?;
        }
    }
    Ok(())
}

/// Repeats what answers a path that is gone at the path itself: there it must be, all of it, as soon as anything is
/// there. Returns false if that would nest too deep, or is large, and has later parts of its own.
fn repeat_wildcard<M: Memory>(
    store: &mut Store<M>,
    served: &mut Tree,
    answers: &Tree,
    place: &Labels,
) -> Result<bool, StorageError> {
    let (_, address) = nearest_wildcard(store, answers, place)?;
    let resource = store.bodies.resource(address)?;
    if !resource.later_parts().is_empty() {
        return Ok(false);
    }
    for labels in resource.labels() {
        if !add(store, served, &labels.below(place), address)? {
            let added = store.forest.remove_below(served, place);
            added.map_err(storage_error)?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// The wildcard that answers a path which nothing else does, and its resource.
fn nearest_wildcard<M: Memory>(
    store: &Store<M>,
    answers: &Tree,
    place: &Labels,
) -> Result<(Labels, Address), StorageError> {
    for wildcard in wildcards(place) {
        if let Some(leaf) = store.forest.first_below(answers, &wildcard) {
            return Ok((wildcard, address_in(&leaf.attachment)?));
        }
    }
    Err(corrupt())
}

/// All wildcards that may answer a path, the nearest first.
fn wildcards(place: &Labels) -> impl Iterator<Item = Labels> {
    let mut directory = place.clone();
    (0..place.len()).rev().map(move |count| {
        directory.truncate(count);
        directory.clone().with(Reach::Below.terminator())
    })
}

fn is_in<M: Memory>(store: &Store<M>, tree: &Tree, path: &Labels) -> bool {
    store.forest.first_below(tree, path).is_some()
}

/// Adds an answer of a resource, unless it would nest too deep: returns false then.
fn add<M: Memory>(
    store: &mut Store<M>,
    tree: &mut Tree,
    path: &Labels,
    address: Address,
) -> Result<bool, StorageError> {
    let attachment = attach(ANSWER, address);
    match store.forest.insert(tree, path, b"", &attachment) {
        Ok(()) => store.bodies.retain_resource(address, 1),
        Err(TreeError::Storage(error)) => return Err(error),
        Err(_) => return Ok(false),
    }
    Ok(true)
}

fn place_of(path: &Labels) -> Labels {
    let mut place = path.clone();
    place.truncate(path.len().saturating_sub(BELOW));
    place
}

fn request_of(path: &Labels) -> Labels {
    let mut request = path.clone();
    request.truncate(path.len().saturating_sub(1));
    request
}

fn address_in(attachment: &[u8]) -> Result<Address, StorageError> {
    match Holding::of_attachment(attachment)? {
        Holding::Resource(address) => Ok(address),
        _ => Err(corrupt()),
    }
}

/// Why labels could not be taken out.
fn storage_error(error: TreeError) -> StorageError {
    match error {
        TreeError::Storage(error) => error,
        _ => corrupt(),
    }
}

fn corrupt() -> StorageError {
    StorageError::Corrupt {
        structure: "tree of answers",
        at: 0,
    }
}
