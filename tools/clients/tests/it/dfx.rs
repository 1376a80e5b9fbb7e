//! The `dfx.json` of this repository, as dfx reads it.

use std::path::{Path, PathBuf};

use dfx_core::config::model::dfinity::{CanisterTypeProperties, Config};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn dfx_builds_and_deploys_the_asset_canister() {
    let config = Config::from_dir(&root(), None).unwrap().unwrap();
    let canisters = config.get_config().canisters.as_ref().unwrap();
    let CanisterTypeProperties::Custom {
        wasm,
        candid,
        build,
    } = &canisters["assets"].type_specific
    else {
        panic!("{:?}", canisters["assets"]);
    };
    assert_eq!(wasm, "target/canisters/assets.wasm.gz");
    assert!(root().join(candid).is_file(), "{candid}");
    assert_eq!(build.clone().into_vec(), ["cargo xtask build"]);
}

#[test]
fn dfx_deploys_the_example_as_assets() {
    let config = Config::from_dir(&root(), None).unwrap().unwrap();
    let canisters = config.get_config().canisters.as_ref().unwrap();
    let CanisterTypeProperties::Assets { source, .. } = &canisters["example"].type_specific else {
        panic!("{:?}", canisters["example"]);
    };
    for folder in source {
        assert!(root().join(folder).join("index.html").is_file());
    }
}
