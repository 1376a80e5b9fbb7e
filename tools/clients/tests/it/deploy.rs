//! `hallmark deploy` beside `ic-asset`: of the same directory, with its rules, both make the same
//! site, and either finds nothing to do after the other.

use hallmark::directory::{Deployed, Directory as Deploy};
use hallmark::journal::Journal;
use hallmark::network::Trust;
use hallmark::remote::RemoteCanister;
use ic_agent::identity::BasicIdentity;

use crate::directory::{Directory, noise};
use crate::site::{SECRET, Site, on_both};

/// Where encodings are not named, those of `ic-asset` are fewer.
const RULES: &str = r#"[
    // What a project might say.
    {
        match: "**/*",
        security_policy: "standard",
        headers: { "X-Everywhere": "yes", "x-frame-options": "SAMEORIGIN", "X-Number": 5, "X-No": false },
        cache: { max_age: 60 },
    },
    { match: "**/*.{html,css,js,json,svg,txt}", encodings: ["identity", "gzip", "brotli"] },
    { match: "/**/*.json", cache: { max_age: 31536000 } },
    { match: "assets/*", cache: {}, headers: null },
    { match: "plain.html", enable_aliasing: false, allow_raw_access: false },
    { match: "zipped.txt", encodings: ["gzip"], security_policy: "disabled" },
    { match: "**/.*", ignore: false },
    { match: ".env", ignore: true },
    { match: "drafts", ignore: true },
    { match: "**/*.map", ignore: true },
    { match: "/plain.html", ignore: true },
]"#;

/// Of a folder.
const MORE_RULES: &str = r#"[
    { match: "*", headers: { "X-Everywhere": "but here" } },
    { match: "kept.map", ignore: false },
    { match: "hard.html", security_policy: "hardened", headers: { "Content-Security-Policy": "default-src 'none'" } },
]"#;

fn directory() -> Directory {
    let text = "again and ".repeat(3_000);
    let directory = Directory::holding(&[
        (".ic-assets.json5", RULES),
        ("folder/.ic-assets.json", MORE_RULES),
        ("folder/kept.map", "{}"),
        ("folder/gone.map.map", "{}"),
        ("folder/hard.html", "<p>hard"),
        ("folder/deeper/page.html", &text),
        ("index.html", &text),
        ("plain.html", "plain"),
        ("data.json", &text),
        ("mark.svg", &text),
        ("app.js", &text),
        ("assets/style.css", &text),
        ("empty.txt", ""),
        ("zipped.txt", "short"),
        ("drafts/secret.html", "secret"),
        (".env", "secret"),
        (".shown", "shown"),
        (".well-known/ic-domains", "a.b"),
    ]);
    directory.write("photo.png", noise(5_000));
    directory.write("film.mp4", noise(2_500_000));
    directory
}

fn canister(site: &Site) -> RemoteCanister {
    let identity = Box::new(BasicIdentity::from_raw_key(&SECRET));
    let location = site.url().parse().unwrap();
    RemoteCanister::new(site.id(), &location, Trust::Fetched, identity).unwrap()
}

fn deploy(site: &Site, directory: &Directory) -> Deployed {
    let mut directory = Deploy::new(directory.path());
    let deployed = directory.deploy(&canister(site), &Journal::none(), &());
    deployed.unwrap()
}

/// What a deploy would change.
fn planned(site: &Site, directory: &Directory) -> Vec<String> {
    let planned = Deploy::new(directory.path()).plan(&canister(site), &());
    planned.unwrap().changes.lines(usize::MAX)
}

#[test]
fn neither_has_anything_to_do_after_the_other() {
    let directory = directory();
    on_both(|site| {
        assert!(site.sync(&directory) > 0);
        assert_eq!(planned(site, &directory), [""; 0]);
    });
    on_both(|site| {
        assert!(!deploy(site, &directory).changes.is_empty());
        assert_eq!(site.sync(&directory), 0);
        assert_eq!(planned(site, &directory), [""; 0]);
    });
}

#[test]
fn both_make_the_same_site() {
    let directory = directory();
    let (one, other) = (Site::new(), Site::new());
    one.sync(&directory);
    let deployed = deploy(&other, &directory);
    assert_eq!(one.hash(), other.hash());
    assert_eq!(one.hash().to_vec(), deployed.hashes.unwrap().site);
    assert_eq!(one.state_hash(), other.state_hash());
    assert!(one.assets().contains_key("/folder/kept.map"));
    assert!(one.assets().contains_key("/plain.html"));
}

#[test]
fn what_rules_no_longer_say_is_taken_back() {
    on_both(|site| {
        let directory = directory();
        site.sync(&directory);
        directory.write("folder/.ic-assets.json", "[]");
        let changes = deploy(site, &directory).changes;
        let keys: Vec<_> = changes.fates.into_iter().map(|(key, _)| key).collect();
        let expected = [
            "/folder/deeper/page.html",
            "/folder/hard.html",
            "/folder/kept.map",
        ];
        assert_eq!(keys, expected);
        assert_eq!(site.sync(&directory), 0);
    });
}
