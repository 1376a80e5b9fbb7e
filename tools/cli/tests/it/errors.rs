//! What the program says when it cannot: one sentence, status 2, nothing on the output.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use ic_hallmark::site::MAX_BODY;

/// Runs `hallmark serve` where it has to fail before it serves.
fn serve(directory: &Path, port: u16, canister: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .arg("serve")
        .arg(directory)
        .args(["--port", &port.to_string(), "--canister"])
        .arg(canister)
        .output()
        .unwrap()
}

/// The same, with a canister that exists and a port that is free.
fn serve_directory(directory: &Path) -> Output {
    let module = tempfile::NamedTempFile::new().unwrap();
    serve(directory, 0, module.path())
}

#[track_caller]
fn fails_with(output: &Output, message: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("error: {message}\n"));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
}

#[test]
fn a_missing_directory() {
    let parent = tempfile::tempdir().unwrap();
    let missing = parent.path().join("missing");
    let message = format!("there is no directory {}", missing.display());
    fails_with(&serve_directory(&missing), &message);
}

#[test]
fn a_file_instead_of_a_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let message = format!("{path} is not a directory; name the directory it is in");
    fails_with(&serve_directory(file.path()), &message);
}

#[test]
fn a_file_over_the_limit() {
    let site = tempfile::tempdir().unwrap();
    let large = site.path().join("film.mp4");
    // Sparse: it takes no room on the disk.
    let file = File::create(&large).unwrap();
    file.set_len(MAX_BODY + 1).unwrap();
    let size = MAX_BODY + 1;
    let message = format!(
        "{} has {size} bytes; an asset may have {MAX_BODY}",
        large.display()
    );
    fails_with(&serve_directory(site.path()), &message);
}

#[test]
fn rules_that_are_none() {
    let site = tempfile::tempdir().unwrap();
    let rules = site.path().join(".ic-assets.json5");
    fs::write(&rules, "[\n  { match: '*', redirect: '/' },\n]").unwrap();
    let message = format!(
        "there are no rules in {}: unknown field `redirect`, expected one of `match`, `cache`, \
         `headers`, `ignore`, `enable_aliasing`, `allow_raw_access`, `encodings`, \
         `security_policy`, `disable_security_policy_warning`, in line 2, column 17",
        rules.display()
    );
    fails_with(&serve_directory(site.path()), &message);

    let other = site.path().join(".ic-assets.json");
    fs::write(&other, "[]").unwrap();
    let message = format!(
        "{} has both .ic-assets.json5 and .ic-assets.json; keep one",
        site.path().display()
    );
    fails_with(&serve_directory(site.path()), &message);

    fs::remove_file(&other).unwrap();
    fs::write(&rules, "[{ match: '*', security_policy: 'hardened' }]").unwrap();
    fs::write(site.path().join("a"), "").unwrap();
    let message = "rules say \"hardened\" of 1 asset, such as /a, without a header of its own; add \
                   headers, or say \"standard\"";
    fails_with(&serve_directory(site.path()), message);
}

#[test]
fn what_was_typed_wrong() {
    let id = "ryjl3-tyaaa-aaaaa-aaaba-cai";
    let long = "n".repeat(1_001);
    let deploy = ["deploy", ".", "--network", "local"];
    let with = |arguments: &[&'static str]| [&deploy[..], arguments].concat();
    for (arguments, reason) in [
        (with(&["--canister", "site"]), "it is no id of a canister"),
        (
            with(&["--canister", "aaaaa-aa"]),
            "it is not the id of a canister",
        ),
        (
            vec!["rollback", "one", "--canister", id],
            "it is no number; `hallmark releases` lists those that there are",
        ),
        (
            vec!["log", "--canister", id, "--limit", "0"],
            "0 is not in 1..=",
        ),
        (
            [&with(&["--canister", id, "--note"])[..], &[&long]].concat(),
            "it has 1001 bytes, and the log of a canister takes 1000",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hallmark"))
            .args(&arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(reason), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(output.stdout, b"");
    }
}

#[test]
fn a_name_that_no_canister_takes() {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("<*>"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .arg("hash")
        .arg(site.path())
        .output()
        .unwrap();
    let message = "no canister could hold this: invalid key \"/<*>\": no segment may be <$> or <*>";
    fails_with(&output, message);
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_nothing() {
    let site = tempfile::tempdir().unwrap();
    let mut hash = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    hash.arg("hash").arg(site.path());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = hash.stdout(full).output().unwrap();
    let reason = std::io::Error::from_raw_os_error(28);
    fails_with(&output, &format!("cannot write the output: {reason}"));
    // Nobody there to read it, or to be told, is no failure.
    let nobody = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let status = hash.stdout(nobody()).stderr(nobody()).status().unwrap();
    assert!(status.success());
    let missing = site.path().join("missing");
    let mut hash = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    hash.arg("hash").arg(missing).stderr(nobody());
    assert_eq!(hash.status().unwrap().code(), Some(2));
}

#[test]
fn a_busy_port() {
    let site = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let message = format!(
        "port {port} is taken by another program; choose one with --port, or let --port 0 find one"
    );
    let module = tempfile::NamedTempFile::new().unwrap();
    fails_with(&serve(site.path(), port, module.path()), &message);
}

#[test]
fn a_missing_canister() {
    let site = tempfile::tempdir().unwrap();
    let missing = site.path().join("assets.wasm.gz");
    let output = serve(site.path(), 0, &missing);
    let reason = fs::read(&missing).unwrap_err();
    fails_with(
        &output,
        &format!("cannot read {}: {reason}", missing.display()),
    );
}

#[test]
fn a_canister_that_is_none() {
    let site = tempfile::tempdir().unwrap();
    let output = serve_directory(site.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("error: cannot install the canister "),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
