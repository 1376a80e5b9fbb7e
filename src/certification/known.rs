//! SHA-256 of short byte strings that nearly all answers have in common, so that they are never computed.

use crate::tree::Hash;
use sha2::{Digest, Sha256};

/// SHA-256, from the table if it is there.
pub(crate) fn digest(bytes: &[u8]) -> Hash {
    match KNOWN.iter().find(|(known, _)| *known == bytes) {
        Some((_, hash)) => *hash,
        None => Sha256::digest(bytes).into(),
    }
}

/// Names and values of fields, and the statuses 200, 206, 304 and 404 as LEB128.
const KNOWN: [(&[u8], Hash); 22] = [
    (
        b"",
        hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ),
    (
        b":ic-cert-method",
        hex("1862dcb646e7ff3aec3d4b09f7f00eee219cfb4ef6023197ad6e17dca2754c11"),
    ),
    (
        b":ic-cert-status",
        hex("9aadf26c5ea6fcbfc71217db33b7fb4789a02ce5ef1974c636e3fd0bf945273b"),
    ),
    (
        b"GET",
        hex("14e30cd163c732912e048c4c837e15c4e90c062ebb795ab947d57706e2d10dd8"),
    ),
    (
        b"accept-encoding",
        hex("379fadc6c8b7f42beec1600788c502bee321e6e2b39ddb1cdfc5abe991c960c3"),
    ),
    (
        b"cache-control",
        hex("73b42ef9ea4d65153f9abcddee4afd9da03759c701773dc17bb7b733ee6cbce9"),
    ),
    (
        b"content-encoding",
        hex("59826f32d350d23630eaecd81a64f806da76f086fecac6c7c9bd2fe1a91c1a8a"),
    ),
    (
        b"content-length",
        hex("67853e7f375520a3fdf6629db771eb31fc8af955236085281d1d4f857b374108"),
    ),
    (
        b"content-range",
        hex("a38d63c07bbcf1e6b31aaf805b5d3efb0d484af25ef8780ba9e3f0306f0e0f30"),
    ),
    (
        b"content-type",
        hex("846b3a9229ce9875e7c7ade3e7361fab0c4e38d5bb471de2773ee121692b2b3d"),
    ),
    (
        b"etag",
        hex("fcaec3a55087c997f24ba2a70383ed9b7607fd85f0ae2e0dccb5ec094c75f009"),
    ),
    (
        b"gzip",
        hex("c8d77bf4d8b1a10dd67a283d0c82bd96c9d5609860f84d7fc77692a36ab9b4c2"),
    ),
    (
        b"ic-certificateexpression",
        hex("b43fff618e977bd0700e349ac74dc0649ce536e673cde7192416487d408294af"),
    ),
    (
        b"if-none-match",
        hex("a31f8195b02d3c42ceb75621ad5d652056d73fe80c086d5b6d49d880f43d42b4"),
    ),
    (
        b"range",
        hex("2269c0be009b610cfdbb8cfe9253ad37cf95062fb3f5a7560268ff259ea9f087"),
    ),
    (
        b"set-cookie",
        hex("7d7543f35eccb70a61c087904ef65c1bf0badcc59d7306620c620db90651f82b"),
    ),
    (
        b"text/html",
        hex("bb4770ff4ac5b7d2be41a088cb27d8bcaad53b574b6f27941e8e48e9e10fc25a"),
    ),
    (
        b"vary",
        hex("8f289b828ab9b83eec66058983947ae4643ae3b9046591417da5248dd6325c2e"),
    ),
    (
        b"\xc8\x01",
        hex("912cfe4f5305e8d3d50b69d3bd5d77833e2e1b374030ff6fa471c9ecd1fc4006"),
    ),
    (
        b"\xce\x01",
        hex("304d30962dcf91dcdd6527c30560553d76a522579227eaa32568a0587d057673"),
    ),
    (
        b"\xb0\x02",
        hex("944e63bf90ea3bdaf95ae2c35787a51f132205f9e8240d635413a3aa2c3026a9"),
    ),
    (
        b"\x94\x03",
        hex("4d3aa32937e437998ff685218074bd0fe141c8488077fe3a40aea7f08e99bb65"),
    ),
];

const fn hex(digits: &str) -> Hash {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'a'..=b'f' => digit - b'a' + 10,
            _ => digit - b'0',
        }
    }
    let digits = digits.as_bytes();
    let mut hash = [0; 32];
    let mut at = 0;
    while at < 32 {
        hash[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_the_truth() {
        for (bytes, hash) in KNOWN {
            assert_eq!(hash, <Hash>::from(Sha256::digest(bytes)), "{bytes:?}");
        }
    }
}
