//! The instances: each a network of its own, behind a lock of its own.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{self, FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use pocket_ic::common::rest::{InstanceId, SubnetInstructionConfig};
use serde::Deserialize;

use crate::{Clock, Local, Network, PublicInterface};

use super::State;
use super::progress::Progress;
use super::refusal::Refusal;

/// All instances ever made; an id is never used again.
#[derive(Debug, Default)]
pub(super) struct Instances(Mutex<Vec<Option<Arc<Instance>>>>);

impl Instances {
    pub(super) fn add(
        &self,
        network: Network,
        instructions: Vec<SubnetInstructionConfig>,
    ) -> Arc<Instance> {
        let mut instances = self.lock();
        let instance = Arc::new(Instance {
            id: instances.len(),
            network: Arc::new(Mutex::new(network)),
            instructions,
            progress: Progress::default(),
        });
        instances.push(Some(instance.clone()));
        instance
    }

    pub(super) fn get(&self, id: InstanceId) -> Result<Arc<Instance>, Refusal> {
        let instances = self.lock();
        instances
            .get(id)
            .cloned()
            .flatten()
            .ok_or(Refusal::NoInstance(id))
    }

    pub(super) fn remove(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.lock().get_mut(id).and_then(Option::take)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<Arc<Instance>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One network and what the server knows about it.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) network: Arc<Mutex<Network>>,
    /// What the test asked for, subnet by subnet.
    pub(super) instructions: Vec<SubnetInstructionConfig>,
    pub(super) progress: Progress,
}

impl Instance {
    /// The network, in step with this machine's clock as long as it progresses
    /// by itself.
    pub(super) fn local(&self) -> Local {
        Local::new(self.network.clone(), Clock::Wall)
    }

    /// What agents ask.
    pub(super) fn public_interface(&self) -> PublicInterface {
        PublicInterface::new(self.local())
    }

    /// Runs `work` on the network when it is its turn, on a thread of its own.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Network) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let network = self.network.clone();
        let run = move || match network.lock() {
            Ok(mut network) => Ok(work(&mut network)),
            Err(_) => Err("an earlier request panicked".to_owned()),
        };
        let outcome = match tokio::task::spawn_blocking(run).await {
            Ok(outcome) => outcome,
            Err(error) => Err(panic_text(error)),
        };
        outcome.map_err(|panic| Refusal::Broken {
            instance: self.id,
            panic,
        })
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "the server is stopping".to_owned();
    };
    let panic: &(dyn Any + Send) = &*panic;
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without words".to_owned()
    }
}

/// The instance a path names: `/instances/{id}/…`.
pub(super) struct On(pub(super) Arc<Instance>);

/// The part of a path that names an instance, whatever else is in it.
#[derive(Deserialize)]
struct Named {
    id: InstanceId,
}

impl FromRequestParts<Arc<State>> for On {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<On, Refusal> {
        let Path(named) = Path::<Named>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::Malformed(error.body_text()))?;
        state.instances.get(named.id).map(On)
    }
}

/// `GET /instances`: one word per instance, in the order of their ids.
pub(super) async fn list(
    extract::State(state): extract::State<Arc<State>>,
) -> Json<Vec<&'static str>> {
    let instances = state.instances.lock();
    let word = |instance: &Option<_>| {
        if instance.is_some() {
            "Available"
        } else {
            "Deleted"
        }
    };
    Json(instances.iter().map(word).collect())
}

/// `DELETE /instances/{id}/`
pub(super) async fn delete(
    extract::State(state): extract::State<Arc<State>>,
    Path(id): Path<InstanceId>,
) -> Result<StatusCode, Refusal> {
    let instance = state.instances.remove(id).ok_or(Refusal::NoInstance(id))?;
    state.gateways.stop_those_of(id);
    // Freeing a network with much memory takes its time.
    tokio::task::spawn_blocking(move || drop(instance));
    Ok(StatusCode::OK)
}
