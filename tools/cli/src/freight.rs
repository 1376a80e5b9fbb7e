//! What a plan has to upload: bodies, cut into pieces, packed into parcels. Nothing is sent here.
//!
//! ```text
//! bodies    aaaaaaaaaaaaaaaa  bbb  bbb  ccccc        what the plan sets
//! pieces    aaaaaaaa aaaaaaaa  bbb       ccccc       1.9 MB at most; each once, where chunks may be shared
//! parcels  [aaaaaaaa][aaaaaaaa][bbb ccccc]           one call each
//! ```
//!
//! A piece is known by its SHA-256: by that, what is there already is found.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::plan::{Change, Plan};

/// Bytes of content that one call carries; messages end at 2 MiB. Also where large bodies
/// are cut.
pub const MAX_CHUNK: usize = 1_900_000;
/// Chunks that one call carries, however small.
const MAX_CHUNKS: usize = 1_000;

/// What has to be uploaded.
#[derive(Debug)]
pub struct Freight<'a> {
    pieces: Vec<Piece<'a>>,
    contents: HashMap<usize, Vec<usize>>,
}

/// What one chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// A body, or a part of one.
    pub bytes: &'a [u8],
}

impl<'a> Freight<'a> {
    /// The bodies that `plan` sets. If `is_shared`, chunks outlive their use, and bytes that
    /// occur twice are one piece.
    pub fn new(plan: &Plan<'a>, is_shared: bool) -> Freight<'a> {
        let mut freight = Freight {
            pieces: Vec::new(),
            contents: HashMap::new(),
        };
        let mut known = HashMap::new();
        for (place, change) in plan.changes.iter().enumerate() {
            let Change::Set { encoding, .. } = *change else {
                continue;
            };
            let is_whole = encoding.body.len() <= MAX_CHUNK;
            let content = pieces(&encoding.body).map(|bytes| {
                let sha256 = match is_whole {
                    true => encoding.sha256,
                    false => Sha256::digest(bytes).into(),
                };
                let new = freight.pieces.len();
                let index = match is_shared {
                    true => *known.entry(sha256).or_insert(new),
                    false => new,
                };
                if index == new {
                    freight.pieces.push(Piece { sha256, bytes });
                }
                index
            });
            let content = content.collect();
            freight.contents.insert(place, content);
        }
        freight
    }

    /// All pieces, in the order in which they are needed.
    pub fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// The pieces, by number, that make up what the change at this place of the plan sets.
    pub fn content(&self, place: usize) -> &[usize] {
        self.contents.get(&place).map_or(&[], Vec::as_slice)
    }

    /// The bytes of all pieces.
    pub fn bytes(&self) -> u64 {
        self.pieces
            .iter()
            .map(|piece| piece.bytes.len() as u64)
            .sum()
    }

    /// The pieces that are missing, by number, packed into calls in order.
    pub fn parcels(&self, is_missing: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
        let mut parcels: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for (number, piece) in self.pieces.iter().enumerate() {
            if !is_missing(number) {
                continue;
            }
            let length = piece.bytes.len();
            match parcels.last_mut() {
                Some(parcel) if length <= room && parcel.len() < MAX_CHUNKS => {
                    parcel.push(number);
                    room -= length;
                }
                _ => {
                    parcels.push(vec![number]);
                    room = MAX_CHUNK - length;
                }
            }
        }
        parcels
    }
}

/// A body cut where chunks end. An empty body is one empty piece: content needs a chunk.
fn pieces(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = body.is_empty().then_some(body);
    empty.into_iter().chain(body.chunks(MAX_CHUNK))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::content::Asset;

    fn asset(key: &str, body: Vec<u8>) -> Arc<Asset> {
        Arc::new(Asset::new(key, body))
    }

    /// Lengths of the pieces in each parcel.
    fn lengths(freight: &Freight<'_>, parcels: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let length = |number: &usize| freight.pieces[*number].bytes.len();
        let parcels = parcels.iter();
        parcels
            .map(|parcel| parcel.iter().map(length).collect())
            .collect()
    }

    #[test]
    fn bodies_are_cut_and_packed_in_order() {
        let site = [
            asset("/a.png", vec![1; 2 * MAX_CHUNK + 5]),
            asset("/b.png", vec![2; 7]),
            asset("/c.png", vec![]),
            asset("/d.png", vec![3; MAX_CHUNK]),
        ];
        let plan = Plan::new(&site, &[]);
        let freight = Freight::new(&plan, false);
        let expected = [
            vec![MAX_CHUNK],
            vec![MAX_CHUNK],
            vec![5, 7, 0],
            vec![MAX_CHUNK],
        ];
        assert_eq!(lengths(&freight, &freight.parcels(|_| true)), expected);
        // What is there already leaves room for others.
        let parcels = freight.parcels(|number| number > 0 && number != 2);
        let expected = [vec![MAX_CHUNK], vec![7, 0], vec![MAX_CHUNK]];
        assert_eq!(lengths(&freight, &parcels), expected);
        for piece in freight.pieces() {
            assert_eq!(piece.sha256[..], Sha256::digest(piece.bytes)[..]);
        }
    }

    #[test]
    fn the_same_bytes_are_sent_once_where_chunks_are_shared() {
        let film = vec![7; MAX_CHUNK + 1];
        let site = [
            asset("/a.png", b"same".to_vec()),
            asset("/b.mp4", film.clone()),
            asset("/c.png", b"same".to_vec()),
            asset("/d.mp4", film),
        ];
        let plan = Plan::new(&site, &[]);
        for (is_shared, count, bytes) in [(false, 6, 2 * MAX_CHUNK + 10), (true, 3, MAX_CHUNK + 5)]
        {
            let freight = Freight::new(&plan, is_shared);
            assert_eq!(freight.pieces().len(), count);
            assert_eq!(freight.bytes(), bytes as u64);
            for (place, change) in plan.changes.iter().enumerate() {
                let pieces = freight.content(place).iter();
                let body = pieces.flat_map(|piece| freight.pieces()[*piece].bytes);
                match change {
                    Change::Set { encoding, .. } => assert!(body.eq(&encoding.body)),
                    _ => assert_eq!(body.count(), 0),
                }
            }
        }
    }

    #[test]
    fn many_small_pieces_take_several_calls() {
        let site: Vec<_> = (0..2_500)
            .map(|i| asset(&format!("/{i}.png"), vec![1]))
            .collect();
        let plan = Plan::new(&site, &[]);
        let parcels = Freight::new(&plan, false).parcels(|_| true);
        let lengths = parcels.iter().map(Vec::len);
        assert!(lengths.eq([1_000, 1_000, 500]));
    }
}
