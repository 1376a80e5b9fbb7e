//! What the release before the live one still answers, so that nobody's page breaks when a site is published.
//!
//! A page that was loaded before goes on to load its parts, under names that hold a hash of their content; the new
//! release has others. And a download that has begun asks for the rest of what it began with.
//!
//! The later parts of large content are certified beside the live site for a while, as a gateway that puts a body
//! together reads them by queries. All else is not in the tree any more: the query has the answer of the live site, and
//! asks to be repeated as an update call, whose reply the network agrees on. Only the release that was replaced last
//! answers so, as long as it is kept.

use super::{
    Request, Response,
    route::Route,
    select::{Selection, named_part, negotiate, select, wanted_range},
    update::ranged,
};
use crate::{
    certification::{ExpressionPath, Reach},
    http::{Headers, Method, Range, UrlPath},
    site::{Delivery, Resource, Site},
    storage::{Memory, StorageError},
};
use std::ops::RangeInclusive;

/// Characters that a hash in a name has.
const HASH: RangeInclusive<usize> = 8..=64;

/// The certified part of what was replaced that a request is for.
pub(super) fn part<M: Memory>(
    site: &Site<M>,
    request: &Request,
    route: &Route,
) -> Result<Option<Selection>, StorageError> {
    let resource = going_on(site, request, route)?;
    let part = resource.and_then(|resource| named_part(&resource, request));
    Ok(part.filter(|part| site.is_served(&part.labels.below(route.path.labels()))))
}

/// The resource that was replaced, and of which a request is for a certified part.
pub(super) fn going_on<M: Memory>(
    site: &Site<M>,
    request: &Request,
    route: &Route,
) -> Result<Option<Resource>, StorageError> {
    let is_get = Method::named(&request.method) == Method::Get && request.body.is_empty();
    match Headers::new(&request.headers).only("range") {
        Some(range) if is_get => site.going_on(&route.path, range),
        _ => Ok(None),
    }
}

/// The resource of the release before that answers a request rather than this route of the live one.
pub(super) fn resource<M: Memory>(
    site: &Site<M>,
    request: &Request,
    path: &UrlPath<'_>,
    route: &Route,
) -> Result<Option<Resource>, StorageError> {
    let headers = Headers::new(&request.headers);
    let is_read = matches!(Method::named(&request.method), Method::Get | Method::Head);
    if !is_read || !request.body.is_empty() || !site.retention().answers_replaced {
        return Ok(None);
    }
    let is_gone = !route.is_found;
    let goes_on = headers.has("range") && headers.has("if-range");
    let is_wanted = match is_gone {
        true => has_hash(path.as_str()),
        false => goes_on && wants_whole(&route.resource, headers),
    };
    if !is_wanted {
        return Ok(None);
    }
    let exact = ExpressionPath::new(path.segments(), Reach::Exact);
    let Some(resource) = site.replaced(&exact)? else {
        return Ok(None);
    };
    let answers = match &negotiate(&resource, headers).get {
        Delivery::Whole(_) => is_gone,
        // Who gets the first part comes back for the others.
        Delivery::Parts(parts) => {
            !wants_whole(&resource, headers)
                || is_gone && site.going_on(&exact, &parts.request(1))?.is_some()
        }
    };
    Ok(answers.then_some(resource))
}

/// The answer of a resource of the release before.
pub(super) fn answer<M: Memory>(
    site: &Site<M>,
    resource: &Resource,
    request: &Request,
) -> Response {
    let selection = select(resource, request);
    let headers = Headers::new(&request.headers);
    let representation = negotiate(resource, headers);
    if let (Delivery::Parts(parts), 206, false) = (
        &representation.get,
        selection.status,
        wants_whole(resource, headers),
    ) {
        return ranged(site, representation, parts, headers);
    }
    Response {
        status: selection.status,
        headers: selection.headers,
        body: selection.content.read(site),
        upgrade: false,
    }
}

/// Whether a request is for no range of what a resource is.
fn wants_whole(resource: &Resource, headers: Headers<'_>) -> bool {
    let representation = negotiate(resource, headers);
    match &representation.get {
        Delivery::Whole(_) => true,
        Delivery::Parts(parts) => {
            matches!(wanted_range(representation, parts, headers), Range::Whole)
        }
    }
}

/// Whether the name of a file holds a hash of its content, as bundlers write it: `index-4f3a9c21.js`,
/// `main.4f3a9c21.chunk.css`, `index-DiwrgTda.js`.
///
/// A hash is a part of the name between dots, not the extension, or what follows a `-` in such a part. It has 8 to 64
/// characters: hexadecimal digits, letters in lower case and figures among them; or letters, figures, `-` and `_`
/// after a `-` or a dot, with capitals past the first letter, and either figures too or 8 characters and small letters.
/// Words and dates are none of that, except for a few like `app-MyButton.js`. Pages, which end with `.html`,
/// have no hash: they are not parts of others.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    extension != "html"
        && stem.split('.').enumerate().any(|(number, part)| {
            let after_dash = part.match_indices('-').map(|(at, _)| &part[at + 1..]);
            let is_first = number == 0;
            is_hexadecimal(part)
                || !is_first && is_url_safe(part)
                || after_dash
                    .into_iter()
                    .any(|text| is_hexadecimal(text) || is_url_safe(text))
        })
}

fn is_hexadecimal(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    HASH.contains(&text.len())
        && text.bytes().all(is_digit)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn is_url_safe(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let any = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    HASH.contains(&text.len())
        && text.bytes().all(is_safe)
        && text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && (any(u8::is_ascii_digit) || text.len() == 8 && any(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_from_words() {
        for name in [
            "/index-4f3a9c21.js",
            "/4f3a9c21.js",
            "/assets/index-DiwrgTda.js",
            "/assets/index-Di-rg_Da.css",
            "/static/js/main.4f3a9c21.chunk.js",
            "/main-5ABCD7XQ.js",
            "/a.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.wasm",
        ] {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "/",
            "/index.js",
            "/a-4f3a9c21",
            "/MyComponent.js",
            "/README-TEMPLATE.md",
            "/about-services.js",
            "/my-great-component2.js",
            "/report-20240101.pdf",
            "/abadcafe-effaced.js",
            "/index-4f3a9c2.js",
            "/page-4f3a9c21.html",
            "/index-DiwrgTda.js/x.js",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }
}
