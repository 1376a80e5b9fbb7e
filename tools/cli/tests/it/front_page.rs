//! The scenes on the README's front page, played as they are written there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::http;
use super::served::{Served, asset_canister};

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
        // Otherwise it would be built for this command once more.
        .env("HALLMARK_BIN", env!("CARGO_BIN_EXE_hallmark"))
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

/// What a command prints in the README, and the command.
fn scene(beginning: &str) -> (Vec<String>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let scene = readme
        .lines()
        .skip_while(|line| !line.starts_with(beginning))
        .take_while(|line| !line.starts_with("```"));
    let mut lines = scene.map(str::to_owned);
    let mut command = Vec::new();
    for line in lines.by_ref() {
        let words = line.trim_end_matches('\\').split_whitespace();
        command.extend(words.map(str::to_owned));
        if !line.ends_with('\\') {
            break;
        }
    }
    (command, lines.collect())
}

/// A line without what is another one at another time, or with another build of the canister.
fn timeless(line: &str) -> String {
    let is_of_this_build = ["certified data", "module"]
        .iter()
        .any(|name| line.contains(&format!("✓ {name}")));
    let words = line.split(' ').map(|word| {
        let is_hash = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = ["-", ":"]
            .iter()
            .any(|mark| word.matches(mark).count() == 2)
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"-:".contains(&byte));
        match (is_hash && is_of_this_build) || is_time {
            true => "*",
            false => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_scene_of_verifying_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (command, expected) = scene("$ target/debug/hallmark verify");
    let served = Served::start(&root.join("assets-example"), &[]);
    let port = format!("localhost:{}/", served.port);
    let module = asset_canister();
    let arguments = command.iter().skip(2).map(|word| match &**word {
        "target/canisters/assets.wasm.gz" => module.to_str().unwrap().to_owned(),
        word => word.replace("localhost:8000/", &port),
    });
    let output = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .args(arguments)
        .current_dir(&root)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed = printed.replace(&port, "localhost:8000/");
    let printed: Vec<_> = printed.lines().map(timeless).collect();
    let expected: Vec<_> = expected.iter().map(|line| timeless(line)).collect();
    assert_eq!(printed, expected);
    assert!(output.status.success());
}
