//! Who may do what; arguments of install and upgrade; texts for votes.

use crate::checks;
use crate::interface::*;
use crate::scene::{Refusal, Scene, owner, person, refused};
use candid::{CandidType, Principal};

/// Calls that need a permission, each harmless or refused for another reason if it is there.
const COMMIT: [&str; 8] = [
    "clear",
    "configure",
    "create_asset",
    "delete_asset",
    "set_asset_content",
    "set_asset_properties",
    "store",
    "unset_asset_content",
];
const PREPARE: [&str; 4] = [
    "create_batch",
    "create_chunk",
    "delete_batch",
    "get_configuration",
];

/// One record that has the required fields of every argument.
#[derive(CandidType)]
struct Anything {
    batch_id: u128,
    chunk_ids: Vec<u128>,
    content: serde_bytes::ByteBuf,
    content_encoding: &'static str,
    content_type: &'static str,
    key: &'static str,
}

fn call(scene: &Scene, caller: Principal, method: &str) -> Result<(), Refusal> {
    let anything = Anything {
        batch_id: 77,
        chunk_ids: Vec::new(),
        content: serde_bytes::ByteBuf::new(),
        content_encoding: "identity",
        content_type: "text/plain",
        key: "/a",
    };
    let (): () = match method {
        "clear" | "create_batch" => scene.caller(caller).update(method, ())?,
        _ => scene.caller(caller).update(method, (anything,))?,
    };
    Ok(())
}

/// Whether a call gets past its guard.
fn is_let_in(scene: &Scene, caller: Principal, method: &str, permission: &str) -> bool {
    let refusal = format!("Caller does not have {permission} permission");
    match call(scene, caller, method) {
        Ok(()) => true,
        Err(refused) => refused.words() != refusal,
    }
}

fn permitted(scene: &Scene) -> [Vec<Principal>; 3] {
    [
        Permission::Commit,
        Permission::Prepare,
        Permission::ManagePermissions,
    ]
    .map(|permission| scene.owner().permitted(permission))
}

fn grant(scene: &Scene, to: Principal, permission: Permission) {
    scene.owner().grant(to, permission).unwrap();
}

fn set_permissions() -> Permissions {
    Permissions {
        set_permissions: Some(SetPermissions {
            prepare: vec![person(11)],
            commit: vec![person(12)],
            manage_permissions: vec![person(13)],
        }),
    }
}

fn said(scene: &Scene, method: &str, argument: impl CandidType) -> String {
    let (said,): (Result<String, String>,) = scene
        .caller(Principal::anonymous())
        .update(method, (argument,))
        .unwrap();
    said.unwrap()
}

checks! {
    fn each_method_needs_its_permission(it: Play) {
        let (commit, prepare, manage, nobody) = (person(2), person(3), person(4), person(5));
        grant(&it, commit, Permission::Commit);
        grant(&it, prepare, Permission::Prepare);
        grant(&it, manage, Permission::ManagePermissions);
        for method in COMMIT {
            for (caller, may) in [(commit, true), (prepare, false), (manage, false), (nobody, false), (Principal::anonymous(), false)] {
                assert_eq!(is_let_in(&it, caller, method, "Commit"), may, "{method} by {caller}");
            }
        }
        for method in PREPARE {
            for (caller, may) in [(commit, true), (prepare, true), (manage, false), (nobody, false), (Principal::anonymous(), false)] {
                assert_eq!(is_let_in(&it, caller, method, "Prepare"), may, "{method} by {caller}");
            }
        }
    }

    /// A controller grants itself what it needs, and has nothing before.
    fn a_controller_only_manages(it: Play) {
        it.owner().revoke(owner(), Permission::Commit).unwrap();
        refused(it.owner().create_batch(), "Caller does not have Prepare permission");
        it.owner().grant(owner(), Permission::Prepare).unwrap();
        it.owner().create_batch().unwrap();
    }

    fn permissions_are_managed_by_those_who_may(it: Play) {
        let words = "Caller does not have ManagePermissions permission and is not a controller.";
        refused(it.caller(person(2)).grant(person(2), Permission::Commit), words);
        grant(&it, person(2), Permission::ManagePermissions);
        it.caller(person(2)).grant(person(3), Permission::Commit).unwrap();
        refused(it.caller(person(4)).revoke(person(3), Permission::Commit), words);
        // One's own can always be given back, and one has to have it.
        it.caller(person(3)).revoke(person(3), Permission::Commit).unwrap();
        refused(
            it.caller(person(3)).revoke(person(3), Permission::Commit),
            "Caller does not have Commit permission and is not a controller.",
        );
    }

    fn the_older_methods_are_about_commit(it: Play) {
        it.owner().update::<()>("authorize", (person(2),)).unwrap();
        let (authorized,): (Vec<Principal>,) = it.owner().update("list_authorized", ()).unwrap();
        assert!(authorized.contains(&person(2)));
        assert_eq!(authorized, it.owner().permitted(Permission::Commit));
        refused(it.caller(person(3)).update::<()>("deauthorize", (person(2),)), "Caller is not a controller.");
        it.caller(person(2)).update::<()>("deauthorize", (person(2),)).unwrap();
        assert_eq!(it.owner().permitted(Permission::Commit), [owner()]);
    }

    fn ownership_is_taken_from_everybody(it: Play) {
        for permission in [Permission::Commit, Permission::Prepare, Permission::ManagePermissions] {
            grant(&it, person(2), permission);
        }
        refused(it.caller(person(2)).update::<()>("take_ownership", ()), "Caller is not a controller.");
        it.owner().update::<()>("take_ownership", ()).unwrap();
        assert_eq!(permitted(&it), [vec![owner()], Vec::new(), Vec::new()]);
    }

    fn install_and_upgrade_set_permissions(it: Play) {
        let expected = [vec![person(12)], vec![person(11)], vec![person(13)]];
        it.try_install(Some(CanisterArgs::Init(set_permissions()))).unwrap();
        assert_eq!(permitted(&it), expected);
        it.upgrade();
        assert_eq!(permitted(&it), expected);
        it.try_install(None).unwrap();
        assert_eq!(permitted(&it), [vec![owner()], Vec::new(), Vec::new()]);
        it.upgrade_with(Some(CanisterArgs::Upgrade(set_permissions()))).unwrap();
        assert_eq!(permitted(&it), expected);
        refused(
            it.upgrade_with(Some(CanisterArgs::Init(set_permissions()))),
            "Cannot upgrade the canister with an Init argument. Please provide an Upgrade argument.",
        );
        refused(
            it.try_install(Some(CanisterArgs::Upgrade(set_permissions()))),
            "Cannot initialize the canister with an Upgrade argument. Please provide an Init argument.",
        );
    }

    fn voters_are_told_what_a_call_would_do(it: Play) {
        let grant = GrantPermission { to_principal: person(2), permission: Permission::Prepare };
        assert_eq!(
            said(&it, "validate_grant_permission", grant),
            format!("grant Prepare permission to principal {}", person(2))
        );
        let revoke = RevokePermission { of_principal: person(2), permission: Permission::ManagePermissions };
        assert_eq!(
            said(&it, "validate_revoke_permission", revoke),
            format!("revoke ManagePermissions permission from principal {}", person(2))
        );
        assert_eq!(
            said(&it, "validate_take_ownership", ()),
            "revoke all permissions, then gives the caller Commit permissions"
        );
        let limits = Configure { max_batches: Some(Some(1)), max_chunks: Some(None), max_bytes: None };
        assert_eq!(
            said(&it, "validate_configure", limits),
            "configure: ConfigureArguments { max_batches: Some(Some(1)), max_chunks: Some(None), max_bytes: None }"
        );
    }
}
