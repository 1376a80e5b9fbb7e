//! Importing what an asset canister of dfx left.

use crate::import::Progress;
use candid::{CandidType, Deserialize};

/// Reply of `continue_import`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ImportProgress {
    /// Whether all is imported.
    pub done: bool,
    /// Assets that are still to be imported.
    pub left: u32,
    /// Keys whose content was not what its digest said, and was imported as it is.
    pub damaged: Vec<String>,
}

impl From<Progress> for ImportProgress {
    fn from(progress: Progress) -> Self {
        Self {
            done: progress.left == 0,
            left: progress.left,
            damaged: progress.damaged.into_iter().collect(),
        }
    }
}
