//! Bodies in CBOR (RFC 8949), with the tag that says so.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_cbor::from_slice(body).map_err(|error| Refusal::Malformed(error.to_string()))
}

/// A response with this body.
pub(super) fn response<T: Serialize>(value: &T) -> Response {
    let mut serializer = serde_cbor::Serializer::new(Vec::new());
    let written = serializer
        .self_describe()
        .and_then(|()| value.serialize(&mut serializer));
    match written {
        Ok(()) => {
            let cbor = [(header::CONTENT_TYPE, "application/cbor")];
            (StatusCode::OK, cbor, serializer.into_inner()).into_response()
        }
        Err(error) => Refusal::Broken(error.to_string()).into_response(),
    }
}
