//! Who deploys: private keys in PEM, by their file or by the name that `icp` or `dfx` knows them by.
//!
//! ```text
//! icp   $ICP_HOME, or what the system has for data of org.dfinity.icp-cli
//!       identity/identity_list.json     names, and how each key is kept
//!       identity/keys/NAME.pem          those kept in plain text
//! dfx   $DFX_CONFIG_ROOT, or the home directory
//!       .config/dfx/identity/NAME/identity.json    how the key is kept, unless in plain text
//!       .config/dfx/identity/NAME/identity.pem
//! ```
//!
//! Keys that need a password, a keyring or a device are left to the tool that has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use directories::{BaseDirs, ProjectDirs};
use ic_agent::Identity;
use ic_agent::identity::{AnonymousIdentity, BasicIdentity, Prime256v1Identity, Secp256k1Identity};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// The identity that somebody named: `anonymous`, the file of a key, or a name in `stores`.
///
/// What has a `/` in it or ends with `.pem` is a file. Otherwise names come first.
///
/// # Errors
///
/// [`Error::Io`] or [`Error::Identity`], if it is a file that cannot be read;
/// [`Error::NoIdentity`], [`Error::AmbiguousIdentity`], [`Error::LockedIdentity`] or
/// [`Error::IdentityStore`], if it is a name.
pub fn find(named: &str, stores: &Stores) -> Result<Box<dyn Identity>, Error> {
    let path = Path::new(named);
    if named == "anonymous" {
        return Ok(Box::new(AnonymousIdentity));
    }
    if named.contains(['/', '\\']) || named.ends_with(".pem") {
        return read(path);
    }
    let keys = [stores.of_icp(named)?, stores.of_dfx(named)?];
    let mut keys = keys.into_iter().flatten();
    match (keys.next(), keys.next()) {
        (Some(key), None) => key.open(named),
        (Some(one), Some(other)) => {
            let identity = one.open(named)?;
            let same = other.open(named)?.sender() == identity.sender();
            let paths = [one, other].map(|key| key.path).to_vec();
            let name = named.to_owned();
            same.then_some(identity)
                .ok_or(Error::AmbiguousIdentity { name, paths })
        }
        _ if path.is_file() => read(path),
        _ => Err(Error::NoIdentity {
            name: named.to_owned(),
            stores: [&stores.icp, &stores.dfx]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        }),
    }
}

/// Where tools keep their identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores {
    /// The directory of `icp`'s, if there can be one.
    pub icp: Option<PathBuf>,
    /// The directory of `dfx`'s, if there can be one.
    pub dfx: Option<PathBuf>,
}

impl Stores {
    /// Those of whoever runs this program.
    pub fn of_user() -> Stores {
        let variable = |name| env::var_os(name).map(PathBuf::from);
        let data = || ProjectDirs::from("org.dfinity", "", "icp-cli");
        let home = || BaseDirs::new().map(|directories| directories.home_dir().to_owned());
        let icp = variable("ICP_HOME").or_else(|| data().map(|data| data.data_dir().to_owned()));
        let dfx = variable("DFX_CONFIG_ROOT").or_else(home);
        Stores {
            icp: icp.map(|folder| folder.join("identity")),
            dfx: dfx.map(|folder| folder.join(".config/dfx/identity")),
        }
    }

    fn of_icp(&self, name: &str) -> Result<Option<Key>, Error> {
        #[derive(Deserialize)]
        struct List {
            identities: HashMap<String, Spec>,
        }
        #[derive(Deserialize)]
        struct Spec {
            kind: String,
            format: Option<String>,
        }
        let Some(store) = &self.icp else {
            return Ok(None);
        };
        let list: Option<List> = json(&store.join("identity_list.json"))?;
        let spec = list.and_then(|mut list| list.identities.remove(name));
        let kept = |spec: Spec| match (&*spec.kind, spec.format.as_deref()) {
            ("pem", Some("plaintext")) => Kept::Plain,
            ("pem", Some("pbes2")) => Kept::Encrypted,
            ("keyring", _) | ("pem", Some("keyring")) => Kept::InKeyring,
            _ => Kept::Elsewhere(spec.kind),
        };
        Ok(spec.map(|spec| Key {
            tool: "icp",
            kept: kept(spec),
            path: store.join("keys").join(format!("{name}.pem")),
        }))
    }

    fn of_dfx(&self, name: &str) -> Result<Option<Key>, Error> {
        #[derive(Default, Deserialize)]
        struct Configuration {
            hsm: Option<serde_json::Value>,
            encryption: Option<serde_json::Value>,
            keyring_identity_suffix: Option<String>,
        }
        let folder = self.dfx.as_ref().map(|store| store.join(name));
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            return Ok(None);
        };
        let configuration: Option<Configuration> = json(&folder.join("identity.json"))?;
        let configuration = configuration.unwrap_or_default();
        let kept = if configuration.hsm.is_some() {
            Kept::Elsewhere("hsm".to_owned())
        } else if configuration.keyring_identity_suffix.is_some() {
            Kept::InKeyring
        } else if configuration.encryption.is_some() {
            Kept::Encrypted
        } else {
            Kept::Plain
        };
        Ok(Some(Key {
            tool: "dfx",
            kept,
            path: folder.join("identity.pem"),
        }))
    }
}

/// A key that a tool knows.
struct Key {
    tool: &'static str,
    kept: Kept,
    /// The file it is in, if it is in a file.
    path: PathBuf,
}

/// How a tool keeps a key.
enum Kept {
    Plain,
    Encrypted,
    InKeyring,
    /// In a way that this program does not know, or that nobody can read.
    Elsewhere(String),
}

impl Key {
    fn open(&self, name: &str) -> Result<Box<dyn Identity>, Error> {
        let (kept, is_exportable) = match &self.kept {
            Kept::Plain => return read(&self.path),
            Kept::Encrypted => ("encrypted with a password".to_owned(), true),
            Kept::InKeyring => ("in the keyring of the system".to_owned(), true),
            Kept::Elsewhere(kind) => (format!("of the kind {kind}"), false),
        };
        Err(Error::LockedIdentity {
            name: name.to_owned(),
            tool: self.tool,
            kept,
            is_exportable,
        })
    }
}

/// What a file says, if there is one.
fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::reading(path, source)),
        Ok(text) => text,
    };
    let value = serde_json::from_slice(&text).map_err(|error| Error::IdentityStore {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(value))
}

/// Reads the private key in a file, whatever kind it is.
///
/// # Errors
///
/// [`Error::Io`], or [`Error::Identity`] if there is none that can be read.
pub fn read(path: &Path) -> Result<Box<dyn Identity>, Error> {
    // Once, because it may be a pipe.
    let text = fs::read(path).map_err(|source| Error::reading(path, source))?;
    let none = || Error::Identity(path.to_owned());
    let blocks = pem::parse_many(&text).map_err(|_| none())?;
    // Keys of both curves look alike but for its name, which may be in a block of its own.
    let is_on = |curve: &[u8]| {
        let mut blocks = blocks.iter();
        blocks.any(|block| {
            block
                .contents()
                .windows(curve.len())
                .any(|part| part == curve)
        })
    };
    let identity = if is_on(SECP256K1) {
        Secp256k1Identity::from_pem(&text).map(boxed)
    } else if is_on(P256) {
        Prime256v1Identity::from_pem(&text).map(boxed)
    } else {
        BasicIdentity::from_pem(&text).map(boxed)
    };
    identity.map_err(|_| none())
}

/// The names of curves, as DER: RFC 5480, section 2.1.1.1, and SEC 2, section 2.4.1.
const SECP256K1: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x0a";
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

fn boxed(identity: impl Identity + 'static) -> Box<dyn Identity> {
    Box::new(identity)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    /// PEM of a key whose secret is 32 times 7, between what is before and after it in DER.
    fn pem(label: &str, before: &[u8], after: &[u8]) -> String {
        let der = BASE64_STANDARD.encode([before, &[7; 32], after].concat());
        format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n")
    }

    fn read_text(text: &str) -> Result<Box<dyn Identity>, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    #[test]
    fn keys_of_every_kind_are_read() {
        let ed25519 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let secp256k1 = b"\xa0\x07\x06\x05\x2b\x81\x04\x00\x0a";
        let p256 = b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        let secret = [7; 32];
        let expected: [Box<dyn Identity>; 3] = [
            Box::new(BasicIdentity::from_raw_key(&secret)),
            read_text(&pem(
                "EC PRIVATE KEY",
                b"\x30\x2e\x02\x01\x01\x04\x20",
                secp256k1,
            ))
            .unwrap(),
            read_text(&pem(
                "EC PRIVATE KEY",
                b"\x30\x31\x02\x01\x01\x04\x20",
                p256,
            ))
            .unwrap(),
        ];
        let read = read_text(&pem("PRIVATE KEY", ed25519, b"")).unwrap();
        let [one, two, three] = expected.map(|identity| identity.sender().unwrap());
        assert_eq!(read.sender().unwrap(), one);
        assert!(one != two && two != three && three != one);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "anonymous",
            &pem("PRIVATE KEY", b"\x30\x2e\x02\x01", b""),
            &pem("ENCRYPTED PRIVATE KEY", b"\x30\x2e", b""),
            &pem("CERTIFICATE", b"", b""),
        ] {
            let error = read_text(text).err().expect(text);
            assert!(matches!(error, Error::Identity(_)), "{error}");
        }
    }
}
