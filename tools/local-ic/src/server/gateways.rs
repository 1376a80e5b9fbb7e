//! HTTP gateways of instances: what `make_live` opens.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{self, Path, Request};
use axum::handler::HandlerWithoutStateExt;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pocket_ic::common::rest::{
    CreateHttpGatewayResponse, HttpGatewayBackend, HttpGatewayConfig, HttpGatewayDetails,
    HttpGatewayInfo, InstanceId,
};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::gateway::Gateway;

use super::State;
use super::activity::Activity;
use super::instances::Instance;
use super::json::Body;
use super::refusal::Refusal;
use super::topology;

/// The open gateways by id.
#[derive(Debug)]
pub(super) struct Gateways {
    activity: Activity,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// How many were ever opened; an id is never used again.
    ever: InstanceId,
    gateways: BTreeMap<InstanceId, Running>,
}

#[derive(Debug)]
struct Running {
    instance: InstanceId,
    port: u16,
    domains: Option<Vec<String>>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gateways {
    pub(super) fn new(activity: Activity) -> Gateways {
        Gateways {
            activity,
            open: Mutex::default(),
        }
    }

    /// Closes the gateways in front of an instance that is gone.
    pub(super) fn stop_those_of(&self, instance: InstanceId) {
        self.lock()
            .gateways
            .retain(|_, gateway| gateway.instance != instance);
    }

    fn add(&self, gateway: Running) -> HttpGatewayInfo {
        let mut open = self.lock();
        let instance_id = open.ever;
        let port = gateway.port;
        open.ever += 1;
        open.gateways.insert(instance_id, gateway);
        HttpGatewayInfo { instance_id, port }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /http_gateway`
pub(super) async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Body(config): Body<HttpGatewayConfig>,
) -> (StatusCode, Json<CreateHttpGatewayResponse>) {
    match open(&state, config).await {
        Ok(info) => (
            StatusCode::CREATED,
            Json(CreateHttpGatewayResponse::Created(info)),
        ),
        Err(refusal) => {
            let message = refusal.to_string();
            (
                StatusCode::BAD_REQUEST,
                Json(CreateHttpGatewayResponse::Error { message }),
            )
        }
    }
}

/// Opens a gateway in front of an instance.
pub(super) async fn open(
    state: &Arc<State>,
    config: HttpGatewayConfig,
) -> Result<HttpGatewayInfo, Refusal> {
    let HttpGatewayBackend::PocketIcInstance(id) = config.forward_to else {
        return Err(Refusal::NotSupported("a gateway to a replica".to_owned()));
    };
    if config.https_config.is_some() {
        return Err(Refusal::NotSupported("a gateway with TLS".to_owned()));
    }
    if config.domain_custom_provider_local_file.is_some() {
        return Err(Refusal::NotSupported(
            "custom domains from a file".to_owned(),
        ));
    }
    let instance = state.instances.get(id)?;
    let ip: IpAddr = match &config.ip_addr {
        None => Ipv4Addr::LOCALHOST.into(),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::Malformed(format!("{text} is not an IP address")))?,
    };
    let address = (ip, config.port.unwrap_or(0));
    let refused = |error| {
        Refusal::Impossible(format!(
            "cannot listen on {}:{}: {error}",
            address.0, address.1
        ))
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let port = listener.local_addr().map_err(refused)?.port();

    let mut gateway =
        Gateway::new(instance.local()).with_public_interface(instance.public_interface());
    if let Some(domains) = &config.domains {
        gateway = gateway.with_domains(domains.clone());
    }
    let task = tokio::spawn(serve(
        listener,
        gateway,
        instance,
        state.gateways.activity.clone(),
    ));
    Ok(state.gateways.add(Running {
        instance: id,
        port,
        domains: config.domains,
        task: task.abort_handle(),
    }))
}

/// Web traffic, and the one endpoint of the instance that its gateway repeats.
async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    instance: Arc<Instance>,
    activity: Activity,
) {
    let answer = move |request: Request| {
        let (gateway, instance) = (gateway.clone(), instance.clone());
        let busy = activity.begin();
        async move {
            let response: Response = if request.uri().path() == "/_/topology" {
                topology::describe(&instance)
                    .await
                    .map(Json)
                    .into_response()
            } else {
                gateway.answer(request).await
            };
            busy.until_sent(response)
        }
    };
    // Ends with the task: accepting itself never fails for good.
    let _ = axum::serve(listener, answer.into_make_service()).await;
}

/// `GET /http_gateway`
pub(super) async fn list(
    extract::State(state): extract::State<Arc<State>>,
) -> Json<Vec<HttpGatewayDetails>> {
    let open = state.gateways.lock();
    let details = open
        .gateways
        .iter()
        .map(|(id, gateway)| HttpGatewayDetails {
            instance_id: *id,
            port: gateway.port,
            forward_to: HttpGatewayBackend::PocketIcInstance(gateway.instance),
            domains: gateway.domains.clone(),
            https_config: None,
        });
    Json(details.collect())
}

/// `POST /http_gateway/{id}/stop`
pub(super) async fn stop(
    extract::State(state): extract::State<Arc<State>>,
    Path(id): Path<InstanceId>,
) -> Result<Json<()>, Refusal> {
    let stopped = state.gateways.lock().gateways.remove(&id);
    stopped.map(|_| Json(())).ok_or(Refusal::NoGateway(id))
}
