//! Which path is answered where.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use axum::{Json, Router};

use super::activity::{self, Activity};
use super::instances::On;
use super::refusal::Refusal;
use super::{
    State, blobs, canisters, creation, gateways, ingress, instances, progress, time, topology,
};

pub(super) fn router(state: Arc<State>, activity: Activity) -> Router {
    Router::new()
        .route("/status", get(async || Json(())))
        .route("/blobstore", post(blobs::upload))
        .route("/blobstore/", post(blobs::upload))
        .route("/http_gateway", get(gateways::list).post(gateways::create))
        .route("/http_gateway/", get(gateways::list).post(gateways::create))
        .route("/http_gateway/{id}/stop", post(gateways::stop))
        .route("/instances", get(instances::list).post(creation::create))
        .route("/instances/", get(instances::list).post(creation::create))
        .route("/instances/{id}", delete(instances::delete))
        .route("/instances/{id}/", delete(instances::delete))
        .nest("/instances/{id}", instance())
        .fallback(not_supported)
        .method_not_allowed_fallback(not_supported)
        // The largest bodies are blobs; tests are trusted with their size.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(activity, activity::track))
        .with_state(state)
}

/// The endpoints of one instance.
fn instance() -> Router<Arc<State>> {
    Router::new()
        .route("/_/topology", get(topology::get))
        .route("/read/topology", get(topology::get))
        .route("/read/get_time", get(time::get))
        .route("/read/query", post(ingress::query))
        .route("/read/ingress_status", post(ingress::status))
        .route("/read/get_controllers", post(canisters::controllers))
        .route("/read/get_cycles", post(canisters::cycles))
        .route("/read/get_stable_memory", post(canisters::stable_memory))
        .route("/read/get_subnet", post(canisters::subnet))
        .route("/read/pub_key", post(canisters::public_key))
        .route("/update/submit_ingress_message", post(ingress::submit))
        .route("/update/await_ingress_message", post(ingress::await_answer))
        .route("/update/set_time", post(time::set))
        .route("/update/set_certified_time", post(time::set))
        .route("/update/tick", post(time::tick))
        .route("/update/add_cycles", post(canisters::add_cycles))
        .route(
            "/update/set_stable_memory",
            post(canisters::set_stable_memory),
        )
        .route(
            "/auto_progress",
            get(progress::enabled).post(progress::enable),
        )
        .route("/stop_progress", post(progress::stop))
        .route("/api/{*path}", any(public_interface))
}

/// `/api/…`: what agents ask, of this instance.
async fn public_interface(On(instance): On, request: Request) -> Response {
    instance.public_interface().answer(request).await
}

async fn not_supported(request: Request) -> Refusal {
    Refusal::NotSupported(format!("{} {}", request.method(), request.uri().path()))
}
