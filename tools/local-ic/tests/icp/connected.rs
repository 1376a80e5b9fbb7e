//! Deployments to a network that is there already, known by its root key.

use std::fs;
use std::os::unix::fs::symlink;

use sha2::{Digest, Sha256};

use crate::http;
use crate::network::Network;
use crate::project::{Project, asset_canister, hallmark};

const MANIFEST: &str = include_str!("../../../../icp.yaml");
/// As this repository's manifest has them.
const ASSET_CANISTER: &str = "target/canisters/assets.wasm.gz";
const SITE: &str = "assets-example";

/// A manifest, and the network as an environment named `lab`.
fn connected(manifest: &str, network: &Network, root_key: &str) -> Project {
    let port = network.port;
    let manifest = format!(
        "{manifest}
networks:
  - name: lab
    mode: connected
    url: http://127.0.0.1:{port}
    root-key: {root_key}
environments:
  - name: lab
    network: lab
"
    );
    Project::new(&manifest)
        .with_arguments(&["--environment", "lab", "--identity", "anonymous"])
        .with_variable("HALLMARK_BIN", hallmark())
        .with_variable("HALLMARK_NETWORK", format!("http://127.0.0.1:{port}"))
}

/// The id in the URL that a deployment ends with.
fn canister_id(deployed: &str) -> &str {
    let url = deployed
        .split_once("assets: http://")
        .unwrap_or_else(|| panic!("{deployed}"));
    url.1.split_once(".localhost").unwrap().0
}

#[test]
fn the_manifest_of_this_repository_deploys_and_deploys_again() {
    let network = Network::start(&[]);
    let project = connected(MANIFEST, &network, &network.root_key);
    let module = asset_canister();
    project.write(ASSET_CANISTER, &module);
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets-example");
    symlink(site, project.path().join(SITE)).unwrap();

    let deployed = project.icp(&["deploy"]);
    assert!(deployed.contains("Created canister assets"), "{deployed}");
    let id = canister_id(&deployed);
    for (path, file) in [
        ("/", "index.html"),
        ("/about", "about.html"),
        ("/struck%20plate.jpg", "struck plate.jpg"),
        ("/silver.mp4", "silver.mp4"),
    ] {
        // The gateway lets nothing through that does not verify.
        let page = http::get(network.port, &format!("{id}.localhost"), path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("ic-certificate").is_some(), "{path}");
        assert!(
            page.body == fs::read(format!("{site}/{file}")).unwrap(),
            "{path}"
        );
    }

    let status = project.icp(&["canister", "status", "assets"]);
    let hash = format!("Module hash: 0x{}", hex::encode(Sha256::digest(&module)));
    assert!(status.contains(&hash), "{status}");
    let variable = format!("Name: PUBLIC_CANISTER_ID:assets, Value: {id}");
    assert!(status.contains(&variable), "{status}");

    // What scripts print is shown to those who look for bugs only.
    let again = project.icp(&["deploy", "--debug"]);
    assert!(again.contains("All canisters already exist"), "{again}");
    assert!(again.contains("nothing has changed"), "{again}");
    assert_eq!(canister_id(&again), id);
}

#[test]
fn a_module_larger_than_a_message_deploys_in_chunks() {
    let network = Network::start(&[]);
    let manifest =
        "canisters: [{name: large, build: {steps: [{type: pre-built, path: large.wasm}]}}]";
    let project = connected(manifest, &network, &network.root_key);
    let padding = "x".repeat(3 << 20);
    let module = format!(
        r#"(module
            (import "ic0" "msg_reply" (func $msg_reply))
            (func (export "canister_query hello") (call $msg_reply))
            (@custom "padding" "{padding}"))"#
    );
    let module = wat::parse_str(module).unwrap();
    project.write("large.wasm", &module);
    project.icp(&["deploy"]);
    let status = project.icp(&["canister", "status", "large"]);
    let hash = format!("Module hash: 0x{}", hex::encode(Sha256::digest(&module)));
    assert!(status.contains(&hash), "{status}");
}

#[test]
fn the_root_key_follows_from_the_seed_and_no_other_is_believed() {
    let seed = ["--root-key-seed", &"5a".repeat(32)];
    let (one, other) = (Network::start(&seed), Network::start(&seed));
    assert_eq!(one.root_key, other.root_key);
    let third = Network::start(&[]);
    assert_ne!(third.root_key, one.root_key);

    let project = connected(MANIFEST, &third, &one.root_key);
    project.write(ASSET_CANISTER, &asset_canister());
    let refused = project.icp_fails(&["deploy"]);
    assert!(
        refused.contains("Certificate verification failed"),
        "{refused}"
    );
}
