//! `hallmark serve`: a directory, a canister, a network, a gateway, all in one process.
//!
//! 1. What can be wrong with the arguments is found first, before anything takes time.
//! 2. The network boots, with the canister on it.
//! 3. The directory is deployed.
//! 4. The gateway answers, and with `--watch` changes are deployed, until it is stopped.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::Error;
use crate::directory::{Deployed, Directory};
use crate::journal::Journal;
use crate::local::LocalCanister;
use crate::report::{Console, say, tell};
use crate::scan::scan;
use crate::watch::Watch;

/// What to serve, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// The directory.
    pub directory: PathBuf,
    /// The port of this machine to listen on; 0 is any free one.
    pub port: u16,
    /// Whether to deploy changes.
    pub watch: bool,
    /// The module of the asset canister; `None` is the one built beside this program.
    pub canister: Option<PathBuf>,
}

/// Serves until the user stops it.
///
/// # Errors
///
/// Any [`Error`] before the first answer. Later ones are reported, and it goes on.
pub fn serve(options: &Serve) -> Result<(), Error> {
    let files = scan(&options.directory)?.files;
    let module = module(options.canister.as_deref())?;
    let listener = listen(options.port)?;
    // Before the first deploy, so that no change falls between the two.
    let watch = options
        .watch
        .then(|| Watch::new(&options.directory))
        .transpose()?;
    if files.is_empty() {
        let directory = options.directory.display();
        tell(format_args!(
            "  note: {directory} is empty, so every address will be answered with 404"
        ));
    }

    let runtime = local_ic::server::runtime().map_err(|e| Error::Network(e.to_string()))?;
    let directory = Directory::new(&options.directory);
    let served = runtime.block_on(run(directory, module, listener, watch));
    // Do not wait for a watcher that waits for changes.
    runtime.shutdown_background();
    served
}

async fn run(
    mut directory: Directory,
    module: PathBuf,
    listener: TcpListener,
    watch: Option<Watch>,
) -> Result<(), Error> {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let failed = |source| Error::Listen { port, source };

    let (canister, mut directory) = on_large_stack(move || {
        let wasm = read(&module)?;
        let canister = LocalCanister::install(wasm, &module)?;
        let deployed = directory.deploy(&canister, &Journal::none(), &Console::default())?;
        announce(&canister, port, &deployed);
        Ok((canister, directory))
    })
    .await?;

    listener.set_nonblocking(true).map_err(failed)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let gateway = canister.gateway().serve(listener);
    if let Some(watch) = watch {
        tokio::task::spawn_blocking(move || {
            loop {
                watch.wait();
                redeploy(&mut directory, &canister);
            }
        });
    }
    tokio::select! {
        ended = gateway => ended.map_err(failed),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn redeploy(directory: &mut Directory, canister: &LocalCanister) {
    match directory.deploy(canister, &Journal::none(), &()) {
        Ok(deployed) if deployed.changes.is_empty() => {}
        Ok(deployed) => {
            for line in deployed.changes.lines(usize::MAX) {
                say(line);
            }
            say(deployed.summary());
        }
        Err(error) => tell(format_args!("error: {error}")),
    }
}

fn announce(canister: &LocalCanister, port: u16, deployed: &Deployed) {
    let id = canister.id();
    say(format_args!(
        "\n{}\n\n  http://{id}.localhost:{port}/\n  http://localhost:{port}/?canisterId={id}\n",
        deployed.summary()
    ));
}

fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Listen { port, source },
    })
}

/// The module that was named, or `canisters/assets.wasm.gz` in the target directory that this
/// program was built into.
fn module(named: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(path) = named {
        return match fs::metadata(path) {
            Ok(_) => Ok(path.to_owned()),
            Err(source) => Err(Error::reading(path, source)),
        };
    }
    let program = env::current_exe().ok();
    let target = program
        .iter()
        .flat_map(|program| program.ancestors().skip(2));
    target
        .map(|folder| folder.join("canisters/assets.wasm.gz"))
        .find(|path| path.is_file())
        .ok_or(Error::NoCanister)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::reading(path, source))
}

/// Runs what executes canisters on a thread of the runtime, whose stack is large enough.
async fn on_large_stack<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::Network(error.to_string())),
        },
    }
}
