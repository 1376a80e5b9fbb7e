//! What a canister serves beside its site: for a while, the later parts of large content that was replaced, so that
//! downloads that have begun end.
//!
//! Nobody is answered otherwise because of them: a part answers only whoever asks for it by its first byte, which is
//! not that of any other part. The canister shows them all and says which bytes they begin at; without them its tree must
//! be the site's.
//!
//! ```text
//! "http_expr" ─┬─ "film.mp4" ─ "<$>" ─┬─ ░░                     the site's: pruned
//!              │                      └─ range ─ part           beside it: taken away
//!              ├─ "gone.mp4" ─ "<$>" ─┬─ range ─ part
//!              │                      └─ answer                 what the wildcard says: taken away
//!              └─ "<*>" ─ answer                                the site's
//! ```
//!
//! The site's own tree is honest, as far as its hash is known for that. So what is left when all else is taken away
//! must prove that the site has nothing at these places, and, with labels in order, nothing is found in the whole that is
//! in neither, and nothing is hidden.

use std::collections::BTreeSet;
use std::fmt;

use ic_certification::hash_tree::{SubtreeLookupResult, empty, fork, label, leaf, pruned};
use ic_certification::{HashTree, HashTreeNode as Node, Label};
use ic_hallmark::certification::{Expression, range_request_hash};

use super::chain::Reason;
use super::log::Hash;

/// Labels of an answer below its place: expression, request, response.
const BELOW: usize = 3;

/// A site, and what is served beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The hash of everything that the site answers.
    pub site_hash: Hash,
    /// How many parts of what was replaced there are.
    pub parts: usize,
}

type Path = Vec<Vec<u8>>;

impl Beside {
    /// Tells apart what is below `http_expr`. What is beside the site are parts with these first bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::NotBeside`].
    pub fn of(answers: HashTree, first_bytes: &[u64]) -> Result<Beside, Reason> {
        let is_later = |first: &&u64| **first > 0;
        let requests: BTreeSet<Hash> = first_bytes
            .iter()
            .filter(is_later)
            .map(|first| range_request_hash(&format!("bytes={first}-")))
            .collect();
        let (mut parts, mut repeated) = (BTreeSet::new(), BTreeSet::new());
        for path in answers.list_paths().into_iter().map(bytes) {
            match path.split_last_chunk::<BELOW>() {
                Some((_, [expression, request, _])) if expression == Expression::Range.hash() => {
                    if !requests.contains(&request[..]) {
                        return Err(not_beside(&path));
                    }
                    parts.insert(path);
                }
                Some((place, _)) if place.last().is_some_and(|label| label == WILDCARD) => {}
                Some(_) => {
                    repeated.insert(path);
                }
                None => return Err(not_beside(&path)),
            }
        }
        let node = Node::from(answers);
        if let Some(path) = out_of_order(&node, &mut Vec::new()) {
            return Err(not_beside(&path));
        }
        let beside = &parts | &repeated;
        let site = without(node, &mut Vec::new(), &beside).ok_or(Reason::HashNotShown)?;
        for path in &parts {
            if !is_absent(&site, &path[..path.len() - 1]) {
                return Err(not_beside(path));
            }
        }
        for path in &repeated {
            let (place, answer) = path.split_at(path.len() - BELOW);
            if !is_absent(&site, place) || !is_of_wildcard(&site, place, answer) {
                return Err(not_beside(path));
            }
        }
        Ok(Beside {
            site_hash: site.digest(),
            parts: parts.len(),
        })
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.site_hash))?;
        match self.parts {
            0 => Ok(()),
            1 => f.write_str(", beside a part of what was replaced"),
            parts => write!(f, ", beside {parts} parts of what was replaced"),
        }
    }
}

const WILDCARD: &[u8] = b"<*>";

/// Whether a site is shown to have nothing there.
fn is_absent(site: &HashTree, path: &[Vec<u8>]) -> bool {
    matches!(site.lookup_subtree(path), SubtreeLookupResult::Absent)
}

/// Whether a site answers a place so by its nearest wildcard.
fn is_of_wildcard(site: &HashTree, place: &[Vec<u8>], answer: &[Vec<u8>]) -> bool {
    let wildcards = (0..place.len()).rev().map(|count| {
        let wildcard = [WILDCARD.to_vec()];
        [&place[..count], &wildcard].concat()
    });
    let nearest = wildcards.into_iter().find(|path| !is_absent(site, path));
    nearest.is_some_and(|nearest| {
        let path = [&nearest[..], answer].concat();
        matches!(site.lookup_subtree(&path), SubtreeLookupResult::Found(_))
    })
}

/// The first label that is not after the one before it.
fn out_of_order(node: &Node, above: &mut Path) -> Option<Path> {
    let mut labels: Vec<(&Label, &Node)> = Vec::new();
    labels_of(node, &mut labels);
    let mut before: Option<&[u8]> = None;
    for (label, below) in labels {
        let label = label.as_bytes();
        above.push(label.to_vec());
        if before.is_some_and(|before| before >= label) {
            return Some(above.clone());
        }
        if let Some(found) = out_of_order(below, above) {
            return Some(found);
        }
        above.pop();
        before = Some(label);
    }
    None
}

/// The labels that are shown in one directory, as they come.
fn labels_of<'n>(node: &'n Node, labels: &mut Vec<(&'n Label, &'n Node)>) {
    match node {
        Node::Fork(sides) => {
            labels_of(&sides.0, labels);
            labels_of(&sides.1, labels);
        }
        Node::Labeled(label, below) => labels.push((label, below)),
        Node::Empty() | Node::Leaf(_) | Node::Pruned(_) => {}
    }
}

/// A tree without these leaves; none if nothing is left. The tree is canonical: where one side of a fork is empty, there
/// is no fork.
fn without(node: Node, above: &mut Path, leaves: &BTreeSet<Path>) -> Option<HashTree> {
    match node {
        Node::Empty() => Some(empty()),
        Node::Pruned(hash) => Some(pruned(hash)),
        Node::Leaf(value) => (!leaves.contains(above)).then(|| leaf(value)),
        Node::Labeled(name, below) => {
            above.push(name.as_bytes().to_vec());
            let below = without(*below, above, leaves);
            above.pop();
            Some(label(name, below?))
        }
        Node::Fork(sides) => {
            let (left, right) = *sides;
            match [left, right].map(|side| without(side, above, leaves)) {
                [Some(left), Some(right)] => Some(fork(left, right)),
                [one, other] => one.or(other),
            }
        }
    }
}

fn bytes(path: Vec<Label>) -> Path {
    let labels = path.iter();
    labels.map(|label| label.as_bytes().to_vec()).collect()
}

fn not_beside(path: &[Vec<u8>]) -> Reason {
    let segments = path.iter().take_while(|label| *label != b"<$>");
    let segments = segments.map(|label| String::from_utf8_lossy(label));
    Reason::NotBeside {
        path: segments.fold(String::new(), |url, segment| url + "/" + &segment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_BYTE: u64 = 1_900_000;

    fn path(place: &[&str], expression: Expression, request: &[u8], response: u8) -> Path {
        let place = place.iter().map(|label| label.as_bytes().to_vec());
        let below = [&expression.hash()[..], request, &[response; 32]];
        place.chain(below.map(<[u8]>::to_vec)).collect()
    }

    fn answer(place: &[&str], response: u8) -> Path {
        path(place, Expression::Response, b"", response)
    }

    fn part(place: &[&str], first_byte: u64) -> Path {
        let request = range_request_hash(&format!("bytes={first_byte}-"));
        path(place, Expression::Range, &request, 0xff)
    }

    /// A tree of these leaves, in which only the paths for which `is_shown` holds are.
    fn tree(leaves: &[&Path], depth: usize, is_shown: &dyn Fn(&Path) -> bool) -> HashTree {
        let directory = match leaves {
            [] => return empty(),
            [one] if one.len() == depth => return leaf(""),
            [first, ..] => &first[depth],
        };
        let count = leaves
            .iter()
            .filter(|leaf| leaf[depth] == *directory)
            .count();
        let (those, others) = leaves.split_at(count);
        let below = tree(those, depth + 1, is_shown);
        let below = match those.iter().any(|leaf| is_shown(leaf)) {
            true => below,
            false => pruned(below.digest()),
        };
        let shown = label(directory.clone(), below);
        match others {
            [] => shown,
            others => fork(shown, tree(others, depth, is_shown)),
        }
    }

    fn sorted(mut leaves: Vec<&Path>) -> Vec<&Path> {
        leaves.sort();
        leaves
    }

    fn site() -> [Path; 4] {
        [
            answer(&["<*>"], 1),
            answer(&["app.js", "<$>"], 2),
            answer(&["dir", "<*>"], 3),
            answer(&["film.mp4", "<$>"], 4),
        ]
    }

    /// What is found of a canister that serves this beside the site.
    fn found(beside: &[Path]) -> Result<Beside, Reason> {
        let site = site();
        let leaves = sorted(site.iter().chain(beside).collect());
        let is_shown = |path: &Path| beside.contains(path) || path[path.len() - 4] == WILDCARD;
        Beside::of(tree(&leaves, 0, &is_shown), &[FIRST_BYTE])
    }

    #[test]
    fn parts_and_what_wildcards_say_are_beside_the_site() {
        let site = site();
        let site_hash = tree(&sorted(site.iter().collect()), 0, &|_| true).digest();
        let beside = [
            part(&["dir", "gone.mp4", "<$>"], FIRST_BYTE),
            answer(&["dir", "gone.mp4", "<$>"], 3),
            part(&["gone.mp4", "<$>"], FIRST_BYTE),
            answer(&["gone.mp4", "<$>"], 1),
        ];
        let parts = 2;
        assert_eq!(found(&beside), Ok(Beside { site_hash, parts }));
    }

    #[test]
    fn nothing_else_is() {
        let gone = &["gone.mp4", "<$>"];
        let plain = [0xab; 32];
        for beside in [
            // To whom does it answer?
            vec![path(gone, Expression::Range, &plain, 9)],
            vec![part(gone, FIRST_BYTE + 1)],
            vec![part(gone, 0)],
            // No wildcard says so, or none that answers there.
            vec![answer(gone, 9)],
            vec![answer(&["dir", "gone.mp4", "<$>"], 1)],
            // The site has something there.
            vec![answer(&["app.js", "<$>"], 1)],
        ] {
            let found = found(&beside);
            assert!(matches!(found, Err(Reason::NotBeside { .. })), "{beside:?}");
        }
    }

    /// A verifier that looks for `app.js` would find the label behind it first, and that it is not there.
    #[test]
    fn nothing_hides_the_site() {
        let site = site();
        let hidden = tree(&sorted(site.iter().collect()), 0, &|path| {
            path[0] == WILDCARD
        });
        for place in ["zebra.mp4", "app.js"] {
            let part = part(&[place, "<$>"], FIRST_BYTE);
            let before = fork(tree(&[&part], 0, &|_| true), hidden.clone());
            let behind = fork(pruned(hidden.digest()), tree(&[&part], 0, &|_| true));
            for answers in [before, behind] {
                let found = Beside::of(answers, &[FIRST_BYTE]);
                assert!(matches!(found, Err(Reason::NotBeside { .. })), "{place}");
            }
        }
    }
}
