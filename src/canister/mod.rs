//! A site in a canister: its memories, its guards, and the one place that sets certified data.
//!
//! ```text
//! init, post_upgrade ──► open ──┐
//! update methods ──► change ────┴─► certify: certified_data_set(root hash)
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
    import::{Damaged, Progress},
    serve::{Request, Response, refuse_raw, serve, serve_importing, serve_update},
    site::{By, Committed, Environment, Expected, Memories, Operation, Sealed, Site},
};
use ic_cdk::api::{
    canister_self, certified_data_set, data_certificate, env_var_count, env_var_name,
    env_var_value, is_controller, msg_caller, performance_counter, root_key, time, trap,
};
use ic_stable_structures::{DefaultMemoryImpl, memory_manager::VirtualMemory};
use std::cell::RefCell;

/// The memory of a canister's site.
pub type StableMemory = VirtualMemory<DefaultMemoryImpl>;

thread_local! {
    static SITE: RefCell<Option<Site<StableMemory>>> = const { RefCell::new(None) };
}

/// Opens the site in stable memory and certifies it. Of an empty memory it makes an empty site; of that of an asset
/// canister of dfx one that it begins to import. To be called by `init` and `post_upgrade`, so that queries, which
/// keep nothing, find it open.
#[inline]
pub fn open() {
    open_importing(UPGRADE);
}

/// As [`open`], with a bound on the instructions that may go into importing now.
#[inline]
pub fn open_importing(limit: u64) {
    let site = Site::of_stable_memory(DefaultMemoryImpl::default());
    let site = site.unwrap_or_else(|error| refuse(error));
    let is_importing = site.importing().is_some();
    SITE.set(Some(site));
    if is_importing {
        // The old pages told of it, so the new ones shall from the beginning.
        tell_environment();
        import(Damaged::Refuse, limit);
    } else {
        certify(|_, _| Ok(()));
    }
}

/// As [`open`], in memories of the canister's own choosing.
#[inline]
pub fn open_in(memories: Memories<StableMemory>) {
    let site = Site::open(memories).unwrap_or_else(|error| refuse(error));
    SITE.set(Some(site));
    certify(|_, _| Ok(()));
}

/// Reads the site.
pub fn read<R>(look: impl FnOnce(&Site<StableMemory>) -> R) -> R {
    SITE.with_borrow(|site| match site {
        Some(site) => look(site),
        None => trap("the site was not opened by init or post_upgrade"),
    })
}

/// Changes the site, given who calls and when, after what was due by now, and certifies the result. On an error the
/// canister traps with it, and nothing has happened.
pub fn change<R>(change: impl FnOnce(&mut Site<StableMemory>, By) -> Result<R, Error>) -> R {
    let (carried_out, done) = certify(|site, by| {
        let carried_out = site.carry_out(by.now)?;
        Ok((carried_out, change(site, by)?))
    });
    if carried_out.is_some() {
        tell_environment();
    }
    done
}

fn certify<R>(change: impl FnOnce(&mut Site<StableMemory>, By) -> Result<R, Error>) -> R {
    SITE.with_borrow_mut(|site| {
        let Some(site) = site else {
            trap("the site was not opened by init or post_upgrade");
        };
        let by = By {
            principal: msg_caller(),
            now: time(),
        };
        let done = change(site, by).unwrap_or_else(|error| refuse(error));
        certified_data_set(site.root().hash());
        done
    })
}

/// Commits a batch for the caller. See [`Site::commit_batch`].
#[inline]
pub fn commit_batch(batch: u64, operations: impl IntoIterator<Item = Operation>) {
    let committed = change(|site, by| site.commit_batch(batch, by.principal, operations, by.now));
    if committed == Committed::Published {
        tell_environment();
    }
}

/// Applies operations and publishes them at once.
#[inline]
pub fn commit(operations: impl IntoIterator<Item = Operation>) {
    change(|site, by| site.commit(operations, by));
    tell_environment();
}

/// Seals a staged release, as far as a message goes. See [`Site::seal_stage`].
#[inline]
pub fn seal_stage(stage: u64) -> Option<Sealed> {
    change(|site, by| site.seal_stage(stage, by, &has_room(UPDATE)))
}

/// Publishes a staged release for the caller. See [`Site::publish_stage`].
#[inline]
pub fn publish_stage(stage: u64, expected: &Expected, note: &str) -> u64 {
    let release = change(|site, by| site.publish_stage(stage, expected, note, by));
    tell_environment();
    release
}

/// Lets come into force what is due. See [`Site::carry_out`].
#[inline]
pub fn carry_out() -> Option<u64> {
    let release = certify(|site, by| site.carry_out(by.now));
    if release.is_some() {
        tell_environment();
    }
    release
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
    change(|site, by| site.set_environment(&environment, by));
}

/// Goes on with an import, if there is one, as far as a message goes.
#[inline]
pub fn continue_import() -> Progress {
    import(Damaged::Keep, UPDATE)
}

/// Answers a request in an update call, and goes on with an import, if there is one.
#[inline]
pub fn answer_update(request: &Request) -> Response {
    if read(|site| site.importing().is_none()) {
        return read(|site| serve_update(site, request));
    }
    change(|site, By { now, .. }| {
        let response = serve_importing(site, request, now, &has_room(UPDATE))?;
        // Only now is it known whether it may be had without verification.
        let response = refuse_raw(site, request, canister_self()).unwrap_or(response);
        site.import(now, Damaged::Keep, &has_room(VISIT))?;
        Ok(response)
    })
}

#[inline]
fn import(damaged: Damaged, limit: u64) -> Progress {
    change(|site, by| site.import(by.now, damaged, &has_room(limit)))
}

/// Whether a message that may use `limit` instructions has so many left.
#[inline]
fn has_room(limit: u64) -> impl Fn(u64) -> bool {
    move |cost| performance_counter(0).saturating_add(cost) <= limit
}

/// Instructions of an upgrade that an import may use. All of an upgrade has 300 billion; what the old canister takes
/// to save its state is not counted here: 4 a byte, with `ic-certified-assets` 0.3.0.
const UPGRADE: u64 = 200_000_000_000;

/// Instructions that work in steps may use of the 40 billion of an update call.
const UPDATE: u64 = 38_000_000_000;

/// Instructions that an import may use of a visitor's time.
const VISIT: u64 = 2_000_000_000;

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

/// A guard: lets through who may commit, unless an import is going on. It goes on then, and what it does is kept,
/// because a rejection is no trap.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_commit() -> Result<(), String> {
    may(Permission::Commit)?;
    nothing_to_import()
}

/// A guard: lets through who may prepare or commit, unless an import is going on, as [`may_commit`] does.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_prepare() -> Result<(), String> {
    may(Permission::Prepare)?;
    nothing_to_import()
}

/// A guard: lets through who may commit, and controllers.
///
/// # Errors
///
/// The text of the rejection.
#[inline]
pub fn may_import() -> Result<(), String> {
    read(|site| {
        site.access()
            .require_or_controller(Permission::Commit, caller())
    })
    .map_err(|error| error.to_string())
}

/// The rest of the message may fail, and would take the import's progress with it; so nothing else is done in it.
#[inline]
fn nothing_to_import() -> Result<(), String> {
    if read(|site| site.importing().is_none()) {
        return Ok(());
    }
    Err(match continue_import().left {
        0 => "the site was being imported from the asset canister that was here; now it is: call again".to_owned(),
        left => format!(
            "the site is being imported from the asset canister that was here, and nothing can be changed before \
             that is done: {left} assets are left. Call continue_import until there are none."
        ),
    })
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
