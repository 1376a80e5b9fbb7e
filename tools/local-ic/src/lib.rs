//! A local Internet Computer in one process.
//!
//! [`Network`] is the whole of it: a clock, the keys of a few subnets and the
//! canisters on them. Time passes only when told to, every message is one
//! deterministic execution, and everything a client can observe (answers,
//! rejects, certificates, instruction counts) is what the Internet Computer
//! would show, as far as this crate goes; the rest is refused by name.
//!
//! It is shown to the world by [`PublicInterface`] (agents), [`gateway`]
//! (browsers) and [`server`] (tests that use PocketIC); [`standalone`] is a
//! network that runs by itself.
//!
//! ```
//! use local_ic::{Config, Network, SubnetKind};
//!
//! let network = Network::new(Config::new([SubnetKind::Application]))?;
//! assert_eq!(network.default_effective_canister_id().to_text(), "lxzze-o7777-77777-aaaaa-cai");
//! # Ok::<(), local_ic::ConfigError>(())
//! ```

mod canister;
mod certificate;
mod execution;
pub mod gateway;
mod heap;
mod local;
mod management;
mod meter;
mod module;
mod network;
mod public_interface;
mod reject;
pub mod server;
mod stable_memory;
pub mod standalone;
mod subnet;
mod system_api;
mod system_canister;

pub use ic_management_canister_types::{
    CanisterInstallMode as InstallMode, CanisterSettings, UpgradeFlags, WasmMemoryPersistence,
};
pub use local::{Clock, Local};
pub use meter::Execution;
pub use network::{
    Config, ConfigError, Effective, Ingress, IngressStatus, MessageId, Network, TimeError,
};
pub use public_interface::PublicInterface;
pub use reject::{ErrorCode, Reject, RejectCode};
pub use subnet::{Subnet, SubnetKind};
