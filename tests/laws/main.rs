//! The laws of a site, each held by any content and any history.
//!
//! | file | law |
//! | --- | --- |
//! | `answers.rs` | every request gets an answer that the independent verifier accepts |
//! | `canonical.rs` | the hashes depend on the content alone; golden values |
//! | `replay.rs` | no answer verifies for a request that it is not true of |
//! | `conditions.rs` | headers of requests and of uploaders mean what HTTP says |
//! | `full.rs`, `batches.rs`, `depth.rs` | what fails leaves everything as it was |
//! | `foreign.rs`, `handles.rs` | nothing stale or foreign is taken for the site's own |
//! | `staging.rs` | what is staged is not seen, what is published is what would have been committed at once |
//! | `stages.rs` | a staged release is not seen, loses nothing, and becomes the site in one call, or not at all |
//! | `lock.rs` | nothing takes effect before its time |
//! | `legacy.rs` | errors come in the order that clients know |
//! | `work.rs` | work is in proportion to what is asked for |
//! | `import.rs` | the state of an asset canister of dfx becomes the site that it describes, or nothing |
//! | `releases.rs` | the log has no gap and says what is live; a rollback brings back every answer |
//! | `previous.rs` | the release before answers open pages, and nothing proves it |
//! | `remainder.rs` | a download that began before a publication ends with what it began with |
//! | `history.rs` | nothing stale verifies, nothing leaks, upgrades and failures change nothing |

mod answers;
mod batches;
mod canonical;
mod conditions;
mod depth;
mod foreign;
mod full;
mod handles;
mod history;
mod import;
mod legacy;
mod lock;
mod previous;
mod releases;
mod remainder;
mod replay;
mod stages;
mod staging;
#[path = "../legacy/state.rs"]
mod state;
mod work;
mod world;
