//! The `hallmark` program: arguments in, exit status out.

use std::path::PathBuf;
use std::process::ExitCode;

use candid::Principal;
use clap::{Parser, Subcommand};
use hallmark::deploy::{Deploy, deploy};
use hallmark::diff::{Diff, Difference, Side, diff};
use hallmark::directory::Manner;
use hallmark::hash::{Hash, Variable, hash};
use hallmark::network::{Location, Trust, canister};
use hallmark::releases::{Rollback, Show, log, releases, rollback};
use hallmark::report::{tell, written};
use hallmark::serve::{Serve, serve};
use hallmark::verify::subject::{Place, Subject};
use hallmark::verify::{Verify, verify};
use ic_hallmark::site::MAX_NOTE;

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => serve(&arguments.into()).map(done),
        Command::Deploy(arguments) => deploy(&arguments.into()).map(done),
        Command::Hash(arguments) => hash(&arguments.into()).map(done),
        Command::Releases(arguments) => releases(&arguments.into()).map(done),
        Command::Log(arguments) => log(&arguments.into()).map(done),
        Command::Rollback(arguments) => rollback(&arguments.into()).map(done),
        Command::Diff(arguments) => diff(&arguments.into()).map(|difference| match difference {
            Difference::None => ExitCode::SUCCESS,
            Difference::Assets(_) | Difference::Unlisted(_) => ExitCode::from(1),
        }),
        Command::Verify(arguments) => {
            verify(&arguments.into()).map(|outcome| ExitCode::from(outcome.status()))
        }
    };
    match result.and_then(|status| written().map(|()| status)) {
        Ok(status) => status,
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// A note that a log takes.
fn note(text: &str) -> Result<String, String> {
    match text.len() {
        length if length > MAX_NOTE => Err(format!(
            "it has {length} bytes, and the log of a canister takes {MAX_NOTE}"
        )),
        _ => Ok(text.to_owned()),
    }
}

fn release(text: &str) -> Result<u64, String> {
    let words = "it is no number; `hallmark releases` lists those that there are";
    text.parse().map_err(|_| words.to_owned())
}

/// Certified websites on the Internet Computer.
///
/// Exit status: 0 if it is done, 2 if it cannot be; `verify` and `diff` have others besides, which
/// their help tells. Results go to the output, everything else to the error stream.
#[derive(Debug, Parser)]
#[command(name = "hallmark", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(ServeArguments),
    Deploy(DeployArguments),
    Hash(HashArguments),
    Verify(VerifyArguments),
    Releases(ReleasesArguments),
    Log(LogArguments),
    Rollback(RollbackArguments),
    Diff(DiffArguments),
}

/// Serve a directory from an asset canister on a local Internet Computer.
///
/// The network runs in this process and ends with it. Every answer that reaches the browser
/// has been verified against the network's root key.
#[derive(Debug, clap::Args)]
struct ServeArguments {
    /// The directory to serve.
    directory: PathBuf,

    /// The port to listen on; 0 is any free one.
    #[arg(short, long, default_value_t = 8000)]
    port: u16,

    /// Deploy again whenever a file changes.
    #[arg(short, long)]
    watch: bool,

    /// The asset canister to install, as .wasm or .wasm.gz [default: the one `cargo xtask
    /// build` has built].
    #[arg(long, value_name = "FILE")]
    canister: Option<PathBuf>,
}

impl From<ServeArguments> for Serve {
    fn from(arguments: ServeArguments) -> Serve {
        Serve {
            directory: arguments.directory,
            port: arguments.port,
            watch: arguments.watch,
            canister: arguments.canister,
        }
    }
}

/// Make an asset canister hold a directory, and nothing else.
///
/// Only what differs is uploaded. Whoever deploys needs the canister's permission Commit.
#[derive(Debug, clap::Args)]
struct DeployArguments {
    /// The directory to deploy.
    directory: PathBuf,

    /// The asset canister to deploy to, by its id.
    #[arg(long, value_name = "ID", value_parser = canister)]
    canister: Principal,

    /// The network it is on: `ic`, `local` (http://localhost:8000) or a URL.
    #[arg(long, value_name = "NETWORK")]
    network: Location,

    /// What proves the network's answers: its root key, in hexadecimal; or `fetch`, to believe
    /// what answers there [default: the key of the Internet Computer; `fetch` from this machine].
    #[arg(long, value_name = "KEY")]
    root_key: Option<Trust>,

    /// Who deploys: the name of an identity of `icp` or `dfx`, a file with a private key in PEM,
    /// or `anonymous`.
    #[arg(long, value_name = "NAME|FILE", default_value = "anonymous")]
    identity: String,

    /// What the canister's log shall say of it.
    #[arg(long, value_parser = note)]
    note: Option<String>,

    /// If somebody else publishes meanwhile, go on, and replace that, too.
    #[arg(long)]
    rebase: bool,

    /// Deploy a directory without files, too: it deletes the whole site.
    #[arg(long)]
    empty: bool,

    /// Print what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl From<DeployArguments> for Deploy {
    fn from(arguments: DeployArguments) -> Deploy {
        Deploy {
            directory: arguments.directory,
            canister: arguments.canister,
            network: arguments.network,
            trust: arguments.root_key,
            identity: arguments.identity,
            manner: Manner {
                note: arguments.note,
                rebase: arguments.rebase,
            },
            empty: arguments.empty,
            dry_run: arguments.dry_run,
        }
    }
}

/// Print what a directory adds up to once it is deployed, without deploying it.
///
/// The content hash covers what is uploaded, the site hash everything that can be answered; the
/// state hash is that of dfx's asset canister. Pages are told of their environment, so the site
/// hash depends on the network and on the canister's PUBLIC_ variables.
#[derive(Debug, clap::Args)]
struct HashArguments {
    /// The directory.
    directory: PathBuf,

    /// The network that the site is for: `ic`, `local` (http://localhost:8000) or a URL.
    #[arg(long, value_name = "NETWORK", default_value = "ic")]
    network: Location,

    /// The network's root key, in hexadecimal; or `fetch`, to ask it [default: the key of the
    /// Internet Computer; `fetch` from this machine].
    #[arg(long, value_name = "KEY")]
    root_key: Option<Trust>,

    /// A variable of the canister that pages are told of; may be repeated.
    #[arg(long = "env", value_name = "PUBLIC_NAME=VALUE")]
    variables: Vec<Variable>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl From<HashArguments> for Hash {
    fn from(arguments: HashArguments) -> Hash {
        Hash {
            directory: arguments.directory,
            network: arguments.network,
            trust: arguments.root_key,
            variables: arguments.variables,
            json: arguments.json,
        }
    }
}

/// Prove what a canister serves, from the root key of its network down.
///
/// Exit status: 0 if every link holds, 1 if one is broken, 3 if none is broken but some cannot be
/// checked, 2 if the canister could not be examined.
#[derive(Debug, clap::Args)]
struct VerifyArguments {
    /// The site: the id of its canister, or a URL.
    #[arg(value_name = "CANISTER OR URL")]
    subject: Subject,

    /// The directory that it should serve, file by file.
    #[arg(long = "dir", value_name = "DIR")]
    directory: Option<PathBuf>,

    /// The module that it should run, as it was installed (.wasm or .wasm.gz).
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,

    /// A list of modules that it may run: SHA-256 and name, one a line [default: the published
    /// ones that this program knows].
    #[arg(long, value_name = "FILE")]
    modules: Option<PathBuf>,

    #[command(flatten)]
    network: NetworkArguments,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl From<VerifyArguments> for Verify {
    fn from(arguments: VerifyArguments) -> Verify {
        Verify {
            place: arguments.network.place(arguments.subject),
            directory: arguments.directory,
            wasm: arguments.wasm,
            modules: arguments.modules,
            json: arguments.json,
        }
    }
}

/// Where a site is.
#[derive(Debug, clap::Args)]
struct NetworkArguments {
    /// The network it is on: `ic`, `local` (http://localhost:8000) or a URL [default: that of the
    /// site's URL, or `ic`].
    #[arg(long, value_name = "NETWORK")]
    network: Option<Location>,

    /// What proves the network's answers: its root key, in hexadecimal; or `fetch`, to believe
    /// what answers there [default: the key of the Internet Computer; `fetch` from this machine].
    #[arg(long, value_name = "KEY")]
    root_key: Option<Trust>,
}

impl NetworkArguments {
    fn place(self, subject: Subject) -> Place {
        Place {
            subject,
            network: self.network,
            trust: self.root_key,
        }
    }
}

/// Which site, and where.
#[derive(Debug, clap::Args)]
struct PlaceArguments {
    /// The site: the id of its canister, or a URL.
    #[arg(long, value_name = "ID|URL")]
    canister: Subject,

    #[command(flatten)]
    network: NetworkArguments,
}

impl From<PlaceArguments> for Place {
    fn from(arguments: PlaceArguments) -> Place {
        arguments.network.place(arguments.canister)
    }
}

/// List the releases that a canister keeps, and the live one.
///
/// What is printed is proven; which are kept is the canister's word.
#[derive(Debug, clap::Args)]
struct ReleasesArguments {
    #[command(flatten)]
    place: PlaceArguments,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl From<ReleasesArguments> for Show {
    fn from(arguments: ReleasesArguments) -> Show {
        Show {
            place: arguments.place.into(),
            limit: usize::MAX,
            json: arguments.json,
        }
    }
}

/// Print what happened to a canister's site: each entry of its log, proven.
#[derive(Debug, clap::Args)]
struct LogArguments {
    #[command(flatten)]
    place: PlaceArguments,

    /// Print this many entries, the newest ones [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl From<LogArguments> for Show {
    fn from(arguments: LogArguments) -> Show {
        Show {
            place: arguments.place.into(),
            limit: arguments.limit.map_or(usize::MAX, |limit| limit as usize),
            json: arguments.json,
        }
    }
}

/// Make an earlier release the live one again.
///
/// Whoever does needs the canister's permission Commit.
#[derive(Debug, clap::Args)]
struct RollbackArguments {
    /// The release, by its number in the log.
    #[arg(value_name = "RELEASE", value_parser = release)]
    release: u64,

    #[command(flatten)]
    place: PlaceArguments,

    /// What the log shall say of it.
    #[arg(long, value_parser = note)]
    note: Option<String>,

    /// Who does it: the name of an identity of `icp` or `dfx`, a file with a private key in PEM,
    /// or `anonymous`.
    #[arg(long, value_name = "NAME|FILE", default_value = "anonymous")]
    identity: String,
}

impl From<RollbackArguments> for Rollback {
    fn from(arguments: RollbackArguments) -> Rollback {
        Rollback {
            place: arguments.place.into(),
            release: arguments.release,
            note: arguments.note,
            identity: arguments.identity,
        }
    }
}

/// Tell in which assets two releases differ, or a release and a directory.
///
/// Exit status: 0 if they are the same, 1 if they differ, 2 if they could not be compared.
#[derive(Debug, clap::Args)]
struct DiffArguments {
    /// A release by its number, `live`, or a directory.
    #[arg(value_name = "A")]
    from: Side,

    /// Another one.
    #[arg(value_name = "B")]
    to: Side,

    #[command(flatten)]
    place: PlaceArguments,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl From<DiffArguments> for Diff {
    fn from(arguments: DiffArguments) -> Diff {
        Diff {
            place: arguments.place.into(),
            from: arguments.from,
            to: arguments.to,
            json: arguments.json,
        }
    }
}
