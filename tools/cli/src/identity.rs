//! Who deploys: private keys in PEM, as `icp identity export` and `dfx identity export` print them.

use std::fs;
use std::path::Path;

use ic_agent::Identity;
use ic_agent::identity::{BasicIdentity, Prime256v1Identity, Secp256k1Identity};

use crate::Error;

/// Reads the private key in a file, whatever kind it is.
///
/// # Errors
///
/// [`Error::Io`], or [`Error::Identity`] if there is none that can be read.
pub fn read(path: &Path) -> Result<Box<dyn Identity>, Error> {
    // Once, because it may be a pipe.
    let pem = fs::read(path).map_err(|source| Error::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    if let Ok(identity) = BasicIdentity::from_pem(&pem) {
        return Ok(Box::new(identity));
    }
    if let Ok(identity) = Secp256k1Identity::from_pem(&pem) {
        return Ok(Box::new(identity));
    }
    if let Ok(identity) = Prime256v1Identity::from_pem(&pem) {
        return Ok(Box::new(identity));
    }
    Err(Error::Identity(path.to_owned()))
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
