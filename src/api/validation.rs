//! What a call would do, in words: how a DAO shows its members what they vote on before it makes the call.
//!
//! The words are those of the asset canister of dfx.

use super::{
    CommitProposedBatchArguments, ConfigureArguments, GrantPermission, RevokePermission, id_of,
};
use crate::{access, error::Hex, site::Site, storage::Memory};
use candid::{CandidType, Deserialize};

/// Reply of the methods that begin with `validate_`.
#[derive(Clone, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub enum ValidationResult {
    /// What the call would do.
    Ok(String),
    /// Why it would fail.
    Err(String),
}

impl GrantPermission {
    /// What `grant_permission` would do.
    pub fn validate(&self) -> ValidationResult {
        let permission = access::Permission::from(self.permission);
        let to = self.to_principal;
        ValidationResult::Ok(format!("grant {permission} permission to principal {to}"))
    }
}

impl RevokePermission {
    /// What `revoke_permission` would do.
    pub fn validate(&self) -> ValidationResult {
        let permission = access::Permission::from(self.permission);
        let from = self.of_principal;
        ValidationResult::Ok(format!(
            "revoke {permission} permission from principal {from}"
        ))
    }
}

impl ConfigureArguments {
    /// What `configure` would do.
    pub fn validate(&self) -> ValidationResult {
        ValidationResult::Ok(format!("configure: {self:?}"))
    }
}

impl CommitProposedBatchArguments {
    /// What `commit_proposed_batch` would do to this site, or why it would be refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let batch = id_of(&self.batch_id);
        let checked = site.check_evidence(batch, &self.evidence);
        let (batch, evidence) = (&self.batch_id, Hex(&self.evidence));
        let words = format!("commit proposed batch {batch} with evidence {evidence}");
        checked.map(|()| words).into()
    }
}

/// What a call would do, and the note that the log would have of it.
pub(super) fn with_note(mut words: String, note: &str) -> String {
    if !note.is_empty() {
        words.push_str(": ");
        words.push_str(note);
    }
    words
}

impl<E: ToString> From<Result<String, E>> for ValidationResult {
    fn from(result: Result<String, E>) -> Self {
        match result {
            Ok(words) => Self::Ok(words),
            Err(error) => Self::Err(error.to_string()),
        }
    }
}
