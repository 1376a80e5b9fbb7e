//! `.ic-assets.json5`: what a directory says of its own files, as clients of the asset canister of
//! dfx understand it.
//!
//! A file of rules is a JSON5 array of objects. Each has a glob, which is matched below the folder
//! that the file lies in, and says something of what it matches. Rules are gone through from the
//! uppermost folder down, in each folder from the first to the last; a later one overrides.
//!
//! | key | |
//! | --- | --- |
//! | `match` | the glob, as of `globset`: `*` also stands for `/` |
//! | `cache` | `{ max_age: seconds }` |
//! | `headers` | names with values, added to those of earlier rules; `null` takes those away |
//! | `ignore` | whether to leave it out; without a word, what begins with a dot is, but for `.well-known` |
//! | `enable_aliasing` | whether it answers under names without `.html` and `index.html` |
//! | `allow_raw_access` | whether unverified domains may serve it; yes, if nothing is said |
//! | `encodings` | of `identity`, `gzip` and `brotli` (or `br`), those to offer |
//! | `security_policy` | `standard` and `hardened` add headers that have not been given; `hardened` demands some |
//! | `disable_security_policy_warning` | allowed, and without effect: there are no such warnings |
//!
//! A site is the same wherever its directory lies: instead of the path there, a name that no file
//! has stands before the keys that globs are matched with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use ic_hallmark::site::Properties;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::Error;
use crate::content::Coding;

/// What a file of rules may be called.
pub const NAMES: [&str; 2] = [".ic-assets.json5", ".ic-assets.json"];

/// Where the directory lies, as far as globs can tell.
const ROOT: &str = "/\0";

/// The rules of a directory.
#[derive(Debug, Default)]
pub struct Rules {
    /// Each folder after the ones that it is in.
    folders: Vec<Folder>,
}

/// A folder with rules.
#[derive(Debug)]
struct Folder {
    key: String,
    path: PathBuf,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    glob: GlobMatcher,
    words: Words,
    is_used: bool,
}

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    r#match: String,
    cache: Option<Cache>,
    #[serde(default, deserialize_with = "headers")]
    headers: Option<Option<Headers>>,
    ignore: Option<bool>,
    enable_aliasing: Option<bool>,
    allow_raw_access: Option<bool>,
    encodings: Option<Vec<Coding>>,
    security_policy: Option<Policy>,
    #[serde(rename = "disable_security_policy_warning")]
    _disable_security_policy_warning: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Cache {
    max_age: Option<u64>,
}

type Headers = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Policy {
    Disabled,
    Standard,
    Hardened,
}

/// What is said of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    max_age: Option<u64>,
    headers: Option<Headers>,
    ignore: Option<bool>,
    is_aliased: Option<bool>,
    allow_raw_access: Option<bool>,
    encodings: Option<Vec<Coding>>,
    policy: Option<Policy>,
}

/// A rule that says nothing of any file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Where it is written.
    pub path: PathBuf,
    /// Its glob.
    pub glob: String,
}

impl Rules {
    /// Adds those of a folder, which come after those of the folders that it is in. `key` is the
    /// folder's, empty for the uppermost; `text` is what the file at `path` holds.
    ///
    /// # Errors
    ///
    /// [`Error::Rules`].
    pub fn add(&mut self, key: &str, path: &Path, text: &str) -> Result<(), Error> {
        let wrong = |reason: String| Error::Rules {
            path: path.to_owned(),
            reason,
        };
        let words: Vec<Words> = json5::from_str(text).map_err(|error| wrong(in_a_line(&error)))?;
        let rules = words.into_iter().map(|words| {
            let glob = match words.r#match.starts_with('/') {
                true => words.r#match.clone(),
                false => format!("{}/{}", globset::escape(&below(key)), words.r#match),
            };
            let glob = Glob::new(&glob).map_err(|error| wrong(error.kind().to_string()))?;
            Ok(Rule {
                glob: glob.compile_matcher(),
                words,
                is_used: false,
            })
        });
        self.folders.push(Folder {
            key: key.to_owned(),
            path: path.to_owned(),
            rules: rules.collect::<Result<_, Error>>()?,
        });
        Ok(())
    }

    /// What they say of the file or folder with this key.
    pub fn settings(&mut self, key: &str) -> Settings {
        let path = below(key);
        let mut settings = Settings::default();
        for folder in &mut self.folders {
            let rest = key.strip_prefix(&*folder.key);
            if !rest.is_some_and(|rest| rest.starts_with('/')) {
                continue;
            }
            for rule in &mut folder.rules {
                if rule.glob.is_match(&path) {
                    rule.is_used = true;
                    settings.follow(&rule.words);
                }
            }
        }
        settings
    }

    /// Those that have said nothing of anything yet.
    pub fn unused(&self) -> Vec<Unused> {
        let folders = self.folders.iter();
        let unused = folders.flat_map(|folder| {
            let unused = folder.rules.iter().filter(|rule| !rule.is_used);
            unused.map(|rule| Unused {
                path: folder.path.clone(),
                glob: rule.words.r#match.clone(),
            })
        });
        unused.collect()
    }
}

/// What is wrong, and where, without a picture of it.
fn in_a_line(error: &json5::Error) -> String {
    let json5::Error::Message { msg, location } = error;
    let reason = msg.lines().last().unwrap_or_default();
    let reason = reason.trim_start_matches([' ', '=']);
    match location {
        Some(at) => format!("{reason}, in line {}, column {}", at.line, at.column),
        None => reason.to_owned(),
    }
}

fn below(key: &str) -> String {
    format!("{ROOT}{key}")
}

impl Settings {
    fn follow(&mut self, words: &Words) {
        if let Some(cache) = &words.cache {
            self.max_age = cache.max_age;
        }
        match &words.headers {
            Some(Some(headers)) => {
                let known = self.headers.get_or_insert_default();
                known.extend(headers.clone());
            }
            Some(None) => self.headers = None,
            None => {}
        }
        fn override_with<T: Clone>(known: &mut Option<T>, said: &Option<T>) {
            if said.is_some() {
                known.clone_from(said);
            }
        }
        override_with(&mut self.ignore, &words.ignore);
        override_with(&mut self.is_aliased, &words.enable_aliasing);
        override_with(&mut self.allow_raw_access, &words.allow_raw_access);
        override_with(&mut self.encodings, &words.encodings);
        override_with(&mut self.policy, &words.security_policy);
    }

    /// Whether to leave it out, if a rule says so or the opposite.
    pub fn is_ignored(&self) -> Option<bool> {
        self.ignore
    }

    /// The encodings to offer; `None` leaves the choice to whoever encodes.
    pub fn encodings(&self) -> Option<&[Coding]> {
        self.encodings.as_deref()
    }

    /// Whether it should have headers of its own beside those of the policy, and has none.
    pub fn lacks_hardening(&self) -> bool {
        let has_headers = self.headers.as_ref().is_some_and(|it| !it.is_empty());
        self.policy == Some(Policy::Hardened) && !has_headers
    }

    /// Everything of the asset but its content.
    pub fn properties(&self, content_type: String) -> Properties {
        Properties {
            content_type,
            max_age: self.max_age,
            headers: self.headers(),
            is_aliased: self.is_aliased,
            allow_raw_access: self.allow_raw_access.or(Some(true)),
        }
    }

    /// Its own headers, and those of the policy that it has not.
    fn headers(&self) -> Option<Headers> {
        let policy = match self.policy {
            None => return self.headers.clone(),
            Some(Policy::Disabled) => &[][..],
            Some(Policy::Standard | Policy::Hardened) => &POLICY,
        };
        let mut headers = self.headers.clone().unwrap_or_default();
        for (name, value) in policy {
            if !headers.keys().any(|own| own.eq_ignore_ascii_case(name)) {
                headers.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        Some(headers)
    }
}

/// The headers of the security policies, as `ic-asset` 0.29 has them.
const POLICY: [(&str, &str); 7] = [
    (
        "Content-Security-Policy",
        "default-src 'self';script-src 'self';connect-src 'self' http://localhost:* https://icp0.io \
         https://*.icp0.io https://icp-api.io;img-src 'self' data:;style-src * 'unsafe-inline';\
         style-src-elem * 'unsafe-inline';font-src *;object-src 'none';base-uri 'self';\
         frame-ancestors 'none';form-action 'self';upgrade-insecure-requests;",
    ),
    (
        "Permissions-Policy",
        "accelerometer=(), ambient-light-sensor=(), autoplay=(), battery=(), camera=(), \
         cross-origin-isolated=(), display-capture=(), document-domain=(), encrypted-media=(), \
         execution-while-not-rendered=(), execution-while-out-of-viewport=(), fullscreen=(), \
         geolocation=(), gyroscope=(), keyboard-map=(), magnetometer=(), microphone=(), midi=(), \
         navigation-override=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), \
         screen-wake-lock=(), sync-xhr=(), usb=(), web-share=(), xr-spatial-tracking=(), \
         clipboard-read=(), clipboard-write=(), gamepad=(), speaker-selection=(), \
         conversion-measurement=(), focus-without-user-activation=(), hid=(), idle-detection=(), \
         interest-cohort=(), serial=(), sync-script=(), trust-token-redemption=(), \
         window-placement=(), vertical-scroll=()",
    ),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    (
        "Strict-Transport-Security",
        "max-age=31536000; includeSubDomains",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-XSS-Protection", "1; mode=block"),
];

/// A map of names and values that are words, numbers or yes or no; or null.
fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Headers>>, D::Error> {
    let headers = match Value::deserialize(from)? {
        Value::Null => return Ok(Some(None)),
        Value::Object(headers) => headers,
        other => {
            let reason = format!("headers are names with values, or null, not {other}");
            return Err(de::Error::custom(reason));
        }
    };
    let text = |(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(is) => Ok((name, is.to_string())),
        Value::Null => Ok((name, String::new())),
        Value::Array(_) | Value::Object(_) => {
            let reason = format!("the header {name} is no text, number, true or false");
            Err(de::Error::custom(reason))
        }
    };
    let headers: Result<_, _> = headers.into_iter().map(text).collect();
    Ok(Some(Some(headers?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules of folders, from the uppermost down.
    fn rules(folders: &[(&str, &str)]) -> Rules {
        let mut rules = Rules::default();
        for (key, text) in folders {
            rules.add(key, Path::new("rules"), text).unwrap();
        }
        rules
    }

    /// What one file of rules, in the uppermost folder, says of a key.
    fn said(text: &str, key: &str) -> Settings {
        rules(&[("", text)]).settings(key)
    }

    fn refused(text: &str) -> String {
        let path = Path::new("site/.ic-assets.json5");
        match Rules::default().add("", path, text).unwrap_err() {
            Error::Rules {
                path: named,
                reason,
            } if named == path => reason,
            other => panic!("{other}"),
        }
    }

    fn map(headers: &[(&str, &str)]) -> Headers {
        let headers = headers.iter();
        headers
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn of_what_no_rule_matches_raw_access_alone_is_said() {
        let properties = said("[]", "/a").properties("text/plain".to_owned());
        let expected = Properties {
            content_type: "text/plain".to_owned(),
            allow_raw_access: Some(true),
            ..Properties::default()
        };
        assert_eq!(properties, expected);
        assert_eq!(said("[]", "/a").encodings(), None);
        assert_eq!(said("[]", "/a").is_ignored(), None);
    }

    #[test]
    fn every_key_says_something() {
        let text = r#"[
            // JSON5
            {
                match: '*',
                cache: { max_age: 7 },
                headers: { A: 'b', N: 5, T: true, E: null },
                ignore: true,
                enable_aliasing: false,
                allow_raw_access: false,
                encodings: ["gzip", "br", "brotli", "identity"],
                disable_security_policy_warning: true,
            },
        ]"#;
        let settings = said(text, "/a");
        assert_eq!(settings.is_ignored(), Some(true));
        let codings = [
            Coding::Gzip,
            Coding::Brotli,
            Coding::Brotli,
            Coding::Identity,
        ];
        assert_eq!(settings.encodings(), Some(&codings[..]));
        let expected = Properties {
            content_type: String::new(),
            max_age: Some(7),
            headers: Some(map(&[("A", "b"), ("N", "5"), ("T", "true"), ("E", "")])),
            is_aliased: Some(false),
            allow_raw_access: Some(false),
        };
        assert_eq!(settings.properties(String::new()), expected);
    }

    #[test]
    fn globs_are_matched_below_their_folder() {
        // Glob, keys that it matches below /a, keys that it does not.
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("*", &["/a/x", "/a/b/x"], &["/x", "/a", "/ab/x"]),
            ("**/*", &["/a/x", "/a/b/x"], &["/x", "/a"]),
            ("*.js", &["/a/x.js", "/a/b/x.js"], &["/a/x.jsx", "/x.js"]),
            ("b", &["/a/b"], &["/a/b/x", "/b", "/a/c/b"]),
            ("**/b", &["/a/b", "/a/c/b"], &["/a/b/x"]),
            ("b/*", &["/a/b/x", "/a/b/c/x"], &["/a/b"]),
            ("{b,c}.?s", &["/a/b.js", "/a/c.cs"], &["/a/d.js"]),
            ("[!b]", &["/a/c"], &["/a/b"]),
            // From the root of the machine.
            ("/a/b", &[], &["/a/b", "/b"]),
            ("/**/b", &["/a/b"], &["/a/c"]),
            ("./b", &[], &["/a/b"]),
            ("../x", &[], &["/x"]),
        ];
        for (glob, matched, others) in cases {
            let text = format!("[{{ match: '{glob}', ignore: true }}]");
            for key in *matched {
                let said = rules(&[("/a", &text)]).settings(key);
                assert_eq!(said.is_ignored(), Some(true), "{glob} {key}");
            }
            for key in *others {
                let said = rules(&[("/a", &text)]).settings(key);
                assert_eq!(said.is_ignored(), None, "{glob} {key}");
            }
        }
        // A folder's name is no glob.
        let odd = [("/[id]*", "[{ match: 'b', ignore: true }]")];
        assert_eq!(rules(&odd).settings("/[id]*/b").is_ignored(), Some(true));
        assert_eq!(rules(&odd).settings("/i/b").is_ignored(), None);
    }

    #[test]
    fn later_rules_and_deeper_folders_override() {
        let mut rules = rules(&[
            (
                "",
                r#"[
                    { match: "*", cache: { max_age: 1 }, headers: { A: "1", B: "1" } },
                    { match: "*", headers: { B: "2", b: "3" }, enable_aliasing: false },
                ]"#,
            ),
            ("/a", r#"[{ match: "x", cache: {}, headers: null }]"#),
            ("/a/b", r#"[{ match: "*", headers: { C: "4" } }]"#),
        ]);
        let mut properties = |key: &str| rules.settings(key).properties(String::new());
        let upper = properties("/x");
        assert_eq!(upper.max_age, Some(1));
        assert_eq!(upper.is_aliased, Some(false));
        let both = map(&[("A", "1"), ("B", "2"), ("b", "3")]);
        assert_eq!(upper.headers, Some(both));
        let taken_away = properties("/a/x");
        assert_eq!((taken_away.max_age, taken_away.headers), (None, None));
        let lower = properties("/a/b/y").headers.unwrap();
        assert_eq!((&*lower["A"], &*lower["C"]), ("1", "4"));
    }

    #[test]
    fn policies_add_what_is_not_given() {
        let with = |policy: &str, headers: &str| {
            let text =
                format!("[{{ match: '*', security_policy: '{policy}', headers: {headers} }}]");
            said(&text, "/a")
        };
        let headers = |settings: &Settings| settings.properties(String::new()).headers;
        assert_eq!(headers(&with("disabled", "null")), Some(Headers::new()));
        let standard = headers(&with("standard", "null")).unwrap();
        assert_eq!(standard.len(), 7);
        assert_eq!(standard["X-Frame-Options"], "DENY");
        let own = headers(&with("hardened", "{ 'x-frame-OPTIONS': 'SAMEORIGIN' }")).unwrap();
        assert_eq!(own.len(), 7);
        assert_eq!(own["x-frame-OPTIONS"], "SAMEORIGIN");
        for (policy, headers, lacks) in [
            ("hardened", "null", true),
            ("hardened", "{}", true),
            ("hardened", "{ A: 'b' }", false),
            ("standard", "null", false),
        ] {
            assert_eq!(with(policy, headers).lacks_hardening(), lacks, "{policy}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, reason) in [
            ("{}", "expected a sequence"),
            ("[{}]", "missing field `match`"),
            (
                "[{ match: '*', redirect: '/' }]",
                "unknown field `redirect`",
            ),
            ("[{ match: '*', headers: [] }]", "names with values"),
            ("[{ match: '*', headers: { A: [] } }]", "the header A"),
            (
                "[{ match: '*', encodings: ['zstd'] }]",
                "unknown variant `zstd`",
            ),
            (
                "[{ match: '*', security_policy: 'lax' }]",
                "unknown variant `lax`",
            ),
            ("[{ match: '[' }]", "unclosed character class"),
            ("[", "expected"),
        ] {
            let said = refused(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
    }

    #[test]
    fn rules_without_use_are_told() {
        let mut rules = rules(&[("", "[{ match: '*.js' }, { match: '*.css' }]")]);
        rules.settings("/a.css");
        let unused = Unused {
            path: "rules".into(),
            glob: "*.js".to_owned(),
        };
        assert_eq!(rules.unused(), [unused]);
    }
}
