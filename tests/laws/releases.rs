//! Random histories of publications, amendments, rollbacks and settings against a naive model: the log has no gap, is
//! never rewritten and says what is live; what comes back is what was there, byte for byte.

use crate::world::{ALICE, BOB, NOW, create, delete, hashes, set_content};
use candid::Principal;
use ic_cbor::HashTreeToCbor;
use ic_certification::{HashTree, LookupResult};
use ic_hallmark::{
    Error, Site,
    access::Permission,
    serve::{Request, serve},
    site::{
        By, Committed, Entry, Environment, Expected, Kind, MAX_NOTE, MAX_RETENTION, Memories,
        Operation, Retention,
    },
    upload::Limits,
};
use ic_stable_structures::VectorMemory;
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEYS: [&str; 4] = ["/index.html", "/a.html", "/a/index.html", "/b.txt"];
const HOUR: u64 = 3_600_000_000_000;

/// Nothing is kept.
const NOTHING: Retention = Retention {
    releases: 0,
    bytes: None,
    ..Retention::DEFAULT
};

/// Bytes of all assets, added up.
fn bytes(site: &Site<VectorMemory>) -> u64 {
    let mut bytes = 0;
    site.visit_assets(0, u32::MAX, |_, asset| {
        let bodies = asset
            .encodings
            .values()
            .map(|encoding| encoding.body.length());
        bytes += bodies.sum::<u64>();
    })
    .unwrap();
    bytes
}

/// Everything that is answered for a few requests.
type Answers = Vec<(u16, Vec<(String, String)>, Vec<u8>)>;

fn answers(site: &Site<VectorMemory>) -> Answers {
    let urls = KEYS.iter().chain(&["/", "/a", "/nothing"]);
    urls.map(|url| {
        let mut answer = serve(site, &Request::get(*url), b"");
        // The proof is of the whole tree, and so of the log.
        answer.headers.retain(|(name, _)| name != "IC-Certificate");
        (answer.status, answer.headers, answer.body)
    })
    .collect()
}

#[derive(Clone, Debug)]
enum Step {
    Amend(Principal, Vec<Operation>),
    Publish(Principal, Vec<Operation>),
    Stage(Principal, Vec<Operation>),
    Close,
    Rollback(u8),
    Retention(u32, Option<u16>),
    Grant(Principal),
    Limit(Option<u64>),
    Environment(u8),
    Clear,
    Wait(u64),
    Reopen,
}

fn a_step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(vec![ALICE, BOB]);
    let operations = || {
        let key = || prop::sample::select(KEYS.to_vec());
        let put = (key(), 0u8..4).prop_map(|(key, content)| {
            let content = [content; 3];
            let create = create(key, "text/html");
            vec![delete(key), create, set_content(key, "identity", &content)]
        });
        let fails = key().prop_map(|key| vec![delete(key), set_content(key, "identity", b"x")]);
        prop_oneof![8 => put, 1 => key().prop_map(|key| vec![delete(key)]), 1 => fails]
    };
    prop_oneof![
        6 => (who(), operations()).prop_map(|(who, operations)| Step::Amend(who, operations)),
        6 => (who(), operations()).prop_map(|(who, operations)| Step::Publish(who, operations)),
        3 => (who(), operations()).prop_map(|(who, operations)| Step::Stage(who, operations)),
        2 => Just(Step::Close),
        6 => any::<u8>().prop_map(Step::Rollback),
        1 => (prop_oneof![0u32..4, Just(10), Just(MAX_RETENTION + 1)], any::<Option<u16>>())
            .prop_map(|(releases, bytes)| Step::Retention(releases, bytes)),
        1 => who().prop_map(Step::Grant),
        1 => any::<Option<u8>>().prop_map(|limit| Step::Limit(limit.map(|limit| 100 + u64::from(limit)))),
        2 => (0u8..3).prop_map(Step::Environment),
        1 => Just(Step::Clear),
        2 => prop_oneof![Just(HOUR / 2), Just(HOUR)].prop_map(Step::Wait),
        3 => Just(Step::Reopen),
    ]
}

struct Scene {
    memories: Memories<VectorMemory>,
    site: Site<VectorMemory>,
    /// What was answered while an entry was the live one, by its number.
    seen: BTreeMap<u64, Answers>,
    log: Vec<Entry>,
    open: Vec<u64>,
    environment: Environment,
    now: u64,
}

impl Scene {
    fn new() -> Self {
        let memories = Memories::<VectorMemory>::default();
        Self {
            site: Site::open(memories.clone()).unwrap(),
            memories,
            seen: BTreeMap::new(),
            log: Vec::new(),
            open: Vec::new(),
            environment: Environment::default(),
            now: NOW,
        }
    }

    fn by(&self, principal: Principal) -> By {
        let now = self.now;
        By { principal, now }
    }

    fn act(&mut self, step: Step) {
        let (root, before) = (*self.site.root(), answers(&self.site));
        let live = self.site.live_release();
        match step {
            Step::Amend(who, operations) => {
                let done = self.site.commit(operations, self.by(who));
                self.expect_unchanged_if(done.is_err(), root);
            }
            Step::Publish(who, operations) => {
                let batch = self.site.create_batch(who, self.now).unwrap();
                let done = self.site.commit_batch(batch, who, operations, self.now);
                self.expect_unchanged_if(done.is_err(), root);
                if done.is_ok() {
                    let last = self.site.log(u64::MAX, 1).unwrap().remove(0);
                    assert_eq!(
                        (last.entry.kind, last.entry.principal),
                        (Kind::Publish, who)
                    );
                    assert_eq!(last.number, self.site.live_release());
                }
            }
            Step::Stage(who, operations) => {
                let batch = self.site.create_batch(who, self.now).unwrap();
                let done = self.site.commit_batch(0, who, operations, self.now);
                assert!(done.is_err() || done == Ok(Committed::Staged));
                self.expect_unchanged_if(true, root);
                self.open.push(batch);
            }
            Step::Close => {
                let Some(batch) = self.open.pop() else { return };
                // It may have expired.
                let done = self.site.commit_batch(batch, ALICE, [], self.now);
                self.expect_unchanged_if(done.is_err(), root);
            }
            Step::Rollback(pick) => {
                let to = u64::from(pick) % (self.site.log_length() + 2);
                let kept = self.site.log(to, 1).unwrap();
                let is_kept = kept.iter().any(|entry| entry.number == to && entry.is_kept);
                match self.site.rollback(to, "a note", self.by(BOB)) {
                    Ok(number) => {
                        assert!(is_kept);
                        assert_eq!(number, self.site.log_length());
                        assert_eq!(answers(&self.site), self.seen[&to], "every answer of {to}");
                        let entry = &self.site.log(number, 1).unwrap()[0].entry;
                        assert_eq!(entry.kind, Kind::Rollback { to });
                        assert_eq!(entry.note, "a note");
                        assert_eq!(entry.site, self.log[to as usize - 1].site);
                        assert_eq!(entry.content, self.log[to as usize - 1].content);
                        let Retention {
                            releases, bytes, ..
                        } = self.site.retention();
                        if releases > 0 && bytes.is_none() && live > 0 {
                            assert!(self.site.log(live, 1).unwrap()[0].is_kept);
                        }
                    }
                    Err(error) => {
                        assert!(!is_kept);
                        self.expect_unchanged_if(true, root);
                        match error {
                            Error::ReleaseNotFound { .. } => {
                                assert!(to == 0 || to > self.site.log_length());
                            }
                            Error::ReleaseLive { .. } => assert_eq!(self.seen[&to], before),
                            Error::ReleaseNotKept { release } => assert_eq!(release, to),
                            error => panic!("{error}"),
                        }
                    }
                }
            }
            Step::Retention(releases, bytes) => {
                let bytes = bytes.map(u64::from);
                let retention = Retention {
                    releases,
                    bytes,
                    ..Retention::DEFAULT
                };
                let done = self.site.set_retention(retention, self.by(ALICE));
                assert_eq!(done.is_ok(), releases <= MAX_RETENTION);
            }
            Step::Grant(who) => {
                let grant = |access: &mut ic_hallmark::access::Access| {
                    access.grant(Permission::Prepare, who);
                };
                let had_it = self.site.access().allows(Permission::Prepare, who);
                let length = self.site.log_length();
                self.site.change_access(grant, self.by(BOB)).unwrap();
                assert_eq!(self.site.log_length(), length + u64::from(!had_it));
            }
            Step::Limit(max_chunks) => {
                let limits = Limits {
                    max_chunks,
                    ..Limits::default()
                };
                self.site.set_limits(limits, self.by(ALICE)).unwrap();
            }
            Step::Environment(number) => {
                self.environment = Environment::new(&[number], []);
                let by = self.by(ALICE);
                self.site.set_environment(&self.environment, by).unwrap();
            }
            Step::Clear => {
                self.site.clear(self.by(ALICE)).unwrap();
                self.open.clear();
            }
            Step::Wait(time) => self.now += time,
            Step::Reopen => {
                self.site = Site::open(self.memories.clone()).unwrap();
                assert_eq!((*self.site.root(), answers(&self.site)), (root, before));
            }
        }
    }

    fn expect_unchanged_if(&self, failed: bool, root: ic_hallmark::certification::Root) {
        if failed {
            assert_eq!(*self.site.root(), root);
        }
    }

    /// The log has grown by what happened, and is true.
    fn check(&mut self) {
        self.site.check().unwrap();
        let logged = self.site.log(u64::MAX, u32::MAX).unwrap();
        let numbers: Vec<u64> = logged.iter().rev().map(|entry| entry.number).collect();
        assert_eq!(numbers, (1..=self.site.log_length()).collect::<Vec<_>>());
        let log: Vec<Entry> = logged
            .iter()
            .rev()
            .map(|entry| entry.entry.clone())
            .collect();
        // Only the last entry may have been replaced, by one with more amendments.
        let old = self.log.len();
        assert!(log.len() >= old, "the log never shrinks");
        if let Some((last, others)) = self.log.split_last() {
            assert_eq!(log[..old - 1], *others);
            match (&last.kind, &log[old - 1].kind) {
                (
                    Kind::Amendment { since, changes },
                    Kind::Amendment {
                        since: same,
                        changes: more,
                    },
                ) => {
                    assert_eq!((since, last.principal), (same, log[old - 1].principal));
                    assert!(more >= changes && log[old - 1].time < since + HOUR);
                }
                _ => assert_eq!(*last, log[old - 1]),
            }
        }
        // What is live is what the last entry says.
        if let Some(last) = log.last() {
            assert_eq!((last.site, last.content), hashes(&self.site));
            assert_eq!(
                (last.assets, last.bytes),
                (self.site.len(), bytes(&self.site))
            );
        }
        let kept = logged.iter().filter(|entry| entry.is_kept).count();
        assert!(kept <= 20);
        // The witness proves every entry, and that there is no other.
        let witness = self.site.log_witness(numbers.iter().copied()).unwrap();
        let witness = HashTree::from_cbor(&witness).unwrap();
        assert_eq!(witness.digest(), self.site.root().hash());
        let at = |number: u64| {
            [
                b"hallmark".to_vec(),
                b"releases".to_vec(),
                number.to_be_bytes().to_vec(),
            ]
        };
        for entry in &logged {
            let found = witness.lookup_path(at(entry.number));
            assert_eq!(found, LookupResult::Found(&entry.certified));
        }
        let next = witness.lookup_path(at(self.site.log_length() + 1));
        assert_eq!(next, LookupResult::Absent);
        self.log = log;
        self.seen
            .insert(self.site.live_release(), answers(&self.site));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_log_is_true_and_what_comes_back_is_what_was_there(steps in prop::collection::vec(a_step(), 1..40)) {
        let mut scene = Scene::new();
        for step in steps {
            scene.act(step);
            scene.check();
        }
        // Without retention, what is kept goes, a few releases with each change.
        let _ = scene.site.set_retention(NOTHING, NOW);
        for _ in 0..6 {
            scene.site.clear(NOW).unwrap();
        }
        let left = scene.site.check().unwrap();
        let fresh = Scene::new().site.check().unwrap();
        prop_assert!(scene.site.log(u64::MAX, u32::MAX).unwrap().iter().all(|entry| !entry.is_kept));
        prop_assert_eq!(u64::from(left.nodes.leaves - fresh.nodes.leaves), scene.site.log_length());
        prop_assert_eq!((left.nodes.doomed, left.pieces, left.resources), (0, fresh.pieces, fresh.resources));
    }
}

fn publish(site: &mut Site<VectorMemory>, content: &str) -> u64 {
    let batch = site.create_batch(ALICE, NOW).unwrap();
    let operations = [
        delete("/index.html"),
        create("/index.html", "text/html"),
        set_content("/index.html", "identity", content.as_bytes()),
    ];
    site.commit_batch(batch, ALICE, operations, NOW).unwrap();
    site.live_release()
}

#[test]
fn the_oldest_releases_go() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    for number in 1..=13 {
        assert_eq!(publish(&mut site, &number.to_string()), number);
    }
    let kept = |site: &Site<VectorMemory>| -> Vec<u64> {
        let log = site.log(u64::MAX, 100).unwrap();
        log.iter()
            .filter(|entry| entry.is_kept)
            .map(|entry| entry.number)
            .collect()
    };
    assert_eq!(kept(&site), (3..=12).rev().collect::<Vec<_>>());
    let gone = site.rollback(2, "", NOW);
    assert_eq!(gone, Err(Error::ReleaseNotKept { release: 2 }));
    // What came back is not kept twice, and is the newest when it is replaced.
    assert_eq!(site.rollback(3, "", NOW), Ok(14));
    assert_eq!(kept(&site), (4..=13).rev().collect::<Vec<_>>());
    for live in [3, 14] {
        assert_eq!(
            site.rollback(live, "", NOW),
            Err(Error::ReleaseLive { release: live })
        );
    }
    assert_eq!(publish(&mut site, "15"), 15);
    assert_eq!(kept(&site), [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
    let certified = site.root().hash();
    let two = Retention {
        releases: 2,
        bytes: None,
        ..Retention::DEFAULT
    };
    site.set_retention(two, NOW).unwrap();
    assert_eq!(kept(&site), [14, 13, 12, 11, 10, 9], "a few at a time");
    assert_ne!(site.root().hash(), certified, "the setting is logged");
    site.check().unwrap();
}

#[test]
fn an_amended_release_comes_back_as_amended() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    assert_eq!(publish(&mut site, "published"), 1);
    site.put("/b.txt", "text/plain", "amended", NOW).unwrap();
    site.put("/c.txt", "text/plain", "amended", NOW + 1)
        .unwrap();
    let amendment = &site.log(u64::MAX, 1).unwrap()[0];
    assert_eq!(amendment.number, 2);
    assert_eq!(amendment.entry.time, NOW + 1);
    assert_eq!(amendment.entry.principal, Principal::management_canister());
    assert_eq!(
        amendment.entry.kind,
        Kind::Amendment {
            since: NOW,
            changes: 2
        }
    );
    assert_eq!(publish(&mut site, "replaced"), 3);
    site.clear(NOW).unwrap();
    assert_eq!(
        site.rollback(1, "", NOW),
        Err(Error::ReleaseNotKept { release: 1 })
    );
    site.rollback(2, "", NOW).unwrap();
    assert_eq!(serve(&site, &Request::get("/c.txt"), b"").body, b"amended");
    assert_eq!(serve(&site, &Request::get("/"), b"").body, b"published");
}

#[test]
fn releases_go_when_they_are_too_large() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    for number in 0..5 {
        publish(&mut site, &number.to_string().repeat(100_000));
    }
    assert!(site.stored_bytes() > 500_000, "every release counts");
    let retention = Retention {
        bytes: Some(350_000),
        ..Retention::DEFAULT
    };
    site.set_retention(retention, NOW).unwrap();
    let kept = |site: &Site<VectorMemory>| {
        let log = site.log(u64::MAX, 100).unwrap();
        log.iter().filter(|entry| entry.is_kept).count()
    };
    assert_eq!(kept(&site), 3, "one at a time");
    site.commit([delete("/nothing")], NOW).unwrap();
    assert_eq!(kept(&site), 2);
    assert!(site.stored_bytes() < 350_000);
    site.commit([delete("/nothing")], NOW).unwrap();
    assert_eq!(kept(&site), 2, "what fits stays");
    // What releases share counts once.
    for number in 0..5 {
        let batch = site.create_batch(ALICE, NOW).unwrap();
        let name = format!("/{number}.txt");
        let operations = [
            create(&name, "text/plain"),
            set_content(&name, "identity", b"x"),
        ];
        site.commit_batch(batch, ALICE, operations, NOW).unwrap();
    }
    assert_eq!(kept(&site), 7);
    // What is live stays, however large.
    site.set_retention(
        Retention {
            bytes: Some(0),
            ..retention
        },
        NOW,
    )
    .unwrap();
    for _ in 0..7 {
        site.commit([delete("/nothing")], NOW).unwrap();
    }
    assert_eq!(kept(&site), 0);
    assert_eq!(serve(&site, &Request::get("/0.txt"), b"").body, b"x");
    site.check().unwrap();
}

/// A commit leaves nodes of its own to be freed, which hides nothing of what is too large.
#[test]
fn releases_go_however_the_next_change_is_made() {
    type Change = fn(&mut Site<VectorMemory>, u32);
    let changes: [Change; 4] = [
        |site, number| {
            publish(site, &number.to_string());
        },
        |site, number| {
            site.put("/a.txt", "text/plain", number.to_string(), NOW)
                .unwrap();
        },
        |site, number| {
            let stage = site.create_stage(None, NOW).unwrap();
            let key = format!("/{number}.txt");
            let operations = [
                create(&key, "text/plain"),
                set_content(&key, "identity", b"x"),
            ];
            let chunk = number.to_string();
            site.create_chunks(stage, &[chunk.as_bytes()], NOW).unwrap();
            site.fill_stage(stage, operations, NOW).unwrap();
            site.seal_stage(stage, NOW, &|_| true).unwrap().unwrap();
            site.publish_stage(stage, &Expected::default(), "", NOW)
                .unwrap();
        },
        |site, _| {
            let log = site.log(u64::MAX, 100).unwrap();
            let kept = log.iter().find(|entry| entry.is_kept).unwrap();
            site.rollback(kept.number, "", NOW).unwrap();
        },
    ];
    for (way, change) in changes.into_iter().enumerate() {
        let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
        for number in 0..5 {
            publish(&mut site, &number.to_string().repeat(100_000));
        }
        let retention = Retention {
            bytes: Some(250_000),
            ..Retention::DEFAULT
        };
        site.set_retention(retention, NOW).unwrap();
        for number in 0..5 {
            change(&mut site, number);
        }
        let stored = site.stored_bytes();
        assert!(stored <= 250_000, "{way}: {stored} bytes");
        site.check().unwrap();
    }
}

#[test]
fn what_cannot_be_logged_is_refused() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    publish(&mut site, "1");
    publish(&mut site, "2");
    let note = "x".repeat(MAX_NOTE + 1);
    let refused = site.rollback(1, &note, NOW);
    assert_eq!(
        refused,
        Err(Error::NoteTooLong {
            length: MAX_NOTE + 1
        })
    );
    let releases = MAX_RETENTION + 1;
    let refused = site.set_retention(
        Retention {
            releases,
            bytes: None,
            ..Retention::DEFAULT
        },
        NOW,
    );
    assert_eq!(refused, Err(Error::RetentionTooLarge { releases }));
    assert_eq!(site.log_length(), 2);
}

#[test]
fn settings_are_logged_in_words() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    let grant = |access: &mut ic_hallmark::access::Access| access.grant(Permission::Commit, BOB);
    let by = By {
        principal: ALICE,
        now: NOW,
    };
    site.change_access(grant, by).unwrap();
    let limits = Limits {
        max_chunks: Some(5),
        ..Limits::default()
    };
    site.set_limits(limits, by).unwrap();
    site.set_limits(limits, by).unwrap();
    site.set_retention(NOTHING, by).unwrap();
    let kinds: Vec<Kind> = site
        .log(u64::MAX, 9)
        .unwrap()
        .into_iter()
        .map(|entry| entry.entry.kind)
        .collect();
    let configuration = |change: &str| Kind::Configuration {
        change: change.to_owned(),
    };
    let change = format!("grant Commit to {BOB}");
    assert_eq!(
        kinds,
        [
            configuration("retention: releases from 10 to 0"),
            configuration("max_chunks from none to 5"),
            Kind::Permissions { change },
        ]
    );
    assert_eq!(site.live_release(), 0, "nothing was published");
}
