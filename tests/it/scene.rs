//! A fresh network with one asset canister on it, and what can be done there.

use crate::answer::Request;
use crate::interface::*;
use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Principal, decode_args, encode_args};
use pocket_ic::common::rest::BlobCompression;
use pocket_ic::{ErrorCode, PocketIc, PocketIcBuilder, RejectResponse};
use serde_bytes::ByteBuf;
use std::{env, fmt, fs, mem, time::Duration};

/// A file of a site: key, content type, body.
pub(crate) type File<'a> = (&'a str, &'a str, &'a [u8]);

/// The largest chunk that clients upload in one message.
pub(crate) const MAX_CHUNK: usize = 1_900_000;

pub(crate) struct Scene {
    pic: PocketIc,
    canister: Principal,
    wasm: Vec<u8>,
}

impl Scene {
    /// An asset canister without assets. [`owner`] installed it: controls it and
    /// may commit.
    pub(crate) fn new() -> Self {
        Self::installed_with(None)
    }

    /// An asset canister whose `init` was given this argument.
    pub(crate) fn installed_with(args: Option<CanisterArgs>) -> Self {
        let scene = Self::uninstalled();
        scene.pic.install_canister(
            scene.canister,
            scene.wasm.clone(),
            encode_args((args,)).unwrap(),
            Some(owner()),
        );
        scene
    }

    /// The asset canister of dfx without assets, installed by [`owner`].
    pub(crate) fn legacy() -> Self {
        let mut scene = Self::uninstalled();
        scene.wasm = legacy_canister();
        scene.try_install(None).unwrap();
        scene
    }

    /// Upgrades to the canister under test, which shall import everything later.
    pub(crate) fn migrate_lazily(&mut self) {
        #[derive(CandidType)]
        enum Args {
            Upgrade(Upgrade),
        }
        #[derive(CandidType)]
        struct Upgrade {
            import_limit: Option<u64>,
        }
        self.wasm = asset_canister();
        let import_limit = Some(0);
        self.upgrade_with_any(Some(Args::Upgrade(Upgrade { import_limit })))
            .unwrap();
    }

    /// Upgrades to the canister of dfx.
    pub(crate) fn migrate_back(&mut self) -> Result<(), Refusal> {
        let hallmark = mem::replace(&mut self.wasm, legacy_canister());
        self.upgrade_with(None)
            .inspect_err(|_| self.wasm = hallmark)
    }

    /// What a canister of dfx left in stable memory, whatever version of it.
    pub(crate) fn left_behind(state: &[u8]) -> Self {
        let mut scene = Self::uninstalled();
        scene.wasm = EMPTY_MODULE.to_vec();
        scene.try_install(None).unwrap();
        let compression = BlobCompression::NoCompression;
        scene
            .pic
            .set_stable_memory(scene.canister, state.to_vec(), compression);
        scene
    }

    pub(crate) fn stable_memory(&self) -> Vec<u8> {
        self.pic.get_stable_memory(self.canister)
    }

    /// Upgrades to the canister under test, whatever it was before.
    pub(crate) fn migrate(&mut self) -> Result<(), Refusal> {
        let legacy = mem::replace(&mut self.wasm, asset_canister());
        self.upgrade_with(None).inspect_err(|_| self.wasm = legacy)
    }

    /// A canister of [`owner`] with no code in it.
    pub(crate) fn uninstalled() -> Self {
        assert!(
            env::var_os("POCKET_IC_BIN").is_some(),
            "POCKET_IC_BIN names no engine to run canisters; `cargo xtask test` provides one"
        );
        let pic = PocketIcBuilder::new()
            .with_nns_subnet()
            .with_application_subnet()
            .build();
        let canister = pic.create_canister_with_settings(Some(owner()), None);
        pic.add_cycles(canister, 100_000_000_000_000);
        Self {
            pic,
            canister,
            wasm: asset_canister(),
        }
    }

    /// An asset canister with these files.
    pub(crate) fn showing(files: &[File<'_>]) -> Self {
        let scene = Self::new();
        scene.upload(files);
        scene
    }

    /// Puts new files on the site, in one commit.
    pub(crate) fn upload(&self, files: &[File<'_>]) {
        let owner = self.owner();
        let batch = owner.create_batch().unwrap();
        let mut operations = Vec::new();
        for &(key, content_type, body) in files {
            let chunks = owner.upload(batch, body).unwrap();
            operations.push(create(key, content_type).into());
            operations.push(content(key, "identity", &chunks).into());
        }
        owner.commit(batch, operations).unwrap();
    }

    /// Applies operations that need no chunks, in one commit.
    pub(crate) fn apply(&self, operations: impl IntoIterator<Item = Operation>) {
        let operations = operations.into_iter().collect();
        self.owner().commit(0, operations).unwrap();
    }

    /// Prepares a `GET` request.
    pub(crate) fn get(&self, url: &str) -> Request<'_> {
        Request::get(self, url)
    }

    pub(crate) fn owner(&self) -> Caller<'_> {
        self.caller(owner())
    }

    pub(crate) fn caller(&self, principal: Principal) -> Caller<'_> {
        Caller {
            scene: self,
            principal,
        }
    }

    /// Replaces the code of the canister by itself.
    pub(crate) fn upgrade(&self) {
        self.upgrade_with(None).unwrap();
    }

    /// Upgrades with this argument to `post_upgrade`.
    pub(crate) fn upgrade_with(&self, args: Option<CanisterArgs>) -> Result<(), Refusal> {
        self.upgrade_with_any(args)
    }

    fn upgrade_with_any(&self, args: impl CandidType) -> Result<(), Refusal> {
        let args = encode_args((args,)).unwrap();
        loop {
            let wasm = self.wasm.clone();
            match self
                .pic
                .upgrade_canister(self.canister, wasm, args.clone(), Some(owner()))
            {
                // Each round works off some of what the last installation cost.
                Err(reject) if reject.error_code == ErrorCode::CanisterInstallCodeRateLimited => {
                    self.pic.tick();
                }
                result => return result.map_err(Refusal),
            }
        }
    }

    /// Installs the code into a canister that has none.
    pub(crate) fn try_install(&self, args: Option<CanisterArgs>) -> Result<(), Refusal> {
        let args = encode_args((args,)).unwrap();
        let wasm = self.wasm.clone();
        self.pic
            .reinstall_canister(self.canister, wasm, args, Some(owner()))
            .map_err(Refusal)
    }

    /// Gives the canister these environment variables instead of those it has.
    pub(crate) fn set_environment(&self, variables: &[(&str, &str)]) {
        #[derive(candid::CandidType)]
        struct Settings<'a> {
            environment_variables: Option<Vec<Variable<'a>>>,
        }
        #[derive(candid::CandidType)]
        struct Variable<'a> {
            name: &'a str,
            value: &'a str,
        }
        let variables = variables
            .iter()
            .map(|&(name, value)| Variable { name, value });
        let environment_variables = Some(variables.collect());
        // `pocket-ic` does not name the type of a variable.
        let settings = encode_args((Settings {
            environment_variables,
        },));
        let (settings,) = decode_args(&settings.unwrap()).unwrap();
        self.pic
            .update_canister_settings(self.canister, Some(owner()), settings)
            .unwrap();
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.pic.advance_time(Duration::from_secs(seconds));
        self.pic.tick();
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.pic.get_time().as_nanos_since_unix_epoch()
    }

    pub(crate) fn canister(&self) -> Principal {
        self.canister
    }

    /// The key against which the certificates of the whole network verify.
    pub(crate) fn root_key(&self) -> Vec<u8> {
        self.pic.root_key().expect("the network has a root subnet")
    }

    /// All that the outside can see of the site: its certified root hash and its
    /// list of assets. What leaves both equal has changed nothing.
    pub(crate) fn state(&self) -> ([u8; 32], Vec<AssetDetails>) {
        let root = self.get("/").answer().root_hash();
        (root, self.owner().list_all())
    }
}

/// A module that does nothing, and before an upgrade least of all.
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The principal that installs and controls the canister of every scene.
pub(crate) fn owner() -> Principal {
    person(1)
}

/// Some principal, each number another one.
pub(crate) fn person(number: u8) -> Principal {
    // The last byte marks a self-authenticating id, that of a key pair.
    let mut id = [number; 29];
    id[28] = 2;
    Principal::from_slice(&id)
}

/// The compiled canister that is under test.
fn asset_canister() -> Vec<u8> {
    let folder = env::var("HALLMARK_CANISTERS").unwrap_or_else(|_| {
        panic!("HALLMARK_CANISTERS names no folder of canisters; `cargo xtask test` builds one")
    });
    module(&format!("{folder}/assets.wasm.gz"))
}

/// The compiled canister of dfx.
fn legacy_canister() -> Vec<u8> {
    let path = env::var("LEGACY_CANISTER").unwrap_or_else(|_| {
        panic!("LEGACY_CANISTER names no module; `cargo xtask test` builds one")
    });
    module(&path)
}

fn module(path: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask test`"))
}

/// Someone who calls the canister.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'s> {
    scene: &'s Scene,
    principal: Principal,
}

impl Caller<'_> {
    pub(crate) fn principal(&self) -> Principal {
        self.principal
    }

    /// Calls any update method.
    pub(crate) fn update<R>(&self, method: &str, args: impl ArgumentEncoder) -> Result<R, Refusal>
    where
        R: for<'a> ArgumentDecoder<'a>,
    {
        let args = encode_args(args).unwrap();
        let (pic, canister) = (&self.scene.pic, self.scene.canister);
        let reply = pic.update_call(canister, self.principal, method, args);
        Ok(decoded(method, &reply.map_err(Refusal)?))
    }

    /// Calls any query method.
    pub(crate) fn query<R>(&self, method: &str, args: impl ArgumentEncoder) -> Result<R, Refusal>
    where
        R: for<'a> ArgumentDecoder<'a>,
    {
        let args = encode_args(args).unwrap();
        let (pic, canister) = (&self.scene.pic, self.scene.canister);
        let reply = pic.query_call(canister, self.principal, method, args);
        Ok(decoded(method, &reply.map_err(Refusal)?))
    }

    pub(crate) fn create_batch(&self) -> Result<u128, Refusal> {
        #[derive(candid::CandidType, candid::Deserialize)]
        struct Created {
            batch_id: u128,
        }
        let (created,): (Created,) = self.update("create_batch", (Empty {},))?;
        Ok(created.batch_id)
    }

    pub(crate) fn create_chunk(&self, batch_id: u128, content: &[u8]) -> Result<u128, Refusal> {
        #[derive(candid::CandidType)]
        struct Chunk {
            batch_id: u128,
            content: ByteBuf,
        }
        #[derive(candid::CandidType, candid::Deserialize)]
        struct Created {
            chunk_id: u128,
        }
        let content = ByteBuf::from(content);
        let (created,): (Created,) = self.update("create_chunk", (Chunk { batch_id, content },))?;
        Ok(created.chunk_id)
    }

    pub(crate) fn create_chunks(
        &self,
        batch_id: u128,
        contents: &[&[u8]],
    ) -> Result<Vec<u128>, Refusal> {
        #[derive(candid::CandidType)]
        struct Chunks {
            batch_id: u128,
            content: Vec<ByteBuf>,
        }
        #[derive(candid::CandidType, candid::Deserialize)]
        struct Created {
            chunk_ids: Vec<u128>,
        }
        let content = contents.iter().map(|content| ByteBuf::from(*content));
        let content = content.collect();
        let (created,): (Created,) =
            self.update("create_chunks", (Chunks { batch_id, content },))?;
        Ok(created.chunk_ids)
    }

    /// Uploads a body in as many chunks as it takes; an empty one in one.
    pub(crate) fn upload(&self, batch_id: u128, body: &[u8]) -> Result<Vec<u128>, Refusal> {
        if body.is_empty() {
            return Ok(vec![self.create_chunk(batch_id, body)?]);
        }
        body.chunks(MAX_CHUNK)
            .map(|chunk| self.create_chunk(batch_id, chunk))
            .collect()
    }

    pub(crate) fn commit(&self, batch_id: u128, operations: Vec<Operation>) -> Result<(), Refusal> {
        let batch = CommitBatch {
            batch_id,
            operations,
        };
        self.update("commit_batch", (batch,))
    }

    pub(crate) fn delete_batch(&self, batch_id: u128) -> Result<(), Refusal> {
        self.update("delete_batch", (Batch { batch_id },))
    }

    pub(crate) fn propose(
        &self,
        batch_id: u128,
        operations: Vec<Operation>,
    ) -> Result<(), Refusal> {
        let batch = CommitBatch {
            batch_id,
            operations,
        };
        self.update("propose_commit_batch", (batch,))
    }

    pub(crate) fn compute_evidence(
        &self,
        batch_id: u128,
        max_iterations: Option<u16>,
    ) -> Result<Option<ByteBuf>, Refusal> {
        #[derive(candid::CandidType)]
        struct Compute {
            batch_id: u128,
            max_iterations: Option<u16>,
        }
        let compute = Compute {
            batch_id,
            max_iterations,
        };
        let (evidence,) = self.update("compute_evidence", (compute,))?;
        Ok(evidence)
    }

    pub(crate) fn commit_proposed(&self, batch_id: u128, evidence: &[u8]) -> Result<(), Refusal> {
        let proposed = Proposed::new(batch_id, evidence);
        self.update("commit_proposed_batch", (proposed,))
    }

    /// The hash of everything that can be answered.
    pub(crate) fn site_hash(&self) -> ByteBuf {
        let (hash,) = self.query("site_hash", ()).unwrap();
        hash
    }

    /// A page of the list of assets.
    pub(crate) fn list(
        &self,
        start: Option<u128>,
        length: Option<u128>,
    ) -> Result<Vec<AssetDetails>, Refusal> {
        #[derive(candid::CandidType)]
        struct Page {
            start: Option<u128>,
            length: Option<u128>,
        }
        let (assets,) = self.query("list", (Page { start, length },))?;
        Ok(assets)
    }

    /// Every asset, page after page as clients read them.
    pub(crate) fn list_all(&self) -> Vec<AssetDetails> {
        let mut assets = Vec::new();
        loop {
            let page = self.list(Some(assets.len() as u128), None).unwrap();
            if page.is_empty() {
                return assets;
            }
            assets.extend(page);
        }
    }

    pub(crate) fn properties(&self, key: &str) -> Result<AssetProperties, Refusal> {
        let (properties,) = self.query("get_asset_properties", (key,))?;
        Ok(properties)
    }

    pub(crate) fn grant(
        &self,
        to_principal: Principal,
        permission: Permission,
    ) -> Result<(), Refusal> {
        let grant = GrantPermission {
            to_principal,
            permission,
        };
        self.update("grant_permission", (grant,))
    }

    pub(crate) fn revoke(
        &self,
        of_principal: Principal,
        permission: Permission,
    ) -> Result<(), Refusal> {
        let revoke = RevokePermission {
            of_principal,
            permission,
        };
        self.update("revoke_permission", (revoke,))
    }

    pub(crate) fn permitted(&self, permission: Permission) -> Vec<Principal> {
        #[derive(candid::CandidType)]
        struct ListPermitted {
            permission: Permission,
        }
        let list = ListPermitted { permission };
        let (principals,): (Vec<Principal>,) = self.update("list_permitted", (list,)).unwrap();
        principals
    }
}

#[track_caller]
fn decoded<R: for<'a> ArgumentDecoder<'a>>(method: &str, reply: &[u8]) -> R {
    decode_args(reply).unwrap_or_else(|error| panic!("reply of {method}: {error}"))
}

/// A call that was rejected, or that trapped.
pub(crate) struct Refusal(RejectResponse);

impl Refusal {
    /// What the canister itself said, without what the replica puts around the
    /// message of a trap.
    pub(crate) fn words(&self) -> &str {
        let message = self.0.reject_message.as_str();
        let Some((_, trap)) = message.split_once("with message: ") else {
            return message;
        };
        let end = trap.find("\nConsider ").unwrap_or(trap.len());
        let trap = trap[..end].trim_end_matches('.');
        trap.strip_prefix('\'')
            .and_then(|trap| trap.strip_suffix('\''))
            .unwrap_or(trap)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Expects a call to be refused in exactly these words.
#[track_caller]
pub(crate) fn refused<T: fmt::Debug>(result: Result<T, Refusal>, words: &str) {
    assert_eq!(result.unwrap_err().words(), words);
}

/// Expects a call to be refused in words that begin with these, which tools look
/// for, and that name the thing they are about.
#[track_caller]
pub(crate) fn refused_for<T: fmt::Debug>(result: Result<T, Refusal>, words: &str, thing: &str) {
    let refusal = result.unwrap_err();
    let said = refusal.words();
    assert!(said.starts_with(words), "{words:?}, not {said:?}");
    assert!(said.contains(thing), "{thing:?} in {said:?}");
}
