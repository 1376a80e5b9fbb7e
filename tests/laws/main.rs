//! The laws of a site, each held by any content and any history.
//!
//! | file | law |
//! | --- | --- |
//! | `answers.rs` | every request gets an answer that the independent verifier accepts |
//! | `canonical.rs` | the hashes depend on the content alone; golden values |
//! | `history.rs` | nothing stale verifies, nothing leaks, upgrades and failures change nothing |

mod answers;
mod canonical;
mod history;
mod world;
