//! `hallmark verify`, the program, against networks that answer it over HTTP.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

use super::desk::{Desk, succeeds};
use super::network::Network;
use super::served::{asset_canister, legacy_canister};

/// A deployed site, and whoever verifies it.
struct Scene {
    network: Network,
    desk: Desk,
}

impl Scene {
    fn new(module: &Path) -> Scene {
        let network = Network::with(module.to_owned());
        let desk = Desk::new();
        desk.write("app.js", "alert('hello');".repeat(20));
        succeeds(&desk.deploy_to(&network, &[]));
        Scene { network, desk }
    }

    fn verify(&self, subject: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hallmark"))
            .args(["verify", subject])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Verifies the canister by its id, with the directory.
    fn verify_here(&self, arguments: &[&str]) -> Output {
        let site = self.desk.site();
        let (canister, url) = (self.network.canister.to_text(), self.network.url());
        let here = ["--network", &url, "--dir", site.to_str().unwrap()];
        self.verify(&canister, &[&here[..], arguments].concat())
    }

    fn json(&self, subject: &str, arguments: &[&str]) -> Value {
        let output = self.verify(subject, &[&["--json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the JSON says of a link.
fn link<'a>(report: &'a Value, name: &str) -> &'a Value {
    let links = report["links"].as_array().unwrap();
    links.iter().find(|link| link["link"] == name).unwrap()
}

#[test]
fn a_deployed_site_holds_from_the_root_key_to_the_last_file() {
    let scene = Scene::new(&asset_canister());
    let module = asset_canister();
    let root_key = hex::encode(&scene.network.root_key);
    let known = ["--root-key", &root_key, "--wasm", module.to_str().unwrap()];
    let output = scene.verify_here(&known);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.ends_with("\n  every link holds\n"), "{said}");
    assert!(said.contains("  ✓ log entry       "), "{said}");
    assert!(said.contains(", what the files make\n"), "{said}");

    scene.desk.write("index.html", "changed");
    let output = scene.verify_here(&known);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("  ✗ content         /index.html differs\n"),
        "{said}"
    );
    assert!(said.ends_with("\n  1 of 12 links broken\n"), "{said}");
}

#[test]
fn what_was_not_asked_for_is_said_and_what_is_not_known_stays_open() {
    let scene = Scene::new(&asset_canister());
    let canister = scene.network.canister.to_text();
    let output = scene.verify(&canister, &["--network", &scene.network.url()]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("which the network itself told"), "{said}");
    assert!(
        said.contains("  - content         not asked for: "),
        "{said}"
    );
    assert!(said.contains("  ? module          "), "{said}");
    assert!(
        said.contains("nothing is broken, but 1 could not be checked"),
        "{said}"
    );

    let list = scene.desk.site().join("modules.txt");
    let module = fs::read(asset_canister()).unwrap();
    let hash = <sha2::Sha256 as sha2::Digest>::digest(module);
    fs::write(&list, format!("{hash:x} assets of today\n")).unwrap();
    let url = scene.network.url();
    let listed = ["--network", &url, "--modules", list.to_str().unwrap()];
    let output = scene.verify(&canister, &listed);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    fs::write(&list, "assets\n").unwrap();
    let output = scene.verify(&canister, &listed);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn programs_are_told_in_json() {
    let scene = Scene::new(&asset_canister());
    let (canister, url) = (scene.network.canister.to_text(), scene.network.url());
    let report = scene.json(&canister, &["--network", &url]);
    assert_eq!(report["canister"], *canister);
    assert_eq!(report["root_key"]["source"], "fetched");
    assert_eq!(report["outcome"], "open");
    assert_eq!(report["release"]["kind"], "publish");
    assert_eq!(report["site_hash"], link(&report, "site-hash")["detail"]);
    assert_eq!(link(&report, "module")["verdict"], "open");
    assert_eq!(link(&report, "content")["verdict"], "skipped");

    let key = "00".repeat(133);
    let report = scene.json(&canister, &["--network", &url, "--root-key", &key]);
    assert_eq!(report["outcome"], "broken");
    let delegation = &link(&report, "delegation")["reasons"][0];
    assert!(
        delegation["reason"]
            .as_str()
            .unwrap()
            .starts_with("delegation-"),
        "{delegation}"
    );
}

#[test]
fn a_network_with_another_root_key_is_not_believed() {
    let scene = Scene::new(&asset_canister());
    let other = ic_hallmark::testing::TestNetwork::new(5).root_key();
    let output = scene.verify_here(&["--root-key", &hex::encode(other)]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let broken = "  ✗ delegation      it is not signed with the root key\n";
    assert!(said.contains(broken), "{said}");
    assert!(
        said.contains("  ? content         it rests on what does not hold\n"),
        "{said}"
    );
}

#[test]
fn urls_name_sites_too() {
    let scene = Scene::new(&asset_canister());
    let (canister, port) = (scene.network.canister, scene.network.port);
    for url in [
        format!("http://{canister}.localhost:{port}/index.html"),
        format!("http://localhost:{port}/?canisterId={canister}"),
    ] {
        let report = scene.json(&url, &[]);
        assert_eq!(report["canister"], canister.to_text(), "{report}");
        assert_eq!(report["named_by"], Value::Null);
        assert_eq!(link(&report, "answers")["verdict"], "holds");
        assert_eq!(link(&report, "url")["verdict"], "holds");
    }
    // A domain of somebody's own, behind which a gateway says what it shows.
    let named = format!("x-ic-canister-id: {canister}\r\n");
    let here = ["--network", &scene.network.url()];
    let gateway = says(&named, "<h1>hello</h1>");
    let report = scene.json(&gateway, &here);
    assert_eq!(report["canister"], canister.to_text(), "{report}");
    assert_eq!(report["named_by"], *gateway);
    assert_eq!(link(&report, "url")["verdict"], "holds");
    // And one that shows something else.
    let liar = says(&named, "<h1>evil</h1>");
    let report = scene.json(&liar, &here);
    let url = link(&report, "url");
    assert_eq!(url["reasons"][0]["reason"], "gateway-differs", "{report}");
    assert_eq!(report["outcome"], "broken");
    let silent = scene.verify(&says("", ""), &[]);
    let said = String::from_utf8_lossy(&silent.stderr);
    assert!(said.contains("says which canister it shows"), "{said}");
    assert_eq!(silent.status.code(), Some(2));
}

/// The address of a server that answers with these headers and this body.
fn says(headers: &str, body: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/")
}

#[test]
fn of_dfxs_canister_what_there_is_is_checked() {
    let scene = Scene::new(&legacy_canister());
    let module = legacy_canister();
    let with_module = ["--wasm", module.to_str().unwrap()];
    let output = scene.verify_here(&with_module);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for line in [
        "  ? log entry       the canister keeps no log: ",
        "  ? site hash       the tree of this canister depends on its history: ",
        "  ? content hash    the canister certifies none: ",
        "  ✓ answers         5 asked for, all certified, version 2\n",
        "  ✓ content         2 files, all as in the directory",
        "  ✓ module          ",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    scene.desk.write("app.js", "changed");
    let output = scene.verify_here(&with_module);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("  ✗ content         /app.js differs\n"));
}

#[test]
fn what_is_not_there() {
    let scene = Scene::new(&asset_canister());
    let url = scene.network.url();
    // One that the network could have, and one that it could not.
    for canister in ["lqy7q-dh777-77777-aaaaq-cai", "ss2fx-dyaaa-aaaar-qacoq-cai"] {
        let missing = scene.verify(canister, &["--network", &url, "--json"]);
        let said = String::from_utf8_lossy(&missing.stderr);
        let expected = format!("error: there is no canister {canister} on {url}; ");
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(missing.status.code(), Some(2));
        assert_eq!(missing.stdout, b"");
    }

    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nowhere = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let nobody = scene.verify("ryjl3-tyaaa-aaaaa-aaaba-cai", &["--network", &nowhere]);
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(said.contains("cannot reach the network: "), "{said}");
    assert_eq!(nobody.status.code(), Some(2));

    let directory = scene.verify_here(&["--wasm", "/no/such/file"]);
    assert_eq!(directory.status.code(), Some(2));
}
