//! Which canister a URL means.
//!
//! ```text
//! <canister>.localhost:port/path              the canister, verified
//! <canister>.raw.localhost:port/path          the canister, as it is
//! localhost:port/path?canisterId=<canister>   the canister, verified
//! localhost:port/path                         sent on to the form above, when a page
//!                                             opened that way links here
//! ```

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{Uri, header};
use candid::Principal;

use super::fault::Fault;
use crate::PublicInterface;

const QUERY_NAME: &str = "canisterId";

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Ask a canister.
    Canister(Target),
    /// Send the client to this path and query.
    Elsewhere(String),
}

/// Whom to ask, and whether to believe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) canister: Principal,
    pub(super) trust: Trust,
}

/// What becomes of a response to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It verifies or it does not pass.
    Verified,
    /// It passes; the user asked for that by the name `raw`.
    Raw,
}

pub(super) fn route(domains: &[String], parts: &Parts) -> Result<Route, Fault> {
    if PublicInterface::owns(parts.uri.path()) {
        return Err(Fault::PublicInterface);
    }
    let authority = authority(parts).ok_or(Fault::NoHost)?;
    let host = host_name(&authority);
    let verified = |canister| {
        Route::Canister(Target {
            canister,
            trust: Trust::Verified,
        })
    };

    for domain in domains {
        if let Some(subdomain) = host
            .strip_suffix(domain)
            .and_then(|rest| rest.strip_suffix('.'))
        {
            let (name, trust) = match subdomain.strip_suffix(".raw") {
                Some(name) => (name, Trust::Raw),
                None => (subdomain, Trust::Verified),
            };
            let canister = canister_id(name)?;
            return Ok(Route::Canister(Target { canister, trust }));
        }
    }
    let plain = domains.contains(&host) || is_address(&host);
    if !plain {
        return Err(Fault::UnknownHost {
            host,
            domain: domains.first().cloned().unwrap_or_default(),
        });
    }
    if let Some(name) = canister_in_query(&parts.uri) {
        return canister_id(name).map(verified);
    }
    match canister_of_referring_page(parts, &authority) {
        // Sending the client on, instead of answering, makes the style sheets
        // and scripts of the page refer to what they load the same way.
        Some(name) => Ok(Route::Elsewhere(with_canister(
            &parts.uri,
            canister_id(&name)?,
        ))),
        None => Err(Fault::NoCanisterNamed { authority }),
    }
}

/// Host and port as the client wrote them, in lower case.
fn authority(parts: &Parts) -> Option<String> {
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = parts
        .uri
        .authority()
        .map(|authority| authority.as_str())
        .or(host)?;
    Some(authority.to_ascii_lowercase())
}

/// The authority without its port, the brackets of IPv6 and a final dot.
fn host_name(authority: &str) -> String {
    let host = match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address,
        None => authority
            .split_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

fn canister_id(name: &str) -> Result<Principal, Fault> {
    Principal::from_text(name).map_err(|error| Fault::NotACanisterId {
        name: name.to_owned(),
        why: error.to_string(),
    })
}

fn canister_in_query(uri: &Uri) -> Option<&str> {
    let pairs = uri.query()?.split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == QUERY_NAME)
        .map(|(_, id)| id)
}

fn canister_of_referring_page(parts: &Parts, here: &str) -> Option<String> {
    let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
    let page: Uri = referer.parse().ok()?;
    let same_site = page.authority()?.as_str().eq_ignore_ascii_case(here);
    canister_in_query(&page)
        .filter(|_| same_site)
        .map(str::to_owned)
}

fn with_canister(uri: &Uri, canister: Principal) -> String {
    let path = uri.path();
    match uri.query() {
        Some(query) => format!("{path}?{query}&{QUERY_NAME}={canister}"),
        None => format!("{path}?{QUERY_NAME}={canister}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const CANISTER: &str = "lxzze-o7777-77777-aaaaa-cai";

    fn ask(host: &str, path: &str, referer: Option<&str>) -> Result<Route, Fault> {
        let mut request = Request::builder().uri(path).header("host", host);
        if let Some(referer) = referer {
            request = request.header("referer", referer);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        route(&["localhost".to_owned()], &parts)
    }

    fn canister(trust: Trust) -> Route {
        let canister = Principal::from_text(CANISTER).unwrap();
        Route::Canister(Target { canister, trust })
    }

    #[test]
    fn a_subdomain_names_the_canister() {
        for host in [
            "localhost",
            "localhost:8000",
            "localhost.:8000",
            "LocalHost",
        ] {
            let host = format!("{CANISTER}.{host}");
            assert_eq!(
                ask(&host, "/", None).unwrap(),
                canister(Trust::Verified),
                "{host}"
            );
        }
        let raw = format!("{CANISTER}.raw.localhost:1");
        assert_eq!(ask(&raw, "/", None).unwrap(), canister(Trust::Raw));
    }

    #[test]
    fn a_query_names_the_canister_on_the_plain_domain() {
        for host in ["localhost", "127.0.0.1:8000", "[::1]:8000"] {
            for path in ["/?canisterId=", "/a?b=c&canisterId="] {
                let route = ask(host, &format!("{path}{CANISTER}"), None).unwrap();
                assert_eq!(route, canister(Trust::Verified), "{host} {path}");
            }
        }
    }

    #[test]
    fn links_of_a_page_opened_by_query_are_sent_on() {
        let page = format!("http://localhost:8000/?canisterId={CANISTER}");
        let sent_to = |path| ask("localhost:8000", path, Some(&page)).unwrap();
        assert_eq!(
            sent_to("/style.css"),
            Route::Elsewhere(format!("/style.css?canisterId={CANISTER}"))
        );
        assert_eq!(
            sent_to("/a?b=c"),
            Route::Elsewhere(format!("/a?b=c&canisterId={CANISTER}"))
        );
    }

    #[test]
    fn pages_of_other_sites_name_no_canister() {
        let page = format!("http://example.com/?canisterId={CANISTER}");
        let fault = ask("localhost:8000", "/", Some(&page)).unwrap_err();
        assert!(matches!(fault, Fault::NoCanisterNamed { .. }), "{fault:?}");
    }

    #[test]
    fn what_names_no_canister_is_refused() {
        let fault = ask("example.com", "/", None).unwrap_err();
        assert!(matches!(fault, Fault::UnknownHost { .. }), "{fault:?}");
        let fault = ask("notlocalhost", "/", None).unwrap_err();
        assert!(matches!(fault, Fault::UnknownHost { .. }), "{fault:?}");
        let fault = ask("localhost", "/", None).unwrap_err();
        assert!(matches!(fault, Fault::NoCanisterNamed { .. }), "{fault:?}");
        for host in [
            "www.localhost",
            "a.b.localhost",
            ".localhost",
            "raw.localhost",
        ] {
            let fault = ask(host, "/", None).unwrap_err();
            assert!(
                matches!(fault, Fault::NotACanisterId { .. }),
                "{host}: {fault:?}"
            );
        }
    }

    #[test]
    fn the_public_interface_is_not_a_canisters() {
        let host = format!("{CANISTER}.localhost");
        for path in [
            "/api/v2/status",
            "/api/v4/canister/aaaaa-aa/call",
            "/api/v3/subnet/x/query",
        ] {
            let fault = ask(&host, path, None).unwrap_err();
            assert!(matches!(fault, Fault::PublicInterface), "{path}: {fault:?}");
        }
        for path in ["/api/todos", "/api/v2", "/api/v2/todos", "/api"] {
            assert_eq!(
                ask(&host, path, None).unwrap(),
                canister(Trust::Verified),
                "{path}"
            );
        }
    }
}
