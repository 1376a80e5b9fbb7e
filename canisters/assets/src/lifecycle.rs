//! Install and upgrade.

use ic_cdk::{
    api::{msg_caller, trap},
    init, post_upgrade,
};
use ic_hallmark::{
    api::{AssetCanisterArgs, SetPermissions},
    canister,
};

#[init]
fn init(arguments: Option<AssetCanisterArgs>) {
    let permissions = match arguments {
        None => None,
        Some(AssetCanisterArgs::Init(init)) => init.set_permissions,
        Some(AssetCanisterArgs::Upgrade(_)) => trap(
            "Cannot initialize the canister with an Upgrade argument. Please provide an Init argument.",
        ),
    };
    canister::open();
    set_permissions(permissions.unwrap_or_else(|| SetPermissions {
        commit: vec![msg_caller()],
        ..SetPermissions::default()
    }));
    canister::tell_environment();
}

#[post_upgrade]
fn post_upgrade(arguments: Option<AssetCanisterArgs>) {
    let permissions = match arguments {
        None => None,
        Some(AssetCanisterArgs::Upgrade(upgrade)) => upgrade.set_permissions,
        Some(AssetCanisterArgs::Init(_)) => trap(
            "Cannot upgrade the canister with an Init argument. Please provide an Upgrade argument.",
        ),
    };
    canister::open();
    if let Some(permissions) = permissions {
        set_permissions(permissions);
    }
}

fn set_permissions(permissions: SetPermissions) {
    canister::change(|site, _| Ok(site.change_access(|access| permissions.apply_to(access))?));
}
