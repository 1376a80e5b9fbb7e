//! `local-ic serve` at work.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The program, serving a network until this is dropped.
pub(crate) struct Network {
    process: Child,
    pub(crate) port: u16,
    /// In hexadecimal.
    pub(crate) root_key: String,
}

impl Network {
    pub(crate) fn start(arguments: &[&str]) -> Network {
        let mut process = Command::new(env!("CARGO_BIN_EXE_local-ic"))
            .args(["serve", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut after = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            let rest = line.strip_prefix(prefix);
            rest.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let port = after("Internet Computer at http://127.0.0.1:");
        let root_key = after("Root key: ");
        Network {
            process,
            port: port.strip_suffix('/').unwrap().parse().unwrap(),
            root_key,
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
