//! What was found, told to people and to programs.
//!
//! The shape of the JSON is part of the interface: fields and values may be added, none goes.
//!
//! ```text
//! {
//!   "canister": id,  "network": URL,  "named_by": URL of the gateway that named the canister, or null
//!   "root_key": { "key": hex, "source": "internet-computer" | "given" | "fetched" },
//!   "time": ns since 1970, as text
//!   "outcome": "holds" | "broken" | "open",
//!   "links": [ { "link": name, "verdict": "holds" | "told" | "open" | "skipped" | "broken",
//!                "detail": words, "reasons": [ { "reason": name, "key": key or null, "detail": words } ] } ],
//!   "site_hash": hex or null,  "content_hash": hex or null,
//!   "release": the last entry of the log, as [`entry::in_json`] has it, or null
//! }
//! ```

use serde_json::{Value, json};

use super::chain::{Finding, Reason, Verdict};
use super::entry;
use super::examination::Findings;
use super::subject::Found;
use crate::network::Trust;
use crate::report::quote;
use crate::time::Time;

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every link holds.
    Holds,
    /// A link is broken.
    Broken,
    /// No link is broken, but some could not be checked.
    Open,
}

impl Outcome {
    /// The outcome of these findings.
    pub fn of(findings: &Findings) -> Outcome {
        let has = |is: fn(&Verdict) -> bool| findings.links.iter().any(|link| is(&link.verdict));
        if has(|verdict| matches!(verdict, Verdict::Broken(_))) {
            Outcome::Broken
        } else if has(|verdict| matches!(verdict, Verdict::Open(_))) {
            Outcome::Open
        } else {
            Outcome::Holds
        }
    }

    /// The exit status of the program; 2 is that of errors.
    pub fn status(self) -> u8 {
        match self {
            Outcome::Holds => 0,
            Outcome::Broken => 1,
            Outcome::Open => 3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Broken => "broken",
            Outcome::Open => "open",
        }
    }
}

/// What was examined, and against what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The canister and its network.
    pub found: Found,
    /// When.
    pub time: Time,
}

/// Files that are named one by one; of more it is said how many.
const NAMED: usize = 20;

/// Lines for people.
pub fn in_words(examined: &Examined, findings: &Findings) -> String {
    let found = &examined.found;
    let mut text = format!("\n  {} on {}\n", found.canister, found.location.url());
    if let Some(url) = &found.named_by {
        text.push_str(&format!(
            "  is what the gateway at {url} says it shows; that is not proven, what follows is of the canister\n"
        ));
    }
    let key = hex::encode(&found.root_key);
    let tail = &key[key.len().saturating_sub(16)..];
    text.push_str(&match found.trust {
        Trust::InternetComputer => "  against the root key of the Internet Computer\n\n".to_owned(),
        Trust::RootKey(_) => format!("  against the root key …{tail}\n\n"),
        Trust::Fetched => format!(
            "  against the root key …{tail}, which the network itself told: believe it if you trust the way there\n\n"
        ),
    });
    for finding in &findings.links {
        text.push_str(&line(finding));
    }
    let count = |is: fn(&Verdict) -> bool| {
        let links = findings.links.iter();
        links.filter(|finding| is(&finding.verdict)).count()
    };
    let broken = count(|verdict| matches!(verdict, Verdict::Broken(_)));
    let open = count(|verdict| matches!(verdict, Verdict::Open(_)));
    text.push_str(&match Outcome::of(findings) {
        Outcome::Holds => "\n  every link holds".to_owned(),
        Outcome::Broken => format!("\n  {broken} of {} links broken", findings.links.len()),
        Outcome::Open => format!("\n  nothing is broken, but {open} could not be checked"),
    });
    text
}

fn line(finding: &Finding) -> String {
    let name = finding.link.name().replace('-', " ");
    let (sign, words) = match &finding.verdict {
        Verdict::Holds(words) => ('✓', quote(words)),
        Verdict::Told(words) => ('·', quote(words)),
        Verdict::Open(words) => ('?', quote(words)),
        Verdict::Skipped(words) => ('-', format!("not asked for: {words}")),
        Verdict::Broken(reasons) => ('✗', in_lines(reasons)),
    };
    format!("  {sign} {name:<14}  {words}\n")
}

fn in_lines(reasons: &[Reason]) -> String {
    let named = reasons.iter().take(NAMED);
    let named = named.map(|reason| quote(&reason.to_string()));
    let mut lines: Vec<_> = named.collect();
    if let Some(more) = reasons.len().checked_sub(NAMED + 1) {
        lines.push(format!("and {} more", more + 1));
    }
    lines.join("\n                    ")
}

/// JSON for programs.
pub fn in_json(examined: &Examined, findings: &Findings) -> String {
    let Examined { found, time } = examined;
    let source = match found.trust {
        Trust::InternetComputer => "internet-computer",
        Trust::RootKey(_) => "given",
        Trust::Fetched => "fetched",
    };
    let report = json!({
        "canister": found.canister.to_text(),
        "network": found.location.url().as_str(),
        "named_by": found.named_by.as_ref().map(|url| url.as_str()),
        "root_key": { "key": hex::encode(&found.root_key), "source": source },
        "time": time.0.to_string(),
        "outcome": Outcome::of(findings).name(),
        "links": findings.links.iter().map(link).collect::<Vec<_>>(),
        "site_hash": findings.site_hash.map(hex::encode),
        "content_hash": findings.content_hash.map(hex::encode),
        "release": findings
            .last
            .as_ref()
            .map(|last| entry::in_json(last.number, &last.entry)),
    });
    format!("{report:#}")
}

fn link(finding: &Finding) -> Value {
    let (detail, reasons) = match &finding.verdict {
        Verdict::Holds(words) | Verdict::Told(words) | Verdict::Open(words) => {
            (words.clone(), &[][..])
        }
        Verdict::Skipped(words) => ((*words).to_owned(), &[][..]),
        Verdict::Broken(reasons) => (format!("{} broken", reasons.len()), &reasons[..]),
    };
    let reasons = reasons.iter().map(|reason| {
        json!({ "reason": reason.name(), "key": reason.key(), "detail": reason.to_string() })
    });
    json!({
        "link": finding.link.name(),
        "verdict": finding.verdict.name(),
        "detail": detail,
        "reasons": reasons.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::chain::Link;

    #[test]
    fn a_canister_cannot_draw_a_tick_of_its_own() {
        let key = "/a\n  ✓ module".to_owned();
        for verdict in [
            Verdict::Told("A=b\n  ✓ module".to_owned()),
            Verdict::Open("\x1b[1A  ✓".to_owned()),
            Verdict::Broken(vec![Reason::Extra { key }]),
        ] {
            let link = Link::Environment;
            let line = line(&Finding { link, verdict });
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(!line.contains('\x1b'), "{line}");
        }
    }
}
