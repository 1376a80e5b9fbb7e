//! The `hallmark` command line as a library.
//!
//! From a directory to certified answers, one module a step: [`scan`] lists the files, of which
//! [`rules`] say more, [`content`] types and compresses them, [`plan`] compares them with what the
//! canister has, [`freight`] packs what is missing there, [`stage`] publishes it on Hallmark's
//! canister, or [`upload`] on that of dfx; [`directory`] is all of them, and [`changes`] tells of
//! it. [`journal`] keeps what a deploy leaves behind if it is broken off.
//!
//! They talk to any [`canister`] through [`legacy`], the asset canister's interface. [`local`]
//! is a canister in this process, and [`serve`] the command that shows it to browsers.
//! [`remote`] is one on a [`network`], called as an [`identity`], and [`deploy`] the command
//! that deploys to it, and [`rehearsal`] one without a network, where [`hash`] tells what a
//! directory adds up to. [`verify`] proves what a canister serves; [`history`] its log, of which
//! [`releases`] and [`diff`] are the commands. [`native`] is the part of the interface that is
//! Hallmark's own.

pub mod canister;
pub mod changes;
pub mod content;
pub mod deploy;
pub mod diff;
pub mod directory;
pub mod error;
pub mod freight;
pub mod hash;
pub mod history;
pub mod identity;
mod ingress;
pub mod journal;
pub mod legacy;
pub mod local;
pub mod native;
pub mod network;
mod outage;
mod parallel;
pub mod plan;
pub mod rehearsal;
pub mod releases;
pub mod remote;
pub mod report;
pub mod root_key;
pub mod rules;
pub mod scan;
pub mod serve;
pub mod stage;
pub mod time;
pub mod upload;
pub mod verify;
pub mod watch;

pub use error::Error;
