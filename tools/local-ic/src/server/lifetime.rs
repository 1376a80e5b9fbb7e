//! When the server stops by itself.
//!
//! Nothing else ever stops a server that a test started: the client library
//! leaves it running for the tests that follow.

use std::future::pending;
use std::time::Duration;

use super::activity::Activity;

/// How long a server runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lifetime {
    /// Stop when no request was in progress for this long.
    pub idle: Option<Duration>,
    /// Stop this long after the start, whatever is going on.
    pub total: Option<Duration>,
}

impl Lifetime {
    pub(super) async fn is_over(self, activity: &Activity) {
        tokio::select! {
            () = idle(self.idle, activity) => {}
            () = passed(self.total) => {}
        }
    }
}

async fn idle(limit: Option<Duration>, activity: &Activity) {
    match limit {
        Some(limit) => activity.idle_for(limit).await,
        None => pending().await,
    }
}

async fn passed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => pending().await,
    }
}
