//! Ranges that no certified answer is: answered by an update call, whose reply the network agrees on.

use super::{
    Request, Response,
    route::Route,
    select::{negotiate, select, wanted_range},
};
use crate::{
    http::{ContentRange, Headers, Range, UrlPath},
    site::{Delivery, PART, Site},
    storage::Memory,
};

/// Answers a request that [`serve`](super::serve) asked to repeat as an update call: with the exact range, at
/// most [`PART`] bytes of it, or with 416.
pub fn serve_update<M: Memory>(site: &Site<M>, request: &Request) -> Response {
    let path = match UrlPath::parse(&request.url) {
        Ok(path) => path,
        Err(error) => return Response::bad_url(&request.url, error),
    };
    let route = match Route::to(site, &path) {
        Ok(route) => route,
        Err(error) => return Response::uncertified(500, error),
    };
    let selection = select(&route.resource, request);
    let headers = Headers::new(&request.headers);
    let representation = negotiate(&route.resource, headers);
    let (Delivery::Parts(parts), 206) = (&representation.get, selection.status) else {
        // What is not in parts needs no update call.
        return Response::uncertified(400, "this request is answered by a query");
    };
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
