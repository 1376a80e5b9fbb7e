//! One suite for two subjects: the asset canister of dfx, and Hallmark in its place.
//!
//! Each check is written once and run against both. Where the two differ on purpose, the check says what each of
//! them does, and why Hallmark does something else:
//!
//! ```text
//! fn a_batch_expires(it: Play) { … }                              the same for both
//! assert_eq!(it.sees("/a"), it.either(STALE, Unproven(200), …));   what dfx's does, and what Hallmark does
//! ```
//!
//! The canister of dfx is the library `ic-certified-assets` 0.3.0, the newest published. What only its successors
//! have is marked [`NEWER`], with what 0.3.0 does.
//!
//! | file | what |
//! | --- | --- |
//! | `uploads.rs` | batches, chunks, commits, limits |
//! | `proposals.rs` | proposals and their evidence |
//! | `access.rs` | who may do what; arguments of install and upgrade; texts for votes |
//! | `reading.rs` | lists, single assets and chunks, hashes, what an upgrade keeps |
//! | `http.rs` | answers to browsers |
//! | `defects.rs` | what is known to be wrong with the canister of dfx |

mod access;
mod defects;
mod http;
mod proposals;
mod reading;
mod uploads;

// The stage is that of the other tests of the canister.
#[path = "../it/answer.rs"]
#[expect(dead_code, reason = "this suite verifies what may be unverifiable")]
mod answer;
#[path = "../it/interface.rs"]
#[expect(
    dead_code,
    reason = "this suite declares what only one check calls beside it"
)]
mod interface;
#[path = "../it/scene.rs"]
#[expect(dead_code, reason = "this suite does not migrate")]
mod scene;

use crate::answer::Request;
use crate::interface::HttpResponse;
use crate::scene::Scene;
use std::fmt::Debug;
use std::ops::Deref;

/// Who is on stage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Subject {
    Legacy,
    Hallmark,
}

/// Why Hallmark does something else than the canister of dfx.
type Reason = &'static str;

/// The difference is not one: versions of the canister of dfx after 0.3.0 do what Hallmark does.
const NEWER: Reason = "newer than ic-certified-assets 0.3.0";

/// A subject on its own, with nothing uploaded.
struct Play {
    subject: Subject,
    scene: Scene,
}

/// What a client sees of an answer.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    /// It verifies: its status and its body.
    Proven(u16, String),
    /// It does not, and a gateway would show an error in its place.
    Unproven(u16),
}

impl Play {
    fn of(subject: Subject) -> Self {
        let scene = match subject {
            Subject::Legacy => Scene::legacy(),
            Subject::Hallmark => Scene::new(),
        };
        Self { subject, scene }
    }

    /// What this subject does, of two that differ for a reason.
    #[track_caller]
    fn either<T: PartialEq + Debug>(&self, reason: Reason, legacy: T, hallmark: T) -> T {
        assert_ne!(legacy, hallmark, "no difference: {reason}");
        match self.subject {
            Subject::Legacy => legacy,
            Subject::Hallmark => hallmark,
        }
    }

    fn is(&self, subject: Subject) -> bool {
        self.subject == subject
    }

    /// What a browser without any wishes sees at a URL.
    fn sees(&self, url: &str) -> Seen {
        seen(&self.get(url))
    }
}

impl Deref for Play {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

/// Sends a request and verifies the answer as a gateway does.
fn seen(request: &Request<'_>) -> Seen {
    let response = request.unverified();
    match request.verify(&response) {
        Ok(_) => Seen::Proven(
            response.status_code,
            String::from_utf8_lossy(&response.body).into_owned(),
        ),
        Err(_) => Seen::Unproven(response.status_code),
    }
}

/// The headers of an answer that verifies, but without them.
fn uncertified(request: &Request<'_>) -> Vec<String> {
    let response = request.unverified();
    let certified = request.verify(&response).unwrap().headers;
    let names = response.headers.into_iter().map(|(name, _)| name);
    names
        .filter(|name| !certified.iter().any(|(c, _)| c.eq_ignore_ascii_case(name)))
        .filter(|name| !name.eq_ignore_ascii_case("ic-certificate"))
        .collect()
}

/// An answer with status 200 and this body, that verifies.
fn shown(body: &str) -> Seen {
    Seen::Proven(200, body.to_owned())
}

/// The answer that nothing is there, which verifies.
fn missing() -> Seen {
    Seen::Proven(404, "not found".to_owned())
}

/// The values of a header.
fn header<'r>(response: &'r HttpResponse, name: &str) -> Vec<&'r str> {
    let fields = response.headers.iter();
    let named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

/// Runs each check against both subjects.
macro_rules! checks {
    ($($(#[doc = $doc:literal])* fn $name:ident($it:ident: Play) $body:block)*) => {
        $(
            $(#[doc = $doc])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                fn check($it: crate::Play) $body

                #[test]
                fn legacy() {
                    check(crate::Play::of(crate::Subject::Legacy));
                }

                #[test]
                fn hallmark() {
                    check(crate::Play::of(crate::Subject::Hallmark));
                }
            }
        )*
    };
}
use checks;
