//! Import: what an asset canister of dfx leaves in stable memory becomes a site, by an ordinary upgrade.
//!
//! That canister keeps everything on the heap and writes all of it to the beginning of stable memory before an
//! upgrade, in one of two encodings: Candid or CBOR. The upgrade surveys it where it is, and refuses it
//! whole if anything is wrong with it. Then the memory becomes that of a site, in which the old state is the first
//! block of the heap of bodies. It stays where it is, but for two pages that are in the way:
//!
//! ```text
//! before  │ page 0 │ page 1 │ page 2 …                                 │
//!         └───────────────── the old state ─────────────────────────────┘
//! after   │ memory manager │ heap │ page 2 …                            │ page 0 │ page 1 │
//!                            └─────────── the bodies: one block in use ───────────────────┘
//! ```
//!
//! An index (key ► place in the old state) says what is still to be imported. Assets are taken from it, put on the
//! site as an uploader would, and so checked like any upload; with the last one the block is freed, and its space
//! is that of future bodies. What one message does not finish, the next ones do. What is asked for meanwhile is
//! answered by an update call, that imports it first.

mod adopt;
mod candid;
mod cbor;
mod error;
mod state;
mod step;
mod stream;
mod wire;

pub(crate) use adopt::BLOCK;
pub use error::ImportError;
pub use step::{Damaged, Progress};

use self::{candid::Candid, cbor::Cbor};
use crate::{tree::Tree, upload::Limits};
use minicbor::{Decode, Encode};
use state::{Place, Record, Rest};
use stream::{Source, Stream};

/// An import that is not finished.
#[derive(Debug)]
pub(crate) struct Import {
    /// Key ► [`Pending`].
    pending: Tree,
    /// Pages of the old state.
    pages: u64,
    /// What the records of assets are, in the old state.
    shape: i64,
    /// What applies when all is imported.
    settings: Settings,
}

/// What a site takes over at the end of an import: until then its own uploads would be held to it.
#[derive(Clone, Copy, Debug, Encode, Decode)]
struct Settings {
    #[n(0)]
    limits: Limits,
    #[n(1)]
    last_batch: u64,
    #[n(2)]
    last_change: u64,
}

/// An asset that is still to be imported, all of it or the rest.
#[derive(Clone, Copy, Debug, Encode, Decode)]
struct Pending {
    /// Where its record is.
    #[n(0)]
    at: u64,
    /// Encodings that it has already.
    #[n(1)]
    encodings: u32,
    /// The batch in which parts of the next encoding wait; 0 if none do.
    #[n(2)]
    batch: u64,
    /// How many parts wait.
    #[n(3)]
    parts: u32,
}

/// [`Import`] as stored.
#[derive(Encode, Decode)]
pub(crate) struct Saved {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pending: [u8; Tree::ENCODED],
    #[n(1)]
    pages: u64,
    #[n(2)]
    shape: i64,
    #[n(3)]
    settings: Settings,
}

impl Import {
    pub(crate) fn tree(&self) -> &Tree {
        &self.pending
    }
}

impl From<&Import> for Saved {
    fn from(import: &Import) -> Self {
        Self {
            pending: import.pending.encode(),
            pages: import.pages,
            shape: import.shape,
            settings: import.settings,
        }
    }
}

impl From<Saved> for Import {
    fn from(saved: Saved) -> Self {
        Self {
            pending: Tree::decode(&saved.pending),
            pages: saved.pages,
            shape: saved.shape,
            settings: saved.settings,
        }
    }
}

/// Reads a whole state, and calls `visit` with each asset.
fn read_state(
    source: &dyn Source,
    visit: &mut dyn FnMut(String, Place, Record) -> Result<(), ImportError>,
) -> Result<Rest, ImportError> {
    let mut stream = Stream::new(source, 0);
    match stream.peek().map_err(|_| ImportError::Foreign)? {
        first if first == Candid::MAGIC[0] => state::read(&mut Candid::open(stream)?, visit),
        first if Cbor::begins_with(first) => state::read(&mut Cbor::new(stream), visit),
        _ => Err(ImportError::Foreign),
    }
}

/// Reads one asset of a state.
fn read_asset(source: &dyn Source, place: Place) -> Result<Record, ImportError> {
    let mut stream = Stream::new(source, 0);
    if Cbor::begins_with(stream.peek()?) {
        let stream = Stream::new(source, place.at);
        return state::read_asset(&mut Cbor::new(stream), place.shape);
    }
    let mut candid = Candid::open(stream)?;
    wire::Wire::stream(&mut candid).seek(place.at);
    state::read_asset(&mut candid, place.shape)
}

/// Drops what that canister adds to the headers of HTML: its environment, as a cookie.
fn without_cookie(key: &str, record: &mut Record) {
    if let Some(headers) = record
        .properties
        .headers
        .as_mut()
        .filter(|_| key.ends_with(".html"))
        && headers
            .get("Set-Cookie")
            .is_some_and(|value| value.starts_with("ic_env="))
    {
        headers.remove("Set-Cookie");
        if headers.is_empty() {
            record.properties.headers = None;
        }
    }
}
