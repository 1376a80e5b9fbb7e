//! A site: assets, the answers derived from them, and their bodies, in stable memory.
//!
//! ```text
//! memory 0  state    roots of the trees, uploads, permissions        Cell
//! memory 1  forks    of all trees                                    Slab
//! memory 2  leaves   of all trees                                    Heap
//! memory 3  bodies   and resources                                   Heap
//!
//! trees:  assets     key ► asset                                     certified, as content hash
//!         answers    expression path, expression, hashes ► resource  certified, as site hash
//!         index      SHA-256 ► body                                  not certified
//!         uploads    batch, chunk ► body                             not certified
//!         releases   number ► what happened, and to which site       certified
//! ```
//!
//! A commit makes a draft of assets and answers, puts it in their place, and says so in the log of releases; all else
//! reads.

mod asset;
mod bodies;
mod check;
mod commit;
mod digest;
mod draft;
mod entry;
mod environment;
mod evidence;
mod lock;
mod log;
mod next;
mod operation;
mod outline;
mod partition;
mod releases;
mod remainder;
mod resource;
mod route;
mod rules;
mod stages;
mod staging;
mod state_hash;
mod store;
mod trees;

pub use asset::{Asset, Encoding, Properties};
pub use bodies::Body;
pub use check::SiteCensus;
pub use commit::Committed;
pub use entry::{By, Entry, Kind, MAX_NOTE};
pub use environment::{Environment, REFRESH};
pub use lock::{Guard, Lock, MAX_DELAY, Scheduled};
pub use log::{MAX_RETENTION, Retention};
pub use operation::{Content, Operation, PropertyChange};
pub use outline::{Outline, content_hash};
pub use partition::PART;
pub use releases::Logged;
pub use remainder::GRACE;
pub use stages::{Expected, Sealed, StageState, StagedRelease};

pub(crate) use asset::{from_cbor, to_cbor};
pub(crate) use bodies::Piece;
pub(crate) use digest::Digest;
pub(crate) use log::Event;
pub(crate) use next::Next;
pub(crate) use partition::{Partition, SHIFTED};
pub(crate) use resource::{Answer, AnswerLabels, Delivery, Parts, Representation, Resource};
pub(crate) use route::keys_answering;
pub(crate) use rules::{check_asset, check_encoding};
pub(crate) use staging::Stage;
pub(crate) use state_hash::HASHED_AT_ONCE;
pub(crate) use store::{BODY_UNIT, CHUNK, Store};

use crate::{
    access::Access,
    certification::{Expression, ExpressionPath, Root, range_request_hash},
    import::{self, Import},
    storage::{Cell, Memory, StorageError},
    tree::{Labels, Tree},
    upload::Uploads,
};
use environment::Cookie;
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};
use log::Log;
use minicbor::{Decode, Encode};
use route::Route;
use state_hash::StateHash;
use trees::Trees;

/// Bytes that a key may have.
pub const MAX_KEY: usize = 1024;
/// Segments that a key may have, the empty one before the leading slash included.
pub const MAX_SEGMENTS: usize = 51;
/// Bytes that the names and values of an asset's headers may have together.
pub const MAX_HEADER_BYTES: u64 = 16 * 1024;
/// Encodings that an asset may have.
pub const MAX_ENCODINGS: u64 = 8;
/// Bytes that the name of an encoding may have.
pub const MAX_ENCODING_NAME: usize = 64;
/// Chunks that the content of an asset in one encoding may be uploaded in.
pub const MAX_CHUNKS: u64 = 4096;
/// Bytes that an asset may have in one encoding. Content of several chunks is hashed as a whole when it is
/// committed, in one message of at most 40 billion instructions, at 76 for each byte.
pub const MAX_BODY: u64 = 450_000_000;

/// Leaves of the certified tree that [`Site::certified_tree`] shows at most: a leaf has about 150 bytes.
const MAX_TREE: u32 = 10_000;
/// Entries of the log in it at most: the log only grows.
const TREE_ENTRIES: u32 = 100;
/// Bytes of it that fit a reply, which has two megabytes, beside a certificate.
const MAX_TREE_BYTES: usize = 1_900_000;

/// The memories of a site, each used for nothing else.
#[derive(Clone, Debug, Default)]
pub struct Memories<M> {
    /// For the site's state: a few kilobytes.
    pub state: M,
    /// For forks: 96 bytes for each answer and asset.
    pub forks: M,
    /// For leaves: a few hundred bytes for each answer and asset.
    pub leaves: M,
    /// For bodies.
    pub bodies: M,
}

/// A website in stable memory.
#[derive(Debug)]
pub struct Site<M> {
    cell: Cell<M>,
    pub(crate) store: Store<M>,
    pub(crate) state: State,
    root: Root,
}

/// What a site is beside its nodes and bodies.
#[derive(Debug)]
pub(crate) struct State {
    trees: Trees,
    pub(crate) uploads: Uploads,
    pub(crate) access: Access,
    pub(crate) last_change: u64,
    cookie: Cookie,
    hash: Option<StateHash>,
    pub(crate) import: Option<Import>,
    log: Log,
}

/// [`State`] as stored, with the index.
#[derive(Encode, Decode)]
struct Saved {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    trees: [u8; Trees::ENCODED],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    index: [u8; Tree::ENCODED],
    #[n(2)]
    uploads: crate::upload::Saved,
    #[n(3)]
    access: Access,
    #[n(4)]
    last_change: u64,
    #[n(5)]
    cookie: Cookie,
    #[n(6)]
    hash: Option<StateHash>,
    #[n(7)]
    import: Option<import::Saved>,
    #[n(8)]
    log: log::Saved,
}

/// Pages of a bucket, the unit in which the memory manager deals out memory: 4 MiB, for 128 GiB in all.
pub(crate) const BUCKET: u16 = 64;

impl<M: Memory> Memories<VirtualMemory<M>> {
    /// The memories of a site that has a stable memory to itself.
    ///
    /// # Errors
    ///
    /// [`StorageError::Foreign`] if the memory is in use and no memory manager's: to make one of it would destroy
    /// what it holds.
    pub fn of_stable_memory(memory: M) -> Result<Self, StorageError> {
        Self::check_stable_memory(&memory)?;
        let manager = MemoryManager::init_with_bucket_size(memory, BUCKET);
        Ok(Self::of_manager(&manager, 0))
    }

    /// Tells whether a stable memory is unused or a memory manager's.
    pub(crate) fn check_stable_memory(memory: &M) -> Result<(), StorageError> {
        let mut magic = [0; 3];
        if memory.size() > 0 {
            memory.read(0, &mut magic);
            if &magic != b"MGR" {
                return Err(StorageError::Foreign {
                    expected: "memory manager",
                });
            }
        }
        Ok(())
    }

    /// The four memories of a manager from `first` on.
    pub fn of_manager(manager: &MemoryManager<M>, first: u8) -> Self {
        let memory = |id: u8| manager.get(MemoryId::new(first + id));
        Self {
            state: memory(0),
            forks: memory(1),
            leaves: memory(2),
            bodies: memory(3),
        }
    }
}

impl<M: Memory> Site<M> {
    /// Opens the site in these memories, in constant work; in memories never used it becomes an empty site.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`](crate::Error::Storage) if the memories hold something else.
    pub fn open(memories: Memories<M>) -> Result<Self, crate::Error> {
        let cell = Cell::open(memories.state)?;
        let mut store = Store::open(memories.forks, memories.leaves, memories.bodies)?;
        let saved = cell.get();
        if saved.is_empty() {
            let state = State {
                trees: Trees::EMPTY,
                uploads: Uploads::default(),
                access: Access::default(),
                last_change: 0,
                cookie: Cookie::default(),
                hash: None,
                import: None,
                log: Log::EMPTY,
            };
            let mut site = Self {
                cell,
                store,
                state,
                root: Root::new([0; 32], None, None),
            };
            site.commit_as(Event::Birth, Vec::new(), 0.into())?;
            return Ok(site);
        }
        let saved: Saved = from_cbor(&saved)?;
        store.bodies.index = Tree::decode(&saved.index);
        let state = State {
            trees: Trees::decode(&saved.trees).ok_or(StorageError::Corrupt {
                structure: "site",
                at: 0,
            })?,
            uploads: saved.uploads.into(),
            access: saved.access,
            last_change: saved.last_change,
            cookie: saved.cookie,
            hash: saved.hash,
            import: saved.import.map(Import::from),
            log: saved.log.into(),
        };
        Ok(Self {
            cell,
            store,
            root: state.root()?,
            state,
        })
    }

    /// The hashes that are certified.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// When the assets last changed, in nanoseconds since 1970.
    pub fn last_change(&self) -> u64 {
        self.state.last_change
    }

    /// How many assets there are.
    pub fn len(&self) -> u32 {
        self.state.trees.assets.len()
    }

    /// Bytes of the content of all assets, in all encodings.
    pub fn bytes(&self) -> u64 {
        self.state.trees.bytes
    }

    /// Bytes of stable memory that all bodies and answers take: of the live site, of releases that are kept and of
    /// uploads.
    pub fn stored_bytes(&self) -> u64 {
        self.store.bodies.heap.taken()
    }

    /// True if there is no asset.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The asset with this key.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] if its record cannot be read.
    pub fn asset(&self, key: &str) -> Result<Option<Asset>, StorageError> {
        find_asset(&self.store, &self.state.trees.assets, key)
    }

    /// The asset that a path names: the one with this key, or else the one that answers for it as an alias.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] if a record cannot be read.
    pub fn asset_at(&self, path: &str) -> Result<Option<(String, Asset)>, StorageError> {
        for candidate in Route::Exact(path.to_owned()).candidates() {
            match self.asset(&candidate.key)? {
                Some(asset) if asset.is_aliased() || !candidate.is_alias => {
                    return Ok(Some((candidate.key, asset)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The chunk with this number, from 0, of the chunks that content was uploaded in.
    pub fn chunk(&self, encoding: &Encoding, number: u64) -> Option<Vec<u8>> {
        let piece = *encoding.body.pieces().get(usize::try_from(number).ok()?)?;
        let body = Body::new(vec![piece]);
        Some(self.store.bodies.read(&body, 0..body.length()))
    }

    /// Visits up to `limit` assets in the order of their keys, from number `start` on. Work is proportional to the
    /// assets visited.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first record that cannot be read.
    pub fn visit_assets(
        &self,
        start: u32,
        limit: u32,
        visit: impl FnMut(String, Asset),
    ) -> Result<(), StorageError> {
        self.visit_tree(&self.state.trees.assets, start, limit, visit)
    }

    fn visit_tree(
        &self,
        assets: &Tree,
        start: u32,
        limit: u32,
        mut visit: impl FnMut(String, Asset),
    ) -> Result<(), StorageError> {
        let mut result = Ok(());
        self.store.forest.page(assets, start, limit, |leaf| {
            let key = leaf.path.get(0).unwrap_or_default();
            match decode_asset(&leaf.value, &leaf.attachment) {
                Ok(asset) => visit(String::from_utf8_lossy(key).into_owned(), asset),
                Err(error) => result = Err(error),
            }
        });
        result
    }

    /// Who may do what.
    pub fn access(&self) -> &Access {
        &self.state.access
    }

    /// Writes the state. Whatever changes anything ends with this.
    pub(crate) fn save(&self) -> Result<(), StorageError> {
        self.cell.set(&to_cbor(&Saved {
            trees: self.state.trees.encode(),
            index: self.store.bodies.index.encode(),
            uploads: (&self.state.uploads).into(),
            access: self.state.access.clone(),
            last_change: self.state.last_change,
            cookie: self.state.cookie.clone(),
            hash: self.state.hash.clone(),
            import: self.state.import.as_ref().map(Into::into),
            log: (&self.state.log).into(),
        }))
    }

    /// The resource at an expression path.
    pub(crate) fn resource(&self, path: &ExpressionPath) -> Result<Option<Resource>, StorageError> {
        self.resource_in(&self.state.trees, path)
    }

    /// The resource that was at an expression path in the release that was replaced last, if it is kept.
    pub(crate) fn replaced(&self, path: &ExpressionPath) -> Result<Option<Resource>, StorageError> {
        match self.state.log.replaced(&self.store)? {
            Some(release) => self.resource_in(&release.trees, path),
            None => Ok(None),
        }
    }

    /// The resource with a later part of large content that goes on at this path although it was replaced, if a request
    /// with this `Range` header is for one.
    pub(crate) fn going_on(
        &self,
        path: &ExpressionPath,
        range: &str,
    ) -> Result<Option<Resource>, StorageError> {
        let remainder = &self.state.trees.remainder;
        if remainder.is_none() {
            return Ok(None);
        }
        let request = path.labels().clone().with(Expression::Range.hash());
        let request = request.with(&range_request_hash(range));
        remainder.find(&self.store, &request)
    }

    /// Whether this is an answer that is certified.
    pub(crate) fn is_served(&self, answer: &Labels) -> bool {
        let served = self.state.trees.served();
        self.store.forest.get(served, answer).is_some()
    }

    fn resource_in(
        &self,
        trees: &Trees,
        path: &ExpressionPath,
    ) -> Result<Option<Resource>, StorageError> {
        let forest = &self.store.forest;
        let Some(leaf) = forest.first_below(&trees.answers, path.labels()) else {
            return Ok(None);
        };
        match store::Holding::of_attachment(&leaf.attachment)? {
            store::Holding::Resource(address) => self.store.bodies.resource(address).map(Some),
            _ => Ok(None),
        }
    }

    /// How many leading labels of a path are in the tree of answers.
    pub(crate) fn known_labels(&self, path: &Labels) -> usize {
        let served = self.state.trees.served();
        self.store.forest.common_labels(served, path)
    }

    /// Everything that is certified, as the self-described CBOR of a hash tree: but for old entries of the log, which
    /// [`log`](Self::log) shows; a hash stands for those.
    ///
    /// # Errors
    ///
    /// [`Error::TreeTooLarge`](crate::Error::TreeTooLarge) if it would not fit into a reply.
    pub fn certified_tree(&self) -> Result<Vec<u8>, crate::Error> {
        let State { trees, log, .. } = &self.state;
        let entries = log.tree().len().min(TREE_ENTRIES);
        let leaves = trees.assets.len() + trees.served().len() + entries;
        if leaves > MAX_TREE {
            return Err(crate::Error::TreeTooLarge { leaves });
        }
        let last = |count: u32, tree: &Tree, cbor: &mut Vec<u8>| {
            let mut paths = Vec::new();
            let first = tree.len() - count;
            self.store
                .forest
                .page(tree, first, count, |leaf| paths.push(leaf.path));
            self.store.forest.witness(tree, &paths, cbor);
        };
        let whole = |tree: &Tree, cbor: &mut Vec<u8>| last(tree.len(), tree, cbor);
        let tree = self.root.tree(
            |cbor| whole(&trees.assets, cbor),
            |cbor| last(entries, log.tree(), cbor),
            |cbor| whole(trees.served(), cbor),
        );
        match tree.len() {
            ..=MAX_TREE_BYTES => Ok(tree),
            _ => Err(crate::Error::TreeTooLarge { leaves }),
        }
    }

    /// A witness of the site for paths in its answers.
    pub(crate) fn witness(&self, paths: &[Labels]) -> Vec<u8> {
        self.root.witness(|cbor| {
            let served = self.state.trees.served();
            self.store.forest.witness(served, paths, cbor);
        })
    }
}

fn find_asset<M: Memory>(
    store: &Store<M>,
    assets: &Tree,
    key: &str,
) -> Result<Option<Asset>, StorageError> {
    let label = Labels::new().with(key.as_bytes());
    match store.forest.get(assets, &label) {
        Some(leaf) => decode_asset(&leaf.value, &leaf.attachment).map(Some),
        None => Ok(None),
    }
}

fn decode_asset(value: &[u8], attachment: &[u8]) -> Result<Asset, StorageError> {
    Asset::decode(value, attachment.get(1..).unwrap_or_default())
}
