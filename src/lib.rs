//! Websites on the Internet Computer with every answer certified.
#![forbid(unsafe_code)]

pub mod http;
