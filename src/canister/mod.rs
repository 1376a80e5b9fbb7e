//! A site in a canister: its memories, its guards, and the one place that sets certified data.
//!
//! ```text
//! init, post_upgrade ──► open ──┐
//! update methods ──► change ────┴─► certified_data_set(root hash)
//! query methods ──► read, serve
//! ```
//!
//! Functions are `#[inline]`, so that they are compiled in the canister's crate, with all they use of the library for
//! this kind of memory: what two crates compile is there twice.
//!
//! Nothing else in the library knows of the system. There is no `pre_upgrade`: everything is in stable memory
//! already.

use crate::{
    access::{Caller, Permission},
    api::CertifiedTree,
    error::Error,
    serve::{Request, Response, refuse_raw, serve},
    site::{Committed, Environment, Memories, Operation, Site},
};
use ic_cdk::api::{
    canister_self, certified_data_set, data_certificate, env_var_count, env_var_name,
    env_var_value, is_controller, msg_caller, root_key, time, trap,
};
use ic_stable_structures::{DefaultMemoryImpl, memory_manager::VirtualMemory};
use std::cell::RefCell;

/// The memory of a canister's site.
pub type StableMemory = VirtualMemory<DefaultMemoryImpl>;

thread_local! {
    static SITE: RefCell<Option<Site<StableMemory>>> = const { RefCell::new(None) };
}

/// Opens the site in stable memory, or makes one in an empty memory, and certifies it. To be called by `init` and
/// `post_upgrade`, so that queries, which keep nothing, find it open.
#[inline]
pub fn open() {
    let memories = Memories::of_stable_memory(DefaultMemoryImpl::default());
    open_in(memories.unwrap_or_else(|error| refuse(error)));
}

/// As [`open`], in memories of the canister's own choosing.
#[inline]
pub fn open_in(memories: Memories<StableMemory>) {
    let site = Site::open(memories).unwrap_or_else(|error| refuse(error));
    SITE.set(Some(site));
    change(|_, _| Ok(()));
}

/// Reads the site.
pub fn read<R>(look: impl FnOnce(&Site<StableMemory>) -> R) -> R {
    SITE.with_borrow(|site| match site {
        Some(site) => look(site),
        None => trap("the site was not opened by init or post_upgrade"),
    })
}

/// Changes the site, given the time in nanoseconds since 1970, and certifies the result. On an error the canister
/// traps with it, and nothing has happened.
pub fn change<R>(change: impl FnOnce(&mut Site<StableMemory>, u64) -> Result<R, Error>) -> R {
    SITE.with_borrow_mut(|site| {
        let Some(site) = site else {
            trap("the site was not opened by init or post_upgrade");
        };
        let done = change(site, time()).unwrap_or_else(|error| refuse(error));
        certified_data_set(site.root().hash());
        done
    })
}

/// Commits a batch for the caller. See [`Site::commit_batch`].
#[inline]
pub fn commit_batch(batch: u64, operations: impl IntoIterator<Item = Operation>) {
    let committed = change(|site, now| site.commit_batch(batch, msg_caller(), operations, now));
    if committed == Committed::Published {
        tell_environment();
    }
}

/// Applies operations and publishes them at once.
#[inline]
pub fn commit(operations: impl IntoIterator<Item = Operation>) {
    change(|site, now| site.commit(operations, now));
    tell_environment();
}

/// Tells the site the environment of the canister: its root key and its environment variables. Whatever publishes
/// something ends with this, and installing; not an upgrade, whose cost may not depend on what is stored.
#[inline]
pub fn tell_environment() {
    let variables = (0..env_var_count()).map(env_var_name).map(|name| {
        let value = env_var_value(&name);
        (name, value)
    });
    let environment = Environment::new(&root_key(), variables);
    change(|site, _| site.set_environment(&environment));
}

/// Answers a request in a query. Outside of one there is no certificate, so the answer proves nothing.
#[inline]
pub fn answer(request: &Request) -> Response {
    let certificate = data_certificate().unwrap_or_default();
    read(|site| {
        refuse_raw(site, request, canister_self())
            .unwrap_or_else(|| serve(site, request, &certificate))
    })
}

/// Everything that is certified, with its certificate.
#[inline]
pub fn certified_tree() -> CertifiedTree {
    let Some(certificate) = data_certificate() else {
        trap("no data certificate available");
    };
    let tree = read(Site::certified_tree).unwrap_or_else(|error| refuse(error));
    CertifiedTree {
        certificate: certificate.into(),
        tree: tree.into(),
    }
}

/// Ends the message with an error that keeps nothing of what it did.
pub fn refuse(error: impl ToString) -> ! {
    trap(error.to_string())
}

/// Who sent the message.
pub fn caller() -> Caller {
    let principal = msg_caller();
    Caller {
        principal,
        is_controller: is_controller(&principal),
    }
}

/// A guard: lets through who may commit.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_commit() -> Result<(), String> {
    may(Permission::Commit)
}

/// A guard: lets through who may prepare or commit.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_prepare() -> Result<(), String> {
    may(Permission::Prepare)
}

/// A guard: lets through who may manage permissions.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_manage_permissions() -> Result<(), String> {
    read(|site| {
        site.access()
            .require_or_controller(Permission::ManagePermissions, caller())
    })
    .map_err(|error| error.to_string())
}

/// A guard: lets through controllers.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn is_a_controller() -> Result<(), String> {
    caller()
        .require_controller()
        .map_err(|error| error.to_string())
}

#[inline]
fn may(permission: Permission) -> Result<(), String> {
    read(|site| site.access().require(permission, caller())).map_err(|error| error.to_string())
}
