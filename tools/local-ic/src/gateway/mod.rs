//! An HTTP gateway: browsers on one side, canisters on the other, and nothing
//! passes that the network's root key does not vouch for.
//!
//! ```text
//!  http://<canister>.localhost:port/path
//!        │ route: which canister, verified or raw
//!        ▼
//!    http_request ──► upgrade? ──yes──► http_request_update ──► as it is: consensus made it
//!        │ no
//!        ▼
//!    streaming callbacks collected ──► verified ──► only certified headers ──► client
//!                                         │
//!                                         └─ 206 that nobody asked for: 200, stitched
//!                                            from further chunks, each verified
//! ```
//!
//! It follows the [HTTP gateway protocol] where the genuine gateways do and is
//! stricter where they pass unverified bytes: version 1 certification, streams
//! longer than four callbacks and callbacks of other canisters are refused. A
//! refusal is a page of plain text that says precisely why.
//!
//! The gateway adds nothing of its own to a response, and knows the network
//! only as a [`Replica`].
//!
//! ```no_run
//! use std::sync::{Arc, Mutex};
//!
//! use local_ic::gateway::Gateway;
//! use local_ic::{Clock, Config, Local, Network, SubnetKind};
//! use tokio::net::TcpListener;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let network = Network::new(Config::new([SubnetKind::Application]))?;
//! let network = Arc::new(Mutex::new(network));
//! local_ic::server::runtime()?.block_on(async {
//!     let listener = TcpListener::bind(("127.0.0.1", 8000)).await?;
//!     Gateway::new(Local::new(network, Clock::Live)).serve(listener).await
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! [HTTP gateway protocol]: https://docs.internetcomputer.org/references/http-gateway-protocol-spec

mod chunks;
mod content_range;
mod exchange;
mod fault;
mod interface;
mod page;
mod replica;
mod route;
mod stitch;
mod verify;

pub use replica::Replica;

use std::fmt;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::HandlerWithoutStateExt;
use axum::http::request::Parts;
use axum::response::Response;
use tokio::net::TcpListener;

use crate::PublicInterface;
use exchange::{Exchange, Question};
use fault::Fault;
use route::Route;

/// The largest request body, in bytes: what one message to a canister holds.
pub const MAX_REQUEST_BODY: usize = 2 << 20;

/// A gateway to one network. Clones share it.
///
/// Canisters run on tokio's blocking threads, whose stacks must hold a
/// canister's; see [`server::runtime`](crate::server::runtime).
#[derive(Clone)]
pub struct Gateway {
    replica: Arc<dyn Replica>,
    domains: Arc<[String]>,
    public_interface: Option<PublicInterface>,
}

impl Gateway {
    /// A gateway for `localhost` and its subdomains.
    pub fn new(replica: impl Replica) -> Gateway {
        Gateway {
            replica: Arc::new(replica),
            domains: ["localhost".to_owned()].into(),
            public_interface: None,
        }
    }

    /// Answers agents, too: `/api/v2/status` and the other paths of the public
    /// interface, which no canister can have.
    pub fn with_public_interface(self, public_interface: PublicInterface) -> Gateway {
        Gateway {
            public_interface: Some(public_interface),
            ..self
        }
    }

    /// Answers for these domains and their subdomains instead of `localhost`.
    pub fn with_domains(self, domains: Vec<String>) -> Gateway {
        Gateway {
            domains: domains.into(),
            ..self
        }
    }

    /// Answers the connections of `listener` for as long as the future lives.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let answer = move |request: Request| {
            let gateway = self.clone();
            async move { gateway.answer(request).await }
        };
        axum::serve(listener, answer.into_make_service()).await
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        if let Some(public_interface) = &self.public_interface
            && PublicInterface::owns(request.uri().path())
        {
            return public_interface.answer(request).await;
        }
        let (parts, body) = request.into_parts();
        match self.try_answer(&parts, body).await {
            Ok(response) => response,
            Err(fault) => page::fault(&parts, &fault),
        }
    }

    async fn try_answer(&self, parts: &Parts, body: Body) -> Result<Response, Fault> {
        let target = match route::route(&self.domains, parts)? {
            Route::Canister(target) => target,
            Route::Elsewhere(location) => return Ok(page::redirect(&location)),
        };
        let body = axum::body::to_bytes(body, MAX_REQUEST_BODY)
            .await
            .map_err(|_| Fault::RequestTooLarge)?;
        let question = Question::read(parts, body.into())?;
        let exchange = Exchange::new(self.replica.clone(), target, question);
        let (exchange, answer) = blocking(move || {
            let answer = exchange.run();
            (exchange, answer)
        })
        .await?;
        page::answer(exchange, answer?)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

/// Runs what executes canisters and checks signatures where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Fault::Broken(error.to_string()))
}
