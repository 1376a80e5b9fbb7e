//! `hallmark serve` at work on a directory.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::http::{self, Response};

/// The program, serving until this is dropped.
pub(crate) struct Served {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    errors: tempfile::NamedTempFile,
    pub(crate) canister: String,
    pub(crate) port: u16,
    /// What it printed at first.
    pub(crate) site_hash: String,
}

impl Served {
    /// Serves a directory on a free port, and waits until it answers.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Served {
        let errors = tempfile::NamedTempFile::new().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_hallmark"))
            .arg("serve")
            .arg(directory)
            .args(["--port", "0", "--canister"])
            .arg(asset_canister())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(errors.reopen().unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut served = Served {
            process,
            output,
            errors,
            canister: String::new(),
            port: 0,
            site_hash: String::new(),
        };
        served.site_hash = served.next_site_hash().0;
        let url = served.line_with("http://");
        let host = url.trim_start_matches("http://");
        let (canister, port) = host.split_once(".localhost:").unwrap();
        served.canister = canister.to_owned();
        served.port = port.trim_end_matches('/').parse().unwrap();
        let plain = format!("http://localhost:{port}?canisterId={canister}");
        assert_eq!(served.line_with("http://"), plain);
        served
    }

    /// Asks the canister's own host.
    pub(crate) fn get(&self, target: &str) -> Response {
        let host = format!("{}.localhost", self.canister);
        http::get(self.port, &host, target, &[])
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}.localhost:{}", self.canister, self.port)
    }

    /// Waits for the next site hash to be printed, and returns what was printed before it.
    pub(crate) fn next_site_hash(&mut self) -> (String, Vec<String>) {
        let mut before = Vec::new();
        loop {
            let line = self.next_line();
            match line.strip_prefix("site hash  ") {
                Some(hash) => return (hash.to_owned(), before),
                None => before.push(line),
            }
        }
    }

    fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.next_line();
            if line.contains(text) {
                return line;
            }
        }
    }

    fn next_line(&mut self) -> String {
        let Some(line) = self.output.next() else {
            panic!("hallmark serve has ended: {}", self.errors());
        };
        line.unwrap().trim().to_owned()
    }

    /// What it wrote to the error stream.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.errors.path()).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn asset_canister() -> PathBuf {
    let folder = env::var_os("HALLMARK_CANISTERS")
        .expect("HALLMARK_CANISTERS names no folder of canisters; `cargo xtask test` builds one");
    PathBuf::from(folder).join("assets.wasm.gz")
}

/// The module of dfx's asset canister.
pub(crate) fn legacy_canister() -> PathBuf {
    env::var_os("LEGACY_CANISTER")
        .expect("LEGACY_CANISTER names no module; `cargo xtask test` builds one")
        .into()
}
