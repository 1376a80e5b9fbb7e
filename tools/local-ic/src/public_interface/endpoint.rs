//! The endpoints of the public interface, as paths.
//!
//! ```text
//! /api/v2/status
//! /api/v{2,3,4}/canister/<id>/call          /api/v4/subnet/<id>/call
//! /api/v{2,3}/canister/<id>/query           /api/v3/subnet/<id>/query
//! /api/v{2,3}/canister/<id>/read_state      /api/v{2,3}/subnet/<id>/read_state
//! ```

use std::fmt;

use axum::http::Method;
use candid::Principal;

use super::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Status,
    Call(Waiting, At),
    Query(At),
    ReadState(Ranges, At),
}

/// Where certificates show which canister ids a subnet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    /// Beside its key, in one piece (version 2).
    BesideKey,
    /// In a place of their own, unless it is the root subnet (version 3).
    Apart,
}

/// Whether the answer to a call is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The client polls (version 2).
    Asynchronous,
    /// The response holds the answer (versions 3 and 4).
    Synchronous,
}

/// Where a URL sends a request: the effective canister or subnet id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Canister(Principal),
    Subnet(Principal),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canister(id) => write!(f, "canister {id}"),
            Self::Subnet(id) => write!(f, "subnet {id}"),
        }
    }
}

/// Whether a path is the public interface's and no canister's.
pub(super) fn is_ours(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("api")
        && matches!(segments.next(), Some("v2" | "v3" | "v4"))
        && matches!(segments.next(), Some("status" | "canister" | "subnet"))
}

impl Endpoint {
    /// The endpoint that a request is for.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let unknown = || Refusal::NoEndpoint {
            path: path.to_owned(),
        };
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (endpoint, expected) = match segments[..] {
            ["api", "v2", "status"] => (Self::Status, Method::GET),
            ["api", version, kind, id, action] => {
                let id = || principal(id);
                let endpoint = match (version, kind, action) {
                    ("v2", "canister", "call") => {
                        Self::Call(Waiting::Asynchronous, At::Canister(id()?))
                    }
                    ("v3" | "v4", "canister", "call") => {
                        Self::Call(Waiting::Synchronous, At::Canister(id()?))
                    }
                    ("v4", "subnet", "call") => Self::Call(Waiting::Synchronous, At::Subnet(id()?)),
                    ("v2" | "v3", "canister", "query") => Self::Query(At::Canister(id()?)),
                    ("v3", "subnet", "query") => Self::Query(At::Subnet(id()?)),
                    ("v2", "canister", "read_state") => {
                        Self::ReadState(Ranges::BesideKey, At::Canister(id()?))
                    }
                    ("v3", "canister", "read_state") => {
                        Self::ReadState(Ranges::Apart, At::Canister(id()?))
                    }
                    ("v2", "subnet", "read_state") => {
                        Self::ReadState(Ranges::BesideKey, At::Subnet(id()?))
                    }
                    ("v3", "subnet", "read_state") => {
                        Self::ReadState(Ranges::Apart, At::Subnet(id()?))
                    }
                    _ => return Err(unknown()),
                };
                (endpoint, Method::POST)
            }
            _ => return Err(unknown()),
        };
        // A HEAD asks what a GET would answer.
        if *method == expected || (*method == Method::HEAD && expected == Method::GET) {
            Ok(endpoint)
        } else {
            Err(Refusal::Method {
                method: method.clone(),
                expected,
            })
        }
    }
}

fn principal(text: &str) -> Result<Principal, Refusal> {
    Principal::from_text(text).map_err(|error| Refusal::NotAPrincipal {
        text: text.to_owned(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "lxzze-o7777-77777-aaaaa-cai";

    #[test]
    fn every_endpoint_is_found_in_its_versions_only() {
        let at = At::Canister(Principal::from_text(ID).unwrap());
        let post = |path: String| Endpoint::of(&Method::POST, &path).ok();
        let (poll, wait) = (Some(Waiting::Asynchronous), Some(Waiting::Synchronous));
        for (version, call, query, ranges) in [
            (2, poll, true, Some(Ranges::BesideKey)),
            (3, wait, true, Some(Ranges::Apart)),
            (4, wait, false, None),
            (5, None, false, None),
        ] {
            let path = |action| format!("/api/v{version}/canister/{ID}/{action}");
            assert_eq!(
                post(path("call")),
                call.map(|call| Endpoint::Call(call, at))
            );
            assert_eq!(post(path("query")), query.then_some(Endpoint::Query(at)));
            assert_eq!(
                post(path("read_state")),
                ranges.map(|ranges| Endpoint::ReadState(ranges, at))
            );
            assert_eq!(post(path("other")), None);
        }
        assert_eq!(post(format!("/api/v2/subnet/{ID}/call")), None);
        assert_eq!(
            Endpoint::of(&Method::GET, "/api/v2/status").ok(),
            Some(Endpoint::Status)
        );
    }

    #[test]
    fn what_is_wrong_with_a_path_is_said() {
        let fault =
            |method: Method, path: &str| Endpoint::of(&method, path).unwrap_err().to_string();
        assert!(fault(Method::GET, "/api/v3/canister/aaaaa-aa/call").contains("takes POST"));
        assert!(fault(Method::POST, "/api/v2/status").contains("takes GET"));
        assert!(fault(Method::POST, "/api/v3/canister/abc/query").contains("\"abc\""));
        assert!(fault(Method::POST, "/api/v9/status").contains("/api/v9/status"));
    }

    #[test]
    fn canisters_keep_other_paths() {
        assert!(is_ours("/api/v2/status") && is_ours("/api/v3/canister/x/nothing"));
        assert!(!is_ours("/api/v2/users") && !is_ours("/api/v5/status") && !is_ours("/api"));
    }
}
