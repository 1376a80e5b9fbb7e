//! What a site shows of what it serves beside itself, against what reads that.

use hallmark::verify::log::Witness;
use ic_hallmark::Site;
use ic_hallmark::site::{Memories, Operation, PART, Properties};
use ic_stable_structures::VectorMemory;
use proptest::prelude::*;

const KEYS: [&str; 8] = [
    "/index.html",
    "/film.mp4",
    "/gone.mp4",
    "/dir/film.mp4",
    "/dir/404.html",
    "/dir/sub/film.mp4",
    "/dir/sub",
    "/other",
];

/// What becomes of a key: nothing is there, something small, or one of several large contents.
fn operations(key: &str, content: Option<u8>) -> Vec<Operation> {
    let key = key.to_owned();
    let delete = Operation::Delete { key: key.clone() };
    let Some(number) = content else {
        return vec![delete];
    };
    let length = if number == 0 { 5 } else { PART as usize + 5 };
    let properties = Properties {
        content_type: "video/mp4".to_owned(),
        ..Properties::default()
    };
    let create = Operation::Create {
        key: key.clone(),
        properties,
    };
    let set = Operation::SetContent {
        key,
        encoding: "identity".to_owned(),
        content: vec![number; length].into(),
        sha256: None,
    };
    vec![delete, create, set]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_beside_a_site_its_hash_is_proven(
        steps in prop::collection::vec((0..KEYS.len(), prop::option::weighted(0.7, 0u8..4)), 1..16),
    ) {
        let mut site = Site::<VectorMemory>::open(Memories::default()).unwrap();
        for (key, content) in steps {
            site.commit(operations(KEYS[key], content), 0).unwrap();
            let witness = Witness::read(&site.log_witness([]).unwrap()).unwrap();
            prop_assert_eq!(witness.root(), site.root().hash());
            let found = witness.site(&site.parts_beside().unwrap()).unwrap();
            prop_assert_eq!(found.site_hash, site.root().site());
        }
    }
}
