#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
pub mod api;
#[cfg(feature = "canister")]
pub mod canister;
pub mod certification;
pub mod error;
pub mod http;
pub mod import;
pub mod serve;
pub mod site;
pub mod storage;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tree;
pub mod upload;

pub use error::Error;
pub use site::Site;
