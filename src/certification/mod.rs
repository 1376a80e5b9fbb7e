//! Response verification, version 2: what is certified of an answer, and how it is proven.
//!
//! ```text
//! root ─┬─ "hallmark" ── "assets" ── …                                                   Root
//!       └─ "http_expr" ── segments ── "<$>" | "<*>"                                      ExpressionPath
//!                           └─ sha256(CEL) ── request hash | "" ── response hash ── ""   Expression, response_hash
//! ```
//!
//! The rules are those of the HTTP Gateway Protocol specification, "Response Verification". Version 1 is not
//! offered: a canister that offers both can be downgraded to the one that proves less.

mod expression;
mod hash;
mod header;
mod known;
mod path;
mod root;

pub use expression::Expression;
pub use hash::{
    HEAD_REQUEST_HASH, HashedField, not_modified_request_hash, range_request_hash, response_hash,
};
pub use header::certificate_header;
pub(crate) use known::digest;
pub use path::{ExpressionPath, Reach};
pub use root::Root;

/// The header that carries certificate, witness and expression path.
pub const CERTIFICATE: &str = "IC-Certificate";

/// The header that says what is certified.
pub const CERTIFICATE_EXPRESSION: &str = "IC-CertificateExpression";
