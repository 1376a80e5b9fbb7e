//! The chain from a network's root key to the files of a directory: its links, what is found of
//! each, and why one breaks.

use std::fmt;

use candid::Principal;

use crate::time::Time;

/// A link of the chain, in the order in which they hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The certificate is signed.
    Certificate,
    /// By who may sign for the canister.
    Delegation,
    /// And is of now.
    Time,
    /// It is about what the canister showed.
    CertifiedData,
    /// The last entry of the canister's log.
    LogEntry,
    /// The hash of everything that can be answered.
    SiteHash,
    /// The hash of everything that was uploaded.
    ContentHash,
    /// What pages are told of where they are.
    Environment,
    /// What the canister answers over HTTP.
    Answers,
    /// What the URL gives that the site was named by.
    Url,
    /// The files of the directory.
    Content,
    /// The canister's module.
    Module,
    /// Who can change it.
    Controllers,
}

impl Link {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Link::Certificate => "certificate",
            Link::Delegation => "delegation",
            Link::Time => "time",
            Link::CertifiedData => "certified-data",
            Link::LogEntry => "log-entry",
            Link::SiteHash => "site-hash",
            Link::ContentHash => "content-hash",
            Link::Environment => "environment",
            Link::Answers => "answers",
            Link::Url => "url",
            Link::Content => "content",
            Link::Module => "module",
            Link::Controllers => "controllers",
        }
    }
}

/// What is found of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The link.
    pub link: Link,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Whether a link holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, and this is what it says.
    Holds(String),
    /// This is what it says; it is for the reader to judge.
    Told(String),
    /// It cannot be checked, and why.
    Open(String),
    /// It was not asked for, and how to ask.
    Skipped(&'static str),
    /// It breaks. There is one reason, or one for each file.
    Broken(Vec<Reason>),
}

impl Verdict {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Holds(_) => "holds",
            Verdict::Told(_) => "told",
            Verdict::Open(_) => "open",
            Verdict::Skipped(_) => "skipped",
            Verdict::Broken(_) => "broken",
        }
    }
}

impl From<Result<String, Reason>> for Verdict {
    fn from(result: Result<String, Reason>) -> Verdict {
        match result {
            Ok(words) => Verdict::Holds(words),
            Err(reason) => Verdict::Broken(vec![reason]),
        }
    }
}

/// Why a link breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The certificate is no certificate.
    CertificateUnreadable(String),
    /// It is not signed with the key that it should be signed with.
    Signature,
    /// The delegation is no delegation.
    DelegationUnreadable(String),
    /// The delegation is not signed with the root key.
    DelegationSignature,
    /// The delegation rests on another one, which is not allowed.
    DelegationNested,
    /// The subnet that signed does not have the canister.
    OtherSubnet {
        /// The subnet.
        subnet: Principal,
    },
    /// The certificate does not say when it was made.
    NoTime,
    /// It is too old.
    Stale {
        /// When it was made.
        made: Time,
        /// Seconds since.
        age: u64,
    },
    /// It is not of yet.
    Future {
        /// When it was made.
        made: Time,
        /// Seconds until then.
        ahead: u64,
    },
    /// The certificate says nothing of this canister.
    OtherCanister,
    /// What the canister shows is not what is certified.
    WitnessDiffers {
        /// The certified data.
        certified: Vec<u8>,
        /// What the witness adds up to.
        shown: [u8; 32],
    },
    /// The witness is no hash tree.
    WitnessUnreadable(String),
    /// The witness does not show the entry.
    EntryNotShown {
        /// Its number.
        number: u64,
    },
    /// The entry is told otherwise than it is certified.
    EntryDiffers {
        /// Its number.
        number: u64,
    },
    /// The certified entry is none.
    EntryUnreadable {
        /// Its number.
        number: u64,
    },
    /// The entry is not the one that was asked for.
    EntryOutOfOrder {
        /// The number that was expected.
        number: u64,
    },
    /// Nothing shows that there is no later entry.
    NotLast {
        /// The number of the entry.
        number: u64,
    },
    /// The witness does not show the hash.
    HashNotShown,
    /// What is served beside the site is more than parts of what was replaced.
    NotBeside {
        /// Where it is.
        path: String,
    },
    /// The log says otherwise than what is live.
    LogDiffers {
        /// What the log says.
        logged: Option<[u8; 32]>,
        /// What is live.
        live: Option<[u8; 32]>,
    },
    /// The list of assets is not that of what is certified.
    ListDiffers {
        /// What the list adds up to.
        listed: Option<[u8; 32]>,
        /// What is certified.
        certified: Option<[u8; 32]>,
    },
    /// Pages are told of a network with another root key.
    OtherNetwork,
    /// What pages are told of their environment makes no sense.
    EnvironmentUnreadable,
    /// An answer does not verify.
    Answer {
        /// The asset.
        key: String,
        /// What is wrong with it.
        reason: AnswerReason,
    },
    /// What a URL gives is not what the canister certifies for it.
    GatewayDiffers {
        /// The status that it gives.
        given: u16,
        /// The status that is certified.
        certified: u16,
    },
    /// A file of the directory is other content on the canister.
    Differs {
        /// The asset.
        key: String,
    },
    /// A file of the directory is served otherwise.
    ServedOtherwise {
        /// The asset.
        key: String,
        /// What about it is.
        what: String,
    },
    /// A file of the directory is not on the canister.
    Missing {
        /// The asset.
        key: String,
    },
    /// The canister has something that the directory has not.
    Extra {
        /// The asset.
        key: String,
    },
    /// All files are the same, and yet the site is another.
    SiteDiffers {
        /// What the files make.
        made: [u8; 32],
        /// That of the canister.
        live: [u8; 32],
    },
    /// There is no module.
    NoModule,
    /// The module is not the one that it should be.
    OtherModule {
        /// SHA-256 of the canister's.
        installed: [u8; 32],
        /// SHA-256 of the one that was expected.
        expected: [u8; 32],
    },
    /// What is certified of the module makes no sense.
    ModuleUnreadable,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerReason {
    /// It is not certified, or not in version 2.
    NotCertified(String),
    /// The body or a certified header is not the certified one.
    NotAsCertified,
    /// Its witness is not what is certified.
    Witness,
    /// Its certificate breaks.
    Certificate(String),
    /// It proves something else than was asked for.
    OtherPath(String),
    /// It cannot be read.
    Unreadable(String),
    /// There is none with 200.
    Status(u16),
    /// Its parts do not fit together.
    Parts,
    /// It is in an encoding that cannot be undone.
    Encoding(String),
    /// The body is not what the canister lists.
    NotAsListed,
}

impl Reason {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Reason::CertificateUnreadable(_) => "certificate-unreadable",
            Reason::Signature => "signature",
            Reason::DelegationUnreadable(_) => "delegation-unreadable",
            Reason::DelegationSignature => "delegation-signature",
            Reason::DelegationNested => "delegation-nested",
            Reason::OtherSubnet { .. } => "other-subnet",
            Reason::NoTime => "no-time",
            Reason::Stale { .. } => "stale",
            Reason::Future { .. } => "future",
            Reason::OtherCanister => "other-canister",
            Reason::WitnessDiffers { .. } => "witness-differs",
            Reason::WitnessUnreadable(_) => "witness-unreadable",
            Reason::EntryNotShown { .. } => "entry-not-shown",
            Reason::EntryDiffers { .. } => "entry-differs",
            Reason::EntryUnreadable { .. } => "entry-unreadable",
            Reason::EntryOutOfOrder { .. } => "entry-out-of-order",
            Reason::NotLast { .. } => "not-last",
            Reason::HashNotShown => "hash-not-shown",
            Reason::NotBeside { .. } => "not-beside",
            Reason::LogDiffers { .. } => "log-differs",
            Reason::ListDiffers { .. } => "list-differs",
            Reason::OtherNetwork => "other-network",
            Reason::EnvironmentUnreadable => "environment-unreadable",
            Reason::Answer { reason, .. } => reason.name(),
            Reason::GatewayDiffers { .. } => "gateway-differs",
            Reason::Differs { .. } => "differs",
            Reason::ServedOtherwise { .. } => "served-otherwise",
            Reason::Missing { .. } => "missing",
            Reason::Extra { .. } => "extra",
            Reason::SiteDiffers { .. } => "site-differs",
            Reason::NoModule => "no-module",
            Reason::OtherModule { .. } => "other-module",
            Reason::ModuleUnreadable => "module-unreadable",
        }
    }

    /// The asset that it is about, if it is about one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Reason::Answer { key, .. }
            | Reason::Differs { key }
            | Reason::ServedOtherwise { key, .. }
            | Reason::Missing { key }
            | Reason::Extra { key } => Some(key),
            _ => None,
        }
    }
}

impl AnswerReason {
    fn name(&self) -> &'static str {
        match self {
            AnswerReason::NotCertified(_) => "answer-not-certified",
            AnswerReason::NotAsCertified => "answer-not-as-certified",
            AnswerReason::Witness => "answer-witness",
            AnswerReason::Certificate(_) => "answer-certificate",
            AnswerReason::OtherPath(_) => "answer-other-path",
            AnswerReason::Unreadable(_) => "answer-unreadable",
            AnswerReason::Status(_) => "answer-status",
            AnswerReason::Parts => "answer-parts",
            AnswerReason::Encoding(_) => "answer-encoding",
            AnswerReason::NotAsListed => "answer-not-as-listed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::CertificateUnreadable(why) => write!(f, "it cannot be read: {why}"),
            Reason::Signature => write!(
                f,
                "its signature is not that of the network with this root key"
            ),
            Reason::DelegationUnreadable(why) => write!(f, "it cannot be read: {why}"),
            Reason::DelegationSignature => write!(f, "it is not signed with the root key"),
            Reason::DelegationNested => write!(f, "it rests on another delegation"),
            Reason::OtherSubnet { subnet } => {
                write!(f, "subnet {subnet} does not speak for this canister")
            }
            Reason::NoTime => write!(f, "the certificate does not say when it was made"),
            Reason::Stale { made, age } => write!(
                f,
                "the certificate is of {made}, {age} s ago: what it says may have changed"
            ),
            Reason::Future { made, ahead } => write!(
                f,
                "the certificate is of {made}, {ahead} s ahead of this machine's clock"
            ),
            Reason::OtherCanister => {
                write!(f, "the certificate says nothing of this canister")
            }
            Reason::WitnessDiffers { certified, shown } => write!(
                f,
                "what the canister shows adds up to {}, but {} is certified",
                hex::encode(shown),
                hex::encode(certified)
            ),
            Reason::WitnessUnreadable(why) => {
                write!(f, "what the canister shows cannot be read: {why}")
            }
            Reason::EntryNotShown { number } => write!(f, "no proof of entry {number} is shown"),
            Reason::EntryDiffers { number } => {
                write!(f, "entry {number} is told otherwise than it is certified")
            }
            Reason::EntryUnreadable { number } => write!(f, "entry {number} cannot be read"),
            Reason::EntryOutOfOrder { number } => {
                write!(f, "where entry {number} should be, there is another")
            }
            Reason::NotLast { number } => {
                write!(f, "nothing shows that entry {number} is the last one")
            }
            Reason::HashNotShown => write!(f, "the canister does not show it"),
            Reason::NotBeside { path } => write!(
                f,
                "beside the site it answers {path}, and not with a part of what was replaced"
            ),
            Reason::LogDiffers { logged, live } => write!(
                f,
                "the log says {}, but {} is live",
                hash(logged.as_ref()),
                hash(live.as_ref())
            ),
            Reason::ListDiffers { listed, certified } => write!(
                f,
                "the assets listed add up to {}, but {} is certified",
                hash(listed.as_ref()),
                hash(certified.as_ref())
            ),
            Reason::OtherNetwork => {
                write!(f, "pages are told of a network with another root key")
            }
            Reason::EnvironmentUnreadable => {
                write!(f, "what pages are told of it makes no sense")
            }
            Reason::Answer { key, reason } => write!(f, "{key}: {reason}"),
            Reason::GatewayDiffers { given, certified } if given != certified => write!(
                f,
                "it answers with status {given}, but {certified} is certified"
            ),
            Reason::GatewayDiffers { .. } => {
                write!(f, "it gives another body than is certified")
            }
            Reason::Differs { key } => write!(f, "{key} differs"),
            Reason::ServedOtherwise { key, what } => write!(f, "{key} has another {what}"),
            Reason::Missing { key } => write!(f, "{key} is missing on the canister"),
            Reason::Extra { key } => write!(f, "{key} is on the canister only"),
            Reason::SiteDiffers { made, live } => write!(
                f,
                "{} is live, but the same files make {} by the rules of this version of Hallmark: \
                 something is answered otherwise",
                hex::encode(live),
                hex::encode(made)
            ),
            Reason::NoModule => write!(f, "there is none"),
            Reason::OtherModule {
                installed,
                expected,
            } => write!(
                f,
                "{} is installed, not {}",
                hex::encode(installed),
                hex::encode(expected)
            ),
            Reason::ModuleUnreadable => write!(f, "what is certified of it makes no sense"),
        }
    }
}

impl fmt::Display for AnswerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerReason::NotCertified(why) => write!(f, "not certified: {why}"),
            AnswerReason::NotAsCertified => {
                write!(f, "the body or a header is not the certified one")
            }
            AnswerReason::Witness => write!(f, "its witness is not what is certified"),
            AnswerReason::Certificate(why) => write!(f, "its certificate: {why}"),
            AnswerReason::OtherPath(why) => write!(f, "the proof is of something else: {why}"),
            AnswerReason::Unreadable(why) => write!(f, "cannot be read: {why}"),
            AnswerReason::Status(status) => write!(f, "answered with status {status}"),
            AnswerReason::Parts => write!(f, "its parts do not fit together"),
            AnswerReason::Encoding(name) => {
                write!(f, "cannot be had in {name}, or not be decoded from it")
            }
            AnswerReason::NotAsListed => write!(f, "the body is not the one that is listed"),
        }
    }
}

fn hash(hash: Option<&[u8; 32]>) -> String {
    hash.map_or("nothing".to_owned(), hex::encode)
}
