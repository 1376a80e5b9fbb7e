//! Who may do what: the three permissions of the asset canister of dfx.
//!
//! `Commit` includes `Prepare`. Nothing else is implied: a controller may manage permissions, and has to grant
//! itself the others.

use crate::error::Error;
use candid::Principal;
use minicbor::{Decode, Encode};
use std::{collections::BTreeSet, fmt};

/// A right that a principal can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Change what is served.
    Commit,
    /// Grant and revoke permissions.
    ManagePermissions,
    /// Upload what others may publish.
    Prepare,
}

/// Who has which permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Access {
    #[n(0)]
    commit: BTreeSet<Member>,
    #[n(1)]
    manage_permissions: BTreeSet<Member>,
    #[n(2)]
    prepare: BTreeSet<Member>,
}

/// A principal as stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
struct Member(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The principal.
    pub principal: Principal,
    /// Whether it controls the canister.
    pub is_controller: bool,
}

impl Access {
    /// Gives a permission.
    pub fn grant(&mut self, permission: Permission, to: Principal) {
        self.members_mut(permission).insert(Member::from(to));
    }

    /// Takes a permission back.
    pub fn revoke(&mut self, permission: Permission, from: Principal) {
        self.members_mut(permission).remove(&Member::from(from));
    }

    /// Takes a permission from everybody else and gives it to these.
    pub fn replace(&mut self, permission: Permission, with: impl IntoIterator<Item = Principal>) {
        *self.members_mut(permission) = with.into_iter().map(Member::from).collect();
    }

    /// Who has a permission, in the order of their bytes.
    pub fn permitted(&self, permission: Permission) -> impl Iterator<Item = Principal> {
        self.members(permission)
            .iter()
            .map(|member| Principal::from_slice(&member.0))
    }

    /// Whether a principal was given this very permission.
    pub fn holds(&self, permission: Permission, principal: Principal) -> bool {
        self.members(permission).contains(&Member::from(principal))
    }

    /// Whether a principal may do what a permission allows.
    pub fn allows(&self, permission: Permission, principal: Principal) -> bool {
        self.holds(permission, principal)
            || permission == Permission::Prepare && self.holds(Permission::Commit, principal)
    }

    /// Lets through who has a permission.
    ///
    /// # Errors
    ///
    /// [`Error::Permission`] for everybody else.
    pub fn require(&self, permission: Permission, caller: Caller) -> Result<(), Error> {
        if self.allows(permission, caller.principal) {
            return Ok(());
        }
        Err(Error::Permission {
            permission,
            or_controller: false,
        })
    }

    /// Lets through who has a permission, and controllers.
    ///
    /// # Errors
    ///
    /// [`Error::Permission`] for everybody else.
    pub fn require_or_controller(
        &self,
        permission: Permission,
        caller: Caller,
    ) -> Result<(), Error> {
        if caller.is_controller || self.allows(permission, caller.principal) {
            return Ok(());
        }
        Err(Error::Permission {
            permission,
            or_controller: true,
        })
    }

    fn members(&self, permission: Permission) -> &BTreeSet<Member> {
        match permission {
            Permission::Commit => &self.commit,
            Permission::ManagePermissions => &self.manage_permissions,
            Permission::Prepare => &self.prepare,
        }
    }

    fn members_mut(&mut self, permission: Permission) -> &mut BTreeSet<Member> {
        match permission {
            Permission::Commit => &mut self.commit,
            Permission::ManagePermissions => &mut self.manage_permissions,
            Permission::Prepare => &mut self.prepare,
        }
    }
}

impl Caller {
    /// Lets through controllers.
    ///
    /// # Errors
    ///
    /// [`Error::NotController`] for everybody else.
    pub fn require_controller(self) -> Result<(), Error> {
        if self.is_controller {
            Ok(())
        } else {
            Err(Error::NotController)
        }
    }
}

impl From<Principal> for Member {
    fn from(principal: Principal) -> Self {
        Self(principal.as_slice().to_vec())
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "Commit",
            Self::ManagePermissions => "ManagePermissions",
            Self::Prepare => "Prepare",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Principal = Principal::from_slice(&[1]);
    const BOB: Principal = Principal::from_slice(&[2]);

    fn caller(principal: Principal, is_controller: bool) -> Caller {
        Caller {
            principal,
            is_controller,
        }
    }

    #[test]
    fn commit_includes_prepare_and_nothing_else() {
        let mut access = Access::default();
        access.grant(Permission::Commit, ALICE);
        assert!(access.allows(Permission::Prepare, ALICE));
        assert!(!access.allows(Permission::ManagePermissions, ALICE));
        access.grant(Permission::Prepare, BOB);
        assert!(!access.allows(Permission::Commit, BOB));
    }

    #[test]
    fn controllers_manage_permissions_and_have_no_other() {
        let access = Access::default();
        let controller = caller(ALICE, true);
        access
            .require_or_controller(Permission::ManagePermissions, controller)
            .unwrap();
        let refused = access.require(Permission::Commit, controller).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Caller does not have Commit permission"
        );
        assert_eq!(
            caller(BOB, false).require_controller(),
            Err(Error::NotController)
        );
    }
}
