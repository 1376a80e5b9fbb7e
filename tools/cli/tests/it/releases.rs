//! `hallmark releases`, `log`, `rollback` and `diff`, the program, against networks that answer it
//! over HTTP.

use std::process::{Command, Output};

use candid::CandidType;
use ic_hallmark::api::Retention;
use serde_json::Value;

use super::desk::{Desk, lines, succeeds};
use super::network::Network;
use super::served::legacy_canister;

#[derive(CandidType)]
struct Lock {
    delay: u64,
    frozen: bool,
}

/// A site that was deployed twice: with one page, and with another page and a script.
struct Scene {
    network: Network,
    desk: Desk,
}

impl Scene {
    fn new() -> Scene {
        let scene = Scene {
            network: Network::start(),
            desk: Desk::new(),
        };
        succeeds(&scene.desk.deploy_to(&scene.network, &[]));
        scene.desk.write("index.html", "<h1>changed</h1>");
        scene.desk.write("app.js", "alert('hello')");
        succeeds(&scene.desk.deploy_to(&scene.network, &[]));
        scene
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hallmark"))
            .args(arguments)
            .args(["--canister", &self.network.canister.to_text()])
            .args(["--network", &self.network.url()])
            .output()
            .unwrap()
    }

    /// What a command prints that succeeds.
    #[track_caller]
    fn words(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        succeeds(&output);
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The numbers of the releases that are published, the newest first.
    fn published(&self) -> Vec<String> {
        let log = self.json(&["log"]);
        let entries = log.as_array().unwrap().iter();
        let published = entries.filter(|entry| entry["kind"] == "publish");
        published.map(|entry| entry["number"].to_string()).collect()
    }
}

#[test]
fn an_earlier_release_comes_back_and_the_log_tells_of_it() {
    let scene = Scene::new();
    let [new, old] = scene.published().try_into().unwrap();
    let table = scene.words(&["releases"]);
    let rows: Vec<_> = table.lines().collect();
    assert!(rows[0].contains(&format!(" {new}  live  ")), "{table}");
    assert!(
        rows.iter()
            .any(|row| row.contains(&format!(" {old}  kept  "))),
        "{table}"
    );

    let nobody = scene.run(&["rollback", &old]);
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(said.contains("2vxsx-fae may not change "), "{said}");
    assert_eq!(nobody.status.code(), Some(2));

    let key = scene.desk.key();
    let identity = [
        "--identity",
        key.to_str().unwrap(),
        "--note",
        "it was better",
    ];
    let said = scene.words(&[&["rollback", &old][..], &identity].concat());
    assert!(
        said.starts_with(&format!("  release {old} is live again; ")),
        "{said}"
    );
    assert_eq!(scene.network.get("/").body, b"<h1>hello</h1>");

    let log = scene.words(&["log"]);
    let first = log.lines().next().unwrap();
    assert!(first.contains(" rollback by "), "{log}");
    assert!(
        first.ends_with(&format!(", back to {old}, \"it was better\"")),
        "{log}"
    );
    assert!(
        log.ends_with(", the whole log, each of them proven\n"),
        "{log}"
    );
    let last = scene.json(&["log", "--limit", "1"]);
    assert_eq!(last.as_array().unwrap().len(), 1);
    assert_eq!(last[0]["note"], "it was better");
    assert_eq!(last[0]["assets"], 1);
    let hash = last[0]["site_hash"].as_str().unwrap();
    assert!(
        said.contains(&format!("site hash  {hash}\n")),
        "{said} {log}"
    );
    let releases = scene.json(&["releases"]);
    assert_eq!(
        (&releases[0]["live"], &releases[0]["kind"]),
        (&true.into(), &"rollback".into())
    );

    let missing = scene.run(&["rollback", "1000", identity[0], identity[1]]);
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(said.contains("1000"), "{said}");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn releases_and_directories_are_compared() {
    let scene = Scene::new();
    let [new, old] = scene.published().try_into().unwrap();
    let site = scene.desk.site();
    let site = site.to_str().unwrap();
    let same = scene.words(&["diff", &new, site]);
    assert_eq!(same, format!("  release {new} and {site} are the same\n"));

    scene.desk.write("new.txt", "new");
    scene.desk.write("app.js", "alert('changed')");
    std::fs::remove_file(scene.desk.site().join("index.html")).unwrap();
    let output = scene.run(&["diff", "live", site]);
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "  changed    /app.js\n  deleted    /index.html\n  added      /new.txt\n";
    assert_eq!((&*said, output.status.code()), (expected, Some(1)));
    let back = scene.json(&["diff", site, "live"]);
    assert_eq!(back["added"], serde_json::json!(["/index.html"]));
    assert_eq!(back["same"], false);

    let output = scene.run(&["diff", &old, &new]);
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "  added      /app.js\n  changed    /index.html\n";
    assert_eq!((&*said, output.status.code()), (expected, Some(1)));

    // Of what is neither live nor kept the canister lists nothing.
    let retention = Retention {
        releases: 0,
        bytes: None,
        answers_replaced: None,
    };
    scene.network.update("set_retention", retention);
    let output = scene.run(&["diff", &old, &new]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains(&format!("does not list the assets of release {old}")),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
    let unlisted = scene.json(&["diff", &new, &old]);
    assert_eq!(
        (&unlisted["same"], &unlisted["added"]),
        (&false.into(), &Value::Null)
    );
    assert_eq!(
        scene.words(&["diff", &old, &old]),
        format!("  release {old} and release {old} are the same\n")
    );

    let missing = scene.run(&["diff", "1000", "live"]);
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(said.contains("there is no release 1000; "), "{said}");
}

#[test]
fn what_is_scheduled_is_told_apart_from_what_is_live() {
    let scene = Scene::new();
    let [new, old] = scene.published().try_into().unwrap();
    let lock = Lock {
        delay: 3_600,
        frozen: false,
    };
    scene.network.update("set_lock", lock);
    let key = scene.desk.key();
    let said = scene.words(&["rollback", &old, "--identity", key.to_str().unwrap()]);
    let expected = format!("  release {old} will be live again from ");
    assert!(said.starts_with(&expected), "{said}");
    assert_eq!(scene.network.get("/").body, b"<h1>changed</h1>");

    let log = scene.json(&["log"]);
    assert_eq!(log[0]["kind"], "schedule");
    assert!(
        !said.contains(log[0]["site_hash"].as_str().unwrap()),
        "{said}"
    );
    let detail = log[0]["detail"].as_str().unwrap();
    assert!(detail.starts_with(&format!("back to {old} from ")));
    let scheduled = log[0]["number"].to_string();
    let output = scene.run(&["diff", "live", &scheduled]);
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "  deleted    /app.js\n  changed    /index.html\n";
    assert_eq!((&*said, output.status.code()), (expected, Some(1)));

    let releases = scene.json(&["releases"]);
    assert_eq!(
        (&releases[0]["live"], &releases[0]["number"]),
        (&true.into(), &new.parse::<u64>().unwrap().into())
    );
    let verified = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .args(["verify", &scene.network.canister.to_text(), "--json"])
        .args(["--network", &scene.network.url()])
        .output()
        .unwrap();
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verified["site_hash"], releases[0]["site_hash"]);
    assert_eq!(verified["release"]["kind"], "schedule", "{verified:#}");
}

#[test]
fn a_deploy_that_takes_effect_later_says_when() {
    let scene = Scene::new();
    let lock = Lock {
        delay: 3_600,
        frozen: false,
    };
    scene.network.update("set_lock", lock);
    scene.desk.write("index.html", "<h1>later</h1>");
    let output = scene.desk.deploy_to(&scene.network, &[]);
    succeeds(&output);
    let said = lines(&output);
    let release = said.iter().find(|line| line.starts_with("  release "));
    assert!(release.unwrap().contains(", live from 20"), "{said:?}");
    assert_eq!(scene.network.get("/").body, b"<h1>changed</h1>");
    // The hash is that of the site to come.
    let live = scene.json(&["releases"])[0]["site_hash"].to_string();
    let site_hash = said.last().unwrap().replace("  site hash  ", "");
    assert!(
        site_hash.len() == 64 && !live.contains(&site_hash),
        "{said:?}"
    );
}

#[test]
fn dfxs_canister_has_none_of_it() {
    let scene = Scene {
        network: Network::with(legacy_canister()),
        desk: Desk::new(),
    };
    for command in [
        &["releases"][..],
        &["log"],
        &["rollback", "1"],
        &["diff", "1", "2"],
    ] {
        let output = scene.run(command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("keeps no releases"), "{command:?}: {said}");
        assert_eq!(output.status.code(), Some(2));
    }
}
