//! A download that began before a publication ends with what it began with, part by part, as gateways put bodies
//! together; and nothing else is answered otherwise because of it.

use crate::{
    staging::{contents, site_of},
    world::{ALICE, NOW, World, create, delete, hashes, next_part, set_content},
};
use ic_cbor::HashTreeToCbor;
use ic_certification::{HashTree, Label, SubtreeLookupResult};
use ic_hallmark::{
    Site,
    serve::{Request, Response, refuse_raw, serve_update},
    site::{Expected, GRACE, Lock, Operation, PART, PropertyChange, Retention},
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// As many bytes whatever the content, so that only its certification keeps parts apart.
const LENGTH: usize = 2 * PART as usize;

const HOUR: u64 = 3_600_000_000_000;

fn content(number: u8) -> Vec<u8> {
    vec![b'a' + number; LENGTH]
}

fn with(key: &str, content: &[u8]) -> Vec<Operation> {
    vec![
        delete(key),
        create(key, "video/mp4"),
        set_content(key, "identity", content),
    ]
}

/// Publishes as unmodified clients do.
fn deploy(world: &mut World, operations: Vec<Operation>, now: u64) {
    let batch = world.site.create_batch(ALICE, now).unwrap();
    world
        .site
        .commit_batch(batch, ALICE, operations, now)
        .unwrap();
}

/// As they do with much: in several commits, the last of which publishes.
fn deploy_in_stages(world: &mut World, operations: Vec<Operation>, now: u64) {
    let site = &mut world.site;
    let batch = site.create_batch(ALICE, now).unwrap();
    for operation in operations {
        site.commit_batch(0, ALICE, [operation], now).unwrap();
    }
    site.commit_batch(batch, ALICE, [], now).unwrap();
}

/// Publishes a staged release.
fn publish(world: &mut World, operations: Vec<Operation>, now: u64) {
    let site = &mut world.site;
    let stage = site.create_stage(None, now).unwrap();
    site.fill_stage(stage, operations, now).unwrap();
    while site.seal_stage(stage, now, &|_| false).unwrap().is_none() {}
    site.publish_stage(stage, &Expected::default(), "", now)
        .unwrap();
}

/// A body that a gateway has begun to read.
#[derive(Clone, Debug)]
struct Download {
    url: &'static str,
    last: Response,
    body: Vec<u8>,
}

impl Download {
    fn begin(world: &World, url: &'static str) -> Self {
        Self::after(url, world.get(url))
    }

    fn after(url: &'static str, first: Response) -> Self {
        assert_eq!(first.status, 206, "{url}");
        let body = first.body.clone();
        let last = first;
        Self { url, last, body }
    }

    /// Reads one more part. False if what it gets is not the next part of what it has; then a gateway gives up.
    fn goes_on(&mut self, world: &World) -> bool {
        let Some(rest) = next_part(self.url, &self.last) else {
            return true;
        };
        let part = world.ask(&rest);
        let begins = format!("bytes {}-", self.body.len());
        let range = part.header("content-range").unwrap_or_default();
        if part.status != 206 || !range.starts_with(&begins) {
            return false;
        }
        assert!(!part.upgrade, "gateways ask for parts by queries only");
        self.body.extend(&part.body);
        self.last = part;
        true
    }

    #[track_caller]
    fn ends_with(mut self, world: &World, content: &[u8]) {
        while self.body.len() < content.len() {
            assert!(self.goes_on(world), "{} breaks off", self.url);
        }
        assert!(self.body == content, "{} is torn", self.url);
    }
}

fn alias(key: &str) -> Operation {
    Operation::SetProperties {
        key: key.to_owned(),
        change: PropertyChange {
            is_aliased: Some(Some(true)),
            ..PropertyChange::default()
        },
    }
}

#[test]
fn a_download_ends_with_what_it_began_with() {
    for publish in [deploy, deploy_in_stages, publish] {
        let mut world = World::new();
        for key in ["/film.mp4", "/gone.mp4", "/page.html", "/index.html"] {
            let mut operations = with(key, &content(0));
            operations.push(alias(key));
            world.site.commit(operations, NOW).unwrap();
        }
        let urls = [
            "/film.mp4",
            "/gone.mp4",
            "/page",
            "/page.html",
            "/",
            "/no/such/page",
        ];
        let begun = urls.map(|url| Download::begin(&world, url));

        let mut operations = vec![delete("/gone.mp4"), delete("/page.html")];
        operations.extend(with("/film.mp4", &content(1)));
        operations.extend(with("/index.html", b"small"));
        publish(&mut world, operations, NOW);
        world.site.check().unwrap();
        for upgrade in [false, true] {
            if upgrade {
                world.upgrade();
            }
            for download in &begun {
                download.clone().ends_with(&world, &content(0));
            }
            // Whoever begins now gets the site as it is.
            Download::begin(&world, "/film.mp4").ends_with(&world, &content(1));
            for url in ["/", "/gone.mp4", "/page", "/no/such/page"] {
                assert_eq!(world.get(url).body, b"small");
            }
            let head = Request {
                method: "HEAD".to_owned(),
                ..Request::get("/gone.mp4")
            };
            assert_eq!(world.ask(&head).status, 200, "that of the fallback");
        }
        // An hour later, the next message ends it.
        world.site.carry_out(NOW + GRACE - 1).unwrap();
        begun[0].clone().ends_with(&world, &content(0));
        world.site.carry_out(NOW + GRACE).unwrap();
        for mut download in begun {
            assert!(!download.goes_on(&world));
        }
        world.site.check().unwrap();
    }
}

/// What goes on is no part of the site: its hashes are those of one that never had anything else, and the log proves
/// that nothing but parts is served beside it.
#[test]
fn the_site_hash_is_of_the_site_alone() {
    let mut world = World::new();
    let mut operations = with("/film.mp4", &content(0));
    operations.extend(with("/gone.mp4", &content(0)));
    deploy(&mut world, operations, NOW);
    let mut operations = with("/film.mp4", &content(1));
    operations.push(delete("/gone.mp4"));
    deploy(&mut world, operations, NOW);
    let fresh = World::with(&[("/film.mp4", "video/mp4", &content(1))]);
    assert_eq!(hashes(&world.site), hashes(&fresh.site));

    let answers = |world: &World, numbers: &[u64]| {
        let witness = world.site.log_witness(numbers.iter().copied()).unwrap();
        let witness = HashTree::from_cbor(&witness).unwrap();
        assert_eq!(witness.digest(), world.site.root().hash());
        match witness.lookup_subtree([b"http_expr"]) {
            SubtreeLookupResult::Found(answers) => answers,
            _ => panic!("the witness has answers"),
        }
    };
    let served = answers(&world, &[1, 2]);
    assert_ne!(served.digest(), world.site.root().site());
    let shown: Vec<Vec<String>> = served
        .list_paths()
        .into_iter()
        .map(|path| {
            let labels = path.iter().take_while(|label| label.as_bytes().len() < 32);
            labels
                .map(|label| String::from_utf8_lossy(label.as_bytes()).into_owned())
                .collect()
        })
        .collect();
    let places: BTreeSet<String> = shown.iter().map(|labels| labels.join("/")).collect();
    let expected = ["<*>", "film.mp4/<$>", "gone.mp4/<$>"];
    assert_eq!(places, expected.map(str::to_owned).into());

    // What the site has again is its own.
    let operations = ["/film.mp4", "/gone.mp4"].map(|key| with(key, &content(0)));
    world.site.commit(operations.concat(), NOW).unwrap();
    let served = answers(&world, &[1, 2, 3]);
    let shown: Vec<_> = served.list_paths();
    assert_eq!(
        shown.len(),
        2,
        "the later parts of what was there in between"
    );
    world.site.carry_out(NOW + GRACE).unwrap();
    let served = answers(&world, &[1, 2, 3]);
    assert_eq!(served.digest(), world.site.root().site());
}

/// A page that answers for what is not there is put together, too, and that it is.
#[test]
fn a_large_fallback_answers_for_what_is_gone() {
    let mut world = World::new();
    let mut operations = with("/index.html", &content(0));
    operations.extend(with("/gone.mp4", &content(1)));
    deploy(&mut world, operations, NOW);
    let begun = Download::begin(&world, "/no/such/page");
    let mut operations = with("/index.html", &content(2));
    operations.push(delete("/gone.mp4"));
    deploy(&mut world, operations, NOW);
    begun.ends_with(&world, &content(0));
    for url in ["/no/such/page", "/gone.mp4"] {
        Download::begin(&world, url).ends_with(&world, &content(2));
    }
}

#[test]
fn only_the_release_that_was_replaced_last_goes_on() {
    let mut world = World::new();
    deploy(&mut world, with("/film.mp4", &content(0)), NOW);
    let mut first = Download::begin(&world, "/film.mp4");
    deploy(&mut world, with("/film.mp4", &content(1)), NOW);
    let second = Download::begin(&world, "/film.mp4");
    // A change in place leaves what goes on, and adds to it.
    world
        .site
        .commit(with("/film.mp4", &content(2)), NOW)
        .unwrap();
    first.clone().ends_with(&world, &content(0));
    second.clone().ends_with(&world, &content(1));
    let third = Download::begin(&world, "/film.mp4");
    deploy(&mut world, with("/other.mp4", b"small"), NOW);
    assert!(!first.goes_on(&world) && !second.clone().goes_on(&world));
    third.ends_with(&world, &content(2));
    world.site.check().unwrap();
}

#[test]
fn the_owner_may_let_nothing_go_on() {
    let mut world = World::new();
    let mut retention = Retention {
        answers_replaced: false,
        ..Retention::DEFAULT
    };
    deploy(&mut world, with("/film.mp4", &content(0)), NOW);
    let mut download = Download::begin(&world, "/film.mp4");
    deploy(&mut world, with("/film.mp4", &content(1)), NOW);
    world.site.set_retention(retention, NOW).unwrap();
    assert!(!download.goes_on(&world));

    let mut download = Download::begin(&world, "/film.mp4");
    publish(&mut world, with("/film.mp4", &content(2)), NOW);
    assert!(!download.goes_on(&world));
    retention.answers_replaced = true;
    world.site.set_retention(retention, NOW).unwrap();
    assert!(!download.goes_on(&world), "it is too late for that");
    world.site.check().unwrap();
}

/// A page that was loaded before loads a large part of it, under a name that holds a hash.
#[test]
fn large_files_with_hashed_names_are_put_together() {
    let mut world = World::new();
    let url = "/assets/engine-4f3a9c21.wasm";
    deploy(&mut world, with(url, &content(0)), NOW);
    deploy(&mut world, vec![delete(url)], NOW);
    let get = Request::get(url);
    assert!(world.ask(&get).upgrade);
    let first = serve_update(&world.site, &get);
    Download::after(url, first).ends_with(&world, &content(0));
    // Without the others, nobody is given the first.
    world.site.carry_out(NOW + GRACE).unwrap();
    assert!(!world.ask(&get).upgrade);
}

/// The content is the same, so the rest of it is too, whatever is said of it now.
#[test]
fn other_headers_do_not_tear_a_download() {
    let mut world = World::new();
    deploy(&mut world, with("/film.mp4", &content(0)), NOW);
    let download = Download::begin(&world, "/film.mp4");
    let mut operations = with("/film.mp4", &content(0));
    operations[1] = create("/film.mp4", "video/webm");
    deploy(&mut world, operations, NOW);
    download.ends_with(&world, &content(0));
    assert_eq!(
        world.site.root().hash(),
        {
            world.site.carry_out(NOW + GRACE).unwrap();
            world.site.root().hash()
        },
        "nothing went on"
    );
}

const KEYS: [&str; 2] = ["/a.mp4", "/b.mp4"];

#[derive(Clone, Debug)]
enum Step {
    Deploy(usize, Option<u8>),
    Publish(usize, Option<u8>),
    Amend(usize, Option<u8>),
    Rollback,
    Wait,
    Begin(usize),
    Reopen,
}

fn a_step() -> impl Strategy<Value = Step> {
    let change = || (0..KEYS.len(), prop::option::weighted(0.8, 0u8..3));
    prop_oneof![
        2 => change().prop_map(|(key, content)| Step::Deploy(key, content)),
        2 => change().prop_map(|(key, content)| Step::Publish(key, content)),
        2 => change().prop_map(|(key, content)| Step::Amend(key, content)),
        1 => Just(Step::Rollback),
        1 => Just(Step::Wait),
        4 => (0..KEYS.len()).prop_map(Step::Begin),
        1 => Just(Step::Reopen),
    ]
}

/// A download, what it must become, and whether it may break off.
#[derive(Debug)]
struct Begun {
    download: Download,
    content: Vec<u8>,
    is_changed: bool,
    may_break: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_download_is_torn(steps in prop::collection::vec(a_step(), 1..14)) {
        let mut world = World::new();
        let mut now = NOW;
        let mut begun: Vec<Begun> = Vec::new();
        for step in steps {
            let operations = |key: usize, number: Option<u8>| match number {
                Some(number) => with(KEYS[key], &content(number)),
                None => vec![delete(KEYS[key])],
            };
            match &step {
                Step::Deploy(key, number) => deploy(&mut world, operations(*key, *number), now),
                Step::Publish(key, number) => publish(&mut world, operations(*key, *number), now),
                Step::Amend(key, number) => {
                    world.site.commit(operations(*key, *number), now).unwrap();
                }
                Step::Rollback => {
                    let log = world.site.log(u64::MAX, 20).unwrap();
                    if let Some(kept) = log.iter().find(|entry| entry.is_kept) {
                        world.site.rollback(kept.number, "", now).unwrap();
                    }
                }
                Step::Wait => {
                    now += HOUR;
                    world.site.carry_out(now).unwrap();
                }
                Step::Begin(key) => {
                    let first = world.get(KEYS[*key]);
                    if first.status == 206 {
                        let content = vec![first.body[0]; LENGTH];
                        begun.push(Begun {
                            download: Download::after(KEYS[*key], first),
                            content,
                            is_changed: false,
                            may_break: false,
                        });
                    }
                }
                Step::Reopen => world.upgrade(),
            }
            for one in &mut begun {
                match step {
                    Step::Deploy(..) | Step::Publish(..) => one.may_break |= one.is_changed,
                    Step::Rollback | Step::Wait => one.may_break = true,
                    _ => {}
                }
                one.is_changed |= !matches!(step, Step::Begin(_) | Step::Reopen);
                let mut rest = one.download.clone();
                while rest.body.len() < LENGTH {
                    if !rest.goes_on(&world) {
                        prop_assert!(one.may_break, "{step:?}");
                        break;
                    }
                }
                prop_assert!(one.content.starts_with(&rest.body), "torn after {step:?}");
            }
            world.site.check().unwrap();
            // Nothing that is asked for anew is answered otherwise.
            let fresh = World::around(site_of(&contents(&world.site), None));
            prop_assert_eq!(hashes(&world.site), hashes(&fresh.site));
            for url in KEYS {
                let [ours, theirs] = [world.get(url), fresh.get(url)];
                prop_assert_eq!(ours.status, theirs.status);
                prop_assert!(ours.body == theirs.body);
            }
        }
    }
}

/// What the log shows of the answers is all that the site has not of its own, and answers of wildcards.
#[track_caller]
fn check_shown(world: &World) {
    fn answers(tree: &[u8]) -> BTreeSet<Vec<Label>> {
        let tree = HashTree::from_cbor(tree).unwrap();
        match tree.lookup_subtree([b"http_expr"]) {
            SubtreeLookupResult::Found(answers) => answers.list_paths().into_iter().collect(),
            _ => panic!("the tree has answers"),
        }
    }
    let fresh = World::around(site_of(&contents(&world.site), None));
    let own = answers(&fresh.site.certified_tree().unwrap());
    let served = answers(&world.site.certified_tree().unwrap());
    let mut shown = answers(&world.site.log_witness([]).unwrap());
    let is_of_wildcard = |path: &[Label]| path.iter().any(|label| label.as_bytes() == b"<*>");
    shown.retain(|path| !is_of_wildcard(path) || !own.contains(path));
    assert_eq!(shown, served.difference(&own).cloned().collect());
}

/// What comes back while its parts go on is the site's own.
#[test]
fn what_is_there_again_is_not_beside_the_site() {
    let mut world = World::new();
    deploy(&mut world, with("/film.mp4", &content(0)), NOW);
    for number in [1, 0] {
        let operations = with("/film.mp4", &content(number));
        world.site.commit(operations, NOW).unwrap();
        check_shown(&world);
    }
}

/// Contents of as many bytes, with parts that begin at the same.
fn alike() -> [Vec<u8>; 2] {
    let mut content = content(0);
    let end = content.len() - 4;
    let begun = Sha256::new_with_prefix(&content[..end]);
    let mut found = BTreeMap::new();
    for number in 0u32.. {
        let tail = number.to_be_bytes();
        let hash = begun.clone().chain_update(tail).finalize();
        if let Some(other) = found.insert([hash[0], hash[1]], tail) {
            return [other, tail].map(|tail| {
                content[end..].copy_from_slice(&tail);
                content.clone()
            });
        }
    }
    unreachable!("there are more numbers than places where parts begin");
}

/// Where parts of two encodings begin at the same bytes, a download goes on in the one that it began in.
#[test]
fn encodings_with_parts_at_the_same_bytes_are_not_mixed() {
    let contents = alike();
    let mut world = World::new();
    // Which of the two is first depends on their hashes.
    let keys = ["/a.mp4", "/b.mp4"];
    for (key, [first, second]) in keys.into_iter().zip([[0, 1], [1, 0]]) {
        let mut operations = with(key, &contents[first]);
        operations.push(set_content(key, "gzip", &contents[second]));
        deploy(&mut world, operations, NOW);
    }
    let mut begun = Vec::new();
    for key in keys {
        for encoding in ["identity", "gzip"] {
            let with = |request: Request| request.with_header("Accept-Encoding", encoding);
            let mut part = world.ask(&with(Request::get(key)));
            while let Some(rest) = next_part(key, &part).map(with) {
                part = world.ask(&rest);
                begun.push((rest, part.body.clone()));
            }
        }
    }
    assert_eq!(begun.len(), 8);
    deploy(&mut world, keys.map(delete).into(), NOW);
    world.site.check().unwrap();
    for (rest, expected) in begun {
        let part = world.ask(&rest);
        assert_eq!(part.status, 206);
        assert!(part.body == expected, "{rest:?}");
    }
    check_shown(&world);
}

/// Of contents with parts that begin at the same bytes, the one that was replaced last goes on.
#[test]
fn contents_with_parts_at_the_same_bytes_are_not_mixed() {
    for [first, second] in [[0, 1], [1, 0]] {
        let contents = alike();
        let mut world = World::new();
        deploy(&mut world, with("/film.mp4", &contents[first]), NOW);
        let operations = with("/film.mp4", &contents[second]);
        world.site.commit(operations, NOW).unwrap();
        let download = Download::begin(&world, "/film.mp4");
        world.site.commit([delete("/film.mp4")], NOW).unwrap();
        world.site.check().unwrap();
        download.ends_with(&world, &contents[second]);
    }
}

/// What was sealed before the owner wanted nothing to go on goes live without.
#[test]
fn nothing_goes_on_that_was_sealed_before() {
    let nothing = Retention {
        answers_replaced: false,
        ..Retention::DEFAULT
    };
    for delay in [0, HOUR] {
        let mut world = World::new();
        deploy(&mut world, with("/film.mp4", &content(0)), NOW);
        let mut download = Download::begin(&world, "/film.mp4");
        let lock = Lock {
            delay,
            is_frozen: false,
        };
        world.site.set_lock(lock, NOW).unwrap();
        let site = &mut world.site;
        let stage = site.create_stage(None, NOW).unwrap();
        site.fill_stage(stage, [delete("/film.mp4")], NOW).unwrap();
        site.seal_stage(stage, NOW, &|_| true).unwrap().unwrap();
        let publish = |site: &mut Site<_>| {
            site.publish_stage(stage, &Expected::default(), "", NOW)
                .unwrap()
        };
        match delay {
            0 => {
                site.set_retention(nothing, NOW).unwrap();
                publish(site);
            }
            _ => {
                publish(site);
                site.set_retention(nothing, NOW).unwrap();
                site.carry_out(NOW + delay).unwrap().unwrap();
            }
        }
        assert!(!download.goes_on(&world));
        world.site.check().unwrap();
    }
}

/// What may only be had with verification still may when it was replaced.
#[test]
fn what_goes_on_is_refused_without_verification() {
    for allow_raw_access in [None, Some(false)] {
        let mut world = World::new();
        let mut operations = with("/film.mp4", &content(0));
        operations.push(Operation::SetProperties {
            key: "/film.mp4".to_owned(),
            change: PropertyChange {
                allow_raw_access: Some(allow_raw_access),
                ..PropertyChange::default()
            },
        });
        deploy(&mut world, operations, NOW);
        let rest = next_part("/film.mp4", &world.get("/film.mp4")).unwrap();
        let rest = rest.with_header("Host", "aaaaa-aa.raw.icp0.io");
        let is_refused = |world: &World| refuse_raw(&world.site, &rest, ALICE).is_some();
        assert_eq!(is_refused(&world), allow_raw_access.is_some());
        deploy(&mut world, vec![delete("/film.mp4")], NOW);
        assert_eq!(is_refused(&world), allow_raw_access.is_some());
    }
}

/// There may be room for the site, but not for all that goes on beside it.
#[test]
fn what_would_nest_too_deep_is_left_out_whole() {
    let key = |length: usize| format!("/{}", "a".repeat(length));
    let film = |length: usize| format!("{}/film.mp4", key(length));
    // As many keys, each the beginning of the next, as there can be beside large content below the last.
    let site = |length: usize| {
        let mut world = World::with(&[("/index.html", "text/html", b"fallback")]);
        for length in 4..length {
            world.put(&key(length), "text/plain", b"x").unwrap();
        }
        let fits = world.site.commit(with(&film(length), &content(0)), NOW);
        fits.is_ok().then_some(world)
    };
    let mut length = 5;
    while site(length + 1).is_some() {
        length += 1;
    }
    let film = film(length);
    for more in 0..3 {
        let mut world = site(length).unwrap();
        let rest = next_part(&film, &world.get(&film)).unwrap();
        // Each of these pushes it deeper.
        let mut operations = vec![delete(&film)];
        for key in (length..length + more).map(key) {
            operations.push(create(&key, "text/plain"));
            operations.push(set_content(&key, "identity", b"x"));
        }
        deploy(&mut world, operations, NOW);
        world.site.check().unwrap();
        assert_eq!(world.ask(&rest).status == 206, more == 0, "{more}");
        for method in ["GET", "HEAD", "POST"] {
            let request = Request {
                method: method.to_owned(),
                ..Request::get(film.clone())
            };
            world.ask(&request);
        }
        check_shown(&world);
    }
}

const TREE: [&str; 9] = [
    "/index.html",
    "/404.html",
    "/dir/404.html",
    "/dir/index.html",
    "/dir/film.mp4",
    "/dir/film.mp4/index.html",
    "/dir.html",
    "/film.mp4",
    "/film.mp4/",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whatever stands above, below or in the place of what goes on, and whichever wildcard answers there now.
    #[test]
    fn nobody_else_is_answered_otherwise(
        steps in prop::collection::vec(
            (0..TREE.len(), prop::option::weighted(0.6, prop::option::of(0u8..3)), any::<bool>()),
            1..12,
        ),
    ) {
        let mut world = World::new();
        for (key, change, is_amendment) in steps {
            let key = TREE[key];
            let operations = match change {
                Some(Some(number)) => {
                    let mut operations = with(key, &content(number));
                    operations.push(alias(key));
                    operations
                }
                Some(None) => {
                    let mut operations = with(key, key.as_bytes());
                    operations.push(alias(key));
                    operations
                }
                None => vec![delete(key)],
            };
            match is_amendment {
                true => world.site.commit(operations, NOW).unwrap(),
                false => publish(&mut world, operations, NOW),
            }
            world.site.check().unwrap();
            check_shown(&world);
            let fresh = World::around(site_of(&contents(&world.site), None));
            let more = ["/", "/dir", "/dir/", "/dir/x", "/film.mp4/x", "/film.mp4/x/", "/x", "/dir/film.mp4/"];
            for url in TREE.into_iter().chain(more) {
                for method in ["GET", "HEAD", "POST"] {
                    let request = Request {
                        method: method.to_owned(),
                        ..Request::get(url)
                    };
                    let [ours, theirs] = [world.ask(&request), fresh.ask(&request)];
                    prop_assert_eq!(ours.status, theirs.status, "{} {}", method, url);
                    prop_assert!(ours.body == theirs.body, "{} {}", method, url);
                    prop_assert_eq!(ours.upgrade, theirs.upgrade);
                }
            }
        }
    }
}
