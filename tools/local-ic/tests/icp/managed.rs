//! Networks that `icp` starts and stops.

use crate::http;
use crate::project::{Project, asset_canister};

const MANIFEST: &str = "
canisters:
  - name: assets
    build: {steps: [{type: pre-built, path: assets.wasm.gz}]}
networks:
  - name: local
    mode: managed
    gateway: {port: 0}
";

/// Stops the network also when the test fails.
struct Started<'a>(&'a Project);

impl Drop for Started<'_> {
    fn drop(&mut self) {
        self.0.icp(&["network", "stop"]);
    }
}

#[test]
fn a_network_is_started_deployed_to_and_stopped() {
    let project = Project::new(MANIFEST);
    project.write("assets.wasm.gz", &asset_canister());
    // Every identity is given tokens and cycles at the start.
    project.icp(&["identity", "new", "developer", "--storage", "plaintext"]);
    let started = project.icp(&["network", "start", "--background"]);
    let network = Started(&project);
    let port = started
        .split_once("Network started on port ")
        .and_then(|(_, rest)| rest.lines().next()?.trim().parse::<u16>().ok())
        .unwrap_or_else(|| panic!("{started}"));

    let deployed = project.icp(&["deploy", "--identity", "developer"]);
    let host = deployed
        .split_once("assets: http://")
        .and_then(|(_, rest)| rest.split_once(':'))
        .unwrap_or_else(|| panic!("{deployed}"))
        .0
        .to_owned();
    let page = http::get(port, &host, "/");
    assert_eq!(page.status, 404, "{}", page.text());

    drop(network);
    assert!(http::send(port, "GET", &host, "/", b"").is_err());
}

#[test]
fn what_the_launcher_does_not_have_it_refuses() {
    let project = Project::new(&format!("{MANIFEST}    ii: true\n"));
    let refused = project.icp_fails(&["network", "start"]);
    assert!(refused.contains("exited prematurely"), "{refused}");
}
