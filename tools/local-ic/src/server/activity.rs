//! Whether the server is at work, and if not, since when.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// Counts the requests in progress. Clones count together.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<Count>>);

#[derive(Debug)]
struct Count {
    pending: usize,
    idle_since: Instant,
}

impl Activity {
    pub(super) fn new() -> Activity {
        Activity(Arc::new(Mutex::new(Count {
            pending: 0,
            idle_since: Instant::now(),
        })))
    }

    /// Notes a request that lasts until the guard is dropped.
    pub(super) fn begin(&self) -> Busy {
        self.count(|count| count.pending += 1);
        Busy(self.clone())
    }

    /// Returns once no request was in progress for as long as `limit`.
    pub(super) async fn idle_for(&self, limit: Duration) {
        loop {
            let idle = self.count(|count| match count.pending {
                0 => count.idle_since.elapsed(),
                _ => Duration::ZERO,
            });
            if idle >= limit {
                return;
            }
            // A request that ends meanwhile only makes the wait longer.
            tokio::time::sleep(limit - idle).await;
        }
    }

    fn count<T>(&self, look: impl FnOnce(&mut Count) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct Busy(Activity);

impl Busy {
    /// Lets the request last until the whole body is sent.
    pub(super) fn until_sent(self, response: Response) -> Response {
        response.map(|body| Body::new(Sending { body, _busy: self }))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.count(|count| {
            count.pending -= 1;
            count.idle_since = Instant::now();
        });
    }
}

/// A middleware that counts every request.
pub(super) async fn track(
    State(activity): State<Activity>,
    request: Request,
    next: Next,
) -> Response {
    let busy = activity.begin();
    let response = next.run(request).await;
    busy.until_sent(response)
}

struct Sending {
    body: Body,
    _busy: Busy,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_server_nobody_asks_is_idle_from_its_start() {
        let start = Instant::now();
        Activity::new().idle_for(LIMIT).await;
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_begins_when_the_last_body_is_sent() {
        let start = Instant::now();
        let activity = Activity::new();
        let busy = activity.begin();
        let served = async {
            tokio::time::sleep(10 * LIMIT).await;
            let response = busy.until_sent(Response::new("a body".into()));
            tokio::time::sleep(LIMIT).await;
            drop(response);
        };
        tokio::join!(served, activity.idle_for(LIMIT));
        assert_eq!(start.elapsed(), 12 * LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_counted() {
        let start = Instant::now();
        let activity = Activity::new();
        let (first, second) = (activity.begin(), activity.begin());
        let served = async {
            drop(first);
            tokio::time::sleep(3 * LIMIT).await;
            drop(second);
        };
        tokio::join!(served, activity.idle_for(LIMIT));
        assert_eq!(start.elapsed(), 4 * LIMIT);
    }
}
