//! Random publishers before a lock: nothing changes the site that was not in the log for as long as the lock says, and
//! the lock lets nobody shorten that.

use crate::world::{ALICE, NOW, create, delete, set_content};
use ic_hallmark::{
    Error, Site,
    serve::{Request, serve},
    site::{
        By, Environment, Expected, Guard, Kind, Lock, MAX_DELAY, Memories, Operation, Retention,
    },
};
use ic_stable_structures::VectorMemory;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR: u64 = 3_600_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    Lock(u64, bool),
    Publish(u8),
    Rollback(u8),
    Amend(u8),
    Clear,
    Withdraw,
    CarryOut,
    Retention(u32),
    Environment(u8),
    Wait(u64),
    Reopen,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0u64..4, prop::bool::weighted(0.2)).prop_map(|(hours, frozen)| Step::Lock(hours, frozen)),
        6 => (0u8..9).prop_map(Step::Publish),
        2 => any::<u8>().prop_map(Step::Rollback),
        2 => (0u8..9).prop_map(Step::Amend),
        1 => Just(Step::Clear),
        1 => Just(Step::Withdraw),
        4 => Just(Step::CarryOut),
        1 => (0u32..3).prop_map(Step::Retention),
        1 => (0u8..3).prop_map(Step::Environment),
        5 => (0u64..4).prop_map(|hours| Step::Wait(hours * HOUR)),
        2 => Just(Step::Reopen),
    ]
}

fn operations(content: u8) -> [Operation; 3] {
    [
        delete("/index.html"),
        create("/index.html", "text/html"),
        set_content("/index.html", "identity", &[b'0' + content]),
    ]
}

fn page(site: &Site<VectorMemory>) -> Vec<u8> {
    serve(site, &Request::get("/"), b"").body
}

struct Scene {
    memories: Memories<VectorMemory>,
    site: Site<VectorMemory>,
    /// When each hash of content was last logged as scheduled.
    logged: BTreeMap<Option<[u8; 32]>, u64>,
    /// When each delay was last set, in force or not.
    now: u64,
}

fn try_publish(site: &mut Site<VectorMemory>, content: u8, by: By) -> Result<u64, Error> {
    let stage = site.create_stage(None, by).unwrap();
    site.fill_stage(stage, operations(content), by).unwrap();
    site.seal_stage(stage, by, &|_| true).unwrap().unwrap();
    let done = site.publish_stage(stage, &Expected::default(), "a note", by);
    if done.is_err() {
        site.discard_stage(stage, by).unwrap();
    }
    done
}

impl Scene {
    fn by(&self) -> By {
        By {
            principal: ALICE,
            now: self.now,
        }
    }

    fn act(&mut self, step: Step) {
        let by = self.by();
        let before = self.site.guard();
        let Lock { delay, is_frozen } = before.lock;
        let content = self.site.root().content();
        let refused = |error: &Error| match error {
            Error::Frozen => assert!(is_frozen),
            Error::Locked { delay: told } => assert!(*told == delay && delay > 0),
            Error::ScheduledBefore { release, due } => {
                let scheduled = before.scheduled.unwrap();
                assert_eq!((*release, *due), (scheduled.release, scheduled.due));
            }
            error => panic!("{error}"),
        };
        let scheduled = |site: &Site<VectorMemory>, number: u64, to: Option<u64>| {
            let due = by.now + delay;
            let entry = site.log(number, 1).unwrap().remove(0).entry;
            assert_eq!(
                (entry.site, entry.content),
                crate::world::hashes(site),
                "what is live"
            );
            assert_eq!(site.guard().scheduled.unwrap().release, number);
            match entry.kind {
                Kind::Schedule {
                    due: told,
                    to: back,
                    content,
                    ..
                } => {
                    assert_eq!((told, back), (due, to));
                    content
                }
                kind => panic!("{kind:?}"),
            }
        };
        let is_free = before.scheduled.is_none();
        let is_open = delay == 0 && !is_frozen && is_free;
        match step {
            Step::Lock(hours, is_frozen) => {
                let delay = hours * HOUR;
                let lock = Lock { delay, is_frozen };
                self.site.set_lock(lock, by).unwrap();
                let after = self.site.guard();
                let is_stricter =
                    lock.delay >= before.lock.delay && (lock.is_frozen || !before.lock.is_frozen);
                if is_stricter || before.lock.delay == 0 {
                    assert_eq!((after.lock, after.next), (lock, None));
                } else {
                    assert_eq!(after.lock, before.lock);
                    assert_eq!(after.next, Some((lock, by.now + before.lock.delay)));
                }
            }
            Step::Publish(number) => match try_publish(&mut self.site, number, by) {
                Ok(_) if is_open => assert_eq!(page(&self.site), [b'0' + number]),
                Ok(number) => {
                    let hash = scheduled(&self.site, number, None);
                    self.logged.insert(hash, by.now);
                }
                Err(error) => refused(&error),
            },
            Step::Rollback(pick) => {
                let log = self.site.log(u64::MAX, 100).unwrap();
                let kept: Vec<_> = log.iter().filter(|entry| entry.is_kept).collect();
                let Some(to) = kept.get(usize::from(pick) % kept.len().max(1)) else {
                    return;
                };
                match self.site.rollback(to.number, "", by) {
                    Ok(_) if is_open => assert_eq!(self.site.root().content(), to.entry.content),
                    Ok(number) => {
                        let hash = scheduled(&self.site, number, Some(to.number));
                        assert_eq!(hash, to.entry.content);
                        self.logged.insert(hash, by.now);
                    }
                    Err(error) => refused(&error),
                }
            }
            Step::Amend(number) => match self.site.commit(operations(number), by) {
                Ok(()) => assert!(is_open),
                Err(error) => refused(&error),
            },
            Step::Clear => match self.site.clear(by) {
                Ok(()) => assert!(is_open),
                Err(error) => refused(&error),
            },
            Step::Withdraw => match before.scheduled {
                Some(scheduled) => {
                    let release = scheduled.release;
                    let number = self.site.withdraw(release, "not this", by).unwrap();
                    let entry = self.site.log(number, 1).unwrap().remove(0).entry;
                    assert_eq!(entry.kind, Kind::Withdrawal { of: release });
                    assert_eq!(self.site.guard().scheduled, None);
                }
                None => assert_eq!(
                    self.site.withdraw(1, "", by),
                    Err(Error::NotScheduled { release: 1 })
                ),
            },
            Step::CarryOut => {
                let done = self.site.carry_out(by.now).unwrap();
                let Guard { lock, next, .. } = self.site.guard();
                assert!(next.is_none_or(|(_, due)| due > by.now));
                match before.scheduled {
                    Some(scheduled) if scheduled.due <= by.now && !lock.is_frozen => {
                        assert_eq!(done, Some(self.site.live_release()));
                        assert_eq!(self.site.guard().scheduled, None);
                        let log = self.site.log(u64::MAX, 100).unwrap();
                        let then = log.iter().find(|entry| entry.number == scheduled.release);
                        let then = &then.unwrap().entry;
                        let Kind::Schedule { site, content, .. } = then.kind else {
                            panic!("{then:?}");
                        };
                        assert_eq!((site, content), crate::world::hashes(&self.site));
                        assert_eq!(
                            (&log[0].entry.note, log[0].entry.principal),
                            (&then.note, ALICE)
                        );
                        return;
                    }
                    _ => assert_eq!(done, None),
                }
            }
            Step::Retention(releases) => {
                let bytes = None;
                self.site
                    .set_retention(
                        Retention {
                            releases,
                            bytes,
                            ..Retention::DEFAULT
                        },
                        by,
                    )
                    .unwrap();
            }
            Step::Environment(number) => {
                let environment = Environment::new(&[number], []);
                self.site.set_environment(&environment, by).unwrap();
            }
            Step::Wait(time) => self.now += time,
            Step::Reopen => {
                let root = *self.site.root();
                self.site = Site::open(self.memories.clone()).unwrap();
                assert_eq!((*self.site.root(), self.site.guard()), (root, before));
            }
        }
        if !is_open {
            assert_eq!(
                self.site.root().content(),
                content,
                "only what is due changes the site"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_takes_effect_before_its_time(steps in prop::collection::vec(a_step(), 1..60)) {
        let memories = Memories::<VectorMemory>::default();
        let site = Site::open(memories.clone()).unwrap();
        let mut scene = Scene { memories, site, logged: BTreeMap::new(), now: NOW };
        // Time since which every lock in force was as long as this.
        let mut strict_since: Option<(u64, u64)> = None;
        for step in steps {
            let before = scene.site.root().content();
            scene.act(step);
            scene.site.check().unwrap();
            let delay = scene.site.guard().lock.delay;
            let after = scene.site.root().content();
            if let Some((since, shortest)) = strict_since
                && before != after
                && since + shortest <= scene.now
            {
                let logged = scene.logged.get(&after);
                prop_assert!(logged.is_some_and(|logged| logged + shortest <= scene.now));
            }
            strict_since = match (delay, strict_since) {
                (0, _) => None,
                (delay, None) => Some((scene.now, delay)),
                (delay, Some((since, shortest))) => Some((since, shortest.min(delay))),
            };
        }
    }
}

#[test]
fn a_lock_is_opened_from_within() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    let at = |now: u64| By {
        principal: ALICE,
        now,
    };
    let day = 24 * HOUR;
    assert_eq!(try_publish(&mut site, 1, at(NOW)), Ok(1));
    let lock = |delay, is_frozen| Lock { delay, is_frozen };
    site.set_lock(lock(day, false), at(NOW)).unwrap();
    assert_eq!(try_publish(&mut site, 2, at(NOW)), Ok(3));
    let again = try_publish(&mut site, 3, at(NOW));
    let due = NOW + day;
    assert_eq!(again, Err(Error::ScheduledBefore { release: 3, due }));
    assert_eq!(
        site.commit(operations(4), NOW),
        Err(Error::Locked { delay: day })
    );
    let next = |site: &Site<VectorMemory>| site.guard().next;
    site.set_lock(lock(0, false), at(NOW + HOUR)).unwrap();
    assert_eq!(next(&site), Some((lock(0, false), NOW + HOUR + day)));
    assert_eq!(site.carry_out(NOW + day - 1), Ok(None));
    assert_eq!(page(&site), b"1");
    assert_eq!(site.carry_out(NOW + day), Ok(Some(5)));
    assert_eq!(page(&site), b"2");
    assert_eq!(
        site.commit(operations(4), NOW + day),
        Err(Error::Locked { delay: day })
    );
    assert_eq!(site.carry_out(NOW + HOUR + day), Ok(None));
    site.commit(operations(4), NOW + HOUR + day).unwrap();
    site.set_lock(lock(day, true), at(NOW)).unwrap();
    assert_eq!(try_publish(&mut site, 5, at(NOW)), Err(Error::Frozen));
    assert_eq!(site.rollback(1, "", NOW), Err(Error::Frozen));
    let log = site.log(u64::MAX, 100).unwrap();
    let words: Vec<String> = log
        .into_iter()
        .filter_map(|logged| match logged.entry.kind {
            Kind::Configuration { change } => Some(change),
            _ => None,
        })
        .collect();
    let due = NOW + HOUR + day;
    let expected = [
        "lock: delay from 0 s to 86400 s; frozen".to_owned(),
        "lock: delay from 86400 s to 0 s".to_owned(),
        format!("lock: delay from 86400 s to 0 s at {due}"),
        "lock: delay from 0 s to 86400 s".to_owned(),
    ];
    assert_eq!(words, expected);
    let delay = MAX_DELAY + 1;
    let refused = site.set_lock(lock(delay, false), at(NOW));
    assert_eq!(refused, Err(Error::DelayTooLong { delay }));
}

#[test]
fn what_is_scheduled_replaces_nothing_newer() {
    let mut site = Site::open(Memories::<VectorMemory>::default()).unwrap();
    let at = |now: u64| By {
        principal: ALICE,
        now,
    };
    let lock = |delay| Lock {
        delay,
        is_frozen: false,
    };
    try_publish(&mut site, 1, at(NOW)).unwrap();
    site.set_lock(lock(2 * HOUR), at(NOW)).unwrap();
    site.set_lock(lock(0), at(NOW)).unwrap();
    let late = NOW + HOUR;
    let release = try_publish(&mut site, 2, at(late)).unwrap();
    // The lock is gone, what was scheduled under it is not.
    let now = NOW + 2 * HOUR;
    assert_eq!(site.carry_out(now), Ok(None));
    assert_eq!(site.guard().lock, lock(0));
    let due = late + 2 * HOUR;
    let refused = Error::ScheduledBefore { release, due };
    assert_eq!(try_publish(&mut site, 3, at(now)), Err(refused.clone()));
    assert_eq!(site.commit(operations(3), at(now)), Err(refused));
    site.withdraw(release, "", at(now)).unwrap();
    try_publish(&mut site, 3, at(now)).unwrap();
    assert_eq!(site.carry_out(due), Ok(None));
    assert_eq!(page(&site), b"3");
}
