//! Staged releases of several principals between everything else that changes a site, against a naive model: nothing
//! is seen of a stage until it is published, what is published is what was reviewed, and nothing is left of what is not.

use crate::{
    staging::{Contents, KEYS, an_operation, apply, contents, site_of},
    world::{ALICE, BOB, NOW, create, delete, hashes, set_content},
};
use candid::Principal;
use ic_hallmark::{
    Error, Site,
    access::Permission,
    error::StageError,
    serve::{Request, serve},
    site::{
        By, Content, Environment, Expected, Kind, Lock, Memories, Operation, Retention, Sealed,
        StageState,
    },
    upload::{LIFETIME, MAX_LIFETIME},
};
use ic_stable_structures::{Memory, VectorMemory};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

#[derive(Clone, Debug)]
enum Step {
    Create(Principal),
    Fill(u8, Principal, Vec<Operation>, bool),
    Seal(u8, Principal, u8),
    Publish(u8, Principal, Review),
    Rebase(u8, Principal),
    Discard(u8, Principal),
    Amend(Vec<Operation>),
    Deploy(Principal, Vec<Operation>),
    Rollback(u8),
    Retention(u32),
    Environment(u8),
    Wait(u64),
    Clear,
    Reopen,
    /// What the step does is undone.
    Trap(Box<Step>),
}

#[derive(Clone, Copy, Debug)]
enum Review {
    None,
    Right,
    Wrong,
}

fn a_step() -> impl Strategy<Value = Step> {
    let who = || prop_oneof![3 => Just(ALICE), 1 => Just(BOB)];
    let operations = || {
        let make = prop::sample::select(KEYS.to_vec()).prop_map(|key| {
            vec![
                delete(key),
                create(key, "text/html"),
                set_content(key, "identity", b"made"),
            ]
        });
        prop_oneof![2 => make, 1 => prop::collection::vec(an_operation(), 0..3)]
    };
    let review = prop_oneof![
        2 => Just(Review::None),
        3 => Just(Review::Right),
        1 => Just(Review::Wrong),
    ];
    let step = prop_oneof![
        6 => who().prop_map(Step::Create),
        24 => (any::<u8>(), who(), operations(), any::<bool>())
            .prop_map(|(pick, who, operations, held)| Step::Fill(pick, who, operations, held)),
        10 => (any::<u8>(), who(), prop_oneof![1 => 0u8..40, 2 => Just(u8::MAX)])
            .prop_map(|(pick, who, room)| Step::Seal(pick, who, room)),
        16 => (any::<u8>(), who(), review).prop_map(|(pick, who, review)| Step::Publish(pick, who, review)),
        5 => (any::<u8>(), who()).prop_map(|(pick, who)| Step::Rebase(pick, who)),
        1 => (any::<u8>(), who()).prop_map(|(pick, who)| Step::Discard(pick, who)),
        2 => operations().prop_map(Step::Amend),
        1 => (who(), operations()).prop_map(|(who, operations)| Step::Deploy(who, operations)),
        4 => any::<u8>().prop_map(Step::Rollback),
        1 => (0u32..4).prop_map(Step::Retention),
        1 => (0u8..3).prop_map(Step::Environment),
        1 => prop_oneof![Just(LIFETIME / 2), Just(LIFETIME)].prop_map(Step::Wait),
        1 => Just(Step::Clear),
        1 => Just(Step::Reopen),
    ];
    prop_oneof![
        9 => step.clone(),
        1 => step.prop_map(|step| Step::Trap(Box::new(step))),
    ]
}

/// What the site is, by the model.
#[derive(Clone, Debug)]
struct Live {
    contents: Contents,
    environment: Environment,
    /// No two sites that came about in different ways have the same number.
    version: u64,
}

#[derive(Clone, Debug)]
struct Staged {
    owner: Principal,
    expires: u64,
    base: Live,
    contents: Contents,
    touched: BTreeSet<String>,
    state: StageState,
}

impl Staged {
    /// Its hashes, from a site made of the same content.
    fn hashes(&self) -> Sealed {
        let (site, content) = hashes(&site_of(&self.contents, Some(&self.base.environment)));
        Sealed { site, content }
    }
}

/// Everything but the memories, which a trap brings back as well.
#[derive(Clone)]
struct Model {
    live: Live,
    versions: u64,
    stages: BTreeMap<u64, Staged>,
    /// The site of each release while it was the live one.
    seen: BTreeMap<u64, Live>,
    last: u64,
    /// The stage that was published last, if no batch was closed after it; its entry in the log, and its hashes.
    last_published: Option<(u64, u64, Sealed)>,
    now: u64,
}

struct Scene {
    memories: Memories<VectorMemory>,
    site: Site<VectorMemory>,
    model: Model,
}

impl Scene {
    fn new() -> Self {
        let memories = Memories::<VectorMemory>::default();
        let environment = Environment::new(b"key", []);
        let mut site = Site::open(memories.clone()).unwrap();
        site.set_environment(&environment, NOW).unwrap();
        site.change_access(|access| access.grant(Permission::Commit, ALICE), NOW)
            .unwrap();
        let live = Live {
            contents: Contents::new(),
            environment,
            version: 0,
        };
        let model = Model {
            live,
            versions: 0,
            stages: BTreeMap::new(),
            seen: BTreeMap::new(),
            last: 0,
            last_published: None,
            now: NOW,
        };
        Self {
            memories,
            site,
            model,
        }
    }

    fn by(&self, principal: Principal) -> By {
        let now = self.model.now;
        By { principal, now }
    }

    fn changed(&mut self, contents: Contents) {
        self.model.versions += 1;
        self.model.live.version = self.model.versions;
        self.model.live.contents = contents;
    }

    /// A stage that there was, and what the model knows of it if this principal may use it.
    fn pick(&self, pick: u8, who: Principal) -> Option<(u64, Result<Staged, StageError>)> {
        // Most of those that there are.
        let there = self.model.stages.keys().nth_back(usize::from(pick % 3));
        let number = match there {
            Some(number) if !pick.is_multiple_of(8) => *number,
            _ => 1 + u64::from(pick).checked_rem(self.model.last)?,
        };
        let staged = match self.model.stages.get(&number) {
            None => Err(StageError::NotFound),
            Some(staged) if staged.owner != who && who != ALICE => Err(StageError::Foreign),
            Some(staged) => Ok(staged.clone()),
        };
        Some((number, staged))
    }

    fn keep(&mut self, number: u64, mut staged: Staged) {
        staged.expires = self.model.now + LIFETIME;
        self.model.stages.insert(number, staged);
    }

    fn act(&mut self, step: Step) {
        let root = *self.site.root();
        match step {
            Step::Create(owner) => {
                let number = self.site.create_stage(None, self.by(owner)).unwrap();
                self.expire();
                assert_eq!(number, self.model.last + 1);
                self.model.last = number;
                let live = self.model.live.clone();
                let staged = Staged {
                    owner,
                    expires: 0,
                    contents: live.contents.clone(),
                    base: live,
                    touched: BTreeSet::new(),
                    state: StageState::Open,
                };
                self.keep(number, staged);
                assert_eq!(*self.site.root(), root);
            }
            Step::Fill(pick, who, mut operations, held) => {
                let Some((number, staged)) = self.pick(pick, who) else {
                    return;
                };
                let applied = staged.as_ref().ok().and_then(|staged| {
                    let mut contents = staged.contents.clone();
                    apply(&mut contents, &operations).map(|touched| (contents, touched))
                });
                if held && matches!(&staged, Ok(staged) if staged.state == StageState::Open) {
                    self.upload(number, &mut operations);
                }
                let done = self.site.fill_stage(number, operations, self.by(who));
                match staged {
                    Err(reason) => assert_eq!(done, Err(stage_error(number, reason))),
                    Ok(staged) if staged.state != StageState::Open => {
                        assert_eq!(done, Err(stage_error(number, StageError::Closed)));
                    }
                    Ok(mut staged) => {
                        assert_eq!(done.is_ok(), applied.is_some(), "{done:?}");
                        if let Some((contents, touched)) = applied {
                            staged.contents = contents;
                            staged.touched.extend(touched);
                            self.keep(number, staged);
                        }
                    }
                }
                assert_eq!(*self.site.root(), root, "nothing is seen of it");
            }
            Step::Seal(pick, who, room) => {
                let Some((number, staged)) = self.pick(pick, who) else {
                    return;
                };
                let done = self.seal(number, who, room.into());
                match staged {
                    Err(reason) => assert_eq!(done, Err(stage_error(number, reason))),
                    Ok(mut staged) => {
                        let sealed = done.unwrap();
                        if let Some(sealed) = sealed {
                            assert_eq!(sealed, staged.hashes());
                        }
                        let was_sealed = staged.state == StageState::Sealed;
                        assert!(sealed.is_some() || !was_sealed);
                        staged.state = match sealed {
                            Some(_) => StageState::Sealed,
                            None => StageState::Sealing,
                        };
                        if was_sealed {
                            self.model.stages.insert(number, staged);
                        } else {
                            self.keep(number, staged);
                        }
                    }
                }
                assert_eq!(*self.site.root(), root, "nothing is seen of it");
            }
            Step::Publish(pick, who, review) => self.publish(pick, who, review),
            Step::Rebase(pick, who) => {
                let Some((number, staged)) = self.pick(pick, who) else {
                    return;
                };
                let done = self.site.rebase_stage(number, self.by(who));
                match staged {
                    Err(reason) => assert_eq!(done, Err(stage_error(number, reason))),
                    Ok(mut staged) => {
                        done.unwrap();
                        let live = self.model.live.clone();
                        let mut next = live.contents.clone();
                        for key in &staged.touched {
                            match staged.contents.get(key) {
                                Some(asset) => {
                                    next.insert(key.clone(), asset.clone());
                                }
                                None if staged.base.contents.contains_key(key) => {
                                    next.remove(key);
                                }
                                None => {}
                            }
                        }
                        staged.contents = next;
                        staged.base = live;
                        staged.state = StageState::Open;
                        self.keep(number, staged);
                    }
                }
                assert_eq!(*self.site.root(), root, "nothing is seen of it");
            }
            Step::Discard(pick, who) => {
                let Some((number, staged)) = self.pick(pick, who) else {
                    return;
                };
                let done = self.site.discard_stage(number, self.by(who));
                match staged {
                    Err(reason) => assert_eq!(done, Err(stage_error(number, reason))),
                    Ok(_) => {
                        done.unwrap();
                        self.model.stages.remove(&number);
                    }
                }
            }
            Step::Amend(operations) => {
                let mut next = self.model.live.contents.clone();
                let expected = apply(&mut next, &operations).is_some();
                let done = self.site.commit(operations, self.by(ALICE));
                assert_eq!(done.is_ok(), expected, "{done:?}");
                if expected {
                    self.changed(next);
                }
            }
            Step::Deploy(who, operations) => {
                let mut next = self.model.live.contents.clone();
                let expected = apply(&mut next, &operations).is_some();
                let now = self.model.now;
                let batch = self.site.create_batch(who, now).unwrap();
                self.expire();
                self.model.last = batch;
                // Staged in the batch, not in any stage.
                let staged = self.site.commit_batch(0, who, operations, now);
                assert_eq!(staged.is_ok(), expected, "{staged:?}");
                assert_eq!(*self.site.root(), root);
                self.site.commit_batch(batch, who, [], now).unwrap();
                self.model.last_published = None;
                self.changed(if expected {
                    next
                } else {
                    self.model.live.contents.clone()
                });
            }
            Step::Rollback(pick) => {
                let log = self.site.log(u64::MAX, 100).unwrap();
                let kept: Vec<_> = log.iter().filter(|entry| entry.is_kept).collect();
                let to = match kept.get(usize::from(pick) % (kept.len() + 1)) {
                    Some(entry) => entry.number,
                    None => u64::from(pick) % (self.site.log_length() + 2),
                };
                match self.site.rollback(to, "", self.by(ALICE)) {
                    Ok(_) => self.model.live = self.model.seen[&to].clone(),
                    Err(_) => assert_eq!(*self.site.root(), root),
                }
            }
            Step::Retention(releases) => {
                let bytes = None;
                let retention = Retention {
                    releases,
                    bytes,
                    ..Retention::DEFAULT
                };
                self.site.set_retention(retention, self.by(ALICE)).unwrap();
            }
            Step::Environment(number) => {
                let environment = Environment::new(&[number], []);
                self.site
                    .set_environment(&environment, self.by(ALICE))
                    .unwrap();
                if environment != self.model.live.environment {
                    self.model.live.environment = environment;
                    self.changed(self.model.live.contents.clone());
                }
            }
            Step::Wait(time) => self.model.now += time,
            Step::Clear => {
                self.site.clear(self.by(ALICE)).unwrap();
                self.model.stages.clear();
                self.changed(Contents::new());
            }
            Step::Reopen => {
                self.site = Site::open(self.memories.clone()).unwrap();
                assert_eq!(*self.site.root(), root);
            }
            Step::Trap(step) => {
                let memories = copy(&self.memories);
                let model = self.model.clone();
                self.act(*step);
                self.site = Site::open(memories.clone()).unwrap();
                self.memories = memories;
                self.model = model;
                assert_eq!(*self.site.root(), root);
            }
        }
    }

    fn publish(&mut self, pick: u8, who: Principal, review: Review) {
        let Some((number, _)) = self.pick(pick, who) else {
            return;
        };
        let root = *self.site.root();
        let (mut site, content) = match self.model.stages.get(&number) {
            Some(staged) => {
                let Sealed { site, content } = staged.hashes();
                (site.to_vec(), content.map(|hash| hash.to_vec()))
            }
            None => (vec![0; 32], None),
        };
        let expected = match review {
            Review::None => Expected::default(),
            Review::Right => Expected {
                site: Some(site),
                content,
            },
            Review::Wrong => {
                site[7] ^= 1;
                Expected {
                    site: Some(site),
                    content,
                }
            }
        };
        let release = self.site.live_release();
        let done = self
            .site
            .publish_stage(number, &expected, "a note", self.by(who));
        let Some(staged) = self.model.stages.get(&number) else {
            let again = self.model.last_published;
            let again = again.filter(|(published, ..)| *published == number);
            match (again, expected.site) {
                (None, _) => assert_eq!(done, Err(stage_error(number, StageError::NotFound))),
                (Some((_, release, _)), None) => assert_eq!(done, Ok(release)),
                (Some((.., Sealed { site, .. })), Some(given)) => {
                    let reason = StageError::Mismatch {
                        what: "site",
                        computed: Some(site),
                        given,
                    };
                    assert_eq!(done, Err(stage_error(number, reason)));
                }
            }
            assert_eq!(*self.site.root(), root);
            return;
        };
        let reason = match done {
            Ok(release) => {
                assert_eq!(staged.state, StageState::Sealed);
                assert!(!matches!(review, Review::Wrong));
                assert!(staged.owner == who || matches!(review, Review::Right));
                assert_eq!(staged.base.contents, self.model.live.contents);
                let entry = self.site.log(release, 1).unwrap().remove(0).entry;
                assert_eq!((entry.kind, entry.principal), (Kind::Publish, who));
                assert_eq!((&*entry.note, entry.time), ("a note", self.model.now));
                let contents = staged.contents.clone();
                self.model.last_published = Some((number, release, staged.hashes()));
                self.model.stages.remove(&number);
                self.changed(contents);
                return;
            }
            Err(Error::Stage { stage, reason }) => {
                assert_eq!(stage, number);
                reason
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(*self.site.root(), root);
        match reason {
            StageError::Open => assert_ne!(staged.state, StageState::Sealed),
            StageError::Mismatch { what, .. } => {
                assert!(what == "site" && matches!(review, Review::Wrong));
            }
            StageError::HashRequired => {
                assert!(staged.owner != who && matches!(review, Review::None));
            }
            StageError::Outdated {
                base,
                base_site,
                live,
                live_site,
            } => {
                assert_ne!(
                    staged.base.version, self.model.live.version,
                    "nothing has moved"
                );
                assert_eq!(live, release);
                assert_eq!(live_site, Some(root.site()));
                let then = site_of(&staged.base.contents, Some(&staged.base.environment));
                assert_eq!(base_site, Some(hashes(&then).0));
                assert!(base <= live || base <= self.site.log_length());
            }
            reason => panic!("{reason}"),
        }
    }

    /// Puts what operations bring into the stage beforehand, and names it.
    fn upload(&mut self, stage: u64, operations: &mut [Operation]) {
        for operation in operations {
            if let Operation::SetContent { content, .. } = operation {
                let rest = content.rest.take().unwrap();
                let sha256 = Sha256::digest(&rest).to_vec();
                self.site
                    .create_chunks(stage, &[rest], self.model.now)
                    .unwrap();
                assert_eq!(self.site.holds(&sha256), Ok(true));
                *content = Content {
                    held: vec![sha256],
                    ..Content::default()
                };
                let staged = self.model.stages.get_mut(&stage).unwrap();
                staged.expires = self.model.now + LIFETIME;
            }
        }
    }

    fn seal(&mut self, stage: u64, who: Principal, room: u32) -> Result<Option<Sealed>, Error> {
        let left = Cell::new(room);
        let by = self.by(who);
        self.site.seal_stage(stage, by, &|_| {
            let room = left.get();
            left.set(room.saturating_sub(1));
            room > 0
        })
    }

    fn expire(&mut self) {
        let now = self.model.now;
        self.model.stages.retain(|_, staged| staged.expires > now);
    }

    fn check(&mut self) {
        self.site.check().unwrap();
        let Live {
            contents: expected,
            environment,
            ..
        } = &self.model.live;
        assert_eq!(contents(&self.site), *expected);
        assert_eq!(
            hashes(&self.site),
            hashes(&site_of(expected, Some(environment)))
        );
        let live = self.site.live_release();
        if live > 0 {
            let entry = self.site.log(live, 1).unwrap().remove(0).entry;
            assert_eq!((entry.site, entry.content), hashes(&self.site));
        }
        let stages = self.site.stages().unwrap();
        let found: Vec<_> = stages
            .iter()
            .map(|stage| (stage.stage, stage.owner, stage.expires, stage.state))
            .collect();
        let expected: Vec<_> = self
            .model
            .stages
            .iter()
            .map(|(number, staged)| (*number, staged.owner, staged.expires, staged.state))
            .collect();
        assert_eq!(found, expected);
        self.model.seen.insert(live, self.model.live.clone());
    }
}

fn stage_error(stage: u64, reason: StageError) -> Error {
    Error::Stage { stage, reason }
}

/// Memories with the same bytes.
fn copy(memories: &Memories<VectorMemory>) -> Memories<VectorMemory> {
    let copy = |memory: &VectorMemory| {
        let mut bytes = vec![0; memory.size() as usize * 65_536];
        memory.read(0, &mut bytes);
        let other = VectorMemory::default();
        other.grow(memory.size());
        other.write(0, &bytes);
        other
    };
    Memories {
        state: copy(&memories.state),
        forks: copy(&memories.forks),
        leaves: copy(&memories.leaves),
        bodies: copy(&memories.bodies),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn stages_are_unseen_until_they_are_the_site(steps in prop::collection::vec(a_step(), 1..100)) {
        let mut scene = Scene::new();
        for step in steps {
            scene.act(step);
            scene.check();
        }
        // Every stage that is left can be published, one way or another.
        for number in scene.model.stages.keys().copied().collect::<Vec<_>>() {
            scene.site.rebase_stage(number, scene.by(ALICE)).unwrap();
            let mut calls = 0;
            let sealed = loop {
                if let Some(sealed) = scene.seal(number, ALICE, 0).unwrap() {
                    break sealed;
                }
                calls += 1;
                prop_assert!(calls < 1000, "every call gets on");
            };
            let expected = Expected { site: Some(sealed.site.to_vec()), content: None };
            scene.site.publish_stage(number, &expected, "", scene.by(ALICE)).unwrap();
            prop_assert_eq!(scene.site.root().site(), sealed.site);
        }
        // When everything goes, nothing stays but the built-in answer and the log.
        scene.site.set_retention(Retention { releases: 0, bytes: None, ..Retention::DEFAULT }, NOW).unwrap();
        for _ in 0..9 {
            scene.site.clear(NOW).unwrap();
        }
        scene.site.set_environment(&Environment::new(b"key", []), NOW).unwrap();
        let left = scene.site.check().unwrap();
        let fresh = Scene::new().site.check().unwrap();
        let entries = scene.site.log_length() - Scene::new().site.log_length();
        prop_assert_eq!(u64::from(left.nodes.leaves - fresh.nodes.leaves), entries);
        prop_assert_eq!((left.nodes.doomed, left.pieces, left.resources), (0, fresh.pieces, fresh.resources));
    }
}

fn a_site() -> Site<VectorMemory> {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    site.put("/index.html", "text/html", "old", NOW).unwrap();
    site
}

fn by(principal: Principal) -> By {
    By {
        principal,
        now: NOW,
    }
}

fn text_of(site: &Site<VectorMemory>, url: &str) -> Vec<u8> {
    serve(site, &Request::get(url), b"").body
}

fn put(key: &str, content: &[u8]) -> [Operation; 3] {
    [
        delete(key),
        create(key, "text/html"),
        set_content(key, "identity", content),
    ]
}

fn seal(site: &mut Site<VectorMemory>, stage: u64) -> Sealed {
    site.seal_stage(stage, by(ALICE), &|_| true)
        .unwrap()
        .unwrap()
}

#[test]
fn what_moved_on_is_named_and_changes_can_be_done_to_it() {
    let mut site = a_site();
    let [first, second] = ["/a.html", "/index.html"].map(|key| {
        let stage = site.create_stage(None, by(ALICE)).unwrap();
        site.fill_stage(stage, put(key, key.as_bytes()), by(ALICE))
            .unwrap();
        seal(&mut site, stage);
        stage
    });
    let nothing = Expected::default();
    let base = site.root().site();
    assert_eq!(site.publish_stage(first, &nothing, "", by(ALICE)), Ok(2));
    let outdated = site.publish_stage(second, &nothing, "", by(ALICE));
    let reason = StageError::Outdated {
        base: 1,
        base_site: Some(base),
        live: 2,
        live_site: Some(site.root().site()),
    };
    assert_eq!(outdated, Err(stage_error(second, reason)));
    site.rebase_stage(second, by(ALICE)).unwrap();
    let open = site.publish_stage(second, &nothing, "", by(ALICE));
    assert_eq!(open, Err(stage_error(second, StageError::Open)));
    let sealed = seal(&mut site, second);
    assert_eq!(site.publish_stage(second, &nothing, "", by(ALICE)), Ok(3));
    assert_eq!(site.root().site(), sealed.site);
    assert_eq!(text_of(&site, "/"), b"/index.html");
    assert_eq!(text_of(&site, "/a"), b"/a.html");
    // Who has lost the reply asks again.
    assert_eq!(site.publish_stage(second, &nothing, "", by(ALICE)), Ok(3));
}

#[test]
fn who_publishes_for_another_says_what() {
    let mut site = a_site();
    let stage = site.create_stage(Some(MAX_LIFETIME), by(ALICE)).unwrap();
    site.fill_stage(stage, put("/", b"new"), by(ALICE)).unwrap();
    let Sealed { site: hash, .. } = seal(&mut site, stage);
    let refused = site.publish_stage(stage, &Expected::default(), "", by(BOB));
    assert_eq!(refused, Err(stage_error(stage, StageError::HashRequired)));
    let wrong = Expected {
        content: Some(vec![1; 32]),
        site: Some(hash.to_vec()),
    };
    let refused = site.publish_stage(stage, &wrong, "", by(BOB));
    assert!(matches!(
        refused,
        Err(Error::Stage {
            reason: StageError::Mismatch {
                what: "content",
                ..
            },
            ..
        })
    ));
    let right = Expected {
        content: None,
        ..wrong
    };
    site.check_stage(stage, &right, "as voted", BOB).unwrap();
    // A vote may take weeks.
    let late = By {
        principal: BOB,
        now: NOW + MAX_LIFETIME - 1,
    };
    site.create_batch(BOB, late.now).unwrap();
    site.publish_stage(stage, &right, "as voted", late).unwrap();
    assert_eq!(site.root().site(), hash);
    let too_long = MAX_LIFETIME + 1;
    assert_eq!(
        site.create_stage(Some(too_long), NOW),
        Err(Error::Lifetime { lifetime: too_long })
    );
}

#[test]
fn content_is_named_by_its_hash() {
    let mut site = a_site();
    let named = |content: &[u8]| {
        let held = vec![Sha256::digest(content).to_vec()];
        let [delete, create, _] = put("/a.html", b"");
        let set = Operation::SetContent {
            key: "/a.html".to_owned(),
            encoding: "identity".to_owned(),
            content: Content {
                held,
                ..Content::default()
            },
            sha256: None,
        };
        [delete, create, set]
    };
    let stage = site.create_stage(None, by(ALICE)).unwrap();
    site.fill_stage(stage, named(b"old"), by(ALICE)).unwrap();
    let refused = site.fill_stage(stage, named(b"new"), by(ALICE));
    let sha256 = Sha256::digest(b"new").to_vec();
    assert_eq!(refused, Err(Error::NotHeld { sha256 }));
    seal(&mut site, stage);
    site.publish_stage(stage, &Expected::default(), "", by(ALICE))
        .unwrap();
    assert_eq!(text_of(&site, "/a"), b"old");
    assert_eq!(site.holds(b"no hash"), Ok(false));
    site.check().unwrap();
}

#[test]
fn a_stage_is_no_batch_and_a_batch_no_stage() {
    let mut site = a_site();
    let stage = site.create_stage(None, by(ALICE)).unwrap();
    let root = *site.root();
    let no_batch = Err(stage_error(stage, StageError::NoBatch));
    assert_eq!(site.delete_batch(stage), no_batch);
    assert_eq!(site.propose_batch(stage, &[], NOW), no_batch);
    let refused = site.commit_batch(stage, ALICE, put("/", b"x"), NOW);
    assert_eq!(refused.map(|_| ()), no_batch);
    assert_eq!(*site.root(), root);
    let batch = site.create_batch(ALICE, NOW).unwrap();
    let no_stage = stage_error(batch, StageError::Batch);
    assert_eq!(site.fill_stage(batch, [], by(ALICE)), Err(no_stage.clone()));
    assert_eq!(site.discard_stage(batch, by(ALICE)), Err(no_stage));
    site.discard_stage(stage, by(ALICE)).unwrap();
}

/// A sealed release with another page, its site hash, and that as what is expected.
fn a_sealed_page(site: &mut Site<VectorMemory>) -> (u64, [u8; 32], Expected) {
    let stage = site.create_stage(None, by(ALICE)).unwrap();
    site.fill_stage(stage, put("/a.html", b"new"), by(ALICE))
        .unwrap();
    let Sealed { site: hash, .. } = seal(site, stage);
    let right = Expected {
        site: Some(hash.to_vec()),
        content: None,
    };
    (stage, hash, right)
}

#[test]
fn a_publication_asked_for_again_is_the_one_that_was() {
    let mut site = a_site();
    let none = site.publish_stage(0, &Expected::default(), "", by(ALICE));
    assert_eq!(none, Err(stage_error(0, StageError::NotFound)));
    let (stage, hash, right) = a_sealed_page(&mut site);
    let published = site.publish_stage(stage, &right, "", by(ALICE)).unwrap();
    site.put("/b.html", "text/html", "amended", NOW).unwrap();
    let again = site.publish_stage(stage, &right, "", by(ALICE));
    assert_eq!(again, Ok(published), "not what came after it");
    let other = Expected {
        site: Some(vec![1; 32]),
        content: None,
    };
    let reason = StageError::Mismatch {
        what: "site",
        computed: Some(hash),
        given: vec![1; 32],
    };
    let again = site.publish_stage(stage, &other, "", by(ALICE));
    assert_eq!(again, Err(stage_error(stage, reason)));
}

#[test]
fn a_withdrawn_publication_asked_for_again_is_not_live() {
    let mut site = a_site();
    let lock = Lock {
        delay: LIFETIME,
        is_frozen: false,
    };
    site.set_lock(lock, NOW).unwrap();
    let (stage, _, right) = a_sealed_page(&mut site);
    let scheduled = site.publish_stage(stage, &right, "", by(ALICE)).unwrap();
    site.withdraw(scheduled, "", NOW).unwrap();
    let again = site.publish_stage(stage, &right, "", by(ALICE));
    assert_eq!(again, Ok(scheduled));
}
