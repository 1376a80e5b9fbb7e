//! The asset canister, used by the clients of the asset canister of dfx as they are published:
//! `ic-asset`, which dfx deploys with; `dfx-core`, which reads `dfx.json`; the packages of npm that
//! JavaScript uploads and verifies with; and `ic-http-gateway-protocol`, which gateways are made
//! of. Beside them, `hallmark deploy`, which has to agree with them.
//!
//! A test is a directory, a site, and what the one makes of the other:
//!
//! ```text
//! let directory = Directory::holding(&[("index.html", "hello")]);
//! let site = Site::new();
//! site.sync(&directory);
//! assert_eq!(site.get("/").text(), "hello");
//! ```
//!
//! Clients and browsers meet the site over HTTP, through a gateway that verifies. Variables of
//! the environment say what is tested, and `cargo xtask test` sets them: `POCKET_IC_BIN`, the
//! engine; `HALLMARK_CANISTERS`, the folder of `assets.wasm.gz`; `LEGACY_CANISTER`, the module
//! that sites migrate from; `NODE_MODULES`, the folder of the packages.

// The stage.
mod directory;
mod page;
mod site;

// The plays, one a thing that clients do.
mod configuration;
mod deploy;
mod dfx;
mod gateway;
mod javascript;
mod migration;
mod proposals;
mod sync;
