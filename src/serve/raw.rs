//! Requests that come without verification: those to a `raw` domain of the Internet Computer.
//!
//! An asset that may only be had with verification answers them by sending the browser to its other domain. Nobody
//! verifies that answer, as nobody verifies any there, so it is not certified.

use super::{Request, Response, previous, route::Route};
use crate::{
    http::{Headers, UrlPath},
    site::Site,
    storage::Memory,
};
use candid::Principal;

/// The answer to a request that came without verification, for something that may not be had so. `None` if
/// [`serve`](super::serve) shall answer.
pub fn refuse_raw<M: Memory>(
    site: &Site<M>,
    request: &Request,
    canister: Principal,
) -> Option<Response> {
    let host = Headers::new(&request.headers).only("host")?;
    let host = host.split(':').next().unwrap_or_default();
    if !host.contains(".raw.ic") {
        return None;
    }
    let path = UrlPath::parse(&request.url).ok()?;
    let route = Route::to(site, &path).ok()?;
    let replaced = match previous::going_on(site, request, &route).ok()? {
        Some(resource) => Some(resource),
        None => previous::resource(site, request, &path, &route).ok()?,
    };
    if replaced.unwrap_or(route.resource).allows_raw {
        return None;
    }
    let domain = match host.ends_with("ic0.app") {
        true => "ic0.app",
        false => "icp0.io",
    };
    // What does not begin with a slash would go on the name of the host.
    let url = match request.url.starts_with('/') {
        true => &request.url,
        false => "/",
    };
    Some(Response {
        status: 308,
        headers: vec![(
            "location".to_owned(),
            format!("https://{canister}.{domain}{url}"),
        )],
        ..Response::default()
    })
}
