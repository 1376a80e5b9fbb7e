//! Asking a canister and its network for everything that the chain is made of, and checking each
//! link.
//!
//! 1. The network's own state: module and controllers.
//! 2. What the canister shows: a certificate, and a tree of hashes with the end of its log; and the
//!    list of its assets. Asked for again if the site has changed in between.
//! 3. What pages are told of their environment, and so what the directory would make here.
//! 4. The assets against the directory, and the answers for them.
//!
//! Where the canister is not Hallmark's, what it cannot show stays open, with the reason.

use std::path::Path;
use std::time::Instant;

use super::certificate::{self, Checked, Trust, check_certified_data};
use super::chain::{Finding, Link, Reason, Verdict};
use super::content;
use super::entry;
use super::fetch::Given;
use super::listing::Listed;
use super::log::{self, Hash, Numbered, Witness};
use super::module::{Modules, State};
use super::served::Server;
use crate::Error;
use crate::canister::{Canister, Failure};
use crate::native::{self, Releases, WantedReleases};
use crate::report::Report;

/// A canister on a network that tells what it certifies of it.
pub trait Source: Canister {
    /// A certificate of these paths in the network's state, as CBOR.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    fn read_state(&self, paths: &[Vec<Vec<u8>>]) -> Result<Vec<u8>, Failure>;
}

/// What the canister should be.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// What it should serve.
    pub directory: Option<&'a Path>,
    /// What a gateway gives, which should be what it serves.
    pub given: Option<&'a Given>,
    /// SHA-256 of what it should run.
    pub module: Option<Hash>,
    /// What it may run if that is not said.
    pub modules: &'a Modules,
}

/// What is found of every link, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// One for each link.
    pub links: Vec<Finding>,
    /// The last entry of the log, if it holds.
    pub last: Option<Numbered>,
    /// The site hash, if it is proven.
    pub site_hash: Option<Hash>,
    /// The content hash, if it is proven and there is any content.
    pub content_hash: Option<Hash>,
}

impl Findings {
    /// What was found of a link.
    pub fn verdict(&self, link: Link) -> Option<&Verdict> {
        let found = self.links.iter().find(|finding| finding.link == link);
        found.map(|finding| &finding.verdict)
    }

    pub(super) fn add(&mut self, link: Link, verdict: impl Into<Verdict>) {
        let verdict = verdict.into();
        self.links.push(Finding { link, verdict });
    }
}

/// Checks everything that can be checked, and tells `report` how far that is.
///
/// # Errors
///
/// [`Error::Unreachable`] if the network does not answer, [`Error::Call`] if it has no such canister,
/// and those of reading the directory. A
/// link that breaks is a finding and no error.
pub fn examine(
    source: &dyn Source,
    expected: &Expected<'_>,
    trust: &Trust,
    report: &dyn Report,
) -> Result<Findings, Error> {
    let since = Instant::now();
    let mut findings = Findings::default();
    let state = source.read_state(&State::paths(trust.canister));
    let state = certificate::check(&state.map_err(unexamined)?, trust);
    check_state(&mut findings, &state, expected, trust);

    let (shown, listed) = look(source)?;
    let checked = shown.certificate().map(|it| certificate::check(it, trust));
    let checked = checked.as_ref().unwrap_or(&state);
    check_certificate(&mut findings, checked);
    let witness = check_shown(&mut findings, &shown, checked, trust);
    match &shown {
        Shown::Log { releases, .. } => {
            check_log(&mut findings, releases, witness.as_ref(), &listed);
        }
        Shown::Tree { .. } => leave_open(&mut findings, |link| match link {
            Link::LogEntry => {
                "the canister keeps no log: nothing tells who published what is live, or what was \
                 before"
            }
            Link::SiteHash => {
                "the tree of this canister depends on its history: no directory tells what it \
                 should add up to, or what paths answer that are not asked for"
            }
            _ => {
                "the canister certifies none: its list of assets is the word of one node, which \
                 may leave some out"
            }
        }),
        Shown::Nothing(why) => leave_open(&mut findings, |_| why),
    }
    let server = Server {
        source,
        trust,
        since,
        report,
        is_hallmark: matches!(shown, Shown::Log { .. }),
    };
    let is_certified = checked.tree().is_some();
    server.check(&mut findings, expected, &listed, is_certified)?;
    findings.links.sort_by_key(|finding| finding.link);
    Ok(findings)
}

/// What a link is that another one does not carry.
pub(super) const RESTS: &str = "it rests on what does not hold";

// ---- What the network certifies -------------------------------------------------------------

fn check_state(findings: &mut Findings, state: &Checked, expected: &Expected<'_>, trust: &Trust) {
    let read = match (state.tree(), state.reason()) {
        (Some(tree), _) => State::read(tree, trust.canister),
        (None, Some(reason)) => Err(reason.clone()),
        (None, None) => Err(Reason::ModuleUnreadable),
    };
    match read {
        Err(reason) => {
            findings.add(Link::Module, Verdict::Broken(vec![reason]));
            findings.add(Link::Controllers, Verdict::Open(RESTS.to_owned()));
        }
        Ok(state) => {
            findings.add(Link::Module, check_module(state.module, expected));
            let controllers: Vec<_> = state.controllers.iter().map(|it| it.to_text()).collect();
            let controllers = match &controllers[..] {
                [] if state.module.is_none() => "there is no such canister".to_owned(),
                [] => "nobody: what it runs cannot be changed".to_owned(),
                some => some.join(", "),
            };
            findings.add(Link::Controllers, Verdict::Told(controllers));
        }
    }
}

fn check_module(installed: Option<Hash>, expected: &Expected<'_>) -> Verdict {
    let Some(installed) = installed else {
        return Verdict::Broken(vec![Reason::NoModule]);
    };
    let hash = hex::encode(installed);
    match (expected.module, expected.modules.find(&installed)) {
        (Some(expected), _) if expected != installed => {
            Verdict::Broken(vec![Reason::OtherModule {
                installed,
                expected,
            }])
        }
        (Some(_), _) => Verdict::Holds(hash),
        (None, Some(module)) => Verdict::Holds(format!("{hash}, {}", module.name)),
        (None, None) => {
            let known = match expected.modules.len() {
                0 => ", and this program knows of no module that was published".to_owned(),
                1 => " is not the published module that this program knows".to_owned(),
                known => {
                    format!(" is none of the {known} published modules that this program knows")
                }
            };
            Verdict::Open(format!(
                "{hash}{known}; compare it with a build of your own: --wasm FILE"
            ))
        }
    }
}

fn check_certificate(findings: &mut Findings, checked: &Checked) {
    let signature = match &checked.signature {
        Some(Ok(())) => Verdict::Holds("its signature is the network's".to_owned()),
        Some(Err(reason)) => Verdict::Broken(vec![reason.clone()]),
        None => Verdict::Open("whose signature it needs is not proven".to_owned()),
    };
    findings.add(Link::Certificate, signature);
    let delegation = checked.delegation.clone().map(|subnet| match subnet {
        Some(subnet) => format!("subnet {subnet} signs for the canister"),
        None => "none needed: the root key has signed".to_owned(),
    });
    findings.add(Link::Delegation, delegation);
    findings.add(
        Link::Time,
        checked.time.clone().map(|time| time.to_string()),
    );
}

// ---- What the canister shows -----------------------------------------------------------------

/// What a canister shows of what it certifies.
enum Shown {
    /// The end of its log: it is Hallmark's.
    Log {
        certificate: Vec<u8>,
        releases: Releases,
    },
    /// Its whole tree: it is an asset canister.
    Tree { certificate: Vec<u8>, tree: Vec<u8> },
    /// Nothing, and why.
    Nothing(String),
}

impl Shown {
    fn ask(source: &dyn Source) -> Result<Shown, Error> {
        let last = WantedReleases {
            start: None,
            length: Some(1),
        };
        let shown = match native::releases(source, last) {
            Ok(Some(releases)) => match releases.certificate.clone() {
                Some(certificate) => Ok(Shown::Log {
                    certificate: certificate.into_vec(),
                    releases,
                }),
                None => Ok(Shown::Nothing("it shows no certificate".to_owned())),
            },
            Ok(None) => native::certified_tree(source).map(|shown| match shown {
                Some(shown) => Shown::Tree {
                    certificate: shown.certificate.into_vec(),
                    tree: shown.tree.into_vec(),
                },
                None => Shown::Nothing("it has no method that shows it".to_owned()),
            }),
            Err(failure) => Err(failure),
        };
        shown.or_else(|failure| Ok(Shown::Nothing(without_reply(failure)?)))
    }

    fn certificate(&self) -> Option<&[u8]> {
        match self {
            Shown::Log { certificate, .. } | Shown::Tree { certificate, .. } => Some(certificate),
            Shown::Nothing(_) => None,
        }
    }

    fn witness(&self) -> Result<Witness, Verdict> {
        let witness = match self {
            Shown::Log { releases, .. } => Witness::read(&releases.witness),
            Shown::Tree { tree, .. } => Witness::read(tree),
            Shown::Nothing(why) => return Err(Verdict::Open(why.clone())),
        };
        witness.map_err(|reason| Verdict::Broken(vec![reason]))
    }
}

/// How often to look again at a site that changes while it is looked at.
const LOOKS: usize = 3;

/// What the canister shows, and a list of its assets of the same moment.
fn look(source: &dyn Source) -> Result<(Shown, Listed), Error> {
    let mut look = (Shown::ask(source)?, Listed::ask(source)?);
    for _ in 1..LOOKS {
        let (Shown::Log { .. }, Listed::Assets(assets)) = &look else {
            break;
        };
        let certified = look.0.witness().ok().map(|witness| witness.content_hash());
        let Some(Ok(certified)) = certified else {
            break;
        };
        if content::check_list(assets, certified).is_ok() {
            break;
        }
        let again = Shown::ask(source)?;
        let root = |shown: &Shown| shown.witness().ok().map(|witness| witness.root());
        if root(&again) == root(&look.0) {
            break;
        }
        look = (again, Listed::ask(source)?);
    }
    Ok(look)
}

fn check_shown(
    findings: &mut Findings,
    shown: &Shown,
    checked: &Checked,
    trust: &Trust,
) -> Option<Witness> {
    let (verdict, witness) = match (shown.witness(), checked.tree()) {
        (Err(verdict), _) => (verdict, None),
        (Ok(_), None) => (Verdict::Open(RESTS.to_owned()), None),
        (Ok(witness), Some(tree)) => {
            match check_certified_data(tree, trust.canister, witness.root()) {
                Ok(()) => (Verdict::Holds(hex::encode(witness.root())), Some(witness)),
                Err(reason) => (Verdict::Broken(vec![reason]), None),
            }
        }
    };
    findings.add(Link::CertifiedData, verdict);
    witness
}

fn check_log(
    findings: &mut Findings,
    releases: &Releases,
    witness: Option<&Witness>,
    listed: &Listed,
) {
    let Some(witness) = witness else {
        leave_open(findings, |_| RESTS);
        return;
    };
    let last = log::last(releases, witness);
    let entry = last.as_ref().ok().and_then(|last| last.as_ref());

    let first_bytes = releases.parts_beside.as_deref().unwrap_or_default();
    let site = witness.site(first_bytes).and_then(|live| {
        entry.map_or(Ok(()), |last| {
            log::check_live(Some(last.entry.site), Some(live.site_hash))
        })?;
        Ok(live)
    });
    let content = witness.content_hash().and_then(|live| {
        entry.map_or(Ok(()), |last| log::check_live(last.entry.content, live))?;
        match listed {
            Listed::Assets(assets) => content::check_list(assets, live)?,
            Listed::Nonsense => {
                return Err(Reason::ListDiffers {
                    listed: None,
                    certified: live,
                });
            }
            Listed::Nothing(_) => {}
        }
        Ok(live)
    });
    findings.site_hash = site.as_ref().ok().map(|live| live.site_hash);
    findings.content_hash = content.as_ref().ok().copied().flatten();
    findings.last = entry.cloned();

    let words = last.map(|last| match last {
        Some(Numbered { number, entry }) => {
            format!("{number}, the last one: {}", entry::in_words(&entry))
        }
        None => "none: the log is empty".to_owned(),
    });
    findings.add(Link::LogEntry, words);
    findings.add(Link::SiteHash, site.map(|live| live.to_string()));
    let words = content.map(|hash| hash.map_or("none: there is no asset".to_owned(), hex::encode));
    findings.add(Link::ContentHash, words);
}

/// Leaves open what only Hallmark's canister can show.
fn leave_open<'a>(findings: &mut Findings, why: impl Fn(Link) -> &'a str) {
    for link in [Link::LogEntry, Link::SiteHash, Link::ContentHash] {
        findings.add(link, Verdict::Open(why(link).to_owned()));
    }
}

/// Why there is no reply, unless that is because there is no network.
pub(super) fn without_reply(failure: Failure) -> Result<String, Error> {
    match failure {
        Failure::Rejected(reject) if !reject.is_unknown_canister() => Ok(reject.to_string()),
        Failure::Unproven(why) => Ok(why),
        other => Err(unexamined(other)),
    }
}

/// Why there is nothing to examine.
fn unexamined(failure: Failure) -> Error {
    Error::Unreachable(match failure {
        Failure::Rejected(reject) if reject.is_unknown_canister() => {
            let method = "read_state";
            return Error::Call { method, reject };
        }
        Failure::Rejected(reject) => reject.to_string(),
        Failure::Unproven(why) | Failure::Unreachable(why) => why,
        Failure::Expired => "it did not take a call in time".to_owned(),
    })
}
