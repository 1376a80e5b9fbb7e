//! The asset canister of dfx, as its library was last published: the canister that sites migrate from, and the one
//! that Hallmark is compared with.
//!
//! All of it is `ic-certified-assets` 0.3.0; here is only what that crate leaves to its users: the state is kept
//! over upgrades as that canister kept it until dfx 0.29.2, as one Candid value at the beginning of stable memory.

use ic_cdk::{init, post_upgrade, pre_upgrade, storage};
use ic_certified_assets::{StableState, types::AssetCanisterArgs};

#[init]
fn init(arguments: Option<AssetCanisterArgs>) {
    ic_certified_assets::init(arguments);
}

#[pre_upgrade]
fn pre_upgrade() {
    storage::stable_save((ic_certified_assets::pre_upgrade(),)).expect("the state can be encoded");
}

#[post_upgrade]
fn post_upgrade(arguments: Option<AssetCanisterArgs>) {
    let (state,): (StableState,) = storage::stable_restore().expect("the state can be decoded");
    ic_certified_assets::post_upgrade(state, arguments);
}

ic_certified_assets::export_canister_methods!();
