//! The `hallmark` command line as a library.
//!
//! From a directory to certified answers, one module a step: [`scan`] lists the files,
//! [`content`] types and compresses them, [`plan`] compares them with what the canister has,
//! [`upload`] sends the difference. All of it talks to any [`canister`] through [`legacy`],
//! the asset canister's interface.

pub mod canister;
pub mod content;
pub mod error;
pub mod legacy;
pub mod plan;
pub mod scan;
pub mod upload;

pub use error::Error;
