//! What an execution costs.

/// The bill of one message, in instructions unless stated otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// All of the message: the five items below together.
    pub instructions: u64,
    /// WebAssembly operators.
    pub wasm: u64,
    /// Calls of the system interface, without the two below.
    pub system_api: u64,
    /// Bytes of the reply (and of outgoing calls).
    pub reply: u64,
    /// Stable memory: access, and first writes to a page.
    pub stable: u64,
    /// Heap pages of 4 KiB written to (pages, not instructions; 1000 instructions each).
    pub dirty_heap_pages: u64,
    /// Stable pages of 4 KiB written to (pages; their charge is part of `stable`).
    pub dirty_stable_pages: u64,
    /// Compiling the module, at install and upgrade; not part of `instructions`.
    pub compile: u64,
    /// Size of the heap afterwards, in bytes.
    pub heap_bytes: u64,
    /// Size of stable memory afterwards, in bytes.
    pub stable_bytes: u64,
}
