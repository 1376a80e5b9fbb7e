//! What can be wrong with a call: who erred, and on which thing.
//!
//! Where the asset canister of dfx has words for an error, [`Display`](fmt::Display) begins with them, because
//! tools look for them.

mod stage;

pub use stage::StageError;

use crate::{
    access::Permission,
    http::FieldError,
    import::ImportError,
    storage::StorageError,
    tree::{Hash, TreeError},
};
use std::fmt;

/// Why a call was refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No asset has this key.
    AssetNotFound {
        /// The key.
        key: String,
    },
    /// There is an asset with this key.
    AssetExists {
        /// The key.
        key: String,
    },
    /// The key cannot name an asset.
    Key {
        /// The key, or the beginning of a long one.
        key: String,
        /// What is wrong with it.
        reason: KeyError,
    },
    /// A header of the asset cannot be sent.
    Header {
        /// The key.
        key: String,
        /// What is wrong with the header.
        reason: FieldError,
    },
    /// The asset has more of something than it may.
    AssetTooLarge {
        /// The key.
        key: String,
        /// What there is too much of.
        what: &'static str,
        /// How much of it there may be.
        limit: u64,
    },
    /// An encoding was set without any content.
    NoContent {
        /// The key.
        key: String,
        /// The encoding.
        encoding: String,
    },
    /// The name of an encoding is empty, or longer than [`MAX_ENCODING_NAME`](crate::site::MAX_ENCODING_NAME).
    EncodingName {
        /// The key.
        key: String,
        /// Bytes in the name.
        length: usize,
    },
    /// A SHA-256 digest does not have 32 bytes.
    InvalidHash {
        /// The key.
        key: String,
        /// Bytes given.
        length: usize,
    },
    /// The content is not what the caller says that it is.
    HashMismatch {
        /// The key.
        key: String,
        /// The encoding.
        encoding: String,
        /// SHA-256 of the content.
        computed: Hash,
        /// SHA-256 that the caller gave.
        given: Vec<u8>,
    },
    /// The asset has no content in any of the encodings asked for.
    EncodingNotFound {
        /// The key.
        key: String,
    },
    /// The asset has no content that is not encoded.
    NoIdentity {
        /// The key.
        key: String,
    },
    /// Content was asked for in one piece that was uploaded in several.
    InPieces {
        /// The key.
        key: String,
    },
    /// A chunk of content was asked for without saying of which content.
    HashRequired {
        /// The key.
        key: String,
    },
    /// A streaming token names something that is not there.
    Token {
        /// What: the key or the encoding.
        missing: &'static str,
    },
    /// The log has no entry with this number.
    ReleaseNotFound {
        /// The number.
        release: u64,
    },
    /// The release cannot come back: its content is not kept, or not any more.
    ReleaseNotKept {
        /// The number.
        release: u64,
    },
    /// The release is what is live already.
    ReleaseLive {
        /// The number.
        release: u64,
    },
    /// No more than [`MAX_RETENTION`](crate::site::MAX_RETENTION) releases can be kept.
    RetentionTooLarge {
        /// The number given.
        releases: u32,
    },
    /// The site is frozen: its lock lets nothing change it.
    Frozen,
    /// The site changes only by what is scheduled: staged releases, and rollbacks.
    Locked {
        /// Nanoseconds from the entry in the log until it takes effect.
        delay: u64,
    },
    /// Something is scheduled already.
    ScheduledBefore {
        /// The number of its entry in the log.
        release: u64,
        /// From when on it takes effect, in nanoseconds since 1970.
        due: u64,
    },
    /// The release is not scheduled.
    NotScheduled {
        /// The number.
        release: u64,
    },
    /// Publications cannot be delayed longer than [`MAX_DELAY`](crate::site::MAX_DELAY).
    DelayTooLong {
        /// Nanoseconds given.
        delay: u64,
    },
    /// The site cannot be locked before its [import](crate::Site::import) is done, which the lock would end.
    Importing,
    /// A note has more than [`MAX_NOTE`](crate::site::MAX_NOTE) bytes.
    NoteTooLong {
        /// Bytes in it.
        length: usize,
    },
    /// The content has fewer chunks.
    ChunkOutOfBounds {
        /// The key.
        key: String,
        /// The number asked for, from 0.
        index: u64,
    },
    /// No open batch has this id.
    BatchNotFound {
        /// The id.
        batch: u64,
    },
    /// No batch can be opened while one waits for its proposal to be executed.
    BatchProposed {
        /// The one that waits.
        batch: u64,
    },
    /// No batch can be opened while one waits for its evidence to be computed.
    EvidencePending {
        /// The one that waits.
        batch: u64,
    },
    /// A proposed batch takes no more chunks.
    BatchClosed {
        /// The id.
        batch: u64,
    },
    /// The batch has been proposed before.
    ProposedBefore {
        /// The id.
        batch: u64,
    },
    /// The batch cannot be proposed: it has staged changes, which no evidence would cover.
    Staged {
        /// The id.
        batch: u64,
    },
    /// The batch has not been proposed.
    NotProposed {
        /// The id.
        batch: u64,
    },
    /// The evidence of the proposed batch has not been computed.
    NoEvidence {
        /// The id.
        batch: u64,
    },
    /// The evidence of the proposed batch is not what the caller says that it is.
    EvidenceMismatch {
        /// The id.
        batch: u64,
        /// The evidence.
        computed: Hash,
        /// What the caller gave.
        given: Vec<u8>,
    },
    /// Something is wrong with the use of a staged release.
    Stage {
        /// Its number.
        stage: u64,
        /// What is wrong.
        reason: StageError,
    },
    /// The site holds no chunk with this SHA-256, or not any more.
    NotHeld {
        /// The digest.
        sha256: Vec<u8>,
    },
    /// A staged release cannot live longer than [`MAX_LIFETIME`](crate::upload::MAX_LIFETIME) unused.
    Lifetime {
        /// Nanoseconds asked for.
        lifetime: u64,
    },
    /// No uploaded chunk has this id.
    ChunkNotFound {
        /// The id.
        chunk: u64,
    },
    /// As many batches are open as the configuration allows.
    BatchLimit {
        /// The limit.
        limit: u64,
    },
    /// As many chunks wait as the configuration allows.
    ChunkLimit {
        /// The limit.
        limit: u64,
    },
    /// As many bytes wait as the configuration allows.
    ByteLimit {
        /// The limit.
        limit: u64,
    },
    /// The caller may not do this.
    Permission {
        /// What the caller would need.
        permission: Permission,
        /// Whether being a controller would do as well.
        or_controller: bool,
    },
    /// Only a controller may do this.
    NotController,
    /// The answers to a path do not fit into the tree.
    Tree {
        /// The key of the asset that answers.
        key: String,
        /// Why they do not.
        reason: TreeError,
    },
    /// The certified tree does not fit into one reply.
    TreeTooLarge {
        /// Leaves in it.
        leaves: u32,
    },
    /// Stable memory is another canister's, and cannot become a site.
    Import(ImportError),
    /// Stable memory is full, or not what it should be.
    Storage(StorageError),
}

/// Why a key cannot name an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty.
    Empty,
    /// It has more bytes than [`MAX_KEY`](crate::site::MAX_KEY).
    TooLong {
        /// Bytes in it.
        length: usize,
    },
    /// It has more segments than [`MAX_SEGMENTS`](crate::site::MAX_SEGMENTS).
    TooManySegments {
        /// Segments in it.
        segments: usize,
    },
    /// One of its segments is `<$>` or `<*>`. Those end expression paths, and a verifier would take the key for
    /// something else than a path.
    Terminator,
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<ImportError> for Error {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssetNotFound { key } => write!(f, "asset not found: {key}"),
            Self::AssetExists { key } => write!(f, "asset already exists: {key}"),
            Self::Key { key, reason } => write!(f, "invalid key {key:?}: {reason}"),
            Self::Header { key, reason } => write!(f, "invalid header of {key}: {reason}"),
            Self::AssetTooLarge { key, what, limit } => {
                write!(f, "asset {key} has more than {limit} {what}")
            }
            Self::NoContent { key, encoding } => write!(
                f,
                "encoding must have at least one chunk or contain last_chunk: {encoding} of {key}"
            ),
            Self::EncodingName { key, length } => write!(
                f,
                "the name of an encoding of {key} has {length} bytes, at least 1 and at most {} are allowed",
                crate::site::MAX_ENCODING_NAME
            ),
            Self::InvalidHash { key, length } => write!(
                f,
                "invalid SHA-256: {length} bytes instead of 32 given for {key}"
            ),
            Self::HashMismatch {
                key,
                encoding,
                computed,
                given,
            } => write!(
                f,
                "sha256 mismatch: {encoding} of {key} has {}, the caller gave {}",
                Hex(computed),
                Hex(given)
            ),
            Self::EncodingNotFound { key } => write!(f, "no such encoding: of {key}"),
            Self::NoIdentity { key } => write!(f, "no identity encoding: of {key}"),
            Self::InPieces { key } => write!(
                f,
                "Asset too large. Use get() and get_chunk() instead. It is {key}"
            ),
            Self::HashRequired { key } => write!(f, "sha256 required: for a chunk of {key}"),
            Self::Token { missing } => {
                write!(f, "Invalid token on streaming: {missing} not found.")
            }
            Self::ReleaseNotFound { release } => write!(f, "there is no release {release}"),
            Self::ReleaseNotKept { release } => write!(
                f,
                "release {release} is not kept: the list of releases says which are"
            ),
            Self::ReleaseLive { release } => write!(f, "release {release} is live already"),
            Self::RetentionTooLarge { releases } => write!(
                f,
                "{releases} releases cannot be kept: {} is the most",
                crate::site::MAX_RETENTION
            ),
            Self::Frozen => f.write_str("the site is frozen"),
            Self::Locked { delay } => write!(
                f,
                "the site is locked: only staged releases and rollbacks change it, {} s after they are logged",
                delay / 1_000_000_000
            ),
            Self::ScheduledBefore { release, due } => write!(
                f,
                "release {release} is scheduled already, for {due}: withdraw it first"
            ),
            Self::NotScheduled { release } => write!(f, "release {release} is not scheduled"),
            Self::DelayTooLong { delay } => write!(
                f,
                "a delay of {} s: {} is the most",
                delay / 1_000_000_000,
                crate::site::MAX_DELAY / 1_000_000_000
            ),
            Self::Importing => f.write_str(
                "the site is being imported, and cannot be locked before that is done: call continue_import",
            ),
            Self::NoteTooLong { length } => write!(
                f,
                "a note of {length} bytes: at most {} are allowed",
                crate::site::MAX_NOTE
            ),
            Self::ChunkOutOfBounds { key, index } => {
                write!(f, "chunk index out of bounds: {index} of {key}")
            }
            Self::BatchNotFound { batch } => write!(f, "batch not found: {}", Id(*batch)),
            Self::BatchProposed { batch } => write!(
                f,
                "Batch {} is already proposed.  Delete or execute it to propose another.",
                Id(*batch)
            ),
            Self::EvidencePending { batch } => write!(
                f,
                "Batch {} has not completed evidence computation.  Wait for it to expire or delete it to propose \
                 another.",
                Id(*batch)
            ),
            Self::BatchClosed { batch } => write!(f, "batch {} has been proposed", Id(*batch)),
            Self::ProposedBefore { batch } => write!(
                f,
                "batch {} already has proposed CommitBatchArguments",
                Id(*batch)
            ),
            Self::Staged { batch } => write!(
                f,
                "batch {} has staged changes, which no evidence would cover",
                Id(*batch)
            ),
            Self::NotProposed { .. } => f.write_str("batch does not have CommitBatchArguments"),
            Self::NoEvidence { .. } => f.write_str("batch does not have computed evidence"),
            Self::EvidenceMismatch {
                batch,
                computed,
                given,
            } => write!(
                f,
                "batch {} computed evidence {} does not match presented evidence {}",
                Id(*batch),
                Hex(computed),
                Hex(given)
            ),
            Self::Stage { stage, reason } => write!(f, "stage {stage}: {reason}"),
            Self::NotHeld { sha256 } => write!(f, "no chunk is held with SHA-256 {}", Hex(sha256)),
            Self::Lifetime { lifetime } => write!(
                f,
                "a staged release cannot live {lifetime} nanoseconds unused: {} is the most",
                crate::upload::MAX_LIFETIME
            ),
            Self::ChunkNotFound { chunk } => write!(f, "chunk not found: {chunk}"),
            Self::BatchLimit { limit } => {
                write!(f, "batch limit exceeded: {limit} may be open at once")
            }
            Self::ChunkLimit { limit } => {
                write!(f, "chunk limit exceeded: {limit} may wait at once")
            }
            Self::ByteLimit { limit } => {
                write!(f, "byte limit exceeded: {limit} may wait at once")
            }
            Self::Permission {
                permission,
                or_controller: false,
            } => write!(f, "Caller does not have {permission} permission"),
            Self::Permission {
                permission,
                or_controller: true,
            } => write!(
                f,
                "Caller does not have {permission} permission and is not a controller."
            ),
            Self::NotController => f.write_str("Caller is not a controller."),
            Self::Tree { key, reason } => {
                write!(f, "the answers of {key} cannot be certified: {reason}")
            }
            Self::TreeTooLarge { leaves } => write!(
                f,
                "the certified tree has {leaves} leaves, more than fit into one reply"
            ),
            Self::Import(error) => error.fmt(f),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Header { reason, .. } => Some(reason),
            Self::Tree { reason, .. } => Some(reason),
            Self::Stage { reason, .. } => Some(reason),
            Self::Import(error) => Some(error),
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong { length } => write!(
                f,
                "{length} bytes, at most {} are allowed",
                crate::site::MAX_KEY
            ),
            Self::TooManySegments { segments } => write!(
                f,
                "{segments} segments, at most {} are allowed",
                crate::site::MAX_SEGMENTS
            ),
            Self::Terminator => f.write_str("no segment may be <$> or <*>"),
        }
    }
}

/// The id of a batch as Candid shows numbers, with its digits in groups of three: `1_000`.
pub(crate) struct Id(pub(crate) u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str("_")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Bytes in hexadecimal digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_candid_shows_them() {
        for id in [0, 7, 999, 1_000, 12_345, 123_456, 1_000_000, u64::MAX] {
            assert_eq!(Id(id).to_string(), candid::Nat::from(id).to_string());
        }
    }
}
