//! The program serves: what is in the directory is what browsers get, certified.

use std::fs;
use std::path::Path;

use super::http;
use super::served::Served;

fn write(directory: &Path, name: &str, body: impl AsRef<[u8]>) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, body).unwrap();
}

#[test]
fn a_directory_is_served() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), "index.html", "<h1>hello</h1>");
    write(site.path(), "a b/ü.txt", "names");
    write(site.path(), "404.html", "<h1>nothing</h1>");
    let film: Vec<u8> = (0..4_000_000u32).map(|i| (i % 251) as u8).collect();
    write(site.path(), "film.mp4", &film);
    let served = Served::start(site.path(), &[]);

    let page = served.get("/");
    assert_eq!((page.status, &page.body[..]), (200, &b"<h1>hello</h1>"[..]));
    assert_eq!(page.header("content-type"), Some("text/html"));
    assert!(page.header("ic-certificate").is_some());
    assert_eq!(served.get("/a%20b/%C3%BC.txt").body, b"names");
    let missing = served.get("/missing");
    assert_eq!(
        (missing.status, &missing.body[..]),
        (404, &b"<h1>nothing</h1>"[..])
    );
    let whole = served.get("/film.mp4");
    assert_eq!(whole.status, 200);
    assert!(whole.body == film, "{} bytes came back", whole.body.len());

    let target = format!("/?canisterId={}", served.canister);
    let plain = http::get(served.port, "localhost", &target, &[]);
    assert_eq!(plain.body, b"<h1>hello</h1>");
}

#[test]
fn agents_are_answered_on_the_same_port() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), "index.html", "<h1>hello</h1>");
    let served = Served::start(site.path(), &[]);
    let status = http::get(served.port, "localhost", "/api/v2/status", &[]);
    assert_eq!(status.status, 200);
    assert_eq!(status.header("content-type"), Some("application/cbor"));
    // Other paths below `/api` are the canister's.
    let page = served.get("/api/v2/users");
    assert_eq!(page.body, b"<h1>hello</h1>", "the fallback of the site");
}

#[test]
fn the_same_directory_has_the_same_site_hash() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), "index.html", "<h1>hello</h1>");
    let first = Served::start(site.path(), &[]).site_hash.clone();
    assert_eq!(first.len(), 64);
    assert_eq!(Served::start(site.path(), &[]).site_hash, first);
    write(site.path(), "index.html", "<h1>other</h1>");
    assert_ne!(Served::start(site.path(), &[]).site_hash, first);
}

#[test]
fn changes_are_deployed_while_watching() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), "index.html", "old");
    write(site.path(), "gone.txt", "gone");
    let mut served = Served::start(site.path(), &["--watch"]);
    assert_eq!(served.get("/").body, b"old");

    write(site.path(), "index.html", "a newer one");
    let (hash, told) = served.next_site_hash();
    assert_ne!(hash, served.site_hash);
    assert_eq!(told.last().unwrap(), "changed    /index.html");
    assert_eq!(served.get("/").body, b"a newer one");

    fs::remove_file(site.path().join("gone.txt")).unwrap();
    let (_, told) = served.next_site_hash();
    assert_eq!(told, ["deleted    /gone.txt"]);
    write(site.path(), "below/new.txt", "new");
    let (_, told) = served.next_site_hash();
    assert_eq!(told, ["added      /below/new.txt"]);
    assert_eq!(served.get("/below/new.txt").body, b"new");

    let rules = r#"[{ match: "index.html", headers: { "X-Rule": "yes" } }]"#;
    write(site.path(), ".ic-assets.json5", rules);
    let (_, told) = served.next_site_hash();
    assert_eq!(told, ["adjusted   /index.html"]);
    let page = served.get("/");
    assert_eq!(page.header("x-rule"), Some("yes"));
}

#[test]
fn five_thousand_files_are_served() {
    let site = tempfile::tempdir().unwrap();
    for i in 0..5_000 {
        let body = format!(
            "<!doctype html><title>{i}</title>{}",
            "<p>text".repeat(i % 50)
        );
        write(site.path(), &format!("{:02}/page-{i}.html", i % 100), body);
    }
    let served = Served::start(site.path(), &[]);
    for i in [0, 1, 2_500, 4_999] {
        let page = served.get(&format!("/{:02}/page-{i}", i % 100));
        assert_eq!(page.status, 200);
        let title = format!("<title>{i}</title>");
        assert!(String::from_utf8(page.body).unwrap().contains(&title));
    }
}

#[test]
fn an_empty_directory_is_served() {
    let site = tempfile::tempdir().unwrap();
    let served = Served::start(site.path(), &[]);
    assert_eq!(served.get("/").status, 404);
    assert!(served.errors().contains(" is empty, so every address"));
}
