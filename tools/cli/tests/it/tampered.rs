//! Verification against a canister that lies, in one thing at a time: each lie is found, at its
//! link and with its reason.

use std::fs;
use std::path::{Path, PathBuf};

use candid::{CandidType, Decode, Encode, Principal};
use hallmark::Error;
use hallmark::canister::{Canister, Failure};
use hallmark::history::History;
use hallmark::native::{self, Releases, WantedReleases};
use hallmark::time::Time;
use hallmark::verify::answer::HttpResponse;
use hallmark::verify::certificate::{self, Trust};
use hallmark::verify::chain::{Link, Verdict};
use hallmark::verify::examination::{Expected, Findings, Source, examine};
use hallmark::verify::module::Modules;
use hallmark::verify::report::Outcome;
use ic_cbor::HashTreeToCbor as _;
use ic_certification::{HashTree, HashTreeNode};
use ic_hallmark::api::{
    AssetDetails, GrantPermission, Permission, SetAssetPropertiesArguments, StoreArguments,
};
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use serde_cbor::Value;
use sha2::{Digest as _, Sha256};

use super::deployed::{Deployed, on_large_stack};
use super::served::{asset_canister, legacy_canister};

/// A canister that holds a directory, and the directory.
struct Scene {
    canister: Deployed,
    directory: tempfile::TempDir,
    module: [u8; 32],
}

impl Scene {
    fn hallmark() -> Scene {
        Scene::of(asset_canister())
    }

    fn legacy() -> Scene {
        Scene::of(legacy_canister())
    }

    fn of(module: PathBuf) -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let scene = Scene {
            canister: Deployed::new(&module),
            directory,
            module: Sha256::digest(fs::read(module).unwrap()).into(),
        };
        scene.write("index.html", &"<h1>hello</h1>".repeat(20));
        scene.write("app.js", &"alert('hello');".repeat(20));
        scene.write("a b/é.txt", "é");
        // Two parts of it, and chunks to upload.
        scene.write("large.bin", &"large".repeat(500_000));
        scene.canister.deploy(scene.path());
        scene
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, body: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }

    fn examine(&self) -> Findings {
        self.examine_source(&self.canister, &self.canister.trust())
    }

    fn examine_source(&self, source: &dyn Source, trust: &Trust) -> Findings {
        let expected = Expected {
            directory: Some(self.path()),
            given: None,
            module: Some(self.module),
            modules: &Modules::known(),
        };
        examine(source, &expected, trust, &()).unwrap()
    }

    /// What is found if the replies to a method are changed.
    fn tampered<T: CandidType + DeserializeOwned>(
        &self,
        method: &'static str,
        change: impl Fn(&mut T) + Sync,
    ) -> Findings {
        self.tampered_bytes(method, |reply| {
            let mut value = Decode!(&reply, T).unwrap();
            change(&mut value);
            Encode!(&value).unwrap()
        })
    }

    fn tampered_bytes(
        &self,
        method: &'static str,
        change: impl Fn(Vec<u8>) -> Vec<u8> + Sync,
    ) -> Findings {
        let source = Tampered {
            canister: &self.canister,
            method,
            change,
        };
        self.examine_source(&source, &self.canister.trust())
    }

    fn releases(&self, start: Option<u64>) -> Releases {
        let wanted = WantedReleases {
            start,
            length: Some(1),
        };
        let reply = self.canister.query("releases", Encode!(&wanted).unwrap());
        Decode!(&reply.unwrap(), Releases).unwrap()
    }
}

struct Tampered<'a, F> {
    canister: &'a Deployed,
    method: &'static str,
    change: F,
}

impl<F: Fn(Vec<u8>) -> Vec<u8>> Tampered<'_, F> {
    fn pass(&self, method: &str, reply: Vec<u8>) -> Vec<u8> {
        match method == self.method {
            true => (self.change)(reply),
            false => reply,
        }
    }
}

impl<F: Fn(Vec<u8>) -> Vec<u8> + Sync> Canister for Tampered<'_, F> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let reply = self.canister.query(method, argument)?;
        Ok(self.pass(method, reply))
    }

    fn update(&self, method: &str, _: Vec<u8>) -> Result<Vec<u8>, Failure> {
        panic!("{method} is called to verify something");
    }
}

impl<F: Fn(Vec<u8>) -> Vec<u8> + Sync> Source for Tampered<'_, F> {
    fn read_state(&self, paths: &[Vec<Vec<u8>>]) -> Result<Vec<u8>, Failure> {
        let reply = self.canister.read_state(paths)?;
        Ok(self.pass("read_state", reply))
    }
}

/// The reasons why a link is broken, by name, with the assets that they are about.
fn reasons(findings: &Findings, link: Link) -> Vec<(&'static str, Option<String>)> {
    match findings.verdict(link) {
        Some(Verdict::Broken(reasons)) => reasons
            .iter()
            .map(|reason| (reason.name(), reason.key().map(str::to_owned)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Asserts that one link alone is broken, for one reason.
#[track_caller]
fn breaks(findings: &Findings, link: Link, reason: &str) {
    let broken = findings
        .links
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Broken(reasons) => Some((finding.link, reasons[0].name())),
            _ => None,
        });
    let broken: Vec<_> = broken.collect();
    assert_eq!(broken, [(link, reason)], "{findings:#?}");
    assert_eq!(Outcome::of(findings), Outcome::Broken);
}

fn is_open(findings: &Findings, link: Link) -> bool {
    matches!(findings.verdict(link), Some(Verdict::Open(_)))
}

#[test]
fn of_an_honest_canister_every_link_holds() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let findings = scene.examine();
        assert_eq!(Outcome::of(&findings), Outcome::Holds, "{findings:#?}");
        let links: Vec<_> = findings
            .links
            .iter()
            .map(|finding| finding.link.name())
            .collect();
        let expected = [
            "certificate",
            "delegation",
            "time",
            "certified-data",
            "log-entry",
            "site-hash",
            "content-hash",
            "environment",
            "answers",
            "content",
            "module",
            "controllers",
        ];
        assert_eq!(links, expected);
        let Some(Verdict::Holds(words)) = findings.verdict(Link::SiteHash) else {
            panic!("{findings:#?}");
        };
        assert!(words.ends_with(", what the files make"), "{words}");
        assert!(findings.last.unwrap().number > 0);
    });
}

#[test]
fn a_tampered_answer() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let body = scene.tampered("http_request", |answer: &mut HttpResponse| {
            if let Some(byte) = answer.body.last_mut() {
                *byte ^= 1;
            }
        });
        let broken = reasons(&body, Link::Answers);
        assert_eq!(broken.len(), 4, "{body:#?}");
        assert!(
            broken
                .iter()
                .all(|(name, _)| *name == "answer-not-as-certified")
        );

        let header = scene.tampered("http_request", |answer: &mut HttpResponse| {
            let name = |name: &str| name.eq_ignore_ascii_case("content-type");
            let header = answer.headers.iter_mut().find(|(header, _)| name(header));
            header.unwrap().1.push('x');
        });
        assert_eq!(
            reasons(&header, Link::Answers)[0].0,
            "answer-not-as-certified"
        );

        let status = scene.tampered("http_request", |answer: &mut HttpResponse| {
            answer.status_code = 203;
        });
        assert_eq!(
            reasons(&status, Link::Answers)[0].0,
            "answer-not-as-certified"
        );

        let bare = scene.tampered("http_request", |answer: &mut HttpResponse| {
            answer
                .headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("ic-certificate"));
        });
        assert_eq!(reasons(&bare, Link::Answers)[0].0, "answer-not-certified");

        let elsewhere = scene.canister.query("http_request", get("/nothing"));
        let elsewhere = elsewhere.unwrap();
        let elsewhere = scene.tampered_bytes("http_request", |_| elsewhere.clone());
        assert_eq!(reasons(&elsewhere, Link::Answers)[0].0, "answer-other-path");
        assert!(
            !is_open(&elsewhere, Link::SiteHash),
            "what is proven stays so"
        );
    });
}

fn get(url: &str) -> Vec<u8> {
    Encode!(&hallmark::verify::answer::request(url, "identity")).unwrap()
}

#[test]
fn a_tampered_witness_of_an_answer() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let before = scene
            .canister
            .query("http_request", get("/app.js"))
            .unwrap();
        let before = certificate_header(&Decode!(&before, HttpResponse).unwrap());
        scene.write("app.js", "changed");
        scene.canister.deploy(scene.path());
        let old = tree(&before).to_owned();
        let findings = scene.tampered("http_request", |answer: &mut HttpResponse| {
            let now = certificate_header(answer);
            let forged = now.replace(tree(&now), &old);
            let header = answer
                .headers
                .iter_mut()
                .find(|(name, _)| name == "IC-Certificate");
            header.unwrap().1 = forged;
        });
        assert_eq!(reasons(&findings, Link::Answers)[0].0, "answer-witness");
    });
}

fn certificate_header(answer: &HttpResponse) -> String {
    let mut headers = answer.headers.iter();
    headers
        .find(|(name, _)| name == "IC-Certificate")
        .unwrap()
        .1
        .clone()
}

/// The tree in a header, in base64.
fn tree(header: &str) -> &str {
    let (_, rest) = header.split_once("tree=:").unwrap();
    rest.split_once(':').unwrap().0
}

/// For a while, the rest of what was replaced is served beside the site: that, and nothing else.
#[test]
fn more_beside_the_site_than_parts_of_what_was_replaced() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        scene.write("gone.bin", &"gone".repeat(500_000));
        scene.canister.deploy(scene.path());
        scene.write("large.bin", &"other".repeat(500_000));
        fs::remove_file(scene.path().join("gone.bin")).unwrap();
        scene.canister.deploy(scene.path());
        let honest = scene.examine();
        assert_eq!(Outcome::of(&honest), Outcome::Holds, "{honest:#?}");
        let words = format!(
            "{}, beside 2 parts of what was replaced, what the files make",
            hex::encode(honest.site_hash.unwrap())
        );
        assert_eq!(honest.verdict(Link::SiteHash), Some(&Verdict::Holds(words)));

        // All that the site answers passed off as something beside it, with the same root hash.
        let shown = native::certified_tree(&scene.canister).unwrap();
        let tree = shown.unwrap().tree;
        let findings = scene.tampered("releases", |releases: &mut Releases| {
            releases.witness = tree.clone();
        });
        breaks(&findings, Link::SiteHash, "not-beside");
        // Not shown, they are not taken away either, and the hash is not that of the site.
        let pruned = scene.tampered("releases", |releases: &mut Releases| {
            releases.witness = without_answers(&releases.witness).into();
        });
        breaks(&pruned, Link::SiteHash, "log-differs");
    });
}

/// A witness of the log that shows nothing of what is answered.
fn without_answers(witness: &[u8]) -> Vec<u8> {
    fn pruned(node: HashTreeNode) -> HashTreeNode {
        match node {
            HashTreeNode::Fork(sides) => {
                HashTreeNode::Fork(Box::new((pruned(sides.0), pruned(sides.1))))
            }
            HashTreeNode::Labeled(label, below) if label.as_bytes() == b"http_expr" => {
                HashTreeNode::Labeled(label, Box::new(HashTreeNode::Pruned(below.digest())))
            }
            node => node,
        }
    }
    let witness = HashTree::from_cbor(witness).unwrap();
    serde_cbor::to_vec(&pruned(witness.into())).unwrap()
}

#[test]
fn a_tampered_log() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        scene.write("index.html", "changed");
        scene.canister.deploy(scene.path());

        let entry = scene.tampered("releases", |releases: &mut Releases| {
            *releases.entries[0].certified.last_mut().unwrap() ^= 1;
        });
        breaks(&entry, Link::LogEntry, "entry-differs");

        let number = scene.tampered("releases", |releases: &mut Releases| {
            releases.entries[0].release += 1;
        });
        breaks(&number, Link::LogEntry, "entry-not-shown");

        let last = scene.releases(None).entries[0].release;
        let previous = scene.releases(Some(last - 1));
        let hidden = scene.tampered("releases", |releases: &mut Releases| {
            *releases = previous.clone();
        });
        breaks(&hidden, Link::LogEntry, "not-last");

        let none = scene.tampered("releases", |releases: &mut Releases| {
            releases.entries.clear();
        });
        breaks(&none, Link::LogEntry, "not-last");
    });
}

#[test]
fn a_long_log_is_proven_page_by_page() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let before = scene.releases(None).entries[0].release;
        for number in 0..120u8 {
            let grant = GrantPermission {
                to_principal: Principal::from_slice(&[number]),
                permission: Permission::Prepare,
            };
            scene.canister.call("grant_permission", &grant);
        }
        let trust = scene.canister.trust();
        let history = History::read(&scene.canister, &trust, usize::MAX).unwrap();
        let numbers: Vec<_> = history.entries.iter().map(|entry| entry.number).collect();
        let expected: Vec<_> = (1..=before + 120).rev().collect();
        assert_eq!(numbers, expected);
        assert_eq!(history.live(), Some(before), "settings are no releases");
        let some = History::read(&scene.canister, &trust, 105).unwrap();
        assert_eq!(some.entries, history.entries[..105]);
        assert!(matches!(
            history.entry(before + 121),
            Err(Error::NoRelease(_))
        ));

        let tampered = |change: &(dyn Fn(&mut Releases) + Sync)| {
            let source = Tampered {
                canister: &scene.canister,
                method: "releases",
                change: |reply: Vec<u8>| {
                    let mut page = Decode!(&reply, Releases).unwrap();
                    change(&mut page);
                    Encode!(&page).unwrap()
                },
            };
            match History::read(&source, &trust, usize::MAX).unwrap_err() {
                Error::Log(reason) => reason.name(),
                other => panic!("{other}"),
            }
        };
        let is_second = |page: &Releases| page.entries.len() < 100;
        let entry = tampered(&|page| {
            if is_second(page) {
                *page.entries[3].certified.last_mut().unwrap() ^= 1;
            }
        });
        assert_eq!(entry, "entry-differs");
        let left_out = tampered(&|page| drop(page.entries.remove(7)));
        assert_eq!(left_out, "entry-out-of-order");
        let cut = tampered(&|page| {
            if is_second(page) {
                page.entries.clear();
            }
        });
        assert_eq!(cut, "entry-out-of-order");
        let certificate = tampered(&|page| page.certificate = None);
        assert_eq!(certificate, "certificate-unreadable");
    });
}

#[test]
fn a_tampered_witness() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let old = scene.releases(None);
        scene.write("index.html", "changed");
        scene.canister.deploy(scene.path());
        let findings = scene.tampered("releases", |releases: &mut Releases| {
            releases.witness = old.witness.clone();
        });
        breaks(&findings, Link::CertifiedData, "witness-differs");
        for link in [Link::LogEntry, Link::SiteHash, Link::ContentHash] {
            assert!(is_open(&findings, link), "{findings:#?}");
        }
        let findings = scene.tampered("releases", |releases: &mut Releases| {
            releases.witness = ByteBuf::from(*b"no tree");
        });
        breaks(&findings, Link::CertifiedData, "witness-unreadable");
    });
}

#[test]
fn another_canisters_certificate() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let other = scene.releases(None).certificate.unwrap();
        let neighbour = Scene {
            canister: scene.canister.neighbour(&asset_canister()),
            ..scene
        };
        neighbour.canister.deploy(neighbour.path());
        let findings = neighbour.tampered("releases", |releases: &mut Releases| {
            releases.certificate = Some(other.clone());
        });
        breaks(&findings, Link::CertifiedData, "other-canister");

        // A canister of a subnet that did not sign.
        let trust = Trust {
            canister: Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
            ..neighbour.canister.trust()
        };
        let checked = certificate::check(&other, &trust);
        assert_eq!(checked.reason().unwrap().name(), "other-subnet");
    });
}

#[test]
fn a_tampered_certificate() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let trust = scene.canister.trust();
        let certificate = scene.releases(None).certificate.unwrap();
        let reason = |certificate: &[u8], trust: &Trust| {
            let checked = certificate::check(certificate, trust);
            assert!(checked.tree().is_none() || checked.reason().is_none());
            checked.reason().map(|reason| reason.name())
        };
        assert_eq!(reason(&certificate, &trust), None);

        let forged = |change: fn(&mut Vec<Value>, &mut Vec<u8>)| {
            let mut value: Value = serde_cbor::from_slice(&certificate).unwrap();
            let Value::Map(map) = &mut value else {
                panic!("a certificate is a map");
            };
            let key = |name: &str| Value::Text(name.to_owned());
            let Some(Value::Bytes(mut signature)) = map.remove(&key("signature")) else {
                panic!("it has a signature");
            };
            let Some(Value::Array(mut tree)) = map.remove(&key("tree")) else {
                panic!("it has a tree");
            };
            change(&mut tree, &mut signature);
            map.insert(key("signature"), Value::Bytes(signature));
            map.insert(key("tree"), Value::Array(tree));
            [&b"\xd9\xd9\xf7"[..], &serde_cbor::to_vec(&value).unwrap()].concat()
        };
        assert_eq!(reason(&forged(|_, _| ()), &trust), None);
        let signature = forged(|_, signature| signature[10] ^= 1);
        assert_eq!(reason(&signature, &trust), Some("signature"));
        // The whole tree, pruned to a hash of nothing in particular, has no time either.
        let other = forged(|tree, _| *tree = vec![Value::Integer(4), Value::Bytes(vec![0; 32])]);
        assert_eq!(reason(&other, &trust), Some("no-time"));
        assert_eq!(
            reason(&certificate[1..], &trust),
            Some("certificate-unreadable")
        );

        let other_network = Trust {
            root_key: ic_hallmark::testing::TestNetwork::new(9).root_key(),
            ..trust.clone()
        };
        assert_eq!(
            reason(&certificate, &other_network),
            Some("delegation-signature")
        );

        let at = |seconds: i64| Trust {
            now: Time(trust.now.0.saturating_add_signed(seconds * 1_000_000_000)),
            ..trust.clone()
        };
        assert_eq!(reason(&certificate, &at(290)), None);
        assert_eq!(reason(&certificate, &at(310)), Some("stale"));
        assert_eq!(reason(&certificate, &at(-310)), Some("future"));

        let findings = scene.examine_source(&scene.canister, &at(310));
        assert_eq!(reasons(&findings, Link::Time), [("stale", None)]);
        for link in [
            Link::CertifiedData,
            Link::SiteHash,
            Link::Answers,
            Link::Content,
        ] {
            assert!(is_open(&findings, link), "{findings:#?}");
        }
    });
}

#[test]
fn a_certificate_without_a_delegation() {
    let network = ic_hallmark::testing::TestNetwork::new(3);
    let canister = Principal::from_slice(&[7]);
    let trust = Trust {
        root_key: network.root_key(),
        canister,
        now: Time(1_700_000_000_000_000_000),
    };
    let certificate = network.certificate(canister, &[5; 32], trust.now.0);
    let checked = certificate::check(&certificate, &trust);
    let tree = checked.tree().unwrap();
    assert_eq!(checked.delegation, Ok(None));
    assert_eq!(
        certificate::check_certified_data(tree, canister, [5; 32]),
        Ok(())
    );
    let other = certificate::check_certified_data(tree, canister, [6; 32]);
    assert_eq!(other.unwrap_err().name(), "witness-differs");
    let other = certificate::check_certified_data(tree, Principal::anonymous(), [5; 32]);
    assert_eq!(other.unwrap_err().name(), "other-canister");
    let forger = ic_hallmark::testing::TestNetwork::new(4);
    let forged = forger.certificate(canister, &[5; 32], trust.now.0);
    assert_eq!(
        certificate::check(&forged, &trust).reason().unwrap().name(),
        "signature"
    );
}

#[test]
fn another_module() {
    on_large_stack(|| {
        let mut scene = Scene::hallmark();
        let installed = scene.module;
        scene.module = [1; 32];
        breaks(&scene.examine(), Link::Module, "other-module");

        scene.module = installed;
        let forged = scene.tampered_bytes("read_state", |_| b"no certificate".to_vec());
        breaks(&forged, Link::Module, "certificate-unreadable");
        let of_data = scene.releases(None).certificate.unwrap();
        let of_data = scene.tampered_bytes("read_state", |_| of_data.to_vec());
        breaks(&of_data, Link::Module, "other-canister");

        let list = format!("{}  assets of today", hex::encode(installed));
        let modules = Modules::read(&list).unwrap();
        let examine_with = |modules: &Modules| {
            let expected = Expected {
                directory: None,
                given: None,
                module: None,
                modules,
            };
            examine(&scene.canister, &expected, &scene.canister.trust(), &()).unwrap()
        };
        let findings = examine_with(&modules);
        let Some(Verdict::Holds(words)) = findings.verdict(Link::Module) else {
            panic!("{findings:#?}");
        };
        assert!(words.ends_with(", assets of today"), "{words}");
        let findings = examine_with(&Modules::read("").unwrap());
        assert!(is_open(&findings, Link::Module));
        assert_eq!(Outcome::of(&findings), Outcome::Open);
    });
}

#[test]
fn files_that_are_not_those_of_the_canister() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        scene.write("index.html", "changed");
        breaks(&scene.examine(), Link::Content, "differs");

        scene.write("new.txt", "new");
        fs::remove_file(scene.path().join("app.js")).unwrap();
        let key = |key: &str| Some(key.to_owned());
        let expected = [
            ("extra", key("/app.js")),
            ("differs", key("/index.html")),
            ("missing", key("/new.txt")),
        ];
        assert_eq!(reasons(&scene.examine(), Link::Content), expected);
    });
}

#[test]
fn assets_that_are_served_otherwise() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let headers = vec![("X-Frame-Options".to_owned(), "ALLOWALL".to_owned())];
        let change = SetAssetPropertiesArguments {
            key: "/index.html".to_owned(),
            max_age: None,
            headers: Some(Some(headers)),
            allow_raw_access: None,
            is_aliased: None,
        };
        scene.canister.call("set_asset_properties", &change);
        breaks(&scene.examine(), Link::Content, "served-otherwise");
    });
}

#[test]
fn encodings_of_other_programs_are_decoded_and_compared() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let text = fs::read(scene.path().join("app.js")).unwrap();
        let store = |content: Vec<u8>| {
            let store = StoreArguments {
                key: "/app.js".to_owned(),
                content_type: "text/javascript".to_owned(),
                content_encoding: "gzip".to_owned(),
                content: ByteBuf::from(content),
                sha256: None,
                aliased: None,
            };
            scene.canister.call("store", &store);
        };
        store(gzip(&text));
        let findings = scene.examine();
        assert_eq!(Outcome::of(&findings), Outcome::Holds, "{findings:#?}");
        let Some(Verdict::Holds(words)) = findings.verdict(Link::Content) else {
            panic!("{findings:#?}");
        };
        assert!(words.contains(", 1 of them encoded otherwise"), "{words}");
        let Some(Verdict::Holds(words)) = findings.verdict(Link::SiteHash) else {
            panic!("{findings:#?}");
        };
        assert!(words.ends_with(", what the files make"), "{words}");

        store(gzip(b"alert('evil');"));
        breaks(&scene.examine(), Link::Content, "differs");
        store(b"no gzip".to_vec());
        breaks(&scene.examine(), Link::Answers, "answer-encoding");
    });
}

/// Compressed at another level than a deploy does.
fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let fast = flate2::Compression::new(1);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), fast);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_tampered_list() {
    on_large_stack(|| {
        let scene = Scene::hallmark();
        let asset = |change: &(dyn Fn(&mut Vec<AssetDetails>) + Sync)| {
            scene.tampered("list", |assets: &mut Vec<AssetDetails>| {
                if !assets.is_empty() {
                    change(assets);
                }
            })
        };
        let hidden = asset(&|assets| drop(assets.pop()));
        assert_eq!(
            reasons(&hidden, Link::ContentHash),
            [("list-differs", None)]
        );
        let other = asset(&|assets| assets[0].content_type.push('x'));
        assert_eq!(reasons(&other, Link::ContentHash), [("list-differs", None)]);
        let twice = asset(&|assets| assets.push(assets[0].clone()));
        assert_eq!(reasons(&twice, Link::ContentHash), [("list-differs", None)]);
    });
}

#[test]
fn of_dfxs_canister_what_can_be_checked_holds() {
    on_large_stack(|| {
        let scene = Scene::legacy();
        let findings = scene.examine();
        assert_eq!(Outcome::of(&findings), Outcome::Open, "{findings:#?}");
        for link in [Link::LogEntry, Link::SiteHash, Link::ContentHash] {
            assert!(is_open(&findings, link), "{findings:#?}");
        }
        for link in [
            Link::Certificate,
            Link::Delegation,
            Link::Time,
            Link::CertifiedData,
            Link::Answers,
            Link::Content,
            Link::Module,
        ] {
            let verdict = findings.verdict(link);
            assert!(
                matches!(verdict, Some(Verdict::Holds(_))),
                "{link:?} {findings:#?}"
            );
        }

        scene.write("index.html", "changed");
        breaks(&scene.examine(), Link::Content, "differs");
    });
}

#[test]
fn of_dfxs_canister_lies_are_found() {
    on_large_stack(|| {
        let scene = Scene::legacy();
        let body = scene.tampered("http_request", |answer: &mut HttpResponse| {
            if let Some(byte) = answer.body.first_mut() {
                *byte ^= 1;
            }
        });
        let broken = reasons(&body, Link::Answers);
        assert!(
            broken
                .iter()
                .all(|(name, _)| *name == "answer-not-as-certified"),
            "{body:#?}"
        );
        let asked = ["/a b/é.txt", "/app.js", "/app.js", "/app.js"];
        let keys: Vec<_> = broken
            .iter()
            .filter_map(|(_, key)| key.as_deref())
            .collect();
        assert_eq!(keys[..4], asked, "each in every encoding");

        let listed = scene.tampered("list", |assets: &mut Vec<AssetDetails>| {
            for asset in assets {
                asset.encodings[0].sha256 = Some(ByteBuf::from([0; 32]));
            }
        });
        assert_eq!(reasons(&listed, Link::Answers)[0].0, "answer-not-as-listed");
    });
}
