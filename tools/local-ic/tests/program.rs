//! What the `pocket-ic` library expects of the program it starts.

mod http;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

const HOST: &str = "127.0.0.1";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_local-ic"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A port file of this test's own, and the server that writes it.
struct Started {
    path: PathBuf,
    child: Child,
    port: u16,
}

impl Started {
    fn new(test: &str, arguments: &[&str]) -> Started {
        let path = port_file(test);
        let child = program()
            .arg("--port-file")
            .arg(&path)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let port = loop {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if let Some(port) = text.strip_suffix('\n') {
                break port.parse().unwrap();
            }
            sleep(Duration::from_millis(5));
        };
        Started { path, child, port }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end by itself and checks that nothing is left.
    fn ends_cleanly(self) {
        let output = self.child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"", "{output:?}");
        assert!(!self.path.exists(), "the port file is left behind");
    }
}

fn port_file(test: &str) -> PathBuf {
    let id = std::process::id();
    let path = std::env::temp_dir().join(format!("local-ic-{test}-{id}.port"));
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn the_version_is_a_pocket_ic_servers() {
    let output = run(&["--version"]);
    assert!(output.status.success());
    assert_eq!(output.stdout, b"pocket-ic-server 16.1.0\n");
}

#[test]
fn the_help_says_what_it_is() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(
        help.contains("A local Internet Computer in one process"),
        "{help}"
    );
    assert!(help.contains("Usage: local-ic"), "{help}");
    assert!(help.contains("POCKET_IC_BIN"), "{help}");
}

#[test]
fn an_unknown_argument_is_an_error() {
    let output = run(&["--state-dir", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--state-dir"),
        "{output:?}"
    );
}

#[test]
fn the_help_of_serve_says_what_it_prints() {
    let help = String::from_utf8(run(&["serve", "--help"]).stdout).unwrap();
    assert!(help.contains("Usage: local-ic serve"), "{help}");
    assert!(help.contains("root key"), "{help}");
}

#[test]
fn a_seed_has_its_length() {
    let output = run(&["serve", "--root-key-seed", "5a"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("a seed has 64 hexadecimal digits"), "{text}");
}

/// The arguments of a launcher, and the folder it is to write to.
fn launcher(test: &str) -> (Command, PathBuf) {
    let id = std::process::id();
    let folder = std::env::temp_dir().join(format!("local-ic-launcher-{test}-{id}"));
    fs::create_dir_all(&folder).unwrap();
    let mut command = program();
    command.args(["--interface-version", "1.1.0", "--state-dir", "unused"]);
    command.arg("--status-dir").arg(&folder);
    command.args(["--bind", HOST, "--domain=localhost", "--domain=example"]);
    (command, folder)
}

#[test]
fn a_launcher_says_in_one_line_where_the_network_is() {
    let (mut command, folder) = launcher("status");
    let mut child = command
        .args(["--subnet=application", "--subnet=system"])
        .args(["--artificial-delay-ms=5", "--verbose"])
        .spawn()
        .unwrap();
    let path = folder.join("status.json");
    let status = loop {
        match fs::read_to_string(&path) {
            Ok(text) => break text,
            Err(_) => sleep(Duration::from_millis(5)),
        }
    };
    let line = status.strip_suffix('\n').unwrap();
    let status: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(status["v"], "1");
    assert_eq!(status["root_key"].as_str().unwrap().len(), 266);
    let canister = status["default_effective_canister_id"].as_str().unwrap();
    let port = status["gateway_port"].as_u64().unwrap() as u16;
    let response = http::get(port, HOST, "/api/v2/status");
    assert_eq!(response.status, 200);
    // No canister is there, and the domain is known.
    let response = http::get(port, &format!("{canister}.example"), "/");
    assert_eq!(response.status, 404, "{}", response.text());

    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-s", "INT", &id]).status();
    assert!(killed.unwrap().success());
    assert!(child.wait().unwrap().success());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_launcher_cannot_do_it_refuses() {
    for (argument, words) in [
        ("--ii", "not supported by local-ic: --ii"),
        ("--nns", "not supported by local-ic: --nns"),
        (
            "--bitcoind-addr=x",
            "not supported by local-ic: --bitcoind-addr",
        ),
        (
            "--dogecoind-addr=x",
            "not supported by local-ic: --dogecoind-addr",
        ),
        ("--subnet=cloud-engine", "a subnet of the kind cloud-engine"),
        ("--subnet=sns", "status.json"),
        ("--unknown", "--unknown"),
    ] {
        let (mut command, folder) = launcher("refused");
        fs::remove_dir_all(&folder).unwrap();
        let output = command.arg(argument).output().unwrap();
        assert!(!output.status.success(), "{argument}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(words), "{argument}: {text}");
    }
    let output = run(&["--interface-version=2.0.0", "--status-dir=x"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("version 2.0.0 of the launcher's interface"),
        "{text}"
    );
}

#[test]
fn a_port_file_that_exists_is_another_servers() {
    let path = port_file("exists");
    fs::write(&path, "4943\n").unwrap();
    let output = program().arg("--port-file").arg(&path).output().unwrap();
    assert!(output.status.success());
    assert_eq!((output.stdout, output.stderr), (vec![], vec![]));
    assert_eq!(fs::read_to_string(&path).unwrap(), "4943\n");
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_server_nobody_needs_stops() {
    let server = Started::new("idle", &["--ttl", "1"]);
    assert_eq!(http::get(server.port, HOST, "/status").status, 200);
    server.ends_cleanly();
}

#[test]
fn a_hard_limit_stops_the_server_too() {
    Started::new("limit", &["--hard-ttl", "1"]).ends_cleanly();
}

#[test]
fn signals_stop_the_server() {
    for name in ["INT", "TERM"] {
        let server = Started::new(name, &[]);
        server.signal(name);
        server.ends_cleanly();
    }
}

#[test]
fn all_the_arguments_of_the_genuine_server_are_taken() {
    let arguments = [
        "--ttl",
        "60",
        "--ip-addr",
        HOST,
        "--port",
        "0",
        "--log-levels",
        "error",
    ];
    let server = Started::new("arguments", &arguments);
    server.signal("TERM");
    server.ends_cleanly();
    let server = Started::new("short", &["-i", HOST, "-p", "0", "-l", "error"]);
    server.signal("TERM");
    server.ends_cleanly();
}

#[test]
fn a_busy_port_is_an_error_that_leaves_no_port_file() {
    let server = Started::new("first", &[]);
    let path = port_file("second");
    let port = server.port.to_string();
    let output = program()
        .args(["-p", &port, "--port-file"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with(&format!("local-ic: cannot listen on {HOST}:{port}")),
        "{text}"
    );
    assert!(!path.exists());
    server.signal("TERM");
    server.ends_cleanly();
}

#[test]
fn a_port_file_that_cannot_be_made_is_an_error() {
    let output = run(&["--port-file", "/no/such/folder/port"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/port"),
        "{output:?}"
    );
}

#[test]
fn what_is_not_supported_says_so() {
    let server = Started::new("unsupported", &[]);
    for (method, path) in [
        ("POST", "/verify_signature"),
        ("GET", "/read_graph/a/b"),
        ("POST", "/instances/0/update/mock_canister_http"),
        ("DELETE", "/blobstore"),
    ] {
        let response = http::send(server.port, method, HOST, path, b"{}").unwrap();
        let message = format!("{{\"message\":\"not supported by local-ic: {method} {path}\"}}");
        assert_eq!((response.status, response.text()), (501, &*message));
    }
    server.signal("TERM");
    server.ends_cleanly();
}

#[test]
fn what_does_not_exist_says_so() {
    let server = Started::new("missing", &[]);
    for path in ["/instances/7/read/get_time", "/instances/7/_/topology"] {
        let response = http::get(server.port, HOST, path);
        let message = "{\"message\":\"instance 7 does not exist\"}";
        assert_eq!((response.status, response.text()), (404, message));
    }
    let response = http::send(server.port, "POST", HOST, "/http_gateway/3/stop", b"").unwrap();
    assert_eq!(
        response.text(),
        "{\"message\":\"HTTP gateway 3 does not exist\"}"
    );
    server.signal("TERM");
    server.ends_cleanly();
}

#[test]
fn malformed_bodies_are_refused() {
    let server = Started::new("malformed", &[]);
    for body in [&b""[..], b"{", b"[]", b"{\"subnet_config_set\":7}"] {
        let response = http::send(server.port, "POST", HOST, "/instances", body).unwrap();
        assert_eq!(response.status, 400, "{response:?}");
        assert!(
            response.text().contains("malformed request"),
            "{response:?}"
        );
    }
    server.signal("TERM");
    server.ends_cleanly();
}
