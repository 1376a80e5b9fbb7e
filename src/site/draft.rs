//! Drafts: the next state of the site, beside the live one.
//!
//! ```text
//! operations ──► assets ──routes of the keys touched──► answers
//! ```
//!
//! Answers are derived from assets after the last operation, so they do not depend on the order of operations.

use super::{
    Asset, Encoding, MAX_CHUNKS, MAX_ENCODINGS, Operation, Properties, PropertyChange, State,
    bodies::{Bodies, Body, Piece},
    environment::is_page,
    operation::Content,
    resource::Resource,
    route::{Candidate, Route, routes_of},
    rules::{check_content, check_count, check_key, check_properties, excerpt},
    staging::Stage,
    store::{ANSWER, ASSET, Store, attach},
    trees::Trees,
};
use crate::{
    error::Error,
    storage::{Address, Memory, StorageError},
    tree::{Graft, Labels, Leaf, MAX_DEPTH, Tree, TreeError},
    upload::Uploads,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The next state of the site, beside the live one.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) trees: Trees,
    pub(super) uploads: Uploads,
    /// The answers of which large content goes on when it is replaced; none if it shall not.
    before: Tree,
    /// The cookie of the environment, for pages.
    cookie: String,
    /// Keys whose asset is not what it was.
    touched: BTreeSet<String>,
    /// Resources made on the way, each with one reference of the draft's own.
    resources: BTreeMap<Source, Option<Made>>,
    pub(super) now: u64,
}

/// What a resource is made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// An asset, answered with this status.
    Asset(String, u16),
    /// The text for what is not there.
    BuiltIn,
}

/// A resource of the draft.
#[derive(Clone, Debug)]
struct Made {
    address: Address,
    answers: Rc<Graft>,
}

impl Draft {
    /// A draft that begins with these trees; it ends with [`finish`](Self::finish). `live` are those that it will
    /// replace.
    pub(super) fn new<M: Memory>(
        store: &mut Store<M>,
        trees: &Trees,
        live: &Trees,
        state: &State,
        cookie: &str,
        now: u64,
    ) -> Self {
        let mut trees = trees.share(store);
        let before = match state.log.retention().answers_replaced {
            true => store.forest.share(&live.answers),
            false => {
                trees.remainder.end(store);
                Tree::EMPTY
            }
        };
        Self {
            trees,
            uploads: state.uploads.share(store),
            before,
            cookie: cookie.to_owned(),
            touched: BTreeSet::new(),
            resources: BTreeMap::new(),
            now,
        }
    }

    /// A draft of changes in place: what goes on beside the live site still does.
    pub(super) fn of_live<M: Memory>(store: &mut Store<M>, state: &State, now: u64) -> Self {
        let State { trees, cookie, .. } = state;
        Self::new(store, trees, trees, state, &cookie.text, now)
    }

    /// A draft of the release after the live one.
    pub(super) fn of_next<M: Memory>(store: &mut Store<M>, state: &State, now: u64) -> Self {
        let mut draft = Self::of_live(store, state, now);
        draft.trees.remainder.end(store);
        draft
    }

    /// A draft that goes on with a stage.
    pub(super) fn of_stage<M: Memory>(
        store: &mut Store<M>,
        state: &State,
        stage: &Stage,
        now: u64,
    ) -> Self {
        let Stage {
            base,
            trees,
            cookie,
            ..
        } = stage;
        Self::new(store, trees, base, state, cookie, now)
    }

    /// Applies operations in order.
    pub(super) fn apply_all<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        operations: Vec<Operation>,
    ) -> Result<(), Error> {
        self.check_room(&operations)?;
        operations
            .into_iter()
            .try_for_each(|operation| self.apply(store, operation))
    }

    /// Puts the asset in a leaf of another tree under its key, or takes away what is there.
    pub(super) fn replace<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        path: &Labels,
        leaf: Option<Leaf>,
    ) -> Result<(), Error> {
        let key = path.get(0).unwrap_or_default();
        let key = String::from_utf8_lossy(key).into_owned();
        match leaf {
            Some(leaf) => {
                let asset = super::decode_asset(&leaf.value, &leaf.attachment)?;
                let before = self.find(store, &key)?;
                self.put(store, key, &asset, before.map_or(0, |asset| asset.length()))
            }
            None => self.apply(store, Operation::Delete { key }),
        }
    }

    /// Has the answers of these keys derived again.
    pub(super) fn touch(&mut self, keys: impl IntoIterator<Item = String>) {
        self.touched.extend(keys);
    }

    /// The trees and uploads that were drafted, to be taken over or released.
    pub(super) fn finish<M: Memory>(
        self,
        store: &mut Store<M>,
    ) -> Result<(Trees, Uploads), StorageError> {
        store.forest.release(self.before);
        for made in self.resources.into_values().flatten() {
            for body in store.bodies.release_resource(made.address)? {
                store.release_body(&body)?;
            }
        }
        Ok((self.trees, self.uploads))
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
                self.put(store, key, &asset, 0)
            }
            Operation::SetContent {
                key,
                encoding,
                content,
                sha256,
            } => {
                let mut asset = self.get(store, &key)?;
                let before = asset.length();
                let modified = content.modified.unwrap_or(self.now);
                let (body, fresh) = self.resolve(store, &key, &encoding, content)?;
                let given = sha256.as_deref();
                let done = check_content(store, &key, &encoding, &body, given).and_then(|sha256| {
                    let stored = Encoding {
                        sha256,
                        modified,
                        body,
                    };
                    asset.encodings.insert(encoding, stored);
                    check_count(&key, "encodings", asset.encodings.len(), MAX_ENCODINGS)?;
                    self.put(store, key, &asset, before)
                });
                // The asset has taken its own reference.
                store.release_body(&Body::new(fresh.into_iter().collect()))?;
                done
            }
            Operation::UnsetContent { key, encoding } => {
                let mut asset = self.get(store, &key)?;
                let before = asset.length();
                match asset.encodings.remove(&encoding) {
                    Some(_) => self.put(store, key, &asset, before),
                    None => Ok(()),
                }
            }
            Operation::SetProperties { key, change } => {
                let mut asset = self.get(store, &key)?;
                change.apply_to(&mut asset.properties);
                check_properties(&key, &asset.properties)?;
                self.put(store, key, &asset, asset.length())
            }
            Operation::Delete { key } => {
                let Some(asset) = self.find(store, &key)? else {
                    return Ok(());
                };
                let label = Labels::new().with(key.as_bytes());
                let removed = store.forest.remove(&mut self.trees.assets, &label);
                removed.map_err(|reason| tree_error(&key, reason))?;
                self.trees.bytes -= asset.length();
                self.touched.insert(key);
                Ok(())
            }
            Operation::Clear => {
                let trees = std::mem::replace(&mut self.trees, Trees::EMPTY);
                trees.release(store);
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
        let count = content.chunk_count();
        if count == 0 && content.rest.is_none() {
            return Err(Error::NoContent {
                key: key.to_owned(),
                encoding: encoding.to_owned(),
            });
        }
        check_count(key, "chunks in one encoding", count, MAX_CHUNKS)?;
        let chunk = |number| self.uploads.chunk_of(store, &content, number);
        let mut pieces: Vec<Piece> = (0..count)
            .map_while(|number| chunk(number).transpose())
            .collect::<Result<_, _>>()?;
        let fresh = match &content.rest {
            Some(rest) => Some(store.put(rest)?),
            None => None,
        };
        pieces.extend(fresh);
        Ok((Body::new(pieces), fresh))
    }

    pub(super) fn find<M: Memory>(
        &self,
        store: &Store<M>,
        key: &str,
    ) -> Result<Option<Asset>, Error> {
        Ok(super::find_asset(store, &self.trees.assets, key)?)
    }

    fn get<M: Memory>(&self, store: &Store<M>, key: &str) -> Result<Asset, Error> {
        self.find(store, key)?
            .ok_or_else(|| Error::AssetNotFound { key: excerpt(key) })
    }

    /// Puts an asset in the place of one with so many bytes.
    fn put<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        key: String,
        asset: &Asset,
        before: u64,
    ) -> Result<(), Error> {
        let label = Labels::new().with(key.as_bytes());
        let attachment = [&[ASSET], &asset.attachment()[..]].concat();
        store
            .forest
            .insert(&mut self.trees.assets, &label, &asset.value(), &attachment)
            .map_err(|reason| tree_error(&key, reason))?;
        self.trees.bytes = self.trees.bytes - before + asset.length();
        for encoding in asset.encodings.values() {
            for piece in encoding.body.pieces() {
                store.bodies.retain(*piece);
            }
        }
        self.touched.insert(key);
        Ok(())
    }

    /// Makes the answers what the assets say, on every route that a touched key may answer.
    pub(super) fn derive_answers<M: Memory>(&mut self, store: &mut Store<M>) -> Result<(), Error> {
        match self.derive_touched(store)? {
            // What came later may have made room.
            Some((key, path)) if self.is_too_deep() => {
                Err(tree_error(&key, TreeError::TooDeep { path }))
            }
            _ => Ok(()),
        }
    }

    /// Whether answers nest too deep to be certified.
    pub(super) fn is_too_deep(&self) -> bool {
        self.trees.answers.depth() > MAX_DEPTH
    }

    /// As [`derive_answers`](Self::derive_answers), but answers may nest too deep: returns the key and the path of the
    /// last that did.
    pub(super) fn derive_touched<M: Memory>(
        &mut self,
        store: &mut Store<M>,
    ) -> Result<Option<(String, Labels)>, Error> {
        let touched = std::mem::take(&mut self.touched);
        let mut routes: BTreeSet<Route> = touched.iter().flat_map(|key| routes_of(key)).collect();
        if self.trees.answers.is_empty() {
            routes.insert(Route::ROOT);
        }
        let mut too_deep = None;
        if !routes.is_empty() {
            self.trees.remainder.separate(store);
        }
        for route in &routes {
            let path = route.expression_path().labels().clone();
            self.trees.remainder.keep(store, &self.before, &path)?;
            let Some((key, made)) = self.answering(store, route)? else {
                let removed = store.forest.remove_below(&mut self.trees.answers, &path);
                removed.map_err(|reason| tree_error("a path", reason))?;
                continue;
            };
            let answers = &mut self.trees.answers;
            let attachment = attach(ANSWER, made.address);
            store
                .forest
                .graft(answers, &path, &made.answers, &attachment)
                .map_err(|reason| tree_error(&key, reason))?;
            if answers.depth() > MAX_DEPTH {
                too_deep = Some((key, path));
            }
            let references = made.answers.len();
            store.bodies.retain_resource(made.address, references);
        }
        Ok(too_deep)
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
            let cookie = is_page(&key).then(|| self.cookie.clone());
            let source = Source::Asset(key.clone(), status);
            let made = self.resource(store, source, |bodies| {
                let cookie = cookie.as_deref().filter(|cookie| !cookie.is_empty());
                Resource::of_asset(&asset, status, cookie, bodies)
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
        if let Some(content_type) = self.content_type {
            properties.content_type = content_type;
        }
        set(&mut properties.max_age, self.max_age);
        set(&mut properties.headers, self.headers);
        set(&mut properties.is_aliased, self.is_aliased);
        set(&mut properties.allow_raw_access, self.allow_raw_access);
    }
}

pub(super) fn tree_error(key: &str, reason: TreeError) -> Error {
    match reason {
        TreeError::Storage(error) => Error::Storage(error),
        reason => Error::Tree {
            key: key.to_owned(),
            reason,
        },
    }
}
