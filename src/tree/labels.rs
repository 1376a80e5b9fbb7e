//! Label paths, and their order bit by bit.
//!
//! A leaf of a hash tree is named by the labels on the way to it. To branch on single bits without losing the
//! order of labels, a path is read as one bit string: each byte of a label is a 1 and its eight bits, most
//! significant first, and each label ends with a 0.
//!
//! ```text
//! ["a", ""]   →   1 01100001  0   0
//!                 └── 'a' ──┘ end end
//! ```
//!
//! This code is prefix-free, and its order is the lexicographic order of label lists, for empty labels, for
//! labels that are prefixes of others, and for any bytes in them.

use super::TreeError;
use std::{cmp::Ordering, fmt};

/// A path of labels from the root of a tree.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// A bit in the bit string of a path: label, byte in the label, bit in the byte. Bit 0 tells whether the label
/// goes on, bits 1 to 8 are those of the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(pub(super) u32);

/// How two paths relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Equal,
    /// One goes on where the other ends.
    Prefix,
    At(Position),
}

/// Labels that a path in a tree may have.
pub(super) const MAX_LABELS: usize = (1 << 12) - 1;
/// Bytes that a label in a tree may have.
pub(super) const MAX_LABEL: usize = (1 << 16) - 1;

impl Labels {
    /// The empty path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a label.
    pub fn push(&mut self, label: &[u8]) {
        self.bytes.extend_from_slice(label);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The same path with one more label.
    #[must_use]
    pub fn with(mut self, label: &[u8]) -> Self {
        self.push(label);
        self
    }

    /// The path cut after its first `count` labels.
    pub fn truncate(&mut self, count: usize) {
        if count < self.ends.len() {
            self.ends.truncate(count);
            self.bytes.truncate(self.start(count));
        }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True for the path of the root.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One label.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        Some(&self.bytes[self.start(index)..end])
    }

    /// The labels from the root on.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// True if `self` begins with all of `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.ends.starts_with(&prefix.ends) && self.bytes.starts_with(&prefix.bytes)
    }

    /// This path continued by another.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        other.iter().for_each(|label| joined.push(label));
        joined
    }

    /// Whether every label has a [`Position`] in a tree.
    pub(super) fn check_size(&self) -> Result<(), TreeError> {
        let labels = self.len();
        if labels > MAX_LABELS || self.iter().any(|label| label.len() > MAX_LABEL) {
            return Err(TreeError::TooLong { labels });
        }
        Ok(())
    }

    fn start(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        }
    }

    /// The bit at a position; 0 past the end.
    pub(super) fn bit(&self, position: Position) -> bool {
        let Some(label) = self.get(position.label()) else {
            return false;
        };
        let byte = label.get(position.byte());
        match position.bit() {
            0 => byte.is_some(),
            bit => byte.is_some_and(|byte| byte >> (8 - bit) & 1 == 1),
        }
    }

    /// Where two paths part.
    pub(super) fn difference(&self, other: &Self) -> Difference {
        for index in 0.. {
            match (self.get(index), other.get(index)) {
                (None, None) => return Difference::Equal,
                (None, Some(_)) | (Some(_), None) => return Difference::Prefix,
                (Some(a), Some(b)) if a == b => {}
                (Some(a), Some(b)) => {
                    let byte = a.iter().zip(b).take_while(|(a, b)| a == b).count();
                    let bit = match (a.get(byte), b.get(byte)) {
                        (Some(a), Some(b)) => 1 + (a ^ b).leading_zeros(),
                        _ => 0,
                    };
                    return Difference::At(Position::new(index, byte, bit));
                }
            }
        }
        Difference::Equal
    }

    /// As stored: each label after its length.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 2 * self.len());
        for label in self.iter() {
            bytes.extend_from_slice(&(label.len() as u16).to_le_bytes());
            bytes.extend_from_slice(label);
        }
        bytes
    }

    pub(super) fn decode(mut stored: &[u8]) -> Self {
        let mut labels = Self::new();
        while let Some((length, rest)) = stored.split_first_chunk::<2>() {
            let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
            let (label, rest) = rest.split_at(length);
            labels.push(label);
            stored = rest;
        }
        labels
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for Labels {
    fn from_iter<I: IntoIterator<Item = L>>(labels: I) -> Self {
        let mut path = Self::new();
        for label in labels {
            path.push(label.as_ref());
        }
        path
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.iter() {
            match std::str::from_utf8(label) {
                Ok(text) => write!(f, "/{text}")?,
                Err(_) => {
                    f.write_str("/0x")?;
                    label.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Position {
    fn new(label: usize, byte: usize, bit: u32) -> Self {
        debug_assert!(label <= MAX_LABELS && byte <= MAX_LABEL);
        Self((label as u32) << 20 | (byte as u32) << 4 | bit)
    }

    /// The same bit of a path that `labels` more labels lead to.
    pub(super) fn below(self, labels: usize) -> Self {
        Self(self.0 + ((labels as u32) << 20))
    }

    /// The label it lies in, which tells the directory that a fork here belongs to.
    pub(super) fn label(self) -> usize {
        (self.0 >> 20) as usize
    }

    fn byte(self) -> usize {
        (self.0 >> 4) as usize & MAX_LABEL
    }

    fn bit(self) -> u32 {
        self.0 & 15
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0xff), Just(b'a')];
        prop::collection::vec(prop::collection::vec(byte, 0..4), 1..4)
    }

    proptest! {
        #[test]
        fn the_first_different_bit_tells_the_order(a in labels(), b in labels()) {
            let (x, y): (Labels, Labels) = (a.iter().collect(), b.iter().collect());
            match x.difference(&y) {
                Difference::Equal => prop_assert_eq!(a, b),
                Difference::Prefix => prop_assert!(a.starts_with(&b) || b.starts_with(&a)),
                Difference::At(position) => {
                    prop_assert_ne!(x.bit(position), y.bit(position));
                    prop_assert_eq!(a < b, y.bit(position));
                }
            }
        }

        #[test]
        fn stored_paths_are_read_back(a in labels(), keep in 0usize..4) {
            let mut path: Labels = a.iter().collect();
            prop_assert_eq!(&Labels::decode(&path.encode()), &path);
            let whole = path.clone();
            path.truncate(keep);
            prop_assert_eq!(&path, &a.iter().take(keep).collect::<Labels>());
            prop_assert!(whole.starts_with(&path));
        }
    }
}
