//! Request bodies.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// A JSON body, whatever its `Content-Type` says: not all clients set one.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed(why);
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| malformed(error.to_string()))?;
        serde_json::from_slice(&bytes)
            .map(Body)
            .map_err(|error| malformed(error.to_string()))
    }
}
