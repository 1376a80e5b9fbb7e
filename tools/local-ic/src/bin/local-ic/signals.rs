//! The signals that end the program in good order.

use std::future::pending;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Interrupt and terminate, caught from here on: before a client learns that
/// there is a server to stop.
pub(crate) struct Signals {
    #[cfg(unix)]
    signals: [Option<Signal>; 2],
}

#[cfg(unix)]
impl Signals {
    /// A signal that cannot be caught ends the process as it always does.
    pub(crate) fn listen() -> Signals {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Signals {
            signals: kinds.map(|kind| signal(kind).ok()),
        }
    }

    /// Returns when the first of them comes.
    pub(crate) async fn received(self) {
        let [interrupt, terminate] = self.signals.map(received);
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: Option<Signal>) {
    if let Some(mut signal) = signal {
        signal.recv().await;
    } else {
        pending::<()>().await;
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Signals {
        Signals {}
    }

    /// Returns when the program is interrupted.
    pub(crate) async fn received(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
