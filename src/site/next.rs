//! The end of every change: what it made takes the place of what is there, all at once, or is dropped.

use super::{Site, log::Log, trees::Trees};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
    upload::Uploads,
};
use std::mem;

/// What a change made beside what is there; `None` of what it leaves as it is.
#[derive(Debug, Default)]
pub(crate) struct Next {
    pub(super) trees: Option<Trees>,
    pub(super) uploads: Option<Uploads>,
    pub(super) log: Option<Log>,
}

impl<M: Memory> Site<M> {
    /// Ends a change. Frees up to `reclaim` nodes that nothing refers to any more.
    pub(crate) fn conclude<R>(
        &mut self,
        done: Result<R, Error>,
        next: Next,
        reclaim: u32,
    ) -> Result<R, Error> {
        let Self { store, state, .. } = self;
        let Next {
            mut trees,
            mut uploads,
            mut log,
        } = next;
        if done.is_ok() {
            exchange(&mut trees, &mut state.trees);
            exchange(&mut uploads, &mut state.uploads);
            exchange(&mut log, &mut state.log);
        }
        let is_certified = trees.is_some() || log.is_some();
        if let Some(trees) = trees {
            trees.release(store);
        }
        if let Some(uploads) = uploads {
            uploads.release(store);
        }
        if let Some(log) = log {
            log.release(store);
        }
        if is_certified {
            self.root = self.state.root()?;
        }
        self.free(reclaim)?;
        done
    }

    /// Frees what nothing refers to any more, and writes the state.
    pub(super) fn free(&mut self, reclaim: u32) -> Result<(), StorageError> {
        self.store.reclaim(reclaim)?;
        self.save()
    }
}

impl From<Uploads> for Next {
    fn from(uploads: Uploads) -> Self {
        Self {
            uploads: Some(uploads),
            ..Self::default()
        }
    }
}

fn exchange<T>(made: &mut Option<T>, live: &mut T) {
    if let Some(made) = made {
        mem::swap(made, live);
    }
}
