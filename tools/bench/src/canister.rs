//! A canister under measurement.

use anyhow::{anyhow, ensure};
use candid::{CandidType, Decode, Encode, Principal, utils::ArgumentEncoder};
use ic_hallmark::api::{AssetDetails, HttpRequest, HttpResponse, ListArguments};
use local_ic::{Config, Execution, InstallMode, Network, SubnetKind};

const SENDER: Principal = Principal::anonymous();

pub(crate) struct Canister {
    network: Network,
    id: Principal,
}

impl Canister {
    pub(crate) fn install(wasm: &[u8]) -> anyhow::Result<Self> {
        let mut network = Network::new(Config::new([SubnetKind::Application]))?;
        let id = network.create_canister(SENDER);
        network
            .install(
                SENDER,
                id,
                InstallMode::Install,
                wasm.to_vec(),
                no_arguments(),
            )
            .map_err(|reject| anyhow!("install: {reject}"))?;
        Ok(Self { network, id })
    }

    /// A canister without code of its own, in whose stable memory another one left something.
    pub(crate) fn left_behind(state: &[u8]) -> anyhow::Result<Self> {
        let mut canister = Self::install(b"\0asm\x01\0\0\0")?;
        ensure!(
            canister.network.set_stable_memory(canister.id, state),
            "the canister exists"
        );
        Ok(canister)
    }

    /// What the last message cost.
    pub(crate) fn last(&self) -> Execution {
        self.network.last_execution()
    }

    pub(crate) fn upgrade(&mut self, wasm: &[u8]) -> anyhow::Result<Execution> {
        let mode = InstallMode::Upgrade(None);
        self.network
            .install(SENDER, self.id, mode, wasm.to_vec(), no_arguments())
            .map_err(|reject| anyhow!("upgrade: {reject}"))?;
        Ok(self.last())
    }

    /// Calls an update method.
    pub(crate) fn update(
        &mut self,
        method: &str,
        arguments: impl ArgumentEncoder,
    ) -> anyhow::Result<Vec<u8>> {
        let payload = candid::encode_args(arguments)?;
        self.network
            .update(SENDER, self.id, method, payload)
            .map_err(|reject| anyhow!("{method}: {reject}"))
    }

    pub(crate) fn query(
        &mut self,
        method: &str,
        argument: impl CandidType,
    ) -> anyhow::Result<Vec<u8>> {
        self.network
            .query(SENDER, self.id, method, Encode!(&argument)?)
            .map_err(|reject| anyhow!("{method}: {reject}"))
    }

    pub(crate) fn get(&mut self, url: &str) -> anyhow::Result<Execution> {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: REQUEST_HEADERS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
            certificate_version: Some(2),
        };
        let reply = self.query("http_request", request)?;
        let response = Decode!(&reply, HttpResponse)?;
        let expected = if url.contains("nothing") { 404 } else { 200 };
        ensure!(
            response.status_code == expected,
            "{url}: {}",
            response.status_code
        );
        Ok(self.last())
    }

    pub(crate) fn list(&mut self, start: u32) -> anyhow::Result<Execution> {
        let arguments = ListArguments {
            start: Some(start.into()),
            ..ListArguments::default()
        };
        let reply = self.query("list", arguments)?;
        ensure!(
            Decode!(&reply, Vec<AssetDetails>)?.len() == 100,
            "a page has 100 assets"
        );
        Ok(self.last())
    }
}

/// What a browser sends.
const REQUEST_HEADERS: [(&str, &str); 6] = [
    ("host", "lxzze-o7777-77777-aaaaa-cai.icp0.io"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd, identity"),
    ("sec-fetch-mode", "navigate"),
];

fn no_arguments() -> Vec<u8> {
    candid::encode_args(()).expect("no arguments are encodable")
}
