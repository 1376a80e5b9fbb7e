//! Who may do what, and in which words the others are refused.
//!
//! Commit implies Prepare, and neither implies ManagePermissions. Controllers
//! manage permissions, but may not change the site unless they grant it to
//! themselves.

use crate::interface::*;
use crate::scene::{Caller, Refusal, Scene, owner, person, refused, refused_for};
use candid::Principal;
use candid::utils::ArgumentEncoder;

/// Everyone there is: each permission is held by one person, who holds no other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Controller,
    Committer,
    Preparer,
    Manager,
    Nobody,
    Anonymous,
}

use Who::{Anonymous, Committer, Controller, Manager, Nobody, Preparer};

const EVERYONE: [Who; 6] = [Controller, Committer, Preparer, Manager, Nobody, Anonymous];

impl Who {
    fn principal(self) -> Principal {
        match self {
            Controller => owner(),
            Committer => person(11),
            Preparer => person(12),
            Manager => person(13),
            Nobody => person(14),
            Anonymous => Principal::anonymous(),
        }
    }
}

fn scene_of_everyone() -> Scene {
    let set_permissions = Some(SetPermissions {
        prepare: vec![Preparer.principal()],
        commit: vec![Committer.principal()],
        manage_permissions: vec![Manager.principal()],
    });
    Scene::installed_with(Some(CanisterArgs::Init(Permissions { set_permissions })))
}

/// Lets everyone do the same thing, and expects exactly those who may not to be
/// refused with these words. For the others it need not succeed.
#[track_caller]
fn only(may: &[Who], words: &str, scene: &Scene, act: impl Fn(Caller<'_>) -> Result<(), Refusal>) {
    for who in EVERYONE {
        let refusal = act(scene.caller(who.principal())).err();
        let said = refusal.as_ref().map_or("", Refusal::words);
        if may.contains(&who) {
            assert!(!said.starts_with("Caller "), "{who:?}: {said}");
        } else {
            assert_eq!(said, words, "{who:?}");
        }
    }
}

/// An update call of which the reply does not matter.
fn call(
    method: &str,
    args: impl ArgumentEncoder + Clone,
) -> impl Fn(Caller<'_>) -> Result<(), Refusal> {
    move |caller| {
        let reply: Result<(candid::Reserved,), _> = caller.update(method, args.clone());
        reply.map(|_| ())
    }
}

/// The same, of a method that replies nothing.
fn order(
    method: &str,
    args: impl ArgumentEncoder + Clone,
) -> impl Fn(Caller<'_>) -> Result<(), Refusal> {
    move |caller| caller.update(method, args.clone())
}

#[test]
fn uploading_takes_prepare_or_commit() {
    let scene = scene_of_everyone();
    let may = |act: &dyn Fn(Caller<'_>) -> Result<(), Refusal>| {
        let words = "Caller does not have Prepare permission";
        only(&[Preparer, Committer], words, &scene, act);
    };
    may(&|caller| caller.create_batch().map(|_| ()));
    may(&|caller| caller.create_chunk(1, b"a").map(|_| ()));
    may(&|caller| caller.create_chunks(1, &[b"a"]).map(|_| ()));
    may(&order("delete_batch", (Batch { batch_id: 99 },)));
    may(&call("get_configuration", ()));
    may(&|caller| caller.propose(99, Vec::new()));
    may(&|caller| caller.compute_evidence(99, None).map(|_| ()));
}

#[test]
fn changing_the_site_takes_commit() {
    let scene = scene_of_everyone();
    let may = |act: &dyn Fn(Caller<'_>) -> Result<(), Refusal>| {
        let words = "Caller does not have Commit permission";
        only(&[Committer], words, &scene, act);
    };
    let key = "/a.txt".to_owned();
    may(&|caller| caller.commit(0, vec![delete("/a.txt")]));
    may(&order("create_asset", (create(&key, "text/plain"),)));
    may(&order(
        "set_asset_content",
        (inline(&key, "identity", b"a"),),
    ));
    may(&order("set_asset_properties", (properties(&key),)));
    let encoding = UnsetAssetContent {
        key: key.clone(),
        content_encoding: "identity".to_owned(),
    };
    may(&order("unset_asset_content", (encoding,)));
    may(&order("delete_asset", (DeleteAsset { key },)));
    may(&order("configure", (Configure::default(),)));
    may(&order("clear", (Empty {},)));
    may(&order("commit_proposed_batch", (Proposed::new(99, b""),)));
    let store = Store::new("/a.txt", "text/plain", b"a");
    may(&order("store", (store,)));
}

#[test]
fn what_a_call_would_do_is_said_in_words() {
    let scene = Scene::new();
    let stranger = scene.caller(person(20));
    let says = |reply: Result<(Validation,), Refusal>, words: &str| {
        assert_eq!(reply.unwrap().0, Validation::Ok(words.to_owned()));
    };
    let before = scene.state();
    let someone = person(30);
    for (permission, name) in [
        (Permission::Commit, "Commit"),
        (Permission::Prepare, "Prepare"),
        (Permission::ManagePermissions, "ManagePermissions"),
    ] {
        let grant = GrantPermission {
            to_principal: someone,
            permission,
        };
        says(
            stranger.update("validate_grant_permission", (grant,)),
            &format!("grant {name} permission to principal {someone}"),
        );
        let revoke = RevokePermission {
            of_principal: someone,
            permission,
        };
        says(
            stranger.update("validate_revoke_permission", (revoke,)),
            &format!("revoke {name} permission from principal {someone}"),
        );
    }
    says(
        stranger.update("validate_take_ownership", ()),
        "revoke all permissions, then gives the caller Commit permissions",
    );
    assert_eq!(scene.state(), before);
    assert_eq!(scene.owner().permitted(Permission::Prepare), []);
}

#[test]
fn granting_and_revoking_takes_manage_permissions_or_being_a_controller() {
    let scene = scene_of_everyone();
    let someone = person(20);
    let words = "Caller does not have ManagePermissions permission and is not a controller.";
    let may = [Manager, Controller];
    only(&may, words, &scene, |caller| {
        caller.grant(someone, Permission::Prepare)
    });
    only(&may, words, &scene, |caller| {
        caller.revoke(someone, Permission::Prepare)
    });
    only(&may, words, &scene, order("authorize", (someone,)));
}

#[test]
fn taking_from_others_by_the_old_methods_takes_a_controller() {
    let scene = scene_of_everyone();
    let words = "Caller is not a controller.";
    only(
        &[Controller],
        words,
        &scene,
        order("deauthorize", (person(20),)),
    );
    only(&[Controller], words, &scene, order("take_ownership", ()));
}

#[test]
fn anyone_may_look() {
    let scene = scene_of_everyone();
    for who in EVERYONE {
        let caller = scene.caller(who.principal());
        let (version,): (u16,) = caller.query("api_version", ()).unwrap();
        assert_eq!(version, 2);
        assert_eq!(caller.list(None, None).unwrap(), []);
        refused_for(caller.properties("/a"), "asset not found", "/a");
        assert_eq!(
            caller.permitted(Permission::Commit),
            [Committer.principal()]
        );
        let (authorized,): (Vec<Principal>,) = caller.update("list_authorized", ()).unwrap();
        assert_eq!(authorized, [Committer.principal()]);
        let _: (candid::Reserved,) = caller.query("certified_tree", ()).unwrap();
        let _: (candid::Reserved,) = caller.query("get_state_info", ()).unwrap();
        let _: (Option<String>,) = caller.update("compute_state_hash", ()).unwrap();
    }
}

#[test]
fn whoever_installs_may_commit_and_nobody_else_may_anything() {
    let scene = Scene::new();
    assert_eq!(scene.owner().permitted(Permission::Commit), [owner()]);
    assert_eq!(scene.owner().permitted(Permission::Prepare), []);
    assert_eq!(scene.owner().permitted(Permission::ManagePermissions), []);
}

#[test]
fn a_grant_holds_until_it_is_revoked() {
    let scene = Scene::new();
    let someone = scene.caller(person(20));
    for permission in [
        Permission::Prepare,
        Permission::Commit,
        Permission::ManagePermissions,
    ] {
        let before = scene.owner().permitted(permission);
        scene
            .owner()
            .grant(someone.principal(), permission)
            .unwrap();
        assert!(
            scene
                .owner()
                .permitted(permission)
                .contains(&someone.principal())
        );
        scene
            .owner()
            .revoke(someone.principal(), permission)
            .unwrap();
        assert_eq!(scene.owner().permitted(permission), before);
    }
    refused(
        someone.create_batch(),
        "Caller does not have Prepare permission",
    );
}

#[test]
fn everyone_may_give_up_what_they_hold() {
    let scene = scene_of_everyone();
    for (who, permission, name) in [
        (Preparer, Permission::Prepare, "Prepare"),
        (Committer, Permission::Commit, "Commit"),
        (Manager, Permission::ManagePermissions, "ManagePermissions"),
    ] {
        let holder = scene.caller(who.principal());
        holder.revoke(holder.principal(), permission).unwrap();
        assert_eq!(scene.owner().permitted(permission), []);
        refused(
            holder.revoke(holder.principal(), permission),
            &format!("Caller does not have {name} permission and is not a controller."),
        );
    }
}

#[test]
fn a_controller_who_gives_up_commit_cannot_change_the_site() {
    let scene = Scene::new();
    scene
        .owner()
        .update::<()>("deauthorize", (owner(),))
        .unwrap();
    assert_eq!(scene.owner().permitted(Permission::Commit), []);
    refused(
        scene.owner().create_batch(),
        "Caller does not have Prepare permission",
    );
    refused(
        scene.owner().commit(0, Vec::new()),
        "Caller does not have Commit permission",
    );
    // Being a controller, they may take it back.
    scene.owner().update::<()>("authorize", (owner(),)).unwrap();
    scene.owner().commit(0, Vec::new()).unwrap();
}

#[test]
fn taking_ownership_leaves_one_committer_only() {
    let scene = scene_of_everyone();
    scene.owner().update::<()>("take_ownership", ()).unwrap();
    assert_eq!(scene.owner().permitted(Permission::Commit), [owner()]);
    assert_eq!(scene.owner().permitted(Permission::Prepare), []);
    assert_eq!(scene.owner().permitted(Permission::ManagePermissions), []);
}

fn set(number: u8) -> Option<SetPermissions> {
    Some(SetPermissions {
        prepare: vec![person(number)],
        commit: vec![person(number + 1)],
        manage_permissions: vec![person(number + 2), person(number + 3)],
    })
}

#[track_caller]
fn holds_exactly(scene: &Scene, number: u8) {
    let permitted = |permission| scene.owner().permitted(permission);
    assert_eq!(permitted(Permission::Prepare), [person(number)]);
    assert_eq!(permitted(Permission::Commit), [person(number + 1)]);
    assert_eq!(
        permitted(Permission::ManagePermissions),
        [person(number + 2), person(number + 3)]
    );
}

#[test]
fn init_and_upgrade_can_replace_all_permissions() {
    let set_permissions = set(30);
    let args = CanisterArgs::Init(Permissions { set_permissions });
    let scene = Scene::installed_with(Some(args));
    holds_exactly(&scene, 30);

    let set_permissions = set(40);
    let args = CanisterArgs::Upgrade(Permissions { set_permissions });
    scene.upgrade_with(Some(args)).unwrap();
    holds_exactly(&scene, 40);

    let set_permissions = None;
    let args = CanisterArgs::Upgrade(Permissions { set_permissions });
    scene.upgrade_with(Some(args)).unwrap();
    holds_exactly(&scene, 40);
}

#[test]
fn the_wrong_kind_of_argument_is_refused() {
    let set_permissions = None;
    let args = CanisterArgs::Upgrade(Permissions { set_permissions });
    refused(
        Scene::uninstalled().try_install(Some(args)),
        "Cannot initialize the canister with an Upgrade argument. Please provide an Init argument.",
    );

    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let before = scene.state();
    let set_permissions = set(30);
    let args = CanisterArgs::Init(Permissions { set_permissions });
    refused(
        scene.upgrade_with(Some(args)),
        "Cannot upgrade the canister with an Init argument. Please provide an Upgrade argument.",
    );
    assert_eq!(scene.state(), before);
    assert_eq!(scene.owner().permitted(Permission::Commit), [owner()]);
}
