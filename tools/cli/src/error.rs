//! What can go wrong: who erred, and on which thing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use candid::Principal;
use ic_hallmark::site::{MAX_BODY, MAX_KEY};

use crate::canister::Reject;
use crate::network::Location;
use crate::report::count;
use crate::rules::NAMES;
use crate::verify::chain::Reason;

/// Why a command failed. Displays as one sentence that says what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing at the path that was to be served.
    NoDirectory(PathBuf),
    /// What is to be served is no directory.
    NotADirectory(PathBuf),
    /// The operating system refused.
    Io {
        /// What was being done, to complete "cannot …".
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file name is not UTF-8, so no URL can name the file.
    FileName(PathBuf),
    /// A path is longer than the key of an asset may be.
    LongKey {
        /// The file.
        path: PathBuf,
        /// Bytes in its key.
        length: usize,
    },
    /// A file is larger than an asset may be.
    LargeFile {
        /// The file.
        path: PathBuf,
        /// Bytes in it.
        size: u64,
    },
    /// A file of rules holds none.
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder has files of rules under both names.
    TwoRuleFiles(PathBuf),
    /// These assets have the policy `hardened`, and no header that would make it so.
    NotHardened(Vec<String>),
    /// Another program listens on the port.
    PortTaken(u16),
    /// The port cannot be listened on.
    Listen {
        /// The port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// No canister was named and there is none beside the program.
    NoCanister,
    /// The local network cannot be started.
    Network(String),
    /// The canister's module was refused.
    Install {
        /// The file it came from.
        path: PathBuf,
        /// Why.
        reject: Reject,
    },
    /// A call to the canister was rejected.
    Call {
        /// The method.
        method: &'static str,
        /// Why.
        reject: Reject,
    },
    /// Whoever changes a site may not.
    Forbidden {
        /// Who calls.
        principal: Principal,
        /// Which canister.
        canister: Principal,
        /// What the canister said.
        reject: Reject,
    },
    /// The network has no such canister.
    UnknownCanister {
        /// The canister.
        canister: Principal,
        /// The network.
        network: Location,
    },
    /// The canister is empty.
    NoModule(Principal),
    /// The canister is of another kind.
    NoAssets {
        /// The canister.
        canister: Principal,
        /// A method of asset canisters, which this one has not.
        method: &'static str,
    },
    /// There is no network, or it does not answer.
    Unreachable(String),
    /// The network did not take a call of this method in time.
    Expired(&'static str),
    /// There was no answer to the call that changes the site, or to what was asked after it.
    Undecided(String),
    /// Somebody else has published before what was deployed could be.
    Outdated {
        /// The release that it began on.
        base: u64,
        /// The release that is live; the same, if single calls have changed it since.
        live: u64,
    },
    /// Somebody else has published while the site was compared with the directory.
    Moved,
    /// What answers does not prove to be the network that it should be.
    Unproven(String),
    /// A file is no private key.
    Identity(PathBuf),
    /// Nobody knows an identity of this name.
    NoIdentity {
        /// The name.
        name: String,
        /// Where it was looked for.
        stores: Vec<PathBuf>,
    },
    /// Several tools know an identity of this name, and they are not the same.
    AmbiguousIdentity {
        /// The name.
        name: String,
        /// The files of their keys.
        paths: Vec<PathBuf>,
    },
    /// An identity is known, but its key is not to be had in the clear.
    LockedIdentity {
        /// Its name.
        name: String,
        /// The tool that knows it.
        tool: &'static str,
        /// How the tool keeps the key.
        kept: String,
        /// Whether the tool can print it.
        is_exportable: bool,
    },
    /// What a tool has written about its identities cannot be read.
    IdentityStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is no list of modules.
    Modules(PathBuf),
    /// The canister keeps no releases: it is not Hallmark's.
    NoReleases(Principal),
    /// There is no entry of this number in the canister's log.
    NoRelease(u64),
    /// What the canister shows of its log is not proven.
    Log(Reason),
    /// The gateway at a URL names no canister.
    NoCanisterAt(String),
    /// What a directory adds up to cannot be computed.
    Rehearsal(ic_hallmark::Error),
    /// A canister in memory has refused what is in a directory.
    Unfit(Reject),
    /// There is nothing in the directory that was to be deployed.
    EmptyDirectory(PathBuf),
    /// The result could not be written.
    Output(io::Error),
    /// The canister's reply is not what its interface says.
    Reply {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory cannot be watched.
    Watch {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: notify::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory(path) => {
                write!(f, "there is no directory {}", path.display())
            }
            Self::NotADirectory(path) => {
                let path = path.display();
                write!(f, "{path} is not a directory; name the directory it is in")
            }
            Self::Io {
                doing,
                path,
                source,
            } => write!(f, "cannot {doing} {}: {source}", path.display()),
            Self::FileName(path) => {
                write!(f, "the name of {} is not UTF-8; rename it", path.display())
            }
            Self::LongKey { path, length } => write!(
                f,
                "the path of {} has {length} bytes; an asset's may have {MAX_KEY}",
                path.display()
            ),
            Self::LargeFile { path, size } => write!(
                f,
                "{} has {size} bytes; an asset may have {MAX_BODY}",
                path.display()
            ),
            Self::Rules { path, reason } => {
                write!(f, "there are no rules in {}: {reason}", path.display())
            }
            Self::TwoRuleFiles(folder) => write!(
                f,
                "{} has both {} and {}; keep one",
                folder.display(),
                NAMES[0],
                NAMES[1]
            ),
            Self::NotHardened(keys) => {
                let first = keys.first().map_or("", String::as_str);
                write!(
                    f,
                    "rules say \"hardened\" of {}, such as {first}, without a header of its own; \
                     add headers, or say \"standard\"",
                    count(keys.len() as u64, "asset")
                )
            }
            Self::PortTaken(port) => write!(
                f,
                "port {port} is taken by another program; choose one with --port, or let \
                 --port 0 find one"
            ),
            Self::Listen { port, source } => write!(f, "cannot listen on port {port}: {source}"),
            Self::NoCanister => write!(
                f,
                "there is no asset canister to install; build it with `cargo xtask build` or \
                 name one with --canister"
            ),
            Self::Network(reason) => write!(f, "cannot start the local network: {reason}"),
            Self::Install { path, reject } => {
                write!(
                    f,
                    "cannot install the canister {}: {reject}",
                    path.display()
                )
            }
            Self::Call { method, reject } => write!(f, "the canister refused {method}: {reject}"),
            Self::Forbidden {
                principal,
                canister,
                reject,
            } => {
                write!(f, "{principal} may not change {canister}: {reject}; ")?;
                if *principal == Principal::anonymous() {
                    f.write_str("name who you are with --identity")
                } else {
                    f.write_str("its controllers can grant the permission Commit")
                }
            }
            Self::UnknownCanister { canister, network } => write!(
                f,
                "there is no canister {canister} on {}; correct the id, or name its network with \
                 --network",
                network.url().as_str().trim_end_matches('/')
            ),
            Self::NoModule(canister) => write!(
                f,
                "canister {canister} is empty; its controllers can install an asset canister in it"
            ),
            Self::NoAssets { canister, method } => write!(
                f,
                "{canister} is no asset canister that can be deployed to: it has no method {method}"
            ),
            Self::Unreachable(reason) => write!(f, "cannot reach the network: {reason}"),
            Self::Expired(method) => write!(
                f,
                "the network did not take the call of {method} in time, so it has had no effect; \
                 repeat the command"
            ),
            Self::Undecided(reason) => write!(
                f,
                "the network was lost at the last step, so the site is either as it was or as it \
                 should be: {reason}; repeat the command to find out"
            ),
            Self::Outdated { base, live } => {
                write!(f, "somebody else was first: this began on release {base}, ")?;
                match base == live {
                    true => f.write_str("which was changed since")?,
                    false => write!(f, "and release {live} is live now")?,
                }
                f.write_str(
                    "; deploy again if that is to be replaced, or with --rebase, which does so \
                     without asking",
                )
            }
            Self::Moved => write!(
                f,
                "the site has changed while it was compared with the directory, so nothing was \
                 published; deploy again, or with --rebase"
            ),
            Self::Unproven(reason) => write!(
                f,
                "what answers is not the network that was expected: {}; a network of your own \
                 has a root key of its own, to be named with --root-key",
                reason.trim_end_matches('.')
            ),
            Self::Identity(path) => write!(
                f,
                "{} is no private key: it should be one for Ed25519, secp256k1 or P-256, in PEM \
                 and not encrypted",
                path.display()
            ),
            Self::NoIdentity { name, stores } => {
                let stores: Vec<_> = stores
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                write!(
                    f,
                    "there is no identity {name}: no file of this name, and nothing in {}",
                    stores.join(" or ")
                )
            }
            Self::AmbiguousIdentity { name, paths } => {
                let paths: Vec<_> = paths
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                write!(
                    f,
                    "there are several identities {name}; name one by its file: {}",
                    paths.join(" or ")
                )
            }
            Self::LockedIdentity {
                name,
                tool,
                kept,
                is_exportable: true,
            } => write!(
                f,
                "the key of {name} is {kept}, where only {tool} gets at it; run `{tool} identity \
                 export {name} > {name}.pem` and deploy with --identity {name}.pem"
            ),
            Self::LockedIdentity {
                name, tool, kept, ..
            } => write!(
                f,
                "the key of {name} is {kept}, which {tool} cannot export; deploy with another \
                 identity"
            ),
            Self::IdentityStore { path, reason } => {
                write!(
                    f,
                    "cannot read the identities in {}: {reason}",
                    path.display()
                )
            }
            Self::Modules(path) => write!(
                f,
                "{} is no list of modules: each line of one is a SHA-256 in hexadecimal and a name",
                path.display()
            ),
            Self::NoReleases(canister) => write!(
                f,
                "{canister} keeps no releases: it is not Hallmark's asset canister"
            ),
            Self::NoRelease(number) => write!(
                f,
                "there is no release {number}; `hallmark log` lists those that there are"
            ),
            Self::Log(reason) => write!(f, "the canister's log is not proven: {reason}"),
            Self::NoCanisterAt(url) => write!(
                f,
                "nothing at {url} says which canister it shows; name the canister by its id"
            ),
            Self::Rehearsal(error) => write!(f, "no canister could hold this: {error}"),
            Self::Unfit(reject) => write!(f, "no canister could hold this: {}", reject.message),
            Self::EmptyDirectory(path) => write!(
                f,
                "there is nothing to deploy in {}; if the whole site is to be deleted, say so with \
                 --empty",
                path.display()
            ),
            Self::Output(source) => write!(f, "cannot write the output: {source}"),
            Self::Reply { method, reason } => {
                write!(
                    f,
                    "the canister's reply to {method} makes no sense: {reason}"
                )
            }
            Self::Watch { path, source } => {
                write!(f, "cannot watch {}: {source}", path.display())
            }
        }
    }
}

impl Error {
    /// A file or directory cannot be read.
    pub(crate) fn reading(path: &Path, source: io::Error) -> Error {
        Error::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        }
    }

    /// What this means after the call that changes the site has been sent.
    pub(crate) fn after_publishing(self) -> Error {
        match self {
            Self::Unreachable(reason) | Self::Unproven(reason) => Self::Undecided(reason),
            other => other,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Listen { source, .. } | Self::Output(source) => {
                Some(source)
            }
            Self::Watch { source, .. } => Some(source),
            Self::Call { reject, .. }
            | Self::Install { reject, .. }
            | Self::Forbidden { reject, .. }
            | Self::Unfit(reject) => Some(reject),
            Self::Rehearsal(error) => Some(error),
            _ => None,
        }
    }
}

/// The words of an error, down to what caused it.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    words
}
