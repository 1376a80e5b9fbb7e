//! `.ic-assets.json5`: what the site does as the configuration of a directory says.

use crate::directory::Directory;
use crate::site::on_both;

const CONFIGURATION: &str = r#"[
    {
        match: "**/*",
        cache: { max_age: 60 },
        headers: { "X-Everywhere": "yes" },
        security_policy: "standard",
    },
    { match: "plain.html", enable_aliasing: false, allow_raw_access: false },
    { match: "data.json", cache: { max_age: 31536000 }, encodings: ["identity", "gzip", "brotli"] },
    { match: "zipped.txt", encodings: ["gzip"] },
    { match: "secret.txt", ignore: true },
    { match: ".shown", ignore: false },
]"#;

/// Rules of a folder come after those of the folder above.
const FOLDER: &str = r#"[{ match: "*", headers: { "X-Everywhere": "but here" } }]"#;

fn directory() -> Directory {
    let data = r#"{"word": "again"}"#.repeat(100);
    Directory::holding(&[
        (".ic-assets.json5", CONFIGURATION),
        ("folder/.ic-assets.json5", FOLDER),
        ("folder/page.html", "folder"),
        ("index.html", "index"),
        ("plain.html", "plain"),
        ("data.json", &data),
        ("zipped.txt", "zipped"),
        ("secret.txt", "secret"),
        (".shown", "shown"),
        (".hidden", "hidden"),
    ])
}

#[test]
fn headers_and_ages_are_served() {
    on_both(|site| {
        site.sync(&directory());
        for (path, everywhere) in [
            ("/", "yes"),
            ("/plain.html", "yes"),
            ("/folder/page", "but here"),
        ] {
            let page = site.get(path);
            assert_eq!(page.status, 200, "{path}");
            assert_eq!(page.header("x-everywhere"), Some(everywhere), "{path}");
            assert_eq!(page.header("cache-control"), Some("max-age=60"), "{path}");
            assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'self';"), "{policy}");
        }
        let data = site.get("/data.json");
        assert_eq!(data.header("cache-control"), Some("max-age=31536000"));
    });
}

#[test]
fn encodings_are_those_asked_for() {
    on_both(|site| {
        site.sync(&directory());
        for (accepted, sent) in [
            ("br", Some("br")),
            ("gzip", Some("gzip")),
            ("identity", None),
        ] {
            let page = site.get_with("/data.json", &[("accept-encoding", accepted)]);
            assert_eq!(page.status, 200);
            assert_eq!(page.header("content-encoding"), sent, "{accepted}");
        }
        // Although it is no smaller: it is the only one.
        let zipped = site.get_with("/zipped.txt", &[("accept-encoding", "gzip")]);
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    });
}

#[test]
fn aliases_raw_access_and_what_is_ignored() {
    on_both(|site| {
        site.sync(&directory());
        assert_eq!(site.get("/folder/page").text(), "folder");
        assert_eq!(site.get("/plain.html").text(), "plain");
        // The index answers for what is not there.
        for path in ["/plain", "/secret.txt", "/.hidden"] {
            assert_eq!(site.get(path).text(), "index", "{path}");
        }
        assert_eq!(site.get("/.shown").text(), "shown");

        let plain = site.properties("/plain.html");
        assert_eq!(
            (plain.is_aliased, plain.allow_raw_access),
            (Some(false), Some(false))
        );
        let index = site.properties("/index.html");
        assert_eq!(index.allow_raw_access, Some(true));
        assert_eq!(index.max_age, Some(60));
        assert_eq!(index.headers.unwrap().len(), 1 + 7);
    });
}

#[test]
fn a_change_of_the_configuration_alone_is_published() {
    on_both(|site| {
        let directory = directory();
        site.sync(&directory);
        assert_eq!(site.sync(&directory), 0);

        directory.write(
            "folder/.ic-assets.json5",
            r#"[{ match: "*", cache: { max_age: 5 } }]"#,
        );
        assert_eq!(site.sync(&directory), 1);
        let page = site.get("/folder/page");
        assert_eq!(page.header("x-everywhere"), Some("yes"));
        assert_eq!(page.header("cache-control"), Some("max-age=5"));

        directory.write("folder/.ic-assets.json5", FOLDER);
        assert_eq!(site.sync(&directory), 1);
        let page = site.get("/folder/page");
        assert_eq!(page.header("x-everywhere"), Some("but here"));
    });
}
