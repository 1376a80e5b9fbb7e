//! What the two encodings of the state have in common: values that say what they are, read one after the other.

use super::{ImportError, stream::Stream};
use crate::tree::Hash;

/// What is known of a value before it is read. In Candid its type, which is a row of the type table or, if
/// negative, a primitive; in CBOR nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(pub(super) i64);

/// The fields of a record that are still to be read.
pub(super) struct Fields {
    pub(super) shape: Shape,
    pub(super) next: u64,
    pub(super) count: u64,
}

/// The elements of a list that follow.
pub(super) struct List {
    pub(super) count: u64,
    pub(super) element: Shape,
}

/// The entries of a map that follow, each a key and a value.
pub(super) struct Map {
    pub(super) count: u64,
    pub(super) key: Shape,
    pub(super) value: Shape,
}

/// Bytes in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// A self-describing encoding. Each method reads what it names, or fails and says what it expected where.
pub(super) trait Wire<'s> {
    /// The one value that the state is.
    fn root(&mut self) -> Result<Shape, ImportError>;
    /// The beginning of a record, whose fields [`Self::field`] names one by one.
    fn record(&mut self, shape: Shape) -> Result<Fields, ImportError>;
    /// The name of the next field, whose value follows and has to be read or skipped; empty if it is none that
    /// the state of an asset canister has.
    fn field(&mut self, fields: &mut Fields) -> Result<Option<(&'static str, Shape)>, ImportError>;
    fn list(&mut self, shape: Shape) -> Result<List, ImportError>;
    fn map(&mut self, shape: Shape) -> Result<Map, ImportError>;
    /// Whether there is a value, which follows.
    fn optional(&mut self, shape: Shape) -> Result<Option<Shape>, ImportError>;
    fn text(&mut self, shape: Shape) -> Result<String, ImportError>;
    fn number(&mut self, shape: Shape) -> Result<u64, ImportError>;
    fn flag(&mut self, shape: Shape) -> Result<bool, ImportError>;
    /// Where bytes are. They are not read.
    fn blob(&mut self, shape: Shape) -> Result<Blob, ImportError>;
    fn digest(&mut self, shape: Shape) -> Result<Hash, ImportError>;
    fn principal(&mut self, shape: Shape) -> Result<candid::Principal, ImportError>;
    fn skip(&mut self, shape: Shape) -> Result<(), ImportError>;
    fn stream(&mut self) -> &mut Stream<'s>;
}

/// Values within values that are skipped.
pub(super) const MAX_NESTING: u32 = 32;

/// The fields of all records of the state.
const FIELDS: [&str; 25] = [
    "allow_raw_access",
    "authorized",
    "certificate_expression",
    "certified",
    "commit",
    "configuration",
    "content_chunks",
    "content_type",
    "encodings",
    "headers",
    "is_aliased",
    "last_state_update_timestamp",
    "manage_permissions",
    "max_age",
    "max_batches",
    "max_bytes",
    "max_chunks",
    "modified",
    "next_batch_id",
    "permissions",
    "prepare",
    "response_hashes",
    "sha256",
    "stable_assets",
    "total_length",
];

/// The field for which `is_it` is true; empty if none is.
pub(super) fn known_field(is_it: impl Fn(&str) -> bool) -> &'static str {
    FIELDS
        .iter()
        .find(|name| is_it(name))
        .copied()
        .unwrap_or("")
}
