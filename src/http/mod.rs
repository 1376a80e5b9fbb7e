//! The words of HTTP that a certified site speaks, and nothing of the Internet
//! Computer: what a URL names, which encoding a client would rather have, what
//! its conditions and ranges ask for, what may stand in a header.
//!
//! Everything here is a pure function of the request's text. It runs on every
//! query, so it borrows instead of allocating; requests come from strangers, so
//! no input makes it panic, and its work is bounded by the length of the text.

mod accept_encoding;
mod etag;
mod header;
mod method;
mod path;
mod range;

pub use accept_encoding::AcceptEncoding;
pub use etag::{EntityTag, IfNoneMatch, IfRange};
pub use header::{FieldError, Headers, Reserved, check_field};
pub use method::Method;
pub use path::{UrlError, UrlPath};
pub use range::{ContentRange, Range};
