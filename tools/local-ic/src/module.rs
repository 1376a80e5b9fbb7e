//! Canister modules: from the bytes that were uploaded to code that runs.
//!
//! ```text
//! bytes as uploaded ─ sha256 ─► module hash
//!       │ gunzip
//!       ▼
//! read ──► metadata, entry points, initial heap, number of operators
//!       │
//!       ▼
//! rewrite ──► compile (or find compiled, in memory or on disk) ──► link
//! ```

mod cache;
mod rewrite;
mod survey;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use wasmtime::{ExternType, InstancePre};

use crate::heap::HeapImage;
use crate::meter::charge;
use crate::system_api::SystemState;

pub(crate) use cache::{engine, load};
pub(crate) use rewrite::{GLOBAL_PREFIX, MEMORY, START, TABLE};

/// The largest module, uncompressed.
const MAX_MODULE: u64 = 100 << 20;

/// A module ready to be instantiated.
pub(crate) struct Module {
    /// SHA-256 of the bytes as uploaded.
    pub(crate) hash: [u8; 32],
    /// How many bytes were uploaded.
    pub(crate) size: usize,
    /// Custom sections for others to read.
    pub(crate) metadata: BTreeMap<String, Metadata>,
    /// The functions that messages enter through.
    pub(crate) methods: BTreeMap<String, MethodKind>,
    /// The entry points of the system, `start` included.
    pub(crate) hooks: Vec<String>,
    /// How many mutable globals there are.
    pub(crate) globals: usize,
    /// What compiling it costs, in instructions.
    pub(crate) compile_charge: u64,
    /// Whether it asks for a certificate of its data.
    pub(crate) uses_certificate: bool,
    initial_pages: u64,
    segments: Vec<(usize, Vec<u8>)>,
    pub(crate) code: InstancePre<SystemState>,
}

/// A custom section `icp:public …` or `icp:private …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) public: bool,
    pub(crate) content: Vec<u8>,
}

/// How a method is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodKind {
    Update,
    Query,
    CompositeQuery,
}

/// A module the Internet Computer does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidModule(String);

impl InvalidModule {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for InvalidModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canister's Wasm module is not valid: {}", self.0)
    }
}

impl std::error::Error for InvalidModule {}

impl Module {
    /// Reads, compiles and links a module.
    fn build(hash: [u8; 32], uploaded: &[u8]) -> Result<Self, InvalidModule> {
        let wasm = gunzip(uploaded)?;
        let survey = survey::Survey::of(&wasm)?;
        let rewritten = rewrite::rewrite(&wasm, &survey)?;
        let compiled = cache::compile(&hash, &rewritten)?;
        check_entry_points(&compiled)?;
        let code = crate::system_api::link(&compiled)?;
        Ok(Self {
            hash,
            size: uploaded.len(),
            metadata: survey.metadata,
            methods: survey.methods,
            hooks: survey.hooks,
            globals: survey.mutable_globals.len(),
            compile_charge: survey.instrumented_operators * charge::COMPILED_OPERATOR,
            uses_certificate: survey.uses_certificate,
            initial_pages: survey.initial_pages,
            segments: survey.segments,
            code,
        })
    }

    /// The heap before anything ran.
    pub(crate) fn initial_heap(&self) -> Result<HeapImage, InvalidModule> {
        let mut heap = HeapImage::new(self.initial_pages);
        for (offset, bytes) in &self.segments {
            heap.initialise(*offset, bytes).ok_or_else(|| {
                InvalidModule::new(format_args!(
                    "data segment of {} bytes at {offset} is out of bounds",
                    bytes.len()
                ))
            })?;
        }
        Ok(heap)
    }

    /// Whether it exports this entry point of the system.
    pub(crate) fn has_hook(&self, name: &str) -> bool {
        self.hooks.iter().any(|hook| hook == name)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("hash", &hex::encode(self.hash))
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

/// Functions that messages enter through take nothing and return nothing.
fn check_entry_points(compiled: &wasmtime::Module) -> Result<(), InvalidModule> {
    for export in compiled.exports() {
        if let ExternType::Func(function) = export.ty()
            && export.name().starts_with("canister_")
            && function.params().len() + function.results().len() > 0
        {
            return Err(InvalidModule::new(format_args!(
                "the entry point '{}' has parameters or results",
                export.name()
            )));
        }
    }
    Ok(())
}

/// What a module is known by.
pub(crate) fn hash(uploaded: &[u8]) -> [u8; 32] {
    Sha256::digest(uploaded).into()
}

fn gunzip(uploaded: &[u8]) -> Result<Vec<u8>, InvalidModule> {
    if !uploaded.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Ok(uploaded.to_vec());
    }
    let mut wasm = Vec::new();
    GzDecoder::new(uploaded)
        .take(MAX_MODULE + 1)
        .read_to_end(&mut wasm)
        .map_err(|error| InvalidModule::new(format_args!("cannot be gunzipped: {error}")))?;
    if wasm.len() as u64 > MAX_MODULE {
        return Err(InvalidModule::new("it is larger than 100 MiB"));
    }
    Ok(wasm)
}

/// A module shared by the canisters it is installed in.
pub(crate) type SharedModule = Arc<Module>;
