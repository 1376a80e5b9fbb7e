//! What a canister serves: its assets against those of a directory, and the answers for them.
//!
//! Of Hallmark's canister, every answer that there can be is proven at once: what its assets make,
//! by the rules of this library, adds up to its site hash or does not. Of another one, each path
//! that the directory's files answer is asked for in every encoding.

use std::collections::HashMap;
use std::time::Instant;

use ic_hallmark::api::HttpRequest;
use ic_hallmark::site::{Environment, Outline};
use sha2::{Digest as _, Sha256};
use url::Position;

use super::answer::{self, Answer, NoAnswer};
use super::certificate::Trust;
use super::chain::{AnswerReason, Finding, Link, Reason, Verdict};
use super::content::{Comparison, IDENTITY, Outlines, compare, decode};
use super::environment::Told;
use super::examination::{Expected, Findings, RESTS, Source, without_reply};
use super::fetch::Given;
use super::listing::Listed;
use super::log::Hash;
use crate::Error;
use crate::hash::rehearse;
use crate::parallel;
use crate::rehearsal::Rehearsal;
use crate::report::{Report, Step};

/// A canister that is believed as far as it proves what it says.
pub(super) struct Server<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) trust: &'a Trust,
    /// Since when: asking for many files may take longer than a certificate is good for.
    pub(super) since: Instant,
    /// Whether it is Hallmark's.
    pub(super) report: &'a dyn Report,
    pub(super) is_hallmark: bool,
}

impl Server<'_> {
    /// Checks what it serves.
    pub(super) fn check(
        &self,
        findings: &mut Findings,
        expected: &Expected<'_>,
        listed: &Listed,
        is_certified: bool,
    ) -> Result<(), Error> {
        if let Some(given) = expected.given {
            findings.add(
                Link::Url,
                match is_certified {
                    true => self.check_given(given)?,
                    false => Verdict::Open(RESTS.to_owned()),
                },
            );
        }
        let stored = match listed {
            _ if !is_certified => Err(RESTS.to_owned()),
            Listed::Assets(stored) => Ok(stored),
            Listed::Nonsense => Err("the list of assets makes no sense".to_owned()),
            Listed::Nothing(why) => Err(format!("there is no list of assets: {why}")),
        };
        let stored = match stored {
            Ok(stored) => stored,
            Err(why) => {
                for link in [Link::Environment, Link::Answers, Link::Content] {
                    findings.add(link, Verdict::Open(why.clone()));
                }
                return Ok(());
            }
        };
        let told = self.ask_environment(stored)?;
        findings.add(Link::Environment, environment_verdict(&told, self.trust));
        let environment = told.map(|told| told.environment).unwrap_or_default();
        match expected.directory {
            None => self.check_front(findings),
            Some(directory) => {
                let (wanted, _) = rehearse(directory, &environment)?;
                self.check_directory(findings, stored, &wanted, &environment)
            }
        }
    }

    /// Whether what a gateway gives is what is certified.
    fn check_given(&self, given: &Given) -> Result<Verdict, Error> {
        let path = &given.url[Position::BeforePath..Position::AfterQuery];
        let request = answer::request_of(path.to_owned(), IDENTITY);
        let reason = match self.ask_for(&request)? {
            Ok(answer) if (answer.status, &answer.body) == (given.status, &given.body) => {
                let status = answer.status;
                let words = format!("gives what the canister certifies, with status {status}");
                return Ok(Verdict::Holds(words));
            }
            Ok(answer) => Reason::GatewayDiffers {
                given: given.status,
                certified: answer.status,
            },
            Err(reason) => Reason::Answer {
                key: path.to_owned(),
                reason,
            },
        };
        Ok(Verdict::Broken(vec![reason]))
    }

    /// What the first page is told, if there is a page.
    fn ask_environment(&self, stored: &Outlines) -> Result<Result<Told, Reason>, Error> {
        let Some(page) = stored.keys().find(|key| key.ends_with(".html")) else {
            return Ok(Ok(Told::default()));
        };
        Ok(match self.ask(page, IDENTITY)? {
            Ok(answer) => Told::read(&answer),
            Err(reason) => Err(Reason::Answer {
                key: page.clone(),
                reason,
            }),
        })
    }

    /// There is no directory to compare with, so this is all that is asked for.
    fn check_front(&self, findings: &mut Findings) -> Result<(), Error> {
        let front = match self.ask("/", IDENTITY)? {
            Ok(answer) => Ok(format!("/ is answered with status {}", answer.status)),
            Err(reason) => Err(Reason::Answer {
                key: "/".to_owned(),
                reason,
            }),
        };
        findings.add(Link::Answers, front);
        findings.add(Link::Content, Verdict::Skipped("compare it with --dir DIR"));
        Ok(())
    }

    fn check_directory(
        &self,
        findings: &mut Findings,
        stored: &Outlines,
        wanted: &Rehearsal,
        environment: &Environment,
    ) -> Result<(), Error> {
        let assets = wanted.outlines()?;
        let comparison = compare(stored, &assets);
        let questions: Vec<_> = stored
            .iter()
            .filter(|(key, _)| assets.contains_key(*key))
            .flat_map(|(key, asset)| self.questions(key, asset, stored, &comparison))
            .collect();
        let lanes = self.source.lanes();
        self.report.begin(Step::Asking, questions.len() as u64);
        let replies = parallel::map(lanes, &questions, |question| {
            let reply = self.put(question, wanted)?;
            self.report.advance(1);
            Ok(reply)
        })?;
        self.report.end();

        let mut broken = Vec::new();
        let mut reasons = comparison.reasons.clone();
        let mut bodies = HashMap::new();
        for (question, reply) in questions.iter().zip(replies) {
            let key = question.path.clone();
            match reply {
                Reply::AsListed => {}
                Reply::SameContent(sha256, body) => drop(bodies.insert(sha256, body)),
                Reply::OtherContent => reasons.push(Reason::Differs { key }),
                Reply::Broken(reason) => broken.push(Reason::Answer { key, reason }),
            }
        }
        let is_answered = broken.is_empty();
        findings.add(
            Link::Answers,
            match is_answered {
                true => Verdict::Holds(format!(
                    "{} asked for, all certified, version 2",
                    questions.len()
                )),
                false => Verdict::Broken(broken),
            },
        );
        if !reasons.is_empty() {
            reasons.sort_by(|a, b| a.key().cmp(&b.key()));
            reasons.dedup();
            findings.add(Link::Content, Verdict::Broken(reasons));
            return Ok(());
        }

        let otherwise = comparison.encoded_otherwise;
        let mut words = format!("{} files, all as in the directory", assets.len());
        if otherwise > 0 {
            words.push_str(&format!(
                ", {otherwise} of them encoded otherwise than `hallmark deploy` does"
            ));
        }
        findings.add(Link::Content, Verdict::Holds(words));
        if let Some(live) = findings.site_hash.filter(|_| is_answered) {
            let made = match otherwise {
                0 => wanted.hashes()?.site,
                _ => made_of(stored, wanted, &bodies, environment)?,
            };
            check_site(findings, live, made);
        }
        Ok(())
    }

    /// What to ask for, to know what a file is served as.
    fn questions<'a>(
        &self,
        key: &'a str,
        asset: &'a Outline,
        stored: &Outlines,
        comparison: &Comparison,
    ) -> Vec<Question<'a>> {
        let question = |path: &str, encoding: &'a str| Question {
            path: path.to_owned(),
            encoding,
            asset,
            is_doubtful: comparison.is_doubtful(path, encoding),
        };
        let encodings = || asset.encodings.keys().map(String::as_str);
        if !self.is_hallmark {
            let paths = aliases(key, asset, stored).into_iter();
            let paths = paths.chain([key.to_owned()]);
            let each = |path: String| encodings().map(move |encoding| question(&path, encoding));
            return paths.flat_map(each).collect();
        }
        let first = encodings().find(|encoding| *encoding == IDENTITY);
        let first = first.or(encodings().next());
        encodings()
            .map(|encoding| question(key, encoding))
            .filter(|question| question.is_doubtful || Some(question.encoding) == first)
            .collect()
    }

    /// Asks one of them.
    fn put(&self, question: &Question<'_>, wanted: &Rehearsal) -> Result<Reply, Error> {
        let answer = match self.ask(&question.path, question.encoding)? {
            Ok(answer) => answer,
            Err(reason) => return Ok(Reply::Broken(reason)),
        };
        let (encoding, sha256) = match check_answer(question.asset, &answer) {
            Ok(found) => found,
            Err(reason) => return Ok(Reply::Broken(reason)),
        };
        if !question.is_doubtful {
            return Ok(Reply::AsListed);
        }
        let content = wanted_content(wanted, &question.path)?;
        let decoded = match encoding == question.encoding {
            true => decode(&answer.body, encoding, content.len()),
            false => None,
        };
        Ok(match decoded {
            None => Reply::Broken(AnswerReason::Encoding(question.encoding.to_owned())),
            Some(decoded) if decoded == content => Reply::SameContent(sha256, answer.body),
            Some(_) => Reply::OtherContent,
        })
    }

    /// Asks for a path in an encoding, or in another if it has not that one.
    fn ask(&self, path: &str, encoding: &str) -> Result<Result<Answer, AnswerReason>, Error> {
        self.ask_for(&answer::request(path, &format!("{encoding}, *;q=0.1")))
    }

    fn ask_for(&self, request: &HttpRequest) -> Result<Result<Answer, AnswerReason>, Error> {
        let trust = self.trust.after(self.since.elapsed());
        match answer::ask(self.source, request, &trust) {
            Ok(answer) => Ok(Ok(answer)),
            Err(NoAnswer::Unverified(reason)) => Ok(Err(reason)),
            Err(NoAnswer::Failed(failure)) => {
                Ok(Err(AnswerReason::Unreadable(without_reply(failure)?)))
            }
        }
    }
}

fn environment_verdict(told: &Result<Told, Reason>, trust: &Trust) -> Verdict {
    let told = match told {
        Ok(told) => told,
        Err(reason) => return Verdict::Broken(vec![reason.clone()]),
    };
    match &told.root_key {
        None => Verdict::Told("pages are told nothing of it".to_owned()),
        Some(key) if *key != trust.root_key => Verdict::Broken(vec![Reason::OtherNetwork]),
        Some(_) if told.variables.is_empty() => {
            Verdict::Holds("pages are told this network's root key".to_owned())
        }
        Some(_) => {
            let variables = told.variables.iter();
            let variables: Vec<_> = variables
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            Verdict::Told(format!(
                "pages are told this network's root key and {}",
                variables.join(", ")
            ))
        }
    }
}

/// The site hash once more, now that it is known what it should be.
fn check_site(findings: &mut Findings, live: Hash, made: Hash) {
    let mut links = findings.links.iter_mut();
    let found = links.find(|finding| finding.link == Link::SiteHash);
    if let Some(Finding { verdict, .. }) = found {
        match verdict {
            Verdict::Holds(words) if live == made => words.push_str(", what the files make"),
            _ => *verdict = Verdict::Broken(vec![Reason::SiteDiffers { made, live }]),
        }
    }
}

/// The site hash of a canister that holds the directory's files in its own encodings.
fn made_of(
    stored: &Outlines,
    wanted: &Rehearsal,
    bodies: &HashMap<Hash, Vec<u8>>,
    environment: &Environment,
) -> Result<Hash, Error> {
    let made = Rehearsal::new(environment)?;
    for (key, asset) in stored {
        let mut content = Vec::new();
        for (name, (sha256, _)) in &asset.encodings {
            let body = match bodies.get(sha256) {
                Some(body) => Some(body.clone()),
                None => wanted.content(key, name)?,
            };
            content.push((name.clone(), body.unwrap_or_default()));
        }
        made.add(key, asset.properties.clone(), content)?;
    }
    Ok(made.hashes()?.site)
}

/// The other paths that an asset of dfx's canister answers.
fn aliases(key: &str, asset: &Outline, stored: &Outlines) -> Vec<String> {
    if asset.properties.is_aliased == Some(false) {
        return Vec::new();
    }
    let mut paths = Vec::new();
    if let Some(directory) = key.strip_suffix("/index.html") {
        paths.push(format!("{directory}/"));
        // A page of that name comes first.
        if !directory.is_empty() && !stored.contains_key(&format!("{directory}.html")) {
            paths.push(directory.to_owned());
        }
    } else if let Some(path) = key
        .strip_suffix(".html")
        .filter(|path| !path.ends_with('/'))
    {
        paths.push(path.to_owned());
    }
    paths.retain(|path| !stored.contains_key(path));
    paths
}

/// A path to ask for, in an encoding.
struct Question<'a> {
    path: String,
    encoding: &'a str,
    /// What the path should answer.
    asset: &'a Outline,
    /// Whether only looking tells what the encoding holds.
    is_doubtful: bool,
}

/// What came of a question.
enum Reply {
    AsListed,
    /// It is doubtful no more.
    SameContent(Hash, Vec<u8>),
    OtherContent,
    Broken(AnswerReason),
}

/// The content of the directory's file.
fn wanted_content(wanted: &Rehearsal, key: &str) -> Result<Vec<u8>, Error> {
    for name in [IDENTITY, "gzip", "br"] {
        if let Some(content) = wanted.content(key, name)? {
            return Ok(decode(&content, name, usize::MAX - 1).unwrap_or_default());
        }
    }
    Ok(Vec::new())
}

/// The encoding of an answer, and the SHA-256 of its body, if they are what is listed.
fn check_answer<'a>(asset: &Outline, answer: &'a Answer) -> Result<(&'a str, Hash), AnswerReason> {
    if answer.status != 200 {
        return Err(AnswerReason::Status(answer.status));
    }
    let encoding = answer.header("content-encoding").unwrap_or(IDENTITY);
    let sha256: Hash = Sha256::digest(&answer.body).into();
    match asset.encodings.get(encoding) {
        Some((listed, _)) if *listed == sha256 => Ok((encoding, sha256)),
        _ => Err(AnswerReason::NotAsListed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_is_not_what_its_files_make_is_found() {
        let site = |live, made| {
            let mut findings = Findings::default();
            findings.add(Link::SiteHash, Verdict::Holds(hex::encode(live)));
            check_site(&mut findings, live, made);
            findings.verdict(Link::SiteHash).cloned().unwrap()
        };
        let (live, made) = ([1; 32], [2; 32]);
        assert!(matches!(site(live, live), Verdict::Holds(_)));
        let differs = Verdict::Broken(vec![Reason::SiteDiffers { made, live }]);
        assert_eq!(site(live, made), differs);
    }

    #[test]
    fn pages_answer_other_paths_too() {
        let stored: Outlines = [
            "/index.html",
            "/a.html",
            "/a/index.html",
            "/b/index.html",
            "/c",
            "/c.html",
        ]
        .map(|key| (key.to_owned(), Outline::default()))
        .into();
        for (key, expected) in [
            ("/index.html", &["/"][..]),
            ("/a.html", &["/a"]),
            ("/a/index.html", &["/a/"]),
            ("/b/index.html", &["/b/", "/b"]),
            ("/c.html", &[]),
            ("/c", &[]),
        ] {
            assert_eq!(aliases(key, &stored[key], &stored), expected, "{key}");
        }
        let mut alone = Outline::default();
        alone.properties.is_aliased = Some(false);
        assert_eq!(aliases("/a.html", &alone, &stored), [""; 0]);
    }
}
