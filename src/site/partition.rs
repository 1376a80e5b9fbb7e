//! How a large body is cut into the parts that it is answered in.
//!
//! ```text
//! 0          first        first + PART      first + 2 · PART    length
//! ├─ shorter ──┼────── PART ──────┼────── PART ───────┼── rest ──┤
//! ```
//!
//! How much shorter the first part is depends on the content, and so does where every other begins: the request for a
//! part, which names its first byte only, says of which content it is a part, unless there is very much of it. The
//! boundaries are certified, and are the same however the body was uploaded.

use crate::tree::Hash;
use minicbor::{Decode, Encode};
use std::ops::Range;

/// Bytes of one part of a large body at most. What a message can carry is a little more.
pub const PART: u64 = 1_900_000;

/// Bytes up to which the parts of a body begin where its content says. Those are hashed when the answers are derived,
/// which for larger bodies one message has no room for: the parts of those begin at multiples of [`PART`], as chunks do,
/// which are hashed already.
pub(crate) const SHIFTED: u64 = 200_000_000;

/// The parts of a body: one, if it has [`PART`] bytes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Partition {
    #[n(0)]
    length: u64,
    /// Bytes of the first part, unless there are fewer.
    #[n(1)]
    first: u64,
}

impl Partition {
    /// The parts of a body with this SHA-256, and so many bytes.
    pub(crate) fn of(sha256: &Hash, length: u64) -> Self {
        let shift = u16::from_be_bytes([sha256[0], sha256[1]]);
        let is_shifted = length > PART && length <= SHIFTED;
        Self {
            length,
            first: if is_shifted {
                PART - u64::from(shift)
            } else {
                PART
            },
        }
    }

    /// Bytes of the body.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// How many parts there are; one of nothing, if the body is empty.
    pub(crate) fn count(&self) -> u64 {
        self.number_at(self.length.saturating_sub(1)) + 1
    }

    /// The bytes of a part.
    pub(crate) fn range(&self, number: u64) -> Range<u64> {
        let end = self.first + number * PART;
        end.saturating_sub(PART)..end.min(self.length)
    }

    /// The bytes of all parts, in order.
    pub(crate) fn ranges(self) -> impl Iterator<Item = Range<u64>> {
        (0..self.count()).map(move |number| self.range(number))
    }

    /// The number of the part that a byte is in.
    pub(crate) fn number_at(&self, byte: u64) -> u64 {
        (byte + PART - self.first) / PART
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_all_of_a_body(
            sha256 in any::<Hash>(),
            length in prop_oneof![0..4 * PART, SHIFTED - 2..SHIFTED + 3, PART - 2..PART + 2],
        ) {
            let partition = Partition::of(&sha256, length);
            let mut end = 0;
            for (number, range) in (0..).zip(partition.ranges()) {
                prop_assert_eq!(range.start, end);
                prop_assert!(range.end - range.start <= PART);
                prop_assert!(!range.is_empty() || length == 0);
                if !range.is_empty() {
                    prop_assert_eq!(partition.number_at(range.start), number);
                    prop_assert_eq!(partition.number_at(range.end - 1), number);
                }
                end = range.end;
            }
            prop_assert_eq!(end, length);
            prop_assert_eq!(partition.count() == 1, length <= PART);
        }
    }

    #[test]
    fn the_first_part_is_as_the_content_says() {
        let sha256 = [0x01; 32];
        let of = |length| Partition::of(&sha256, length).range(0).end;
        assert_eq!(of(PART), PART);
        assert_eq!(of(PART + 1), PART - 0x0101);
        assert_eq!(of(SHIFTED), PART - 0x0101);
        assert_eq!(of(SHIFTED + 1), PART);
    }
}
