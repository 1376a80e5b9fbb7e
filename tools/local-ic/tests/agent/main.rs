//! Unmodified agents against the public interface.

mod calls;
mod envelopes;
#[path = "../http/mod.rs"]
mod http;
mod identities;
mod instances;
mod state;

use std::sync::{Arc, Mutex};

use candid::Principal;
use ic_agent::Agent;
use ic_agent::identity::{BasicIdentity, Identity};
use local_ic::gateway::Gateway;
use local_ic::{Clock, Config, InstallMode, Local, Network, PublicInterface, SubnetKind};
use tokio::net::TcpListener;

const CANISTER: &str = include_str!("canister.wat");

/// A live network with a canister that its controller installed.
struct Live {
    network: Arc<Mutex<Network>>,
    port: u16,
    canister: Principal,
}

impl Live {
    async fn new() -> Live {
        Live::with_subnets([SubnetKind::Nns, SubnetKind::Application]).await
    }

    async fn with_subnets(subnets: impl IntoIterator<Item = SubnetKind>) -> Live {
        let mut network = Network::new(Config::new(subnets)).unwrap();
        let canister = network.create_canister(controller().sender().unwrap());
        install(&mut network, canister);
        let network = Arc::new(Mutex::new(network));
        let local = Local::new(network.clone(), Clock::Live);
        let gateway =
            Gateway::new(local.clone()).with_public_interface(PublicInterface::new(local));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(gateway.serve(listener));
        Live {
            network,
            port,
            canister,
        }
    }

    async fn agent(&self, identity: impl Identity + 'static) -> Agent {
        agent(&format!("http://127.0.0.1:{}", self.port), identity).await
    }

    /// A request of the body `body` to the canister's `action` endpoint.
    async fn post(&self, version: u8, action: &str, body: Vec<u8>) -> http::Response {
        let path = format!("/api/v{version}/canister/{}/{action}", self.canister);
        self.post_to(path, body).await
    }

    async fn post_to(&self, path: String, body: Vec<u8>) -> http::Response {
        let port = self.port;
        let send = move || http::send(port, "POST", "localhost", &path, &body).unwrap();
        tokio::task::spawn_blocking(send).await.unwrap()
    }
}

/// An agent that trusts the network at `url`.
async fn agent(url: &str, identity: impl Identity + 'static) -> Agent {
    let agent = Agent::builder()
        .with_url(url)
        .with_identity(identity)
        .build()
        .unwrap();
    agent.fetch_root_key().await.unwrap();
    agent
}

fn install(network: &mut Network, canister: Principal) {
    let module = wat::parse_str(CANISTER).unwrap();
    let sender = controller().sender().unwrap();
    network
        .install(sender, canister, InstallMode::Install, module, vec![])
        .unwrap();
}

fn controller() -> BasicIdentity {
    BasicIdentity::from_raw_key(&[1; 32])
}

fn stranger() -> BasicIdentity {
    BasicIdentity::from_raw_key(&[2; 32])
}
