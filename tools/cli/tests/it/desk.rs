//! Where somebody deploys from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::network::{Network, SECRET};

/// A directory of files, and beside it the private key of who may deploy.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        fs::create_dir(desk.site()).unwrap();
        desk.write("index.html", "<h1>hello</h1>");
        let der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let der = BASE64_STANDARD.encode([&der[..], &SECRET].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        fs::write(desk.key(), pem).unwrap();
        desk
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.0.path().join("site")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    pub(crate) fn write(&self, name: &str, body: impl AsRef<[u8]>) {
        fs::write(self.site().join(name), body).unwrap();
    }

    /// The program, deploying to the canister of this id on the network at this URL. Its home is
    /// this desk.
    pub(crate) fn command(&self, canister: &str, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
        command
            .arg("deploy")
            .arg(self.site())
            .args(["--canister", canister, "--network", url])
            .args(arguments)
            .env("HOME", self.home())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_DATA_HOME")
            .env_remove("ICP_HOME")
            .env_remove("DFX_CONFIG_ROOT");
        command
    }

    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    /// Deploys to the canister of this id on the network at this URL.
    pub(crate) fn deploy(&self, canister: &str, url: &str, arguments: &[&str]) -> Output {
        self.command(canister, url, arguments).output().unwrap()
    }

    /// Deploys to the network, as who may.
    pub(crate) fn deploy_to(&self, network: &Network, arguments: &[&str]) -> Output {
        let key = self.key();
        let identity = ["--identity", key.to_str().unwrap()];
        let arguments = [&identity[..], arguments].concat();
        self.deploy(&network.canister.to_text(), &network.url(), &arguments)
    }
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

pub(crate) fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}
