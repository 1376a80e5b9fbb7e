//! The certified tree as a whole.

use crate::interface::*;
use crate::scene::Scene;
use ic_cbor::{CertificateToCbor, HashTreeToCbor};
use ic_certification::{Certificate, HashTree, LookupResult};
use serde_bytes::ByteBuf;

#[derive(candid::CandidType, candid::Deserialize)]
struct CertifiedTree {
    certificate: ByteBuf,
    tree: ByteBuf,
}

#[test]
fn it_has_the_certified_data_as_its_hash_and_everything_in_it() {
    let scene = Scene::new();
    for key in ["/a.txt", "/b/c.txt"] {
        let (whole,): (CertifiedTree,) = scene.owner().query("certified_tree", ()).unwrap();
        let tree = HashTree::from_cbor(&whole.tree).unwrap();
        assert_eq!(tree.digest(), scene.get("/").answer().root_hash());
        let certificate = Certificate::from_cbor(&whole.certificate).unwrap();
        let canister = scene.canister();
        let path = [
            "canister".as_bytes(),
            canister.as_slice(),
            b"certified_data",
        ];
        let certified = certificate.tree.lookup_path(path);
        assert_eq!(certified, LookupResult::Found(&tree.digest()));
        for asset in scene.owner().list_all() {
            let path = [&b"hallmark"[..], b"assets", asset.key.as_bytes()];
            let found = tree.lookup_path(path);
            assert!(matches!(found, LookupResult::Found(_)), "{}", asset.key);
        }
        scene.apply([
            create(key, "text/plain").into(),
            inline(key, "identity", b"a").into(),
        ]);
    }
}
