//! Compiled modules: in this process by their hash, and on disk by their hash
//! and everything that decides what a compiler makes of them.
//!
//! Compiling a large canister takes seconds and each test process would do it
//! again. Files are written under another name and renamed, so processes that
//! start together do not see half of one. Since a file is machine code that
//! will be run, the directory must be this user's and writable by nobody else;
//! otherwise nothing is kept.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use wasmtime::{Config, Engine};

use super::{InvalidModule, Module, SharedModule, hash};
use crate::meter::operator_cost;

/// Names the directory for compiled modules, instead of one below the
/// operating system's for temporary files.
const DIRECTORY: &str = "LOCAL_IC_CACHE";

/// How much is kept on disk.
const MAX_BYTES: u64 = 1 << 30;

/// What canisters are compiled for; the same for all of a process.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(operator_cost())
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        // The heap is mapped into a reservation that must not move.
        .memory_reservation(1 << 32)
        .memory_may_move(false)
        // Test threads have 2 MiB of stack.
        .max_wasm_stack(1 << 20);
    Engine::new(&config).expect("this configuration is one wasmtime supports")
});

/// The engine of this process.
pub(crate) fn engine() -> &'static Engine {
    &ENGINE
}

/// The module that was uploaded as these bytes.
pub(crate) fn load(uploaded: &[u8]) -> Result<SharedModule, InvalidModule> {
    static MODULES: LazyLock<Mutex<HashMap<[u8; 32], SharedModule>>> =
        LazyLock::new(Mutex::default);
    let hash = hash(uploaded);
    let known = |modules: &HashMap<_, SharedModule>| modules.get(&hash).cloned();
    if let Some(module) = known(&MODULES.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(module);
    }
    let module = Arc::new(Module::build(hash, uploaded)?);
    MODULES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(hash, module.clone());
    Ok(module)
}

/// Compiles what `rewritten` is, unless the disk has it by the name `hash`.
pub(super) fn compile(
    hash: &[u8; 32],
    rewritten: &[u8],
) -> Result<wasmtime::Module, InvalidModule> {
    static FILES: LazyLock<Option<PathBuf>> = LazyLock::new(directory);
    let path = FILES
        .as_ref()
        .map(|directory| directory.join(file_name(hash)));
    if let Some(path) = &path
        && let Some(module) = read(path)
    {
        return Ok(module);
    }
    let module = wasmtime::Module::new(&ENGINE, rewritten)
        .map_err(|error| InvalidModule::new(format_args!("{error:#}")))?;
    if let Some(path) = &path {
        write(path, &module);
    }
    Ok(module)
}

fn file_name(module: &[u8; 32]) -> String {
    let mut hasher = DefaultHasher::new();
    ENGINE.precompile_compatibility_hash().hash(&mut hasher);
    // The rewrite is part of what was compiled.
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    REWRITE.hash(&mut hasher);
    format!("{}-{:016x}.cwasm", hex::encode(module), hasher.finish())
}

/// Counts up when the rewrite of a module changes.
const REWRITE: u32 = 1;

fn read(path: &Path) -> Option<wasmtime::Module> {
    let bytes = std::fs::read(path).ok()?;
    // SAFETY: the directory can only be written by this user (`directory`),
    // and everything in it was written by `write`.
    unsafe { wasmtime::Module::deserialize(&ENGINE, bytes) }.ok()
}

/// Best effort: without the file, the next process compiles again.
fn write(path: &Path, module: &wasmtime::Module) {
    let Ok(bytes) = module.serialize() else {
        return;
    };
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    if std::fs::write(&unfinished, bytes).is_err() || std::fs::rename(&unfinished, path).is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    if let Some(directory) = path.parent() {
        let _ = forget_oldest(directory, MAX_BYTES);
    }
}

/// Removes the files that were written longest ago until `max` bytes are left.
fn forget_oldest(directory: &Path, max: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files {
        if bytes <= max {
            break;
        }
        std::fs::remove_file(path)?;
        bytes -= len;
    }
    Ok(())
}

#[cfg(unix)]
fn directory() -> Option<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    let user = rustix::process::geteuid().as_raw();
    let path = match std::env::var_os(DIRECTORY) {
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join(format!("local-ic-cache-{user}")),
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .ok()?;
    let metadata = std::fs::symlink_metadata(&path).ok()?;
    (metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o022 == 0).then_some(path)
}

#[cfg(not(unix))]
fn directory() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(DIRECTORY)?);
    std::fs::create_dir_all(&path).ok()?;
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_the_same_module() {
        let wasm = wat::parse_str(r#"(module (func (export "canister_query same")))"#).unwrap();
        let first = load(&wasm).unwrap();
        assert!(Arc::ptr_eq(&first, &load(&wasm).unwrap()));
        assert_eq!(first.hash, hash(&wasm));
    }

    #[test]
    fn a_compiled_module_survives_on_disk() {
        let directory = std::env::temp_dir().join(format!("local-ic-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(file_name(&[7; 32]));
        assert!(read(&path).is_none());
        let wasm = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
        write(&path, &wasmtime::Module::new(&ENGINE, &wasm).unwrap());
        assert_eq!(read(&path).unwrap().exports().len(), 1);
        std::fs::write(&path, b"torn").unwrap();
        assert!(read(&path).is_none());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn the_oldest_files_go_first() {
        use std::time::{Duration, SystemTime};

        let name = format!("local-ic-test-oldest-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        for age in [3, 1, 2] {
            let file = std::fs::File::create(directory.join(age.to_string())).unwrap();
            file.set_len(10).unwrap();
            let modified = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(modified).unwrap();
        }
        let left = |max| {
            forget_oldest(&directory, max).unwrap();
            let mut names: Vec<_> = std::fs::read_dir(&directory)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(left(30), ["1", "2", "3"]);
        assert_eq!(left(29), ["1", "2"]);
        assert_eq!(left(10), ["1"]);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
