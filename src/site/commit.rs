//! Changing the site: operations → assets → answers, on copies that replace the live trees at once.
//!
//! ```text
//! live ──share──► stage ──operations──► assets ──routes of the keys touched──► answers ──seal──► live
//! ```
//!
//! Answers are derived from assets after the last operation, so they do not depend on the order of operations.
//! A commit that fails drops its copies, and nothing has happened.

use super::{
    Asset, Encoding, MAX_BODY, MAX_ENCODINGS, MAX_HEADER_BYTES, MAX_KEY, MAX_SEGMENTS, Operation,
    Properties, PropertyChange, Site, State,
    bodies::Body,
    operation::Content,
    resource::Resource,
    route::{Route, routes_of},
    store::{ANSWER, ASSET, Store, attach},
};
use crate::{
    certification::{Reach, Root},
    error::{Error, KeyError},
    http::check_field,
    storage::{Address, Memory, StorageError},
    tree::{Hash, Labels, Tree, TreeError},
};
use std::collections::{BTreeMap, BTreeSet};

/// The next state of the site, beside the live one.
struct Stage {
    assets: Tree,
    answers: Tree,
    /// Keys whose asset is not what it was.
    touched: BTreeSet<String>,
    /// Resources made on the way, each with one reference of the stage's own.
    resources: BTreeMap<(String, u16), Option<Address>>,
    now: u64,
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
        let done = self.commit_unsaved(operations, now);
        self.save()?;
        done
    }

    pub(crate) fn commit_unsaved(
        &mut self,
        operations: impl IntoIterator<Item = Operation>,
        now: u64,
    ) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let mut stage = Stage {
            assets: store.forest.share(&state.assets),
            answers: store.forest.share(&state.answers),
            touched: BTreeSet::new(),
            resources: BTreeMap::new(),
            now,
        };
        let done = operations
            .into_iter()
            .try_for_each(|operation| stage.apply(store, operation))
            .and_then(|()| stage.derive_answers(store));
        for address in stage.resources.values().flatten() {
            for body in store.bodies.release_resource(*address)? {
                store.release_body(&body)?;
            }
        }
        let (mut assets, mut answers) = (stage.assets, stage.answers);
        if done.is_ok() {
            store.forest.seal(&mut assets);
            store.forest.seal(&mut answers);
            std::mem::swap(&mut assets, &mut state.assets);
            std::mem::swap(&mut answers, &mut state.answers);
            state.last_change = now;
            self.root = state.root()?;
        }
        store.forest.release(assets);
        store.forest.release(answers);
        store.reclaim(RECLAIM)?;
        done
    }
}

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
                let fresh = store_rest(store, &content)?;
                let body = Body::new(content.pieces.iter().copied().chain(fresh).collect());
                let done =
                    check_content(store, &key, &encoding, &body, sha256).and_then(|sha256| {
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
        routes
            .iter()
            .try_for_each(|route| self.derive_route(store, route))
    }

    fn derive_route<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        route: &Route,
    ) -> Result<(), Error> {
        let (key, address) = match self.answering(store, route)? {
            Some(found) => found,
            None if *route == Route::ROOT => (String::new(), self.resource(store, "", 404)?),
            None => (String::new(), None),
        };
        let tree_error = |reason| tree_error(&key, reason);
        let path = route.expression_path();
        store
            .forest
            .remove_below(&mut self.answers, path.labels())
            .map_err(tree_error)?;
        let Some(address) = address else {
            return Ok(());
        };
        for labels in store.bodies.resource(address)?.labels() {
            let leaf = labels.below(path.labels());
            let attachment = attach(ANSWER, address);
            store
                .forest
                .insert(&mut self.answers, &leaf, b"", &attachment)
                .map_err(tree_error)?;
            store.bodies.retain_resource(address);
        }
        Ok(())
    }

    /// The first asset that can answer a route.
    fn answering<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        route: &Route,
    ) -> Result<Option<(String, Option<Address>)>, Error> {
        for candidate in route.candidates() {
            let Some(asset) = self.find(store, &candidate.key)? else {
                continue;
            };
            if candidate.is_alias && !asset.is_aliased() {
                continue;
            }
            let address = self.resource(store, &candidate.key, candidate.status)?;
            if address.is_some() {
                return Ok(Some((candidate.key, address)));
            }
        }
        Ok(None)
    }

    /// The resource of an asset, made once per commit; for no key, the built-in one.
    fn resource<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        key: &str,
        status: u16,
    ) -> Result<Option<Address>, Error> {
        let name = (key.to_owned(), status);
        if let Some(made) = self.resources.get(&name) {
            return Ok(*made);
        }
        let resource = match self.find(store, key)? {
            Some(asset) => Resource::of_asset(&asset, status, &store.bodies),
            None => Some(Resource::not_found()),
        };
        let address = match resource {
            Some(resource) => Some(store.bodies.put_resource(&resource)?),
            None => None,
        };
        self.resources.insert(name, address);
        Ok(address)
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

/// Stores the bytes that came with an operation.
fn store_rest<M: Memory>(
    store: &mut Store<M>,
    content: &Content,
) -> Result<Option<super::Piece>, StorageError> {
    match &content.rest {
        Some(rest) => store.put(rest).map(Some),
        None => Ok(None),
    }
}

/// Checks content against what the caller says of it, and returns its digest.
fn check_content<M: Memory>(
    store: &Store<M>,
    key: &str,
    encoding: &str,
    body: &Body,
    given: Option<Hash>,
) -> Result<Hash, Error> {
    let [key, encoding] = [key, encoding].map(str::to_owned);
    if body.pieces().is_empty() {
        return Err(Error::NoContent { key, encoding });
    }
    check_field("content-encoding", &encoding).map_err(|reason| Error::Header {
        key: key.clone(),
        reason,
    })?;
    check_count(&key, "bytes in one encoding", body.length(), MAX_BODY)?;
    let computed = match body.pieces() {
        [piece] => store.bodies.hash(*piece),
        _ => store.bodies.hash_range(body, 0..body.length()),
    };
    match given {
        Some(given) if given != computed => Err(Error::HashMismatch {
            key,
            encoding,
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
