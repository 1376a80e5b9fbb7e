//! Permissions, and the arguments of `init` and `post_upgrade`.

use crate::access;
use candid::{CandidType, Deserialize, Principal};

/// A right that a principal can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub enum Permission {
    /// Change what is served.
    Commit,
    /// Grant and revoke permissions.
    ManagePermissions,
    /// Upload what others may publish.
    Prepare,
}

/// Argument of `grant_permission`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct GrantPermission {
    /// Who gets it.
    pub to_principal: Principal,
    /// What they get.
    pub permission: Permission,
}

/// Argument of `revoke_permission`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct RevokePermission {
    /// Who loses it.
    pub of_principal: Principal,
    /// What they lose.
    pub permission: Permission,
}

/// Argument of `list_permitted`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ListPermitted {
    /// Whose holders to list.
    pub permission: Permission,
}

/// Argument of `init` and `post_upgrade`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub enum AssetCanisterArgs {
    /// For `init`.
    Init(InitArgs),
    /// For `post_upgrade`.
    Upgrade(UpgradeArgs),
}

/// Argument of `init`.
#[derive(Clone, Debug, Default, CandidType, Deserialize)]
pub struct InitArgs {
    /// Who has which permission, instead of the installer alone.
    pub set_permissions: Option<SetPermissions>,
}

/// Argument of `post_upgrade`.
#[derive(Clone, Debug, Default, CandidType, Deserialize)]
pub struct UpgradeArgs {
    /// Who has which permission from now on.
    pub set_permissions: Option<SetPermissions>,
    /// Instructions that the upgrade itself may use to import what an asset canister of dfx left. With 0 the site is
    /// back at once, and is imported by the calls that follow.
    pub import_limit: Option<u64>,
}

/// The holders of each permission.
#[derive(Clone, Debug, Default, CandidType, Deserialize)]
pub struct SetPermissions {
    /// Who may prepare.
    pub prepare: Vec<Principal>,
    /// Who may commit.
    pub commit: Vec<Principal>,
    /// Who may manage permissions.
    pub manage_permissions: Vec<Principal>,
}

impl From<Permission> for access::Permission {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Commit => Self::Commit,
            Permission::ManagePermissions => Self::ManagePermissions,
            Permission::Prepare => Self::Prepare,
        }
    }
}

impl SetPermissions {
    /// Replaces all holders.
    pub fn apply_to(self, access: &mut access::Access) {
        access.replace(access::Permission::Prepare, self.prepare);
        access.replace(access::Permission::Commit, self.commit);
        access.replace(
            access::Permission::ManagePermissions,
            self.manage_permissions,
        );
    }
}
