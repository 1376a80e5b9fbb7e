//! The asset canister as its users meet it: through `pocket-ic`, over Candid and
//! HTTP, with every answer verified independently.
//!
//! A test is a scene, an act and an expectation:
//!
//! ```text
//! let scene = Scene::showing(&[("/index.html", "text/html", b"hello")]);
//! scene.get("/").answer().shows(200, "hello").with("content-type", "text/html");
//! ```
//!
//! Variables of the environment say what is tested, and `cargo xtask test` sets
//! them: `POCKET_IC_BIN`, the engine; `HALLMARK_CANISTERS`, the folder that holds
//! `assets.wasm.gz`; `LEGACY_CANISTER`, the module that sites migrate from.

// The stage.
mod answer;
mod interface;
mod scene;
#[path = "../legacy/state.rs"]
mod state;

// The plays, one a feature.
mod aliases;
mod batches;
mod certified_tree;
mod configuration;
mod deletes;
mod encodings;
mod environment;
mod evidence;
mod expiry;
mod fallback;
mod limits;
mod listing;
mod lock;
mod methods;
mod migration;
mod permissions;
mod properties;
mod proposals;
mod ranges;
mod raw_access;
mod reading;
mod releases;
mod serve;
mod stages;
mod staging;
mod state_hash;
mod store;
mod streaming;
mod upgrade;
mod urls;
