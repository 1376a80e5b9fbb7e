//! Install and upgrade.

use ic_cdk::{
    api::{msg_caller, trap},
    init, post_upgrade, update,
};
use ic_hallmark::{
    api::{AssetCanisterArgs, ImportProgress, SetPermissions, UpgradeArgs},
    canister::{self, may_import},
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
    let upgrade = match arguments {
        None => UpgradeArgs::default(),
        Some(AssetCanisterArgs::Upgrade(upgrade)) => upgrade,
        Some(AssetCanisterArgs::Init(_)) => trap(
            "Cannot upgrade the canister with an Init argument. Please provide an Upgrade argument.",
        ),
    };
    match upgrade.import_limit {
        None => canister::open(),
        Some(limit) => canister::open_importing(limit),
    }
    if let Some(permissions) = upgrade.set_permissions {
        set_permissions(permissions);
    }
}

#[update(guard = "may_import")]
fn continue_import() -> ImportProgress {
    canister::continue_import().into()
}

fn set_permissions(permissions: SetPermissions) {
    canister::change(|site, by| Ok(site.change_access(|access| permissions.apply_to(access), by)?));
}
