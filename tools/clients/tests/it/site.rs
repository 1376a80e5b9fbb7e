//! An asset canister on a live network, and who deploys to it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Nat, Principal};
use ic_agent_of_dfx::identity::{BasicIdentity, Identity as _};
use ic_agent_of_dfx::{Agent, AgentError};
use ic_asset::{AssetSyncProgressRenderer, AssetSyncState};
use ic_utils::Canister;
use pocket_ic::{PocketIc, PocketIcBuilder};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use slog::{Discard, Logger, o};
use tokio::runtime::{Handle, Runtime};
use tokio::task::block_in_place;

use crate::directory::Directory;
use crate::page::Page;

/// The secret of who controls a site.
pub(crate) const SECRET: [u8; 32] = [7; 32];

/// Why Hallmark does something else than the canister of dfx.
pub(crate) type Reason = &'static str;

/// The difference is not one: versions of the canister of dfx after the newest that is published
/// do what Hallmark does.
pub(crate) const NEWER: Reason = "newer than ic-certified-assets 0.3.0";

/// Plays on both canisters, that of dfx and Hallmark. Where they differ on purpose, the play says
/// what each of them does, and why ([`Site::either`]).
pub(crate) fn on_both(play: impl Fn(&Site)) {
    for site in [Site::legacy(), Site::new()] {
        // Shown if it fails.
        println!("on the canister of {}", site.either("", "dfx", "Hallmark"));
        play(&site);
    }
}

/// An asset canister, with the agent of its controller.
pub(crate) struct Site {
    is_hallmark: bool,
    pic: PocketIc,
    port: u16,
    canister: Principal,
    agent: Agent,
    browser: reqwest::Client,
    log: Logger,
    runtime: Runtime,
}

/// What `get_state_info` tells.
#[derive(Debug, CandidType, Deserialize)]
pub(crate) struct StateInfo {
    /// If it has been computed since the last change.
    pub(crate) state_hash: Option<String>,
}

/// What `get_asset_properties` tells.
#[derive(Debug, CandidType, Deserialize)]
pub(crate) struct Properties {
    pub(crate) max_age: Option<u64>,
    pub(crate) headers: Option<Vec<(String, String)>>,
    pub(crate) allow_raw_access: Option<bool>,
    pub(crate) is_aliased: Option<bool>,
}

impl Site {
    /// An empty one.
    pub(crate) fn new() -> Site {
        Site::of(module("HALLMARK_CANISTERS", "assets.wasm.gz"), true)
    }

    /// An empty one whose canister is that of dfx.
    pub(crate) fn legacy() -> Site {
        Site::of(module("LEGACY_CANISTER", ""), false)
    }

    fn of(module: Vec<u8>, is_hallmark: bool) -> Site {
        let identity = BasicIdentity::from_raw_key(&SECRET);
        let controller = identity.sender().unwrap();
        let mut pic = PocketIcBuilder::new()
            .with_nns_subnet()
            .with_application_subnet()
            .build();
        let canister = pic.create_canister_with_settings(Some(controller), None);
        pic.add_cycles(canister, 100_000_000_000_000);
        pic.install_canister(canister, module, no_argument(), Some(controller));
        let url = pic.make_live(None);
        let agent = Agent::builder()
            .with_url(url.clone())
            .with_identity(identity)
            .build()
            .unwrap();
        let runtime = Runtime::new().unwrap();
        runtime.block_on(agent.fetch_root_key()).unwrap();
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Site {
            is_hallmark,
            pic,
            port: url.port().unwrap(),
            canister,
            agent,
            browser,
            log: logger(),
            runtime,
        }
    }

    /// What this site's canister does, of two that differ for a reason.
    #[track_caller]
    pub(crate) fn either<T: PartialEq + Debug>(&self, reason: Reason, dfx: T, hallmark: T) -> T {
        assert_ne!(dfx, hallmark, "no difference: {reason}");
        if self.is_hallmark { hallmark } else { dfx }
    }

    /// Where the network answers agents.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The canister's id.
    pub(crate) fn id(&self) -> Principal {
        self.canister
    }

    /// Upgrades the canister to Hallmark's.
    pub(crate) fn migrate(&self) {
        let module = module("HALLMARK_CANISTERS", "assets.wasm.gz");
        let controller = self.agent.get_principal().unwrap();
        self.pic
            .upgrade_canister(self.canister, module, no_argument(), Some(controller))
            .unwrap();
    }

    /// Makes the site what is in the directory, as `dfx deploy` does. Returns how many
    /// operations that took.
    pub(crate) fn sync(&self, directory: &Directory) -> usize {
        self.sync_while(directory, || ())
    }

    /// As `sync`. Calls `staged` whenever some of the operations have been committed, and
    /// others are still to be.
    pub(crate) fn sync_while(
        &self,
        directory: &Directory,
        staged: impl Fn() + Send + Sync,
    ) -> usize {
        let watcher = Watcher {
            operations: AtomicUsize::new(0),
            staged,
        };
        self.sync_from(&[directory], false, Some(&watcher));
        watcher.operations.into_inner()
    }

    /// Puts what is in the directories on the site; what else is there stays.
    pub(crate) fn add(&self, directories: &[&Directory]) {
        self.sync_from(directories, true, None);
    }

    fn sync_from(
        &self,
        directories: &[&Directory],
        no_delete: bool,
        watcher: Option<&dyn AssetSyncProgressRenderer>,
    ) {
        let paths: Vec<_> = directories.iter().map(|d| d.path()).collect();
        let canister = self.canister();
        let sync = ic_asset::sync(&canister, &paths, no_delete, &self.log, watcher);
        self.runtime.block_on(sync).unwrap();
    }

    /// Puts files at paths of the site, as `icx-asset upload` does.
    pub(crate) fn upload(&self, files: HashMap<String, PathBuf>) {
        let canister = self.canister();
        let upload = ic_asset::upload(&canister, files, &self.log, None);
        self.runtime.block_on(upload).unwrap();
    }

    /// Proposes to make the site what is in the directory: the batch and its evidence.
    pub(crate) fn propose(&self, directory: &Directory) -> (Nat, ByteBuf) {
        let canister = self.canister();
        let paths = [directory.path()];
        let prepare = ic_asset::prepare_sync_for_proposal(&canister, &paths, &self.log, None);
        self.runtime.block_on(prepare).unwrap()
    }

    /// The evidence of a proposal, computed by who has the directory, and is nobody to the
    /// canister.
    pub(crate) fn evidence(&self, directory: &Directory) -> String {
        let mut agent = self.agent.clone();
        agent.set_identity(ic_agent_of_dfx::identity::AnonymousIdentity);
        let canister = canister_of(&agent, self.canister);
        let paths = [directory.path()];
        let evidence = ic_asset::compute_evidence(&canister, &paths, &self.log, None);
        self.runtime.block_on(evidence).unwrap()
    }

    /// `GET path` from the gateway.
    pub(crate) fn get(&self, path: &str) -> Page {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        let host = format!("{}.localhost:{}", self.canister, self.port);
        let url = format!("{}{path}", self.url());
        let mut request = self.browser.get(url).header("host", host);
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        self.wait(async { Page::of(request.send().await.unwrap()).await })
    }

    /// The hash of everything that the site can answer, which only Hallmark tells.
    pub(crate) fn hash(&self) -> ByteBuf {
        let (hash,) = self.query("site_hash", ());
        hash
    }

    pub(crate) fn state(&self) -> StateInfo {
        let (state,) = self.query("get_state_info", ());
        state
    }

    /// What is in the canister: the hash of each encoding of each asset.
    pub(crate) fn assets(&self) -> BTreeMap<String, BTreeMap<String, Option<ByteBuf>>> {
        #[derive(CandidType, Deserialize)]
        struct Asset {
            key: String,
            encodings: Vec<Encoding>,
        }
        #[derive(CandidType, Deserialize)]
        struct Encoding {
            content_encoding: String,
            sha256: Option<ByteBuf>,
        }
        #[derive(CandidType)]
        struct Page {
            start: Option<Nat>,
        }

        let mut assets = BTreeMap::new();
        loop {
            let start = Some(Nat::from(assets.len()));
            let (page,): (Vec<Asset>,) = self.query("list", (Page { start },));
            let known = assets.len();
            assets.extend(page.into_iter().map(|asset| {
                let hashes = asset.encodings.into_iter();
                let hashes = hashes.map(|one| (one.content_encoding, one.sha256));
                (asset.key, hashes.collect())
            }));
            // The older list is whole, whatever it is asked for.
            if assets.len() == known {
                return assets;
            }
        }
    }

    pub(crate) fn properties(&self, key: &str) -> Properties {
        let (properties,) = self.query("get_asset_properties", (key,));
        properties
    }

    /// The content of the directory that the site was made from, as the canister hashes it.
    pub(crate) fn state_hash(&self) -> String {
        loop {
            let (hash,): (Option<String>,) = self.update("compute_state_hash", ());
            if let Some(hash) = hash {
                return hash;
            }
        }
    }

    pub(crate) fn query<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        method: &str,
        argument: impl ArgumentEncoder,
    ) -> T {
        let argument = candid::encode_args(argument).unwrap();
        let query = self.agent.query(&self.canister, method);
        let reply = self.wait(query.with_arg(argument).call()).unwrap();
        candid::decode_args(&reply).unwrap()
    }

    pub(crate) fn update<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        method: &str,
        argument: impl ArgumentEncoder,
    ) -> T {
        self.try_update(method, argument).unwrap()
    }

    pub(crate) fn try_update<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        method: &str,
        argument: impl ArgumentEncoder,
    ) -> Result<T, AgentError> {
        let argument = candid::encode_args(argument).unwrap();
        let update = self.agent.update(&self.canister, method);
        let reply = self.wait(update.with_arg(argument).call_and_wait())?;
        Ok(candid::decode_args(&reply).unwrap())
    }

    fn canister(&self) -> Canister<'_> {
        canister_of(&self.agent, self.canister)
    }

    /// Also in the middle of what a client does.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        match Handle::try_current() {
            Ok(handle) => block_in_place(|| handle.block_on(future)),
            Err(_) => self.runtime.block_on(future),
        }
    }
}

/// The hash of a directory, which is that of a site made from it.
pub(crate) fn state_hash_of(directory: &Directory) -> String {
    ic_asset::compute_state_hash(&[directory.path()], &logger()).unwrap()
}

fn canister_of(agent: &Agent, id: Principal) -> Canister<'_> {
    let canister = Canister::builder().with_canister_id(id).with_agent(agent);
    canister.build().unwrap()
}

/// Counts operations, and says when some of them have been committed.
struct Watcher<F> {
    operations: AtomicUsize,
    staged: F,
}

impl<F: Fn() + Send + Sync> AssetSyncProgressRenderer for Watcher<F> {
    fn set_total_batch_operations(&self, total: usize) {
        self.operations.store(total, Ordering::Relaxed);
    }
    /// Whatever has been committed, the commit that closes the batch is still to come.
    fn add_committed_batch_operations(&self, _: usize) {
        (self.staged)();
    }

    fn set_state(&self, _: AssetSyncState) {}
    fn set_asset_properties_to_retrieve(&self, _: usize) {}
    fn inc_asset_properties_retrieved(&self) {}
    fn set_total_assets(&self, _: usize) {}
    fn increment_complete_assets(&self) {}
    fn add_total_bytes(&self, _: usize) {}
    fn add_uploaded_bytes(&self, _: usize) {}
}

fn logger() -> Logger {
    Logger::root(Discard, o!())
}

fn no_argument() -> Vec<u8> {
    candid::encode_args(()).unwrap()
}

/// The module at the path in a variable, or of this name in the folder there.
fn module(variable: &str, name: &str) -> Vec<u8> {
    let path = env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set; `cargo xtask test` sets it"));
    let path = PathBuf::from(path);
    let path = if name.is_empty() {
        path
    } else {
        path.join(name)
    };
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
