//! Automatic progress: an instance that follows the real clock and executes
//! rounds by itself, as a live network does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use pocket_ic::common::rest::AutoProgressConfig;
use tokio::task::AbortHandle;

use crate::Network;
use crate::local::catch_up;

use super::instances::{Instance, On};
use super::json::Body;
use super::refusal::Refusal;

/// The pause between rounds unless the test asks for another.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether an instance progresses by itself; stops when dropped.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Option<AbortHandle>>);

impl Progress {
    fn enabled(&self) -> bool {
        self.lock().is_some()
    }

    fn replace(&self, task: Option<AbortHandle>) {
        if let Some(previous) = std::mem::replace(&mut *self.lock(), task) {
            previous.abort();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.replace(None);
    }
}

/// Makes `instance` live; returns after the first step.
pub(super) async fn start(
    instance: &Arc<Instance>,
    config: &AutoProgressConfig,
) -> Result<(), Refusal> {
    let pause = match config.artificial_delay_ms {
        // A pause of nothing would leave no time for anybody's requests.
        Some(ms) => Duration::from_millis(ms.max(1)),
        None => PAUSE,
    };
    instance.with(step).await?;
    // The task must not keep the instance alive.
    let weak = Arc::downgrade(instance);
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            match weak.upgrade() {
                Some(instance) if instance.with(step).await.is_ok() => {}
                _ => return,
            }
        }
    });
    instance.progress.replace(Some(task.abort_handle()));
    Ok(())
}

fn step(network: &mut Network) {
    // A test may have moved the network into the future; there it goes on.
    catch_up(network);
    network.round();
}

/// `GET auto_progress`
pub(super) async fn enabled(On(instance): On) -> Json<bool> {
    Json(instance.progress.enabled())
}

/// `POST auto_progress`
pub(super) async fn enable(
    On(instance): On,
    Body(config): Body<AutoProgressConfig>,
) -> Result<Json<()>, Refusal> {
    start(&instance, &config).await.map(Json)
}

/// `POST stop_progress`
pub(super) async fn stop(On(instance): On) -> Json<()> {
    instance.progress.replace(None);
    Json(())
}
