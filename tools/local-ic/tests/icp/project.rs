//! Projects of `icp`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A project in a folder of its own, and a home of its own for `icp`.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    arguments: Vec<&'static str>,
    environment: Vec<(&'static str, OsString)>,
}

impl Project {
    /// A project with this manifest.
    pub(crate) fn new(manifest: &str) -> Project {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::write(folder.path().join("icp.yaml"), manifest).unwrap();
        Project {
            folder,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Gives these arguments to every command.
    pub(crate) fn with_arguments(self, arguments: &[&'static str]) -> Project {
        Project {
            arguments: arguments.to_vec(),
            ..self
        }
    }

    /// Gives this variable to every command.
    pub(crate) fn with_variable(
        mut self,
        name: &'static str,
        value: impl Into<OsString>,
    ) -> Project {
        self.environment.push((name, value.into()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs `icp` with the arguments of every command and without; what it
    /// printed.
    pub(crate) fn icp(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "icp {arguments:?}: {output:#?}");
        text(&output)
    }

    /// As `icp`, of a command that fails.
    pub(crate) fn icp_fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "icp {arguments:?}: {output:#?}");
        text(&output)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(tool())
            .args(arguments)
            .args(&self.arguments)
            .current_dir(self.path())
            .env("ICP_HOME", self.path().join("home"))
            .env("DO_NOT_TRACK", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(
                "ICP_CLI_NETWORK_LAUNCHER_PATH",
                env!("CARGO_BIN_EXE_local-ic"),
            )
            .output()
            .unwrap()
    }
}

/// What a command printed, to whatever stream.
fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams
        .map(|stream| String::from_utf8_lossy(stream))
        .concat()
}

/// The program that deploys sites.
pub(crate) fn hallmark() -> PathBuf {
    env::var_os("HALLMARK_BIN")
        .expect("HALLMARK_BIN names no `hallmark`; `cargo xtask test` builds one")
        .into()
}

fn tool() -> PathBuf {
    env::var_os("ICP_BIN")
        .expect("ICP_BIN names no `icp`; `cargo xtask test` fetches one")
        .into()
}

/// The asset canister of this repository, as built.
pub(crate) fn asset_canister() -> Vec<u8> {
    let folder = env::var_os("HALLMARK_CANISTERS")
        .expect("HALLMARK_CANISTERS names no folder of canisters; `cargo xtask test` builds one");
    let path = PathBuf::from(folder).join("assets.wasm.gz");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
