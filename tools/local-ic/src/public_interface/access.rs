//! Who may read which paths of the state tree (interface specification,
//! "Request: Read state").

use std::fmt;

use axum::http::StatusCode;
use candid::Principal;

use super::authentication::Targets;
use super::endpoint::{At, Ranges};
use crate::{MessageId, Network};

const MAX_PATHS: usize = 1000;
const MAX_LABELS: usize = 127;

/// Who asks, and under which URL.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) id: Principal,
    pub(super) targets: Targets,
    pub(super) at: At,
    pub(super) ranges: Ranges,
}

/// Refuses unless every path may be read.
pub(super) fn check(
    network: &Network,
    reader: &Reader,
    paths: &[Vec<Vec<u8>>],
) -> Result<(), Denied> {
    if paths.len() > MAX_PATHS {
        return Err(Denied::TooManyPaths(paths.len()));
    }
    let mut request = None;
    for path in paths {
        if path.len() > MAX_LABELS {
            return Err(Denied::TooManyLabels(path.len()));
        }
        let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        let unknown = || Denied::NoSuchPath(display(path));
        match labels[..] {
            [b"time"] => {}
            [b"subnet"] | [b"subnet", _] => {}
            [b"subnet", _, b"public_key" | b"type" | b"node"] => {}
            [b"subnet", id, b"canister_ranges"] => {
                let root = id == network.root_subnet().as_slice();
                if reader.ranges == Ranges::Apart && !root {
                    return Err(Denied::RangesApart);
                }
            }
            [b"subnet", id, b"metrics"] => match reader.at {
                At::Subnet(subnet) if id == subnet.as_slice() => {}
                _ => return Err(Denied::OnlyOfASubnet(display(path))),
            },
            [b"subnet", _, b"node", _] | [b"subnet", _, b"node", _, b"public_key"] => {}
            [b"canister_ranges", _] => {
                if let At::Canister(_) = reader.at {
                    return Err(Denied::OnlyOfASubnet(display(path)));
                }
            }
            [b"request_status", id, ref rest @ ..] => {
                let known = [
                    &b"status"[..],
                    b"reply",
                    b"reject_code",
                    b"reject_message",
                    b"error_code",
                ];
                if !matches!(rest, [] | [_]) || rest.iter().any(|label| !known.contains(label)) {
                    return Err(unknown());
                }
                let id = MessageId(id.try_into().map_err(|_| unknown())?);
                if request.is_some_and(|other| other != id) {
                    return Err(Denied::SeveralRequests);
                }
                request = Some(id);
                check_request(network, reader, id)?;
            }
            [b"canister", id, b"module_hash" | b"controllers"] => {
                check_canister(reader, id)?;
            }
            [b"canister", id, b"metadata", name] => {
                let canister = check_canister(reader, id)?;
                let name = std::str::from_utf8(name).map_err(|_| unknown())?;
                let controls = || {
                    let controllers = network.controllers(canister).unwrap_or_default();
                    controllers.contains(&reader.id)
                };
                if network.is_private_metadata(canister, name) && !controls() {
                    return Err(Denied::Private {
                        reader: reader.id,
                        name: name.to_owned(),
                    });
                }
            }
            _ => return Err(unknown()),
        }
    }
    Ok(())
}

fn check_request(network: &Network, reader: &Reader, id: MessageId) -> Result<(), Denied> {
    let Some(sender) = network.ingress_sender(&id) else {
        return Ok(());
    };
    if sender != reader.id {
        return Err(Denied::NotTheSender {
            reader: reader.id,
            request: id,
        });
    }
    match network.ingress_receiver(&id) {
        Some(receiver) if !reader.targets.contain(receiver) => Err(Denied::NotATarget(receiver)),
        _ => Ok(()),
    }
}

/// A canister's part of the tree is read under the canister's URL.
fn check_canister(reader: &Reader, id: &[u8]) -> Result<Principal, Denied> {
    let id = Principal::try_from_slice(id)
        .map_err(|_| Denied::NoSuchPath(format!("/canister/{}", hex::encode(id))))?;
    if reader.at == At::Canister(id) {
        Ok(id)
    } else {
        Err(Denied::Elsewhere {
            canister: id,
            at: reader.at,
        })
    }
}

/// Why a path may not be read.
#[derive(Debug)]
pub(super) enum Denied {
    TooManyPaths(usize),
    TooManyLabels(usize),
    NoSuchPath(String),
    OnlyOfASubnet(String),
    /// The ranges of another subnet than the root's, in version 3.
    RangesApart,
    SeveralRequests,
    NotTheSender {
        reader: Principal,
        request: MessageId,
    },
    /// Delegations that are not for the receiver of the request.
    NotATarget(Principal),
    Elsewhere {
        canister: Principal,
        at: At,
    },
    Private {
        reader: Principal,
        name: String,
    },
}

impl Denied {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooManyPaths(_)
            | Self::TooManyLabels(_)
            | Self::SeveralRequests
            | Self::OnlyOfASubnet(_)
            | Self::RangesApart
            | Self::Elsewhere { .. } => StatusCode::BAD_REQUEST,
            Self::NoSuchPath(_) => StatusCode::NOT_FOUND,
            Self::NotTheSender { .. } | Self::NotATarget(_) | Self::Private { .. } => {
                StatusCode::FORBIDDEN
            }
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPaths(count) => {
                write!(f, "{count} paths, and at most {MAX_PATHS} are allowed")
            }
            Self::TooManyLabels(count) => write!(
                f,
                "a path of {count} labels, and at most {MAX_LABELS} are allowed"
            ),
            Self::NoSuchPath(path) => write!(f, "Nobody may read the path {path}"),
            Self::OnlyOfASubnet(path) => write!(
                f,
                "The path {path} is read at /api/v3/subnet/<id>/read_state of that subnet"
            ),
            Self::RangesApart => write!(
                f,
                "Canister ranges are read as /canister_ranges/<id> in version 3"
            ),
            Self::SeveralRequests => write!(f, "The paths name more than one request id"),
            Self::NotTheSender { reader, request } => write!(
                f,
                "{reader} did not send the request 0x{} and may not read its status",
                hex::encode(request.0)
            ),
            Self::NotATarget(receiver) => write!(
                f,
                "The delegations are not for {receiver}, to which the request was sent"
            ),
            Self::Elsewhere { canister, at } => write!(
                f,
                "The path is about canister {canister}, but the URL names {at}"
            ),
            Self::Private { reader, name } => write!(
                f,
                "The custom section {name:?} is private, and {reader} is no controller"
            ),
        }
    }
}

/// A path as text, with what is no word in hexadecimal.
fn display(path: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for label in path {
        text.push('/');
        match std::str::from_utf8(label) {
            Ok(word) if word.chars().all(|c| c.is_ascii_graphic()) => text.push_str(word),
            _ => text.push_str(&hex::encode(label)),
        }
    }
    text
}
