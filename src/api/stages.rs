//! Staged releases: making the next site beside the live one.

use super::{
    ValidationResult,
    batch::{BatchOperationKind, OPERATIONS, operation},
    validation::with_note,
    wire::{WireError, argument, field, required},
};
use crate::{
    error::{Error, Hex},
    site::{self, Expected, Operation, Sealed, Site, StageState},
    storage::Memory,
};
use candid::{CandidType, Deserialize, Principal};
use serde_bytes::ByteBuf;

/// Argument of `create_stage`.
#[derive(Clone, Copy, Debug, Default, CandidType, Deserialize)]
pub struct CreateStageArguments {
    /// Seconds that it lives after its last use; an hour if none are given.
    pub lifetime: Option<u64>,
}

/// The number of a staged release.
#[derive(Clone, Copy, Debug, CandidType, Deserialize)]
pub struct StageNumber {
    /// The number.
    pub stage: u64,
}

/// Argument of `fill_stage`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct FillStageArguments {
    /// The staged release.
    pub stage: u64,
    /// What to do, in order.
    pub operations: Vec<BatchOperationKind>,
}

/// What [`FillStageArguments`] say, as they come over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The staged release.
    pub stage: u64,
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

/// Reply of `seal_stage`.
#[derive(Clone, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct SealStageResponse {
    /// Whether the release is sealed. If not, the next call goes on.
    pub done: bool,
    /// Then, its site hash.
    pub site_hash: Option<ByteBuf>,
    /// Then, its content hash, if there is any content.
    pub content_hash: Option<ByteBuf>,
}

/// Argument of `publish_stage`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct PublishStageArguments {
    /// The staged release.
    pub stage: u64,
    /// The site hash that it must have.
    pub site_hash: Option<ByteBuf>,
    /// The content hash that it must have.
    pub content_hash: Option<ByteBuf>,
    /// What the log shall say of it.
    pub note: Option<String>,
}

/// A staged release.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct Stage {
    /// Its number.
    pub stage: u64,
    /// Who created it.
    pub owner: Principal,
    /// Until when it lives if it is not used, in nanoseconds since 1970.
    pub expires: u64,
    /// The release that was live when it began.
    pub base: u64,
    /// `open`, `sealing` or `sealed`.
    pub state: String,
    /// Chunks that were uploaded to it.
    pub chunks: u32,
    /// Bytes of those.
    pub bytes: u64,
    /// Its site hash, if it is sealed.
    pub site_hash: Option<ByteBuf>,
    /// Its content hash, if it is sealed and there is any content.
    pub content_hash: Option<ByteBuf>,
}

impl CreateStageArguments {
    /// Nanoseconds that the stage shall live after its last use.
    pub fn lifetime(self) -> Option<u64> {
        let nanoseconds = |seconds: u64| seconds.saturating_mul(1_000_000_000);
        self.lifetime.map(nanoseconds)
    }
}

impl Fill {
    /// Reads the argument of `fill_stage`.
    ///
    /// # Errors
    ///
    /// [`WireError`] if it is not one.
    pub fn of_argument(bytes: &[u8]) -> Result<Self, WireError> {
        const STAGE: u32 = field("stage");
        argument(bytes, |arguments| {
            let (mut stage, mut operations) = (None, None);
            arguments.record(|name, value| {
                match name {
                    STAGE => stage = Some(value.nat64()?),
                    OPERATIONS => operations = Some(value.list(operation)?),
                    _ => value.skip()?,
                }
                Ok(())
            })?;
            Ok(Self {
                stage: required(stage, "stage")?,
                operations: required(operations, "operations")?,
            })
        })
    }
}

impl From<Option<Sealed>> for SealStageResponse {
    fn from(sealed: Option<Sealed>) -> Self {
        Self {
            done: sealed.is_some(),
            site_hash: sealed.map(|sealed| ByteBuf::from(sealed.site)),
            content_hash: sealed.and_then(|sealed| sealed.content.map(ByteBuf::from)),
        }
    }
}

impl PublishStageArguments {
    /// What the release must be.
    pub fn expected(&self) -> Expected {
        Expected {
            site: self.site_hash.clone().map(ByteBuf::into_vec),
            content: self.content_hash.clone().map(ByteBuf::into_vec),
        }
    }

    /// What `publish_stage` would do to this site if somebody else than the owner called it, or why it would be
    /// refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let somebody = Principal::management_canister();
        let note = self.note.as_deref().unwrap_or_default();
        let checked = site.check_stage(self.stage, &self.expected(), note, somebody);
        let mut words = format!("publish stage {}", self.stage);
        for (what, hash) in [("site", &self.site_hash), ("content", &self.content_hash)] {
            if let Some(hash) = hash {
                words.push_str(&format!(" with {what} hash {}", Hex(hash)));
            }
        }
        checked.map(|()| with_note(words, note)).into()
    }
}

/// All staged releases.
///
/// # Errors
///
/// [`Error::Storage`] if one cannot be read.
pub fn stages<M: Memory>(site: &Site<M>) -> Result<Vec<Stage>, Error> {
    Ok(site.stages()?.into_iter().map(Stage::from).collect())
}

impl From<site::StagedRelease> for Stage {
    fn from(staged: site::StagedRelease) -> Self {
        let sealed = SealStageResponse::from(staged.sealed);
        let state = match staged.state {
            StageState::Open => "open",
            StageState::Sealing => "sealing",
            StageState::Sealed => "sealed",
        };
        Self {
            stage: staged.stage,
            owner: staged.owner,
            expires: staged.expires,
            base: staged.base,
            state: state.to_owned(),
            chunks: staged.chunks,
            bytes: staged.bytes,
            site_hash: sealed.site_hash,
            content_hash: sealed.content_hash,
        }
    }
}
