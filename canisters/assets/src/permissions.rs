//! Who may do what.

use candid::Principal;
use ic_cdk::update;
use ic_hallmark::{
    access::{Access, Permission},
    api::{GrantPermission, ListPermitted, RevokePermission, ValidationResult},
    canister::{caller, change, is_a_controller, may_manage_permissions, read, refuse},
};

#[update(guard = "may_manage_permissions")]
fn authorize(principal: Principal) {
    change_access(|access| access.grant(Permission::Commit, principal));
}

#[update(guard = "may_manage_permissions")]
fn grant_permission(grant: GrantPermission) {
    change_access(|access| access.grant(grant.permission.into(), grant.to_principal));
}

#[update]
fn deauthorize(principal: Principal) {
    let caller = caller();
    let allowed = if caller.principal == principal {
        read(|site| {
            site.access()
                .require_or_controller(Permission::Commit, caller)
        })
    } else {
        caller.require_controller()
    };
    allowed.unwrap_or_else(|error| refuse(error));
    change_access(|access| access.revoke(Permission::Commit, principal));
}

#[update]
fn revoke_permission(revoke: RevokePermission) {
    let caller = caller();
    let permission = revoke.permission.into();
    let needed = if caller.principal == revoke.of_principal {
        permission
    } else {
        Permission::ManagePermissions
    };
    read(|site| site.access().require_or_controller(needed, caller))
        .unwrap_or_else(|error| refuse(error));
    change_access(|access| access.revoke(permission, revoke.of_principal));
}

#[update(guard = "is_a_controller")]
fn take_ownership() {
    change_access(|access| {
        access.replace(Permission::Prepare, []);
        access.replace(Permission::ManagePermissions, []);
        access.replace(Permission::Commit, [caller().principal]);
    });
}

#[update]
fn list_authorized() -> Vec<Principal> {
    permitted(Permission::Commit)
}

#[update]
fn list_permitted(arguments: ListPermitted) -> Vec<Principal> {
    permitted(arguments.permission.into())
}

#[update]
fn validate_grant_permission(grant: GrantPermission) -> ValidationResult {
    grant.validate()
}

#[update]
fn validate_revoke_permission(revoke: RevokePermission) -> ValidationResult {
    revoke.validate()
}

#[update]
fn validate_take_ownership() -> ValidationResult {
    let words = "revoke all permissions, then gives the caller Commit permissions";
    ValidationResult::Ok(words.to_owned())
}

fn permitted(permission: Permission) -> Vec<Principal> {
    read(|site| site.access().permitted(permission).collect())
}

fn change_access(adjust: impl FnOnce(&mut Access)) {
    change(|site, by| Ok(site.change_access(adjust, by)?));
}
