//! Sites that were deployed to the asset canister of dfx.

use crate::directory::{Directory, noise};
use crate::site::{Site, state_hash_of};

#[test]
fn after_the_upgrade_there_is_nothing_to_deploy() {
    let directory = Directory::holding(&[
        ("index.html", "index"),
        ("about.html", "about"),
        ("long.txt", &"again and ".repeat(1_000)),
        ("with space.txt", "space"),
        ("ß.txt", "sharp"),
        (
            ".ic-assets.json5",
            r#"[
                { match: "**/*", security_policy: "standard", headers: { "X-A": "b" } },
                { match: "about.html", enable_aliasing: false, allow_raw_access: false },
                { match: "long.txt", cache: { max_age: 60 }, encodings: ["identity", "br"] },
            ]"#,
        ),
    ]);
    directory.write("film.mp4", noise(4_000_000));
    let site = Site::legacy();
    assert!(site.sync(&directory) > 0);

    site.migrate();
    let hash = site.hash();
    assert_eq!(site.sync(&directory), 0);
    assert_eq!(site.hash(), hash);
    assert_eq!(site.state_hash(), state_hash_of(&directory));
    assert_eq!(site.get("/").text(), "index");
    assert_eq!(site.get("/film.mp4").body, noise(4_000_000));

    // An empty canister, deployed to, gets to the same site.
    let new = Site::new();
    new.sync(&directory);
    assert_eq!(new.hash(), hash);
}
