//! Changing the site: operations → assets → answers, on copies that replace the live trees at once.
//!
//! ```text
//! live ──share──► stage ──operations──► assets ──routes of the keys touched──► answers ──seal──► live
//! ```
//!
//! Answers are derived from assets after the last operation, so they do not depend on the order of operations.
//! A commit that fails drops its copies, and nothing has happened.

use super::{
    Asset, Encoding, MAX_BODY, MAX_CHUNKS, MAX_ENCODING_NAME, MAX_ENCODINGS, MAX_HEADER_BYTES,
    MAX_KEY, MAX_SEGMENTS, Operation, Properties, PropertyChange, Site, State,
    bodies::{Bodies, Body, Piece},
    operation::Content,
    resource::Resource,
    route::{Candidate, Route, routes_of},
    store::{ANSWER, ASSET, Store, attach},
};
use crate::{
    certification::{Reach, Root},
    error::{Error, KeyError},
    http::check_field,
    storage::{Address, Memory, StorageError},
    tree::{Graft, Hash, Labels, MAX_DEPTH, Tree, TreeError},
    upload::Uploads,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The next state of the site, beside the live one.
struct Stage {
    assets: Tree,
    answers: Tree,
    uploads: Uploads,
    /// Keys whose asset is not what it was.
    touched: BTreeSet<String>,
    /// Resources made on the way, each with one reference of the stage's own.
    resources: BTreeMap<Source, Option<Made>>,
    now: u64,
}

/// What a resource is made from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// An asset, answered with this status.
    Asset(String, u16),
    /// The text for what is not there.
    BuiltIn,
}

/// A resource of the stage.
#[derive(Clone)]
struct Made {
    address: Address,
    answers: Rc<Graft>,
}

/// Nodes that one commit frees at most of what its predecessors left. A node costs a few thousand instructions.
const RECLAIM: u32 = 100_000;

impl<M: Memory> Site<M> {
    /// Puts an asset in the place of what the key names, if it names something. It has this content only, no
    /// further headers, and its aliases.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn put(
        &mut self,
        key: &str,
        content_type: &str,
        content: impl Into<Vec<u8>>,
        now: u64,
    ) -> Result<(), Error> {
        let key = key.to_owned();
        let properties = Properties {
            content_type: content_type.to_owned(),
            ..Properties::default()
        };
        let operations = [
            Operation::Delete { key: key.clone() },
            Operation::Create {
                key: key.clone(),
                properties,
            },
            Operation::SetContent {
                key,
                encoding: "identity".to_owned(),
                content: content.into().into(),
                sha256: None,
            },
        ];
        self.commit(operations, now)
    }

    /// Applies operations in order and publishes the result, all or nothing. `now` is in nanoseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error`] of the first operation that cannot be applied, or that its answers cannot be certified; the
    /// site is unchanged.
    pub fn commit(
        &mut self,
        operations: impl IntoIterator<Item = Operation>,
        now: u64,
    ) -> Result<(), Error> {
        self.commit_batch(NO_BATCH, operations, now)
    }

    /// As [`commit`](Self::commit), and closes the batch with this id, if there is one.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit); the batch stays open then.
    pub fn commit_batch(
        &mut self,
        batch_id: u64,
        operations: impl IntoIterator<Item = Operation>,
        now: u64,
    ) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let mut stage = Stage {
            assets: store.forest.share(&state.assets),
            answers: store.forest.share(&state.answers),
            uploads: state.uploads.share(store),
            touched: BTreeSet::new(),
            resources: BTreeMap::new(),
            now,
        };
        let done = stage.fill(store, operations, batch_id);
        let Stage {
            mut assets,
            mut answers,
            mut uploads,
            resources,
            ..
        } = stage;
        for made in resources.into_values().flatten() {
            for body in store.bodies.release_resource(made.address)? {
                store.release_body(&body)?;
            }
        }
        if done.is_ok() {
            store.forest.seal(&mut assets);
            store.forest.seal(&mut answers);
            std::mem::swap(&mut assets, &mut state.assets);
            std::mem::swap(&mut answers, &mut state.answers);
            std::mem::swap(&mut uploads, &mut state.uploads);
            state.last_change = now;
            self.root = state.root()?;
        }
        store.forest.release(assets);
        store.forest.release(answers);
        uploads.release(store);
        store.reclaim(RECLAIM)?;
        self.save()?;
        done
    }
}

/// The id that no batch has.
const NO_BATCH: u64 = 0;

impl State {
    /// Whatever a site holds, something answers every request, so there is always a site hash.
    pub(super) fn root(&self) -> Result<Root, StorageError> {
        let site = self.answers.hash().ok_or(StorageError::Corrupt {
            structure: "tree of answers",
            at: 0,
        })?;
        Ok(Root::new(site, self.assets.hash()))
    }
}

impl Stage {
    /// Applies the operations, derives the answers, closes the batch.
    fn fill<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        operations: impl IntoIterator<Item = Operation>,
        batch_id: u64,
    ) -> Result<(), Error> {
        let operations: Vec<Operation> = operations.into_iter().collect();
        self.check_room(&operations)?;
        operations
            .into_iter()
            .try_for_each(|operation| self.apply(store, operation))?;
        self.derive_answers(store)?;
        self.uploads.remove(store, batch_id)?;
        Ok(())
    }

    /// Content that comes with operations is held to the limits of uploads like any other.
    fn check_room(&self, operations: &[Operation]) -> Result<(), Error> {
        let (mut chunks, mut bytes) = (0, 0);
        for operation in operations {
            if let Operation::SetContent { content, .. } = operation
                && let Some(rest) = &content.rest
            {
                chunks += 1;
                bytes += rest.len() as u64;
            }
        }
        match chunks {
            0 => Ok(()),
            _ => self.uploads.check_room(chunks, bytes),
        }
    }

    fn apply<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        operation: Operation,
    ) -> Result<(), Error> {
        match operation {
            Operation::Create { key, properties } => {
                check_key(&key)?;
                check_properties(&key, &properties)?;
                if self.find(store, &key)?.is_some() {
                    return Err(Error::AssetExists { key });
                }
                let asset = Asset {
                    properties,
                    encodings: BTreeMap::new(),
                };
                self.put(store, key, &asset)
            }
            Operation::SetContent {
                key,
                encoding,
                content,
                sha256,
            } => {
                let mut asset = self.get(store, &key)?;
                let (body, fresh) = self.resolve(store, &key, &encoding, content)?;
                let given = sha256.as_deref();
                let done = check_content(store, &key, &encoding, &body, given).and_then(|sha256| {
                    let stored = Encoding {
                        sha256,
                        modified: self.now,
                        body,
                    };
                    asset.encodings.insert(encoding, stored);
                    check_count(&key, "encodings", asset.encodings.len(), MAX_ENCODINGS)?;
                    self.put(store, key, &asset)
                });
                // The asset has taken its own reference.
                store.release_body(&Body::new(fresh.into_iter().collect()))?;
                done
            }
            Operation::UnsetContent { key, encoding } => {
                let mut asset = self.get(store, &key)?;
                match asset.encodings.remove(&encoding) {
                    Some(_) => self.put(store, key, &asset),
                    None => Ok(()),
                }
            }
            Operation::SetProperties { key, change } => {
                let mut asset = self.get(store, &key)?;
                change.apply_to(&mut asset.properties);
                check_properties(&key, &asset.properties)?;
                self.put(store, key, &asset)
            }
            Operation::Delete { key } => {
                let label = Labels::new().with(key.as_bytes());
                if store
                    .forest
                    .remove(&mut self.assets, &label)
                    .map_err(|reason| tree_error(&key, reason))?
                {
                    self.touched.insert(key);
                }
                Ok(())
            }
            Operation::Clear => {
                let [assets, answers] = [&mut self.assets, &mut self.answers]
                    .map(|tree| std::mem::replace(tree, Tree::EMPTY));
                store.forest.release(assets);
                store.forest.release(answers);
                self.touched.clear();
                Ok(())
            }
        }
    }

    /// The body that content is, and the piece of it that came with the operation and was stored just now.
    fn resolve<M: Memory>(
        &self,
        store: &mut Store<M>,
        key: &str,
        encoding: &str,
        content: Content,
    ) -> Result<(Body, Option<Piece>), Error> {
        if content.chunks.is_empty() && content.rest.is_none() {
            return Err(Error::NoContent {
                key: key.to_owned(),
                encoding: encoding.to_owned(),
            });
        }
        let count = content.chunks.len();
        check_count(key, "chunks in one encoding", count, MAX_CHUNKS)?;
        let chunk = |id: &u64| {
            let piece = self.uploads.piece(store, *id);
            piece.ok_or(Error::ChunkNotFound { chunk: *id })
        };
        let mut pieces: Vec<Piece> = content.chunks.iter().map(chunk).collect::<Result<_, _>>()?;
        let fresh = match &content.rest {
            Some(rest) => Some(store.put(rest)?),
            None => None,
        };
        pieces.extend(fresh);
        Ok((Body::new(pieces), fresh))
    }

    fn find<M: Memory>(&self, store: &Store<M>, key: &str) -> Result<Option<Asset>, Error> {
        Ok(super::find_asset(store, &self.assets, key)?)
    }

    fn get<M: Memory>(&self, store: &Store<M>, key: &str) -> Result<Asset, Error> {
        self.find(store, key)?
            .ok_or_else(|| Error::AssetNotFound { key: excerpt(key) })
    }

    fn put<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        key: String,
        asset: &Asset,
    ) -> Result<(), Error> {
        let label = Labels::new().with(key.as_bytes());
        let attachment = [&[ASSET], &asset.attachment()[..]].concat();
        store
            .forest
            .insert(&mut self.assets, &label, &asset.value(), &attachment)
            .map_err(|reason| tree_error(&key, reason))?;
        for encoding in asset.encodings.values() {
            for piece in encoding.body.pieces() {
                store.bodies.retain(*piece);
            }
        }
        self.touched.insert(key);
        Ok(())
    }

    /// Makes the answers what the assets say, on every route that a touched key may answer.
    fn derive_answers<M: Memory>(&mut self, store: &mut Store<M>) -> Result<(), Error> {
        let touched = std::mem::take(&mut self.touched);
        let mut routes: BTreeSet<Route> = touched.iter().flat_map(|key| routes_of(key)).collect();
        if self.answers.is_empty() {
            routes.insert(Route::ROOT);
        }
        let mut too_deep = None;
        for route in &routes {
            let path = route.expression_path().labels().clone();
            let Some((key, made)) = self.answering(store, route)? else {
                let removed = store.forest.remove_below(&mut self.answers, &path);
                removed.map_err(|reason| tree_error("a path", reason))?;
                continue;
            };
            store
                .forest
                .graft(
                    &mut self.answers,
                    &path,
                    &made.answers,
                    &attach(ANSWER, made.address),
                )
                .map_err(|reason| tree_error(&key, reason))?;
            store
                .bodies
                .retain_resource(made.address, made.answers.len());
            if self.answers.depth() > MAX_DEPTH {
                too_deep = Some((key, path));
            }
        }
        match too_deep {
            // What came later may have made room.
            Some((key, path)) if self.answers.depth() > MAX_DEPTH => {
                Err(tree_error(&key, TreeError::TooDeep { path }))
            }
            _ => Ok(()),
        }
    }

    /// What answers a route, and the key of the asset that it is.
    fn answering<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        route: &Route,
    ) -> Result<Option<(String, Made)>, Error> {
        for Candidate {
            key,
            status,
            is_alias,
        } in route.candidates()
        {
            let Some(asset) = self.find(store, &key)? else {
                continue;
            };
            if is_alias && !asset.is_aliased() {
                continue;
            }
            let source = Source::Asset(key.clone(), status);
            let made = self.resource(store, source, |bodies| {
                Resource::of_asset(&asset, status, bodies)
            })?;
            if let Some(made) = made {
                return Ok(Some((key, made)));
            }
        }
        if *route == Route::ROOT {
            let built_in = |_: &Bodies<M>| Some(Resource::not_found());
            let made = self.resource(store, Source::BuiltIn, built_in)?;
            return Ok(made.map(|made| (String::new(), made)));
        }
        Ok(None)
    }

    /// A resource, made once per commit. None if its asset has nothing to answer with.
    fn resource<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        source: Source,
        make: impl FnOnce(&Bodies<M>) -> Option<Resource>,
    ) -> Result<Option<Made>, Error> {
        if let Some(made) = self.resources.get(&source) {
            return Ok(made.clone());
        }
        let made = match make(&store.bodies) {
            None => None,
            Some(resource) => {
                let answers = resource
                    .graft()
                    .map_err(|reason| tree_error("a path", reason))?;
                Some(Made {
                    address: store.bodies.put_resource(&resource)?,
                    answers: Rc::new(answers),
                })
            }
        };
        self.resources.insert(source, made.clone());
        Ok(made)
    }
}

impl PropertyChange {
    fn apply_to(self, properties: &mut Properties) {
        fn set<T>(property: &mut Option<T>, value: Option<Option<T>>) {
            if let Some(value) = value {
                *property = value;
            }
        }
        set(&mut properties.max_age, self.max_age);
        set(&mut properties.headers, self.headers);
        set(&mut properties.is_aliased, self.is_aliased);
        set(&mut properties.allow_raw_access, self.allow_raw_access);
    }
}

/// Checks content against what the caller says of it, and returns its digest.
fn check_content<M: Memory>(
    store: &Store<M>,
    key: &str,
    encoding: &str,
    body: &Body,
    given: Option<&[u8]>,
) -> Result<Hash, Error> {
    if encoding.is_empty() || encoding.len() > MAX_ENCODING_NAME {
        return Err(Error::EncodingName {
            key: key.to_owned(),
            length: encoding.len(),
        });
    }
    check_field("content-encoding", encoding).map_err(|reason| Error::Header {
        key: key.to_owned(),
        reason,
    })?;
    check_count(key, "bytes in one encoding", body.length(), MAX_BODY)?;
    let given = match given {
        None => None,
        Some(bytes) => Some(Hash::try_from(bytes).map_err(|_| Error::InvalidHash {
            key: key.to_owned(),
            length: bytes.len(),
        })?),
    };
    let computed = match body.pieces() {
        [piece] => store.bodies.hash(*piece),
        _ => store.bodies.hash_range(body, 0..body.length()),
    };
    match given {
        Some(given) if given != computed => Err(Error::HashMismatch {
            key: key.to_owned(),
            encoding: encoding.to_owned(),
            computed,
            given,
        }),
        _ => Ok(computed),
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    let segments = key.split('/').count();
    let is_terminator = |segment: &str| {
        [Reach::Exact, Reach::Below]
            .iter()
            .any(|reach| reach.terminator() == segment.as_bytes())
    };
    let reason = match key.len() {
        0 => KeyError::Empty,
        length if length > MAX_KEY => KeyError::TooLong { length },
        _ if segments > MAX_SEGMENTS => KeyError::TooManySegments { segments },
        _ if key.split('/').any(is_terminator) => KeyError::Terminator,
        _ => return Ok(()),
    };
    Err(Error::Key {
        key: excerpt(key),
        reason,
    })
}

fn check_properties(key: &str, properties: &Properties) -> Result<(), Error> {
    let headers = properties.headers.iter().flatten();
    let own = headers.clone().map(|(name, value)| (&**name, &**value));
    let content_type = ("content-type", &*properties.content_type);
    let mut bytes = 0;
    for (name, value) in own.chain([content_type]) {
        bytes += name.len() + value.len();
        check_field(name, value).map_err(|reason| Error::Header {
            key: key.to_owned(),
            reason,
        })?;
    }
    check_count(key, "bytes of headers", bytes, MAX_HEADER_BYTES)
}

fn check_count<N: TryInto<u64>>(
    key: &str,
    what: &'static str,
    count: N,
    limit: u64,
) -> Result<(), Error> {
    match count.try_into() {
        Ok(count) if count <= limit => Ok(()),
        _ => Err(Error::AssetTooLarge {
            key: key.to_owned(),
            what,
            limit,
        }),
    }
}

/// A key as an error shows it: long ones cut.
fn excerpt(key: &str) -> String {
    match key.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

fn tree_error(key: &str, reason: TreeError) -> Error {
    match reason {
        TreeError::Storage(error) => Error::Storage(error),
        reason => Error::Tree {
            key: key.to_owned(),
            reason,
        },
    }
}
