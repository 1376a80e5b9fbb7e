//! `hallmark deploy`: to a canister on a network, and what it says when it cannot.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::desk::{Desk, lines, succeeds};
use super::network::Network;

#[track_caller]
fn fails_with(output: &Output, message: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    let error = said.lines().last().unwrap_or_default();
    assert!(
        error.starts_with(&format!("error: {message}")),
        "{said}\nis not\n{message}"
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
}

#[test]
fn a_directory_is_deployed_and_what_is_there_is_not_sent_again() {
    let (network, desk) = (Network::start(), Desk::new());
    let root_key = hex::encode(&network.root_key);
    let first = desk.deploy_to(&network, &["--root-key", &root_key]);
    succeeds(&first);
    let told = lines(&first);
    assert_eq!(told[..2], ["  added      /index.html", "  1 added, 14 B"]);
    assert!(told[2].starts_with("  release    "), "{}", told[2]);
    assert!(told[3].starts_with("  content    "), "{}", told[3]);
    assert!(told[4].starts_with("  site hash  "), "{}", told[4]);
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");

    let again = desk.deploy_to(&network, &[]);
    let said = succeeds(&again);
    assert!(!said.contains("uploaded"), "{said}");
    assert_eq!(lines(&again)[0], "  nothing has changed");
    assert_eq!(lines(&again)[1..], told[3..]);

    desk.write("index.html", "<h1>changed</h1>");
    let changed = desk.deploy_to(&network, &["--root-key", "fetch", "--note", "louder"]);
    succeeds(&changed);
    assert_eq!(lines(&changed)[1], "  1 changed, 16 B");
    assert_eq!(network.get("/").body, b"<h1>changed</h1>");

    let log = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .args(["log", "--limit", "1", "--network", &network.url()])
        .args(["--canister", &network.canister.to_text()])
        .output()
        .unwrap();
    succeeds(&log);
    let log = lines(&log).join("\n");
    let release = lines(&changed)[2].replace("  release", "");
    assert!(log.trim_start().starts_with(release.trim()), "{log}");
    assert!(log.contains("louder"), "{log}");
}

#[test]
fn a_canister_of_dfx_is_deployed_to_as_well() {
    let module = env::var_os("LEGACY_CANISTER")
        .expect("LEGACY_CANISTER names no module; `cargo xtask test` builds one");
    let (network, desk) = (Network::with(module.into()), Desk::new());
    for number in 0..300 {
        desk.write(&format!("{number}.png"), "x");
    }
    let first = desk.deploy_to(&network, &[]);
    succeeds(&first);
    let told = lines(&first);
    assert_eq!(told[told.len() - 2], "  301 added, 314 B");
    assert_eq!(
        told[told.len() - 1],
        "  site hash  not told by this canister"
    );
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");
    let again = desk.deploy_to(&network, &[]);
    assert_eq!(lines(&again)[0], "  nothing has changed");
}

#[test]
fn the_command_of_the_front_page_deploys() {
    let (network, desk) = (Network::start(), Desk::new());
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let commands = readme.lines().filter_map(|line| line.strip_prefix("$ "));
    let (build, deploy) = (
        "cargo build -p hallmark",
        commands
            .clone()
            .find(|line| line.contains("hallmark deploy ")),
    );
    assert!(commands.clone().any(|line| line == build));
    let words: Vec<_> = deploy.unwrap().split(' ').collect();
    assert_eq!(words[..3], ["target/debug/hallmark", "deploy", "DIR"]);

    let (canister, url, key) = (network.canister.to_text(), network.url(), desk.key());
    let arguments = words[3..].iter().map(|word| match *word {
        "ID" => &canister,
        "ic" => &url,
        "NAME" => key.to_str().unwrap(),
        option => option,
    });
    let output = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .arg("deploy")
        .arg(desk.site())
        .args(arguments)
        .env("HOME", desk.home())
        .output();
    succeeds(&output.unwrap());
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let (network, desk) = (Network::start(), Desk::new());
    for number in 0..30 {
        desk.write(&format!("{number}.png"), "x");
    }
    // Not even a permission is needed.
    let url = network.url();
    let output = desk.deploy(&network.canister.to_text(), &url, &["--dry-run"]);
    succeeds(&output);
    let told = lines(&output);
    assert_eq!(told.len(), 33);
    assert_eq!(told[30], "  added      /index.html");
    // The thirty are the same.
    assert_eq!(told[31], "  31 added, 15 B");
    assert_eq!(told[32], "  dry run: the site is as it was");
    assert_eq!(network.get("/").status, 404);

    let output = desk.deploy_to(&network, &[]);
    succeeds(&output);
    assert_eq!(lines(&output)[20], "  and 11 more assets");
}

#[test]
fn who_may_not_deploy_is_told_who_that_is() {
    let (network, desk) = (Network::start(), Desk::new());
    let canister = network.canister.to_text();
    let output = desk.deploy(&canister, &network.url(), &[]);
    let message =
        format!("2vxsx-fae may not change {canister}: Caller does not have Prepare permission");
    fails_with(&output, &message);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.trim_end()
            .ends_with("name who you are with --identity"),
        "{said}"
    );
    assert_eq!(network.get("/").status, 404);
}

#[test]
fn a_network_that_is_not_there() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let output = Desk::new().deploy("ryjl3-tyaaa-aaaaa-aaaba-cai", &url, &[]);
    fails_with(&output, "cannot reach the network: ");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&url) && said.contains("refused"), "{said}");
}

#[test]
fn a_network_with_another_root_key_is_not_believed() {
    let (network, desk) = (Network::start(), Desk::new());
    // That of the Internet Computer, which local networks cannot have.
    let root_key = concat!(
        "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab58",
        "3b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b43",
        "92e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae",
    );
    let output = desk.deploy_to(&network, &["--root-key", root_key]);
    fails_with(
        &output,
        "what answers is not the network that was expected: ",
    );
}

#[test]
fn a_canister_that_is_not_there() {
    let (network, desk) = (Network::start(), Desk::new());
    // One that the network could have, and one that it could not.
    for canister in ["lqy7q-dh777-77777-aaaaq-cai", "ss2fx-dyaaa-aaaar-qacoq-cai"] {
        for arguments in [&[][..], &["--dry-run"]] {
            let output = desk.deploy(canister, &network.url(), arguments);
            let message = format!(
                "there is no canister {canister} on {}; correct the id, or name its network with \
                 --network",
                network.url()
            );
            fails_with(&output, &message);
        }
    }
}

#[test]
fn a_canister_of_another_kind() {
    // An empty one, and one without any method.
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("empty.wasm");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let (network, desk) = (Network::with(module), Desk::new());
    let canister = network.canister.to_text();
    let output = desk.deploy(&canister, &network.url(), &[]);
    let message =
        format!("{canister} is no asset canister that can be deployed to: it has no method list");
    fails_with(&output, &message);

    let canister = network.create_canister().to_text();
    let output = desk.deploy(&canister, &network.url(), &[]);
    let message = format!(
        "canister {canister} is empty; its controllers can install an asset canister in it"
    );
    fails_with(&output, &message);
}

#[test]
fn an_empty_directory_deletes_the_site_only_if_that_is_said() {
    let (network, desk) = (Network::start(), Desk::new());
    succeeds(&desk.deploy_to(&network, &[]));
    fs::remove_file(desk.site().join("index.html")).unwrap();
    let output = desk.deploy_to(&network, &[]);
    let message = format!("there is nothing to deploy in {}; ", desk.site().display());
    fails_with(&output, &message);
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");

    let planned = desk.deploy_to(&network, &["--dry-run"]);
    succeeds(&planned);
    assert_eq!(lines(&planned)[0], "  deleted    /index.html");
    succeeds(&desk.deploy_to(&network, &["--empty"]));
    assert_eq!(network.get("/").status, 404);
}

#[test]
fn two_deploys_at_once_leave_nothing_of_either_behind() {
    let (network, desk) = (Network::start(), Desk::new());
    let key = desk.key();
    let identity = ["--identity", key.to_str().unwrap()];
    let (canister, url) = (network.canister.to_text(), network.url());
    let deploys = [(); 2].map(|()| {
        let mut deploy = desk.command(&canister, &url, &identity);
        deploy.stderr(Stdio::null()).stdout(Stdio::null());
        deploy.spawn().unwrap()
    });
    // Whoever is second is refused, or finds nothing to do.
    let ended = deploys.map(|mut deploy| deploy.wait().unwrap().success());
    assert!(ended.contains(&true));
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");
    let again = desk.deploy_to(&network, &[]);
    assert_eq!(lines(&again)[0], "  nothing has changed");
    assert!(network.stages().is_empty());
}

#[test]
fn a_file_that_is_no_key() {
    let desk = Desk::new();
    let index = desk.site().join("index.html");
    let missing = desk.site().join("missing.pem");
    let with_key = |path: &Path| {
        let key = ["--identity", path.to_str().unwrap()];
        desk.deploy("ryjl3-tyaaa-aaaaa-aaaba-cai", "http://127.0.0.1:1", &key)
    };
    let message = format!("{} is no private key: it should be", index.display());
    fails_with(&with_key(&index), &message);
    let message = format!("cannot read {}: ", missing.display());
    fails_with(&with_key(&missing), &message);
}
