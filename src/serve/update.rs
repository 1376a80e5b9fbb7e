//! Answers by update calls, whose replies the network agrees on: ranges that no certified answer is, what was replaced,
//! and what is being imported.

use super::{
    Request, Response, answer, previous,
    route::Route,
    select::{negotiate, select, wanted_range},
};
use crate::{
    certification::{CERTIFICATE, CERTIFICATE_EXPRESSION},
    error::Error,
    http::{ContentRange, Headers, Range, UrlPath},
    site::{Delivery, PART, Parts, Representation, Site},
    storage::Memory,
};

/// Answers a request that [`serve`](super::serve) asked to repeat as an update call because an
/// [import](Site::import) has not come to what may answer it: imports that first. `now` is in nanoseconds since
/// 1970.
///
/// What needs more instructions than `has_room` for, or more than one answer to send, is answered with 503 and a
/// time to ask again.
///
/// # Errors
///
/// As [`Site::import`].
pub fn serve_importing<M: Memory>(
    site: &mut Site<M>,
    request: &Request,
    now: u64,
    has_room: &dyn Fn(u64) -> bool,
) -> Result<Response, Error> {
    let path = match UrlPath::parse(&request.url) {
        Ok(path) => path,
        Err(error) => return Ok(Response::bad_url(&request.url, error)),
    };
    if site.awaited(&path)?.is_none() {
        return Ok(serve_update(site, request));
    }
    let is_there = site.import_for(&path, now, has_room)?;
    let mut response = answer(site, request, &path, &[])?;
    if !is_there || response.upgrade || response.status == 206 {
        // A query answers the latter two.
        let retry = ("retry-after".to_owned(), "1".to_owned());
        response = Response::uncertified(503, "this is being imported");
        response.headers.push(retry);
        return Ok(response);
    }
    let proves = |name: &str| [CERTIFICATE, CERTIFICATE_EXPRESSION].contains(&name);
    response.headers.retain(|(name, _)| !proves(name));
    Ok(response)
}

/// Answers a request that [`serve`](super::serve) asked to repeat as an update call: with what the release before has, or
/// with the exact range, at most [`PART`] bytes of it, or with 416.
pub fn serve_update<M: Memory>(site: &Site<M>, request: &Request) -> Response {
    let path = match UrlPath::parse(&request.url) {
        Ok(path) => path,
        Err(error) => return Response::bad_url(&request.url, error),
    };
    let route = match Route::to(site, &path) {
        Ok(route) => route,
        Err(error) => return Response::uncertified(500, error),
    };
    match previous::resource(site, request, &path, &route) {
        Ok(Some(replaced)) => return previous::answer(site, &replaced, request),
        Ok(None) => {}
        Err(error) => return Response::uncertified(500, error),
    }
    let selection = select(&route.resource, request);
    let headers = Headers::new(&request.headers);
    let representation = negotiate(&route.resource, headers);
    let (Delivery::Parts(parts), 206) = (&representation.get, selection.status) else {
        // What is not in parts needs no update call.
        return Response::uncertified(400, "this request is answered by a query");
    };
    ranged(site, representation, parts, headers)
}

/// The exact range that a request is for, at most [`PART`] bytes of it.
pub(super) fn ranged<M: Memory>(
    site: &Site<M>,
    representation: &Representation,
    parts: &Parts,
    headers: Headers<'_>,
) -> Response {
    let length = parts.length();
    match wanted_range(representation, parts, headers) {
        Range::Unsatisfiable => Response {
            headers: vec![(
                "content-range".to_owned(),
                ContentRange::Unsatisfied { total: length }.to_string(),
            )],
            ..Response::uncertified(416, "range not satisfiable")
        },
        Range::Whole => Response::uncertified(400, "this request is answered by a query"),
        Range::Satisfiable(range) => {
            let range = range.start..range.end.min(range.start + PART);
            Response {
                status: 206,
                headers: parts.headers(range.clone()),
                body: site.store.bodies.read(&representation.body(), range),
                upgrade: false,
            }
        }
    }
}
