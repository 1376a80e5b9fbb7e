//! The lock: publications that take effect later, or not at all.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{Lock, LockResponse, ReleaseNumber, ValidationResult, WithdrawArguments},
    canister::{self, change, may_commit, may_manage_permissions, read},
};

#[update(guard = "may_manage_permissions")]
fn set_lock(lock: Lock) {
    change(|site, by| site.set_lock(lock.into(), by));
}

#[update]
fn validate_set_lock(lock: Lock) -> ValidationResult {
    read(|site| lock.validate(site))
}

#[query]
fn lock() -> LockResponse {
    read(|site| site.guard()).into()
}

#[update(guard = "may_commit")]
fn withdraw(arguments: WithdrawArguments) -> ReleaseNumber {
    let note = arguments.note.unwrap_or_default();
    let release = change(|site, by| site.withdraw(arguments.release, &note, by));
    ReleaseNumber { release }
}

#[update]
fn validate_withdraw(arguments: WithdrawArguments) -> ValidationResult {
    read(|site| arguments.validate(site))
}

#[update]
fn carry_out() -> Option<u64> {
    canister::carry_out()
}
