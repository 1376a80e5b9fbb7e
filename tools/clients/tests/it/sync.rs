//! `sync` and `upload`: what is in a directory gets on the site, all of it or nothing.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::directory::{Directory, noise};
use crate::site::{NEWER, Reason, Site, on_both, state_hash_of};

const ATOMIC: Reason = "a deploy is published by its last commit";
const STALE: Reason = "what is gone leaves no proof behind";

/// Files, the path in the URL of each, and the content.
fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("index.html", "/", b"<h1>Index</h1>".into()),
        ("about.html", "/about", b"<h1>About</h1>".into()),
        ("news/index.html", "/news", b"<h1>News</h1>".into()),
        ("long.txt", "/long.txt", b"again and ".repeat(5_000)),
        ("empty.txt", "/empty.txt", vec![]),
        // Three chunks.
        ("film.mp4", "/film.mp4", noise(5_000_000)),
        ("two words.txt", "/two%20words.txt", b"space".into()),
        ("100%.txt", "/100%25.txt", b"percent".into()),
        (
            "grüße/ß.txt",
            "/gr%C3%BC%C3%9Fe/%C3%9F.txt",
            b"umlaut".into(),
        ),
        (
            ".well-known/ic-domains",
            "/.well-known/ic-domains",
            b"a.b".into(),
        ),
    ]
}

fn directory() -> Directory {
    let directory = Directory::holding::<&str>(&[]);
    for (path, _, content) in files() {
        directory.write(path, content);
    }
    directory
}

#[test]
fn every_file_is_served_and_verifies() {
    on_both(|site| {
        site.sync(&directory());
        for (path, url, content) in files() {
            let page = site.get(url);
            assert_eq!(page.status, 200, "{path}");
            assert!(page.body == content, "{path}");
        }
        let page = site.get("/about.html");
        assert_eq!(page.header("content-type"), Some("text/html"));

        let zipped = site.get_with("/long.txt", &[("accept-encoding", "gzip")]);
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
        let mut text = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&zipped.body[..]);
        reader.read_to_end(&mut text).unwrap();
        assert_eq!(text, b"again and ".repeat(5_000));
    });
}

#[test]
fn what_is_there_is_not_sent_again() {
    on_both(|site| {
        let directory = directory();
        assert!(site.sync(&directory) > 0);
        let before = site.assets();
        assert_eq!(site.sync(&directory), 0);
        assert_eq!(site.assets(), before);
    });
}

#[test]
fn a_deploy_of_nothing_new_changes_no_hash() {
    let (site, directory) = (Site::new(), directory());
    site.sync(&directory);
    let before = (site.hash(), Some(site.state_hash()));
    site.sync(&directory);
    assert_eq!((site.hash(), site.state().state_hash), before);
}

#[test]
fn only_what_has_changed_is_sent() {
    on_both(|site| {
        let directory = directory();
        site.sync(&directory);
        let before = site.assets();

        directory.write("about.html", "<h1>Us</h1>");
        directory.remove("two words.txt");
        directory.write("new.css", "p {}");
        // Deleted; changed; created, and given content.
        assert_eq!(site.sync(&directory), 4);
        assert_eq!(site.get("/about").text(), "<h1>Us</h1>");
        assert_eq!(site.get("/new.css").text(), "p {}");
        // The index answers for what is not there, unless its proof is left behind.
        let gone = site.get("/two%20words.txt").status;
        assert_eq!(gone, site.either(STALE, 503, 200));

        directory.write("about.html", "<h1>About</h1>");
        directory.write("two words.txt", "space");
        directory.remove("new.css");
        site.sync(&directory);
        assert_eq!(site.assets(), before);
    });
}

#[test]
fn what_was_deployed_before_is_no_part_of_the_hash() {
    let (site, other, directory) = (Site::new(), Site::new(), directory());
    site.sync(&Directory::holding(&[
        ("about.html", "Us"),
        ("new.css", "p {}"),
    ]));
    site.sync(&directory);
    other.sync(&directory);
    assert_eq!(site.hash(), other.hash());
}

#[test]
fn the_old_site_is_served_until_the_last_commit() {
    on_both(|site| {
        let directory = Directory::holding(&[("index.html", "old")]);
        for number in 0..300 {
            directory.write(&format!("{number}.txt"), "old");
        }
        site.sync(&directory);
        let before = site.assets();

        directory.write("index.html", "new");
        for number in 0..600 {
            directory.write(&format!("{number}.txt"), "new");
        }
        directory.remove("299.txt");
        let commits = AtomicUsize::new(0);
        let operations = site.sync_while(&directory, || {
            commits.fetch_add(1, Ordering::Relaxed);
            let is_old = site.assets() == before;
            assert_eq!(is_old, site.either(ATOMIC, false, true));
            if is_old {
                // The index answers for what is not there.
                for path in ["/", "/0.txt", "/299.txt", "/599.txt"] {
                    assert_eq!(site.get(path).text(), "old", "{path}");
                }
            }
        });
        // A commit has 500 operations at most.
        assert_eq!(operations, 1 + 300 + 2 * 300);
        assert_eq!(commits.into_inner(), 2);
        for path in ["/", "/0.txt", "/599.txt"] {
            assert_eq!(site.get(path).text(), "new", "{path}");
        }
        let gone = site.get("/299.txt").status;
        assert_eq!(gone, site.either(STALE, 503, 200));
    });
}

#[test]
fn the_hash_of_a_directory_is_that_of_its_site() {
    on_both(|site| {
        let directory = directory();
        site.sync(&directory);
        let state = site.try_update::<(Option<String>,)>("compute_state_hash", ());
        assert_eq!(state.is_ok(), site.either(NEWER, false, true));
        if state.is_ok() {
            let hash = state_hash_of(&directory);
            assert_eq!(site.state_hash(), hash);
            assert_eq!(site.state().state_hash, Some(hash));
        }
    });
}

#[test]
fn what_is_uploaded_is_added() {
    on_both(|site| {
        let directory = Directory::holding(&[("index.html", "index"), ("a.txt", "old")]);
        site.sync(&directory);

        let other = Directory::holding(&[("b", "new"), ("c", "added")]);
        site.upload(HashMap::from([
            ("/a.txt".to_owned(), other.path().join("b")),
            ("/c.txt".to_owned(), other.path().join("c")),
        ]));
        assert_eq!(site.get("/").text(), "index");
        assert_eq!(site.get("/a.txt").text(), "new");
        assert_eq!(site.get("/c.txt").text(), "added");

        let third = Directory::holding(&[("d.txt", "third")]);
        site.add(&[&third]);
        assert_eq!(site.get("/c.txt").text(), "added");
        assert_eq!(site.get("/d.txt").text(), "third");
    });
}
