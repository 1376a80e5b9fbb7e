//! SHA-256 that can be put away half done, and gone on with in another message or after an upgrade.

use crate::tree::Hash;
use minicbor::{Decode, Encode};
use sha2::{compress256, digest::generic_array::GenericArray};

/// A running SHA-256 (FIPS 180-4, §6.2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Digest {
    #[n(0)]
    state: [u32; 8],
    /// Bytes so far.
    #[n(1)]
    length: u64,
    /// Those of them that do not fill a block yet.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    rest: Vec<u8>,
}

const BLOCK: usize = 64;

impl Digest {
    /// Of nothing yet.
    pub(crate) const NEW: Self = Self {
        state: [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ],
        length: 0,
        rest: Vec::new(),
    };

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if !self.rest.is_empty() {
            let missing = (BLOCK - self.rest.len()).min(bytes.len());
            let (head, tail) = bytes.split_at(missing);
            self.rest.extend_from_slice(head);
            bytes = tail;
            if self.rest.len() < BLOCK {
                return;
            }
            compress(&mut self.state, &self.rest);
            self.rest.clear();
        }
        let whole = bytes.len() - bytes.len() % BLOCK;
        let (blocks, rest) = bytes.split_at(whole);
        compress(&mut self.state, blocks);
        self.rest.extend_from_slice(rest);
    }

    pub(crate) fn finish(mut self) -> Hash {
        let bits = self.length * 8;
        self.update(&[0x80]);
        let zeros = (2 * BLOCK - 8 - self.rest.len()) % BLOCK;
        self.update(&[0; BLOCK][..zeros]);
        self.update(&bits.to_be_bytes());
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        hash
    }
}

fn compress(state: &mut [u32; 8], blocks: &[u8]) {
    for block in blocks.chunks_exact(BLOCK) {
        compress256(state, &[*GenericArray::from_slice(block)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{from_cbor, to_cbor};
    use proptest::prelude::*;
    use sha2::Sha256;

    proptest! {
        #[test]
        fn is_sha_256_however_it_is_cut(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
            let mut digest = Digest::NEW;
            for piece in &pieces {
                digest.update(piece);
                digest = from_cbor(&to_cbor(&digest)).unwrap();
            }
            let whole: Hash = <Sha256 as sha2::Digest>::digest(pieces.concat()).into();
            prop_assert_eq!(digest.finish(), whole);
        }
    }
}
