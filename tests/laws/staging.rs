//! Staged commits and proposals of two principals, with live changes between them, against a naive model: what is
//! published is what would have been committed at once, and until then nothing is seen.

use crate::world::{ALICE, BOB, NOW, create, delete, hashes, set_content};
use candid::Principal;
use ic_hallmark::{
    Error, Site,
    site::{
        Committed, Content, Environment, Memories, Operation, Properties, PropertyChange, Retention,
    },
    upload::EXPIRY,
};
use ic_stable_structures::VectorMemory;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const KEYS: [&str; 6] = [
    "/index.html",
    "/404.html",
    "/a.html",
    "/a/index.html",
    "/b.txt",
    "no slash",
];

/// What is stored: properties, and content by encoding.
type Contents = BTreeMap<String, (Properties, BTreeMap<String, Vec<u8>>)>;

fn contents(site: &Site<VectorMemory>) -> Contents {
    let mut contents = Contents::new();
    site.visit_assets(0, u32::MAX, |key, asset| {
        let content = |(name, encoding): (&String, _)| {
            (name.clone(), site.chunk(encoding, 0).unwrap_or_default())
        };
        let encodings = asset.encodings.iter().map(content).collect();
        contents.insert(key, (asset.properties, encodings));
    })
    .unwrap();
    contents
}

/// A site with this content and no history.
fn site_of(contents: &Contents, environment: Option<&Environment>) -> Site<VectorMemory> {
    let mut site = Site::open(Memories::default()).unwrap();
    let mut operations = Vec::new();
    for (key, (properties, encodings)) in contents {
        operations.push(Operation::Create {
            key: key.clone(),
            properties: properties.clone(),
        });
        operations.extend(
            encodings
                .iter()
                .map(|(name, content)| set_content(key, name, content)),
        );
    }
    if let Some(environment) = environment {
        site.set_environment(environment, NOW).unwrap();
    }
    site.commit(operations, NOW).unwrap();
    site
}

/// Applies operations to contents, all or none, and says which keys they wrote.
fn apply(contents: &mut Contents, operations: &[Operation]) -> Option<BTreeSet<String>> {
    let mut site = site_of(contents, None);
    let mut touched = BTreeSet::new();
    for operation in operations {
        let before = self::contents(&site);
        match operation {
            Operation::Clear => touched.extend(before.into_keys()),
            Operation::UnsetContent { key, encoding } => {
                if before
                    .get(key)
                    .is_some_and(|(_, encodings)| encodings.contains_key(encoding))
                {
                    touched.insert(key.clone());
                }
            }
            Operation::Create { key, .. }
            | Operation::SetContent { key, .. }
            | Operation::SetProperties { key, .. }
            | Operation::Delete { key } => {
                touched.insert(key.clone());
            }
        }
        site.commit([operation.clone()], NOW).ok()?;
    }
    *contents = self::contents(&site);
    Some(touched)
}

#[derive(Clone, Debug)]
struct Batch {
    owner: Principal,
    expires: u64,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Open,
    Staging {
        contents: Contents,
        touched: BTreeSet<String>,
    },
    Proposed(Vec<Operation>),
    Evident(Vec<Operation>, [u8; 32]),
}

impl Batch {
    fn is_live(&self, now: u64) -> bool {
        self.expires > now || matches!(self.phase, Phase::Evident(..))
    }

    fn takes_commits(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Staging { .. })
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish(Vec<Operation>),
    Create(Principal),
    Stage(Principal, Vec<Operation>, bool),
    Close(u8, Vec<Operation>),
    Delete(u8),
    Propose(u8, Vec<Operation>),
    Evidence(u8, u16),
    CommitProposed(u8, bool),
    Environment(u8),
    Wait(u64),
    Clear,
    Reopen,
}

fn an_operation() -> impl Strategy<Value = Operation> {
    let key = prop::sample::select(KEYS.to_vec());
    let encoding = prop::sample::select(vec!["identity", "gzip"]);
    prop_oneof![
        5 => key.clone().prop_map(|key| create(key, "text/html")),
        6 => (key.clone(), encoding.clone(), 0u8..4)
            .prop_map(|(key, encoding, content)| set_content(key, encoding, &[content; 3])),
        2 => (key.clone(), encoding).prop_map(|(key, encoding)| Operation::UnsetContent {
            key: key.to_owned(),
            encoding: encoding.to_owned(),
        }),
        2 => (key.clone(), any::<Option<bool>>()).prop_map(|(key, is_aliased)| Operation::SetProperties {
            key: key.to_owned(),
            change: PropertyChange { is_aliased: Some(is_aliased), ..PropertyChange::default() },
        }),
        3 => key.prop_map(delete),
        1 => Just(Operation::Clear),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    let who = prop::sample::select(vec![ALICE, BOB]);
    let operations = || {
        // Most commits succeed if they make what they change.
        let make = prop::sample::select(KEYS.to_vec()).prop_map(|key| {
            vec![
                delete(key),
                create(key, "text/html"),
                set_content(key, "identity", b"made"),
            ]
        });
        prop_oneof![make, prop::collection::vec(an_operation(), 0..3),]
    };
    prop_oneof![
        4 => operations().prop_map(Step::Publish),
        4 => who.clone().prop_map(Step::Create),
        8 => (who, operations(), any::<bool>()).prop_map(|(who, operations, chunk)| Step::Stage(who, operations, chunk)),
        4 => (any::<u8>(), operations()).prop_map(|(pick, operations)| Step::Close(pick, operations)),
        1 => any::<u8>().prop_map(Step::Delete),
        1 => (any::<u8>(), operations()).prop_map(|(pick, operations)| Step::Propose(pick, operations)),
        2 => (any::<u8>(), 0u16..4).prop_map(|(pick, iterations)| Step::Evidence(pick, iterations)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(pick, is_right)| Step::CommitProposed(pick, is_right)),
        1 => (0u8..3).prop_map(Step::Environment),
        1 => prop_oneof![Just(EXPIRY / 2), Just(EXPIRY)].prop_map(Step::Wait),
        1 => Just(Step::Clear),
        2 => Just(Step::Reopen),
    ]
}

struct Scene {
    memories: Memories<VectorMemory>,
    site: Site<VectorMemory>,
    live: Contents,
    /// The contents that the live ones were when a stage began, by batch.
    bases: BTreeMap<u64, Contents>,
    batches: BTreeMap<u64, Batch>,
    last_batch: u64,
    last_closed: u64,
    environment: Environment,
    now: u64,
}

impl Scene {
    fn new() -> Self {
        let memories = Memories::<VectorMemory>::default();
        let environment = Environment::new(b"key", []);
        let mut site = Site::open(memories.clone()).unwrap();
        site.set_environment(&environment, NOW).unwrap();
        site.set_retention(
            Retention {
                releases: 0,
                bytes: None,
            },
            NOW,
        )
        .unwrap();
        Self {
            memories,
            site,
            live: Contents::new(),
            bases: BTreeMap::new(),
            batches: BTreeMap::new(),
            last_batch: 0,
            last_closed: 0,
            environment,
            now: NOW,
        }
    }

    /// The id of some batch that there was, if there was any.
    fn pick(&self, pick: u8) -> Option<u64> {
        (self.last_batch > 0).then(|| 1 + u64::from(pick) % self.last_batch)
    }

    fn act(&mut self, step: Step) {
        let root = *self.site.root();
        match step {
            Step::Publish(operations) => {
                let expected = apply(&mut self.live, &operations).is_some();
                let done = self.site.commit(operations, self.now);
                assert_eq!(done.is_ok(), expected, "{done:?}");
            }
            Step::Create(owner) => {
                let now = self.now;
                let mut live = self.batches.clone();
                live.retain(|_, batch| batch.is_live(now));
                let is_free = live.values().all(Batch::takes_commits);
                let created = self.site.create_batch(owner, now);
                assert_eq!(created.is_ok(), is_free, "{created:?}");
                if let Ok(id) = created {
                    assert_eq!(id, self.last_batch + 1);
                    self.last_batch = id;
                    self.batches = live;
                    let batch = Batch {
                        owner,
                        expires: now + EXPIRY,
                        phase: Phase::Open,
                    };
                    self.batches.insert(id, batch);
                }
            }
            Step::Stage(who, operations, by_chunk) => self.stage(who, operations, by_chunk),
            Step::Close(pick, operations) => {
                let Some(id) = self.pick(pick) else { return };
                let Some(batch) = self.batches.get(&id) else {
                    let again = id == self.last_closed && operations.is_empty();
                    let done = self.site.commit_batch(id, ALICE, operations, self.now);
                    if again {
                        assert_eq!(done, Ok(Committed::Published));
                        return;
                    }
                    assert_eq!(done, Err(Error::BatchNotFound { batch: id }));
                    return;
                };
                let mut next = self.live.clone();
                if let Phase::Staging { contents, touched } = &batch.phase {
                    let base = &self.bases[&id];
                    for key in touched {
                        match contents.get(key) {
                            Some(asset) => {
                                next.insert(key.clone(), asset.clone());
                            }
                            None if base.contains_key(key) => {
                                next.remove(key);
                            }
                            None => {}
                        }
                    }
                }
                let expected = apply(&mut next, &operations).is_some();
                let done = self.site.commit_batch(id, ALICE, operations, self.now);
                assert_eq!(done.is_ok(), expected, "{done:?}");
                if expected {
                    assert_eq!(done, Ok(Committed::Published));
                    self.live = next;
                    self.batches.remove(&id);
                    self.last_closed = id;
                }
            }
            Step::Delete(pick) => {
                let Some(id) = self.pick(pick) else { return };
                let done = self.site.delete_batch(id);
                assert_eq!(done.is_ok(), self.batches.remove(&id).is_some());
            }
            Step::Propose(pick, operations) => {
                let Some(id) = self.pick(pick) else { return };
                let done = self.site.propose_batch(id, &operations, self.now);
                let open = self.batches.get_mut(&id);
                match open.filter(|batch| matches!(batch.phase, Phase::Open)) {
                    Some(batch) => {
                        done.unwrap();
                        batch.phase = Phase::Proposed(operations);
                        batch.expires = self.now + EXPIRY;
                    }
                    None => assert!(done.is_err()),
                }
            }
            Step::Evidence(pick, iterations) => self.compute_evidence(pick, iterations),
            Step::CommitProposed(pick, is_right) => {
                let Some(id) = self.pick(pick) else { return };
                let proposed = self.batches.get(&id).map(|batch| &batch.phase);
                let Some(Phase::Evident(operations, evidence)) = proposed else {
                    let done = self.site.commit_proposed_batch(id, &[0; 32], self.now);
                    assert!(done.is_err());
                    return;
                };
                if !is_right {
                    let done = self.site.commit_proposed_batch(id, &[0; 32], self.now);
                    assert!(matches!(done, Err(Error::EvidenceMismatch { .. })));
                    return;
                }
                let mut next = self.live.clone();
                let expected = apply(&mut next, operations).is_some();
                let done = self.site.commit_proposed_batch(id, evidence, self.now);
                assert_eq!(done.is_ok(), expected, "{done:?}");
                if expected {
                    self.live = next;
                    self.batches.remove(&id);
                    self.last_closed = id;
                }
            }
            Step::Environment(number) => {
                self.environment = Environment::new(&[number], []);
                self.site
                    .set_environment(&self.environment, self.now)
                    .unwrap();
            }
            Step::Wait(time) => self.now += time,
            Step::Clear => {
                self.site.clear(self.now).unwrap();
                self.live.clear();
                self.batches.clear();
            }
            Step::Reopen => {
                self.site = Site::open(self.memories.clone()).unwrap();
                assert_eq!(*self.site.root(), root);
            }
        }
    }

    fn stage(&mut self, who: Principal, mut operations: Vec<Operation>, by_chunk: bool) {
        let now = self.now;
        let open = self
            .batches
            .iter_mut()
            .rfind(|(_, batch)| batch.owner == who && batch.is_live(now) && batch.takes_commits());
        let Some((id, batch)) = open else {
            let expected = apply(&mut self.live, &operations).is_some();
            let done = self.site.commit_batch(0, who, operations, now);
            assert_eq!(done.is_ok(), expected, "{done:?}");
            return;
        };
        let (mut contents, mut touched) = match &batch.phase {
            Phase::Staging { contents, touched } => (contents.clone(), touched.clone()),
            _ => (self.live.clone(), BTreeSet::new()),
        };
        let expected = apply(&mut contents, &operations);
        if by_chunk {
            // The same content, uploaded before.
            for operation in &mut operations {
                if let Operation::SetContent { content, .. } = operation {
                    let rest = content.rest.take().unwrap();
                    let chunks = self.site.create_chunks(*id, &[rest], now).unwrap();
                    *content = Content {
                        chunks,
                        ..Content::default()
                    };
                    batch.expires = now + EXPIRY;
                }
            }
        }
        let root = *self.site.root();
        let done = self.site.commit_batch(0, who, operations, now);
        assert_eq!(done.is_ok(), expected.is_some(), "{done:?}");
        assert_eq!(*self.site.root(), root, "nothing is seen of it");
        if let Some(keys) = expected {
            assert_eq!(done, Ok(Committed::Staged));
            if !matches!(batch.phase, Phase::Staging { .. }) {
                self.bases.insert(*id, self.live.clone());
            }
            touched.extend(keys);
            batch.phase = Phase::Staging { contents, touched };
            batch.expires = now + EXPIRY;
        }
    }

    fn compute_evidence(&mut self, pick: u8, iterations: u16) {
        let Some(id) = self.pick(pick) else { return };
        let done = self.site.compute_evidence(id, Some(iterations), self.now);
        let Some(batch) = self.batches.get_mut(&id) else {
            assert_eq!(done, Err(Error::BatchNotFound { batch: id }));
            return;
        };
        match &batch.phase {
            Phase::Open | Phase::Staging { .. } => {
                assert_eq!(done, Err(Error::NotProposed { batch: id }));
            }
            Phase::Evident(_, evidence) => assert_eq!(done, Ok(Some(*evidence))),
            Phase::Proposed(operations) => {
                batch.expires = self.now + EXPIRY;
                if let Some(evidence) = done.unwrap() {
                    batch.phase = Phase::Evident(operations.clone(), evidence);
                }
            }
        }
    }

    /// The site is that of its content, and nothing leaks.
    fn check(&self) {
        self.site.check().unwrap();
        assert_eq!(contents(&self.site), self.live);
        let fresh = site_of(&self.live, Some(&self.environment));
        assert_eq!(hashes(&self.site), hashes(&fresh));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn publishing_a_stage_is_committing_at_once(steps in prop::collection::vec(a_step(), 1..30)) {
        let mut scene = Scene::new();
        for step in steps {
            scene.act(step);
            scene.check();
        }
        scene.act(Step::Clear);
        let left = scene.site.check().unwrap();
        let fresh = Scene::new().site.check().unwrap();
        let log = scene.site.log_length() - Scene::new().site.log_length();
        prop_assert_eq!(left.nodes.leaves, fresh.nodes.leaves + log as u32);
        prop_assert_eq!((left.nodes.doomed, left.pieces, left.resources), (0, fresh.pieces, fresh.resources));
    }
}

#[test]
fn what_is_staged_goes_onto_what_was_published_since() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    let many = (0..300).flat_map(|number| {
        let key = format!("/{number}.txt");
        [
            create(&key, "text/plain"),
            set_content(&key, "identity", key.as_bytes()),
        ]
    });
    site.commit(many, NOW).unwrap();
    let batch = site.create_batch(ALICE, NOW).unwrap();
    let staged = [
        delete("/7.txt"),
        set_content("/8.txt", "identity", b"staged"),
    ];
    site.commit_batch(0, ALICE, staged, NOW).unwrap();
    let live = [delete("/9.txt"), set_content("/8.txt", "identity", b"live")];
    site.commit(live, NOW).unwrap();
    site.commit_batch(batch, ALICE, [], NOW).unwrap();
    let after = contents(&site);
    assert_eq!(after.len(), 298);
    assert!(!after.contains_key("/7.txt") && !after.contains_key("/9.txt"));
    assert_eq!(after["/8.txt"].1["identity"], b"staged");
    site.check().unwrap();
}

#[test]
fn a_stage_is_published_with_the_environment_of_the_day() {
    let told = |number: u8| Environment::new(&[number], []);
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    site.set_environment(&told(1), NOW).unwrap();
    let batch = site.create_batch(ALICE, NOW).unwrap();
    let page = [
        create("/a.html", "text/html"),
        set_content("/a.html", "identity", b"a"),
    ];
    site.commit_batch(0, ALICE, page, NOW).unwrap();
    // No page is live, so this changes no answer.
    site.set_environment(&told(2), NOW).unwrap();
    let other = [
        create("/b.html", "text/html"),
        set_content("/b.html", "identity", b"b"),
    ];
    site.commit_batch(0, ALICE, other, NOW).unwrap();
    site.commit_batch(batch, ALICE, [], NOW).unwrap();
    let fresh = site_of(&contents(&site), Some(&told(2)));
    assert_eq!(hashes(&site), hashes(&fresh));
}
