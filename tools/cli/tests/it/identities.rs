//! Identities by name: as the genuine `icp` has written them, and as `dfx` does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hallmark::Error;
use hallmark::identity::{Stores, find};

use super::desk::{Desk, succeeds};
use super::network::Network;

/// A home with identities of `icp`'s and `dfx`'s.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn stores(&self) -> Stores {
        Stores {
            icp: Some(self.path("icp/identity")),
            dfx: Some(self.path("dfx")),
        }
    }

    /// Runs `icp`, and returns what it printed.
    fn icp(&self, arguments: &[&str]) -> String {
        let icp =
            env::var_os("ICP_BIN").expect("ICP_BIN names no `icp`; `cargo xtask test` fetches one");
        let output = Command::new(icp)
            .args(arguments)
            .current_dir(self.0.path())
            .env("ICP_HOME", self.path("icp"))
            .env("DO_NOT_TRACK", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "icp {arguments:?}: {output:#?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn principal(&self, named: &str) -> Result<String, Error> {
        let identity = find(named, &self.stores())?;
        Ok(identity.sender().unwrap().to_text())
    }

    #[track_caller]
    fn fails_with(&self, named: &str, message: &str) {
        let said = self.principal(named).unwrap_err().to_string();
        assert!(said.contains(message), "{said}\nis not\n{message}");
    }
}

#[test]
fn plain_identities_of_icp_are_found_by_their_names() {
    let home = Home::new();
    home.icp(&["identity", "new", "made", "--storage", "plaintext"]);
    let exported = home.icp(&["identity", "export", "made"]);
    let made = home.icp(&["identity", "principal", "--identity", "made"]);
    assert_eq!(home.principal("made").unwrap(), made);
    let file = home.write("exported", &exported);
    assert_eq!(home.principal(file.to_str().unwrap()).unwrap(), made);

    // Ed25519 and P-256; icp writes them in its own way.
    let mut known = vec![made];
    for curve in ["ed25519", "prime256v1"] {
        let phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        let seed = home.write("seed", phrase);
        let seed = seed.to_str().unwrap();
        let from = ["--from-seed-file", seed, "--seed-curve", curve];
        let import = [
            &["identity", "import", curve, "--storage", "plaintext"][..],
            &from,
        ];
        home.icp(&import.concat());
        let principal = home.icp(&["identity", "principal", "--identity", curve]);
        assert_eq!(home.principal(curve).unwrap(), principal);
        assert!(!known.contains(&principal));
        known.push(principal);
    }
}

#[test]
fn an_identity_that_icp_has_encrypted_is_left_to_it() {
    let home = Home::new();
    let password = home.write("password", "correct horse");
    let password = ["--storage-password-file", password.to_str().unwrap()];
    let new = [
        &["identity", "new", "safe", "--storage", "password"][..],
        &password,
    ];
    home.icp(&new.concat());
    home.fails_with(
        "safe",
        "the key of safe is encrypted with a password, where only icp gets at it; run \
         `icp identity export safe > safe.pem` and deploy with --identity safe.pem",
    );
}

#[test]
fn identities_of_icp_that_are_no_files_are_left_to_it() {
    let home = Home::new();
    home.write(
        "icp/identity/identity_list.json",
        r#"{ "v": 1, "identities": {
            "ring": { "kind": "keyring", "algorithm": "secp256k1", "principal": "2vxsx-fae" },
            "stick": { "kind": "hsm", "principal": "2vxsx-fae" }
        } }"#,
    );
    home.fails_with(
        "ring",
        "in the keyring of the system, where only icp gets at it",
    );
    home.fails_with(
        "stick",
        "the key of stick is of the kind hsm, which icp cannot export",
    );
    let list = home.write("icp/identity/identity_list.json", "{");
    home.fails_with(
        "ring",
        &format!("cannot read the identities in {}: ", list.display()),
    );
}

#[test]
fn identities_of_dfx_are_found_by_their_names() {
    let home = Home::new();
    home.icp(&["identity", "new", "both", "--storage", "plaintext"]);
    let pem = home.icp(&["identity", "export", "both"]);
    let principal = home.principal("both").unwrap();

    home.write("dfx/plain/identity.pem", &pem);
    assert_eq!(home.principal("plain").unwrap(), principal);
    let nothing = r#"{ "hsm": null, "encryption": null, "keyring_identity_suffix": null }"#;
    home.write("dfx/plain/identity.json", nothing);
    assert_eq!(home.principal("plain").unwrap(), principal);

    for (configuration, message) in [
        (
            r#"{ "encryption": { "pw_salt": "00", "file_nonce": [1] } }"#,
            "encrypted with a password, where only dfx gets at it; run `dfx identity export kept",
        ),
        (
            r#"{ "keyring_identity_suffix": "kept" }"#,
            "in the keyring of the system, where only dfx gets at it",
        ),
        (
            r#"{ "hsm": { "pkcs11_lib_path": "x", "key_id": "y" } }"#,
            "of the kind hsm, which dfx cannot export",
        ),
    ] {
        home.write("dfx/kept/identity.json", configuration);
        home.fails_with("kept", message);
    }

    // Known to both tools: the same key, and then another.
    home.write("dfx/both/identity.pem", &pem);
    assert_eq!(home.principal("both").unwrap(), principal);
    home.icp(&["identity", "new", "other", "--storage", "plaintext"]);
    home.write(
        "dfx/both/identity.pem",
        &home.icp(&["identity", "export", "other"]),
    );
    home.fails_with(
        "both",
        "there are several identities both; name one by its file: ",
    );
}

#[test]
fn what_nobody_knows_is_told_with_where_it_was_looked_for() {
    let home = Home::new();
    let [icp, dfx] = ["icp/identity", "dfx"].map(|store| home.path(store));
    home.fails_with(
        "nobody",
        &format!(
            "there is no identity nobody: no file of this name, and nothing in {} or {}",
            icp.display(),
            dfx.display()
        ),
    );
    assert_eq!(home.principal("anonymous").unwrap(), "2vxsx-fae");
    let missing = Path::new("./nobody");
    let error = home.principal(missing.to_str().unwrap()).unwrap_err();
    assert!(matches!(error, Error::Io { path, .. } if path == missing));
}

#[test]
fn the_program_looks_where_the_tools_do() {
    let (network, desk) = (Network::start(), Desk::new());
    let home = desk.home().join(".config/dfx/identity/deployer");
    fs::create_dir_all(&home).unwrap();
    fs::copy(desk.key(), home.join("identity.pem")).unwrap();
    let arguments = ["--identity", "deployer"];
    let url = network.url();
    succeeds(&desk.deploy(&network.canister.to_text(), &url, &arguments));
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");
}
