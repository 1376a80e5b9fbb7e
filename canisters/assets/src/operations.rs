//! Single operations, each published at once.

use ic_cdk::update;
use ic_hallmark::{
    api::{
        self, BatchOperationKind, CreateAssetArguments, DeleteAssetArguments,
        SetAssetContentArguments, SetAssetPropertiesArguments, StoreArguments,
        UnsetAssetContentArguments,
    },
    canister::{change, commit, may_commit, read, refuse, tell_environment},
};

#[update(guard = "may_commit")]
fn create_asset(arguments: CreateAssetArguments) {
    commit([arguments.into()]);
}

#[update(guard = "may_commit")]
fn set_asset_content(arguments: SetAssetContentArguments) {
    commit([arguments.into()]);
}

#[update(guard = "may_commit")]
fn set_asset_properties(arguments: SetAssetPropertiesArguments) {
    commit([arguments.into()]);
}

#[update(guard = "may_commit")]
fn unset_asset_content(arguments: UnsetAssetContentArguments) {
    commit([BatchOperationKind::UnsetAssetContent(arguments).into()]);
}

#[update(guard = "may_commit")]
fn delete_asset(arguments: DeleteAssetArguments) {
    commit([BatchOperationKind::DeleteAsset(arguments).into()]);
}

#[update(guard = "may_commit")]
fn clear() {
    change(|site, by| site.clear(by));
    tell_environment();
}

#[update(guard = "may_commit")]
fn store(arguments: StoreArguments) {
    commit(read(|site| api::store(site, arguments)).unwrap_or_else(|error| refuse(error)));
}
