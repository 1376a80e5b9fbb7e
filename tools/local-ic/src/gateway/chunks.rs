//! A body that is fetched while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::Frame;
use tokio::sync::mpsc;

use super::blocking;
use super::stitch::Stitch;

/// A body of `first` and all that `stitch` fetches. At most two parts wait for
/// the client; a part that fails ends the body before its announced length.
pub(super) fn stream(first: Vec<u8>, stitch: Stitch) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(fetch(first, stitch, sender));
    Body::new(Chunks(receiver))
}

type Chunk = Result<Bytes, Torn>;

/// The connection is closed on this; nobody can be told why over HTTP.
#[derive(Debug)]
struct Torn;

impl std::fmt::Display for Torn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a part of the body failed")
    }
}

impl std::error::Error for Torn {}

async fn fetch(first: Vec<u8>, mut stitch: Stitch, sender: mpsc::Sender<Chunk>) {
    let url = stitch.url().to_owned();
    let mut part = first;
    // A client that is gone wants no more parts.
    while sender.send(Ok(part.into())).await.is_ok() {
        let fetched = blocking(move || {
            let next = stitch.next();
            (stitch, next)
        });
        let fault = match fetched.await {
            Ok((rest, Ok(Some(next)))) => {
                (stitch, part) = (rest, next);
                continue;
            }
            Ok((_, Ok(None))) => return,
            Ok((_, Err(fault))) | Err(fault) => fault,
        };
        // Only the standard error is left to say it: the head is long sent.
        eprintln!("local-ic: the answer to {url} was torn off. {fault}");
        let _ = sender.send(Err(Torn)).await;
        return;
    }
}

struct Chunks(mpsc::Receiver<Chunk>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Torn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        let chunk = self.0.poll_recv(context);
        chunk.map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
