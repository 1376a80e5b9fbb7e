//! What goes back to the client: the one place that writes HTTP responses.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::chunks;
use super::exchange::{Answer, Exchange};
use super::fault::Fault;
use super::stitch::Stitch;

/// A canister's answer, with nothing added and hop-by-hop fields left out.
pub(super) fn answer(exchange: Exchange, answer: Answer) -> Result<Response, Fault> {
    let Answer { reply, first_part } = answer;
    let is_head = exchange.question.method == Method::HEAD.as_str();
    let mut headers = passed_on(reply.headers)?;
    let announced = headers.remove(header::CONTENT_LENGTH).and_then(length);
    let status = StatusCode::from_u16(reply.status)
        .ok()
        .filter(|status| !status.is_informational())
        .ok_or(Fault::Status(reply.status))?;

    let (status, body) = match first_part {
        Some(range) => {
            headers.remove(header::CONTENT_RANGE);
            headers.insert(header::CONTENT_LENGTH, range.total.into());
            let body = if is_head {
                Body::empty()
            } else {
                chunks::stream(reply.body, Stitch::after(range, exchange)?)
            };
            (StatusCode::OK, body)
        }
        None if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED => {
            (status, Body::empty())
        }
        None if is_head => {
            // A HEAD tells the length of what a GET would bring. A canister that
            // sends no body with it may or may not say.
            let sent = (!reply.body.is_empty()).then_some(reply.body.len() as u64);
            if let Some(length) = announced.or(sent) {
                headers.insert(header::CONTENT_LENGTH, length.into());
            }
            (status, Body::empty())
        }
        None => (status, reply.body.into()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Sends the client to another URL of this gateway, this once.
pub(super) fn redirect(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Says why there is no answer.
pub(super) fn fault(parts: &Parts, fault: &Fault) -> Response {
    let status = fault.status();
    let mut text = format!("{status}\n\n{} {}\n\n{fault}\n", parts.method, parts.uri);
    if let Fault::Unverified { .. } = fault {
        text.push_str("\nUnder <canister-id>.raw.localhost it can be seen unverified.\n");
    }
    let body = if parts.method == Method::HEAD {
        Body::empty()
    } else {
        text.into()
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Fields that describe the connection, which is the gateway's (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

fn length(value: HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}

fn passed_on(fields: Vec<(String, String)>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let (Ok(key), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::try_from(value))
        else {
            return Err(Fault::Header(name));
        };
        if !HOP_BY_HOP.contains(&key) {
            headers.append(key, value);
        }
    }
    Ok(headers)
}
