//! The REST interface of the PocketIC server, release 16.
//!
//! ```text
//!   test ── pocket-ic ──HTTP──► router ──► instance ──► Mutex<Network>
//!                                 │
//!                                 ├──► blobs        (uploads for stable memory)
//!                                 └──► gateways     (one HTTP gateway per live instance)
//! ```
//!
//! An instance computes one request at a time, on a thread that may block, and
//! every request is answered when it is done: the interface's "busy" and
//! "started" states never occur. Bodies are the client library's own types
//! ([`pocket_ic::common::rest`]), so their encoding is right by construction.
//! What local-ic does not implement is refused by name, with status 501.

mod activity;
mod blobs;
mod canisters;
mod creation;
mod error;
mod gateways;
mod ingress;
mod instances;
mod json;
mod lifetime;
mod port_file;
mod progress;
mod refusal;
mod router;
mod time;
mod topology;

pub use error::Error;
pub use lifetime::Lifetime;
pub use port_file::PortFile;

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use activity::Activity;
use blobs::Blobs;
use gateways::Gateways;
use instances::Instances;

/// What `--version` calls the program: `pocket-ic` starts nothing else.
pub const NAME: &str = "pocket-ic-server";

/// The release of the PocketIC server whose interface this is.
pub const VERSION: &str = "16.1.0";

/// A PocketIC server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`; port 0 is any free one.
    pub async fn bind(address: SocketAddr) -> Result<Server, Error> {
        let refused = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Server { listener, address })
    }

    /// The address the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `lifetime` is over.
    pub async fn run(self, lifetime: Lifetime) -> Result<(), Error> {
        let activity = Activity::new();
        let state = Arc::new(State {
            instances: Instances::default(),
            blobs: Blobs::default(),
            gateways: Gateways::new(activity.clone()),
        });
        let router = router::router(state, activity.clone());
        tokio::select! {
            served = axum::serve(self.listener, router).into_future() => served.map_err(Error::Serve),
            () = lifetime.is_over(&activity) => Ok(()),
        }
    }
}

/// A runtime whose threads have the stack that running canisters takes.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()
}

/// Everything the server holds between requests.
#[derive(Debug)]
struct State {
    instances: Instances,
    blobs: Blobs,
    gateways: Gateways,
}
