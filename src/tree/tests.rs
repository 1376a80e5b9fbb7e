//! The tree against a naive model: random histories over labels chosen to hurt, several trees that share nodes,
//! re-opened from memory on the way.

use super::*;
use ic_cbor::HashTreeToCbor;
use ic_certification::{
    HashTree,
    hash_tree::{SubtreeLookupResult, fork, label, leaf},
};
use ic_stable_structures::VectorMemory;
use labels::Difference;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a tree should hold: paths with values.
type Model = BTreeMap<Vec<Vec<u8>>, Vec<u8>>;

/// The hash tree of a model, built top down from its definition.
fn model_tree(model: &Model) -> Option<HashTree> {
    let entries: Vec<_> = model.iter().collect();
    (!entries.is_empty()).then(|| directory(&entries, 0))
}

fn directory(entries: &[(&Vec<Vec<u8>>, &Vec<u8>)], depth: usize) -> HashTree {
    let (first, last) = (entries[0].0, entries[entries.len() - 1].0);
    let (Some(low), Some(high)) = (first.get(depth), last.get(depth)) else {
        assert_eq!(entries.len(), 1, "a path begins with another");
        return leaf(entries[0].1.clone());
    };
    if low == high {
        return label(low.clone(), directory(entries, depth + 1));
    }
    let code = |label: &[u8]| -> Vec<bool> {
        let byte_bits = |byte: &u8| {
            let byte = *byte;
            std::iter::once(true).chain((0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        };
        label.iter().flat_map(byte_bits).chain([false]).collect()
    };
    let (low, high) = (code(low), code(high));
    let bit = low.iter().zip(&high).take_while(|(a, b)| a == b).count();
    let split = entries.partition_point(|(path, _)| !code(&path[depth])[bit]);
    fork(
        directory(&entries[..split], depth),
        directory(&entries[split..], depth),
    )
}

fn decode(cbor: &[u8]) -> HashTree {
    HashTree::from_cbor(cbor).expect("a witness is a hash tree")
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, Vec<Vec<u8>>, Vec<u8>),
    Attach(usize, Vec<Vec<u8>>),
    Remove(usize, Vec<Vec<u8>>),
    RemoveBelow(usize, Vec<Vec<u8>>),
    Graft(usize, Vec<Vec<u8>>, Vec<Vec<Vec<u8>>>),
    Share(usize),
    Release(usize),
    Seal(usize),
    Reclaim(u32),
    Reopen,
}

/// Labels in which every kind of boundary is likely: empty, prefixes of each other, extreme bytes, the
/// terminators of expression paths, a hash.
fn a_label() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"".to_vec()),
        Just(b"<$>".to_vec()),
        Just(b"<*>".to_vec()),
        Just(vec![0xff; 32]),
        prop::collection::vec(
            prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)],
            1..4
        ),
    ]
}

fn a_path() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(a_label(), 1..4)
}

fn a_step() -> impl Strategy<Value = Step> {
    let value = prop::collection::vec(any::<u8>(), 0..3);
    prop_oneof![
        12 => (0usize..4, a_path(), value).prop_map(|(t, p, v)| Step::Insert(t, p, v)),
        4 => (0usize..4, a_path()).prop_map(|(t, p)| Step::Attach(t, p)),
        4 => (0usize..4, a_path()).prop_map(|(t, p)| Step::Remove(t, p)),
        2 => (0usize..4, a_path()).prop_map(|(t, p)| Step::RemoveBelow(t, p)),
        4 => (0usize..4, a_path(), prop::collection::vec(a_path(), 0..5))
            .prop_map(|(t, p, below)| Step::Graft(t, p, below)),
        2 => (0usize..4).prop_map(Step::Share),
        1 => (0usize..4).prop_map(Step::Release),
        2 => (0usize..4).prop_map(Step::Seal),
        2 => (0u32..20).prop_map(Step::Reclaim),
        1 => Just(Step::Reopen),
    ]
}

/// A forest beside the models of its trees.
struct Scene {
    memories: [VectorMemory; 2],
    forest: Forest<VectorMemory>,
    trees: Vec<(Tree, Model)>,
}

impl Scene {
    fn new() -> Self {
        let memories = [VectorMemory::default(), VectorMemory::default()];
        Self {
            forest: Forest::open(memories[0].clone(), memories[1].clone()).unwrap(),
            memories,
            trees: vec![(Tree::EMPTY, Model::new())],
        }
    }

    fn act(&mut self, step: Step) {
        let count = self.trees.len();
        match step {
            Step::Insert(at, path, value) => {
                let (tree, model) = &mut self.trees[at % count];
                let labels: Labels = path.iter().collect();
                let clash = model.keys().any(|other| {
                    other != &path && (other.starts_with(&path) || path.starts_with(other))
                });
                let done = self.forest.insert(tree, &labels, &value, b"attached");
                if clash {
                    assert_eq!(done, Err(TreeError::Prefix { path: labels }));
                } else {
                    assert_eq!(done, Ok(()));
                    model.insert(path, value);
                }
            }
            Step::Attach(at, path) => {
                let (tree, model) = &mut self.trees[at % count];
                let path_of_leaf: Labels = path.iter().collect();
                let done = self.forest.attach(tree, &path_of_leaf, b"now attached");
                assert_eq!(done, Ok(model.contains_key(&path)));
                let leaf = self.forest.get(tree, &path_of_leaf);
                let attachment = leaf.map(|leaf| (leaf.value, leaf.attachment));
                let expected = model
                    .get(&path)
                    .map(|value| (value.clone(), b"now attached".to_vec()));
                assert_eq!(attachment, expected);
            }
            Step::Remove(at, path) => {
                let (tree, model) = &mut self.trees[at % count];
                let removed = self.forest.remove(tree, &path.iter().collect());
                assert_eq!(removed, Ok(model.remove(&path).is_some()));
            }
            Step::RemoveBelow(at, prefix) => {
                let (tree, model) = &mut self.trees[at % count];
                let before = model.len();
                model.retain(|path, _| !path.starts_with(&prefix));
                let removed = self.forest.remove_below(tree, &prefix.iter().collect());
                assert_eq!(removed, Ok((before - model.len()) as u32));
            }
            Step::Graft(at, prefix, paths) => self.graft(at % count, &prefix, &paths),
            Step::Share(at) => {
                let (tree, model) = &self.trees[at % count];
                let twin = (self.forest.share(tree), model.clone());
                self.trees.push(twin);
            }
            Step::Release(at) => {
                if count > 1 {
                    let (tree, _) = self.trees.remove(at % count);
                    self.forest.release(tree);
                }
            }
            Step::Seal(at) => self.forest.seal(&mut self.trees[at % count].0),
            Step::Reclaim(budget) => {
                self.forest.reclaim(budget, |attachment| {
                    assert!(attachment.ends_with(b"attached"));
                });
            }
            Step::Reopen => {
                for (tree, _) in &mut self.trees {
                    *tree = Tree::decode(&tree.encode());
                }
                let [forks, leaves] = self.memories.clone();
                self.forest = Forest::open(forks, leaves).unwrap();
            }
        }
    }

    fn graft(&mut self, at: usize, prefix: &[Vec<u8>], paths: &[Vec<Vec<u8>>]) {
        let clash = |a: &Vec<Vec<u8>>, b: &Vec<Vec<u8>>| a != b && b.starts_with(a);
        let clashes = paths.iter().any(|a| paths.iter().any(|b| clash(a, b)));
        let graft = match Graft::new(paths.iter().map(|path| path.iter().collect()).collect()) {
            Ok(graft) if !clashes => graft,
            done => return assert_eq!(clashes, done.is_err()),
        };
        let (tree, model) = &mut self.trees[at];
        let labels: Labels = prefix.iter().collect();
        let is_leaf_above = model
            .keys()
            .any(|path| prefix.starts_with(path) && path != prefix);
        let done = self.forest.graft(tree, &labels, &graft, b"attached");
        if is_leaf_above && !paths.is_empty() {
            assert_eq!(done, Err(TreeError::Prefix { path: labels }));
            return;
        }
        assert_eq!(done, Ok(()));
        model.retain(|path, _| !path.starts_with(prefix));
        let grafted = paths.iter().map(|path| [prefix, path].concat());
        model.extend(grafted.map(|path| (path, Vec::new())));
    }

    fn check(&mut self) -> Census {
        let trees: Vec<&Tree> = self.trees.iter().map(|(tree, _)| tree).collect();
        let census = self.forest.check(&trees, |_| Vec::new()).unwrap();
        for (tree, model) in &mut self.trees {
            assert_eq!(tree.len() as usize, model.len());
            self.forest.seal(tree);
            assert_eq!(
                tree.hash(),
                model_tree(model).map(|tree| tree.digest()),
                "{model:?}"
            );
        }
        census
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn agrees_with_the_model_after_each_step(steps in prop::collection::vec(a_step(), 1..60)) {
        let mut scene = Scene::new();
        for step in steps {
            scene.act(step);
            scene.check();
        }
        while let Some((tree, _)) = scene.trees.pop() {
            scene.forest.release(tree);
        }
        scene.forest.reclaim(u32::MAX, |_| ());
        prop_assert!(scene.forest.is_reclaimed());
        prop_assert_eq!(scene.check(), Census::default());
        prop_assert_eq!(scene.forest.forks.live(), 1);
    }

    /// Law: the hash is a function of the content, not of its history.
    #[test]
    fn any_order_gives_the_same_hash(
        entries in prop::collection::btree_map(a_path(), a_label(), 1..40),
        order in any::<u64>(),
    ) {
        let insert = |scene: &mut Scene, entries: &[(&Vec<Vec<u8>>, &Vec<u8>)]| {
            for (path, value) in entries {
                scene.act(Step::Insert(0, path.to_vec(), value.to_vec()));
            }
        };
        // Only one of two paths that clash can be there: leave the longer ones out.
        let paths: Vec<_> = entries.keys().cloned().collect();
        let entries: Vec<_> = entries
            .iter()
            .filter(|(path, _)| !paths.iter().any(|other| *other != **path && path.starts_with(other)))
            .collect();
        let mut shuffled = entries.clone();
        shuffled.sort_by_key(|(path, _)| {
            path.concat().iter().fold(order, |hash, byte| hash.wrapping_mul(31).rotate_left(7) ^ u64::from(*byte))
        });
        let [mut straight, mut other] = [Scene::new(), Scene::new()];
        insert(&mut straight, &entries);
        insert(&mut other, &shuffled);
        // A detour: twice as many leaves, then the extra ones go again.
        for (path, value) in &entries {
            let detour = path.iter().map(|label| [label, &b"~"[..]].concat()).collect();
            other.act(Step::Insert(0, detour, value.to_vec()));
        }
        for (path, _) in &entries {
            let detour: Vec<_> = path.iter().map(|label| [label, &b"~"[..]].concat()).collect();
            if !straight.trees[0].1.contains_key(&detour) {
                other.act(Step::Remove(0, detour));
            }
        }
        straight.check();
        other.check();
        prop_assert_eq!(straight.trees[0].0.hash(), other.trees[0].0.hash());
    }

    #[test]
    fn witnesses_show_what_is_asked_and_only_that(
        entries in prop::collection::vec((a_path(), a_label()), 1..30),
        queries in prop::collection::vec(a_path(), 1..6),
    ) {
        let mut scene = Scene::new();
        for (path, value) in entries {
            scene.act(Step::Insert(0, path, value));
        }
        scene.check();
        let (tree, model) = &scene.trees[0];
        let full = model_tree(model).unwrap();
        let present = model.keys().take(2).flat_map(|path| (1..=path.len()).map(|n| path[..n].to_vec()));
        let queries: Vec<Vec<Vec<u8>>> = queries.into_iter().chain(present).collect();
        let paths: Vec<Labels> = queries.iter().map(|path| path.iter().collect()).collect();

        let mut cbor = Vec::new();
        scene.forest.witness(tree, &paths, &mut cbor);
        let witness = decode(&cbor);
        prop_assert_eq!(Some(witness.digest()), tree.hash());
        for query in &queries {
            match full.lookup_subtree(query) {
                SubtreeLookupResult::Found(_) => {
                    let found = matches!(witness.lookup_subtree(query), SubtreeLookupResult::Found(_));
                    prop_assert!(found, "{query:?}");
                    if model.contains_key(query) {
                        prop_assert_eq!(witness.lookup_path(query), full.lookup_path(query));
                    }
                }
                SubtreeLookupResult::Absent => {
                    prop_assert_eq!(witness.lookup_subtree(query), SubtreeLookupResult::Absent, "{:?}", query);
                }
                SubtreeLookupResult::Unknown => unreachable!("nothing is pruned in the model"),
            }
        }
    }

    #[test]
    fn pages_count_through_the_leaves_in_order(
        entries in prop::collection::btree_map(a_label(), a_label(), 0..30),
        start in 0u32..40,
        limit in 0u32..40,
    ) {
        let mut scene = Scene::new();
        for (label, value) in &entries {
            scene.act(Step::Insert(0, vec![label.clone()], value.clone()));
        }
        let mut page = Vec::new();
        scene.forest.page(&scene.trees[0].0, start, limit, |leaf| {
            page.push((leaf.path.get(0).unwrap().to_vec(), leaf.value));
        });
        let expected: Vec<_> = entries.into_iter().skip(start as usize).take(limit as usize).collect();
        prop_assert_eq!(page, expected);
    }
}

/// Names that are all prefixes of the next make a tree as deep as there are names, so there is a bound; what
/// is refused leaves everything as it was, and the deepest witness still decodes.
#[test]
fn refuses_to_grow_too_deep() {
    let mut scene = Scene::new();
    let name = |length: usize| vec![vec![b'a'; length]];
    let mut length = 0;
    let refused = loop {
        let labels: Labels = name(length).iter().collect();
        let (tree, model) = &mut scene.trees[0];
        match scene.forest.insert(tree, &labels, b"", b"attached") {
            Ok(()) => model.insert(name(length), vec![]),
            Err(error) => break error,
        };
        length += 1;
    };
    let labels: Labels = name(length).iter().collect();
    assert_eq!(refused, TreeError::TooDeep { path: labels });
    assert!(length > 100, "only {length} names fit");
    scene.check();

    let mut cbor = Vec::new();
    let deepest: Labels = name(length - 1).iter().collect();
    scene
        .forest
        .witness(&scene.trees[0].0, &[deepest], &mut cbor);
    assert_eq!(Some(decode(&cbor).digest()), scene.trees[0].0.hash());
}

#[test]
fn refuses_labels_that_do_not_fit_a_position() {
    let mut scene = Scene::new();
    let long = vec![vec![0; labels::MAX_LABEL + 1]];
    let many = vec![vec![]; labels::MAX_LABELS + 1];
    for path in [long, many] {
        let labels: Labels = path.iter().collect();
        let refused = scene
            .forest
            .insert(&mut scene.trees[0].0, &labels, b"", b"");
        assert_eq!(refused, Err(TreeError::TooLong { labels: path.len() }));
    }
    assert_eq!(scene.check(), Census::default());
}

/// A root hash that may never change: canonical means that it is the same in every version.
#[test]
fn golden_root() {
    let mut scene = Scene::new();
    for (path, value) in [
        ("a/x", "1"),
        ("a/y", "2"),
        ("b/z", "3"),
        ("/", ""),
        ("aa", "4"),
    ] {
        let path = path.split('/').map(|label| label.as_bytes().to_vec());
        scene.act(Step::Insert(0, path.collect(), value.as_bytes().to_vec()));
    }
    scene.check();
    let hash = scene.trees[0].0.hash().unwrap();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "c7755d983b142a0a7bc3870faa1f866c3429edc3383ab2e5c5b1340345d81337"
    );
}

/// Paths that differ only behind the end of one of them have no position.
#[test]
fn a_path_that_continues_another_is_told_apart() {
    let short: Labels = ["a"].iter().collect();
    let long = short.clone().with(b"b");
    assert_eq!(short.difference(&long), Difference::Prefix);
    assert_eq!(long.difference(&long), Difference::Equal);
}
