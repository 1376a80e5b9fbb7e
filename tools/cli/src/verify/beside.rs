//! What a canister serves beside its site: for a while, the later parts of large content that was replaced, so that
//! downloads that have begun end.
//!
//! Nobody is answered otherwise because of them: a part answers only whoever asks for it by its first byte, which is
//! not that of any other part. The canister shows them all, and without them its tree must be the site's.
//!
//! ```text
//! "http_expr" ─┬─ "film.mp4" ─ "<$>" ─┬─ ░░                     the site's: pruned
//!              │                      └─ range ─ part           beside it: taken away
//!              ├─ "gone.mp4" ─ "<$>" ─┬─ range ─ part
//!              │                      └─ answer                 what the wildcard says: taken away
//!              └─ "<*>" ─ answer                                the site's
//! ```

use std::collections::BTreeSet;
use std::fmt;

use ic_certification::hash_tree::{SubtreeLookupResult, empty, fork_hash, labeled_hash, leaf_hash};
use ic_certification::{HashTree, HashTreeNode as Node, Label};
use ic_hallmark::certification::Expression;

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
    /// Tells apart what is below `http_expr`.
    ///
    /// # Errors
    ///
    /// [`Reason::NotBeside`].
    pub fn of(answers: HashTree) -> Result<Beside, Reason> {
        let shown: BTreeSet<Path> = answers.list_paths().into_iter().map(bytes).collect();
        let mut beside = BTreeSet::new();
        let mut parts = 0;
        for path in &shown {
            let not_beside = || Reason::NotBeside {
                path: in_words(path),
            };
            let Some((place, [expression, request, _])) = path.split_last_chunk::<BELOW>() else {
                return Err(not_beside());
            };
            if expression == Expression::Range.hash() {
                let asked = place.iter().chain([expression, request]);
                if !is_alone(answers.lookup_subtree(asked)) {
                    return Err(not_beside());
                }
                parts += 1;
            } else if place.last().is_some_and(|label| label == b"<*>") {
                continue;
            } else if !is_repeated(path, &shown) {
                return Err(not_beside());
            }
            beside.insert(path.clone());
        }
        let node = Node::from(answers);
        Ok(Beside {
            site_hash: without(&node, &mut Vec::new(), &beside).ok_or(Reason::HashNotShown)?,
            parts,
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

/// Whether a request has one answer only.
fn is_alone(answers: SubtreeLookupResult<Vec<u8>>) -> bool {
    let SubtreeLookupResult::Found(answers) = answers else {
        return false;
    };
    match Node::from(answers) {
        Node::Labeled(_, below) => matches!(*below, Node::Leaf(_)),
        _ => false,
    }
}

/// Whether an answer is that of a wildcard above it.
fn is_repeated(path: &Path, shown: &BTreeSet<Path>) -> bool {
    let (place, answer) = path.split_at(path.len() - BELOW);
    (0..place.len()).any(|count| {
        let wildcard = place[..count].iter().cloned().chain([b"<*>".to_vec()]);
        shown.contains(&wildcard.chain(answer.iter().cloned()).collect::<Path>())
    })
}

/// The hash of a tree without these leaves; none if nothing is left. The tree is canonical: where one side of a fork is
/// empty, there is no fork.
fn without(node: &Node, above: &mut Path, leaves: &BTreeSet<Path>) -> Option<Hash> {
    match node {
        Node::Pruned(hash) => Some(*hash),
        Node::Empty() => Some(empty::<Vec<u8>>().digest()),
        Node::Leaf(value) => (!leaves.contains(above)).then(|| leaf_hash(value)),
        Node::Labeled(label, below) => {
            above.push(label.as_bytes().to_vec());
            let hash = without(below, above, leaves);
            above.pop();
            Some(labeled_hash(label.as_bytes(), &hash?))
        }
        Node::Fork(sides) => {
            let [left, right] = [&sides.0, &sides.1].map(|side| without(side, above, leaves));
            match (left, right) {
                (Some(left), Some(right)) => Some(fork_hash(&left, &right)),
                (one, other) => one.or(other),
            }
        }
    }
}

fn bytes(path: Vec<Label>) -> Path {
    let labels = path.iter();
    labels.map(|label| label.as_bytes().to_vec()).collect()
}

fn in_words(path: &Path) -> String {
    let segments = path.iter().take_while(|label| *label != b"<$>");
    let segments = segments.map(|label| String::from_utf8_lossy(label));
    segments.fold(String::new(), |url, segment| url + "/" + &segment)
}
