//! The scene on the README's front page, played as it is written there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::http;

/// A command and all it started, until this is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-INT", "--", &group]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn the_first_scene_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let scene: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("$ cargo xtask serve"))
        .take_while(|line| !line.starts_with("```"))
        .collect();
    let command: Vec<&str> = scene[0].split_whitespace().skip(1).collect();
    let process = Command::new(env!("CARGO"))
        .args(&command[1..])
        .args(["--port", "0"])
        .current_dir(&root)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut group = Group(process);
    let mut output = BufReader::new(group.0.stdout.take().unwrap()).lines();

    let mut printed = Vec::new();
    let port: u16 = loop {
        let line = output.next().expect("it serves").unwrap();
        let port = line
            .split_once(".localhost:")
            .map(|(_, port)| port.trim_end_matches('/').parse().unwrap());
        printed.push(line);
        if let Some(port) = port {
            break port;
        }
    };
    printed.push(output.next().unwrap().unwrap());
    // The port is free this time, and 8000 on the page.
    let printed: Vec<String> = printed
        .iter()
        .map(|line| line.replace(&format!(":{port}/"), ":8000/"))
        .collect();
    for line in scene[1..]
        .iter()
        .filter(|line| line.contains("http") || line.contains("site hash"))
    {
        assert!(
            printed.iter().any(|other| other.trim() == line.trim()),
            "{line} is not in {printed:#?}"
        );
    }
    let target = "/?canisterId=lxzze-o7777-77777-aaaaa-cai";
    assert_eq!(http::get(port, "localhost", target, &[]).status, 200);
}
