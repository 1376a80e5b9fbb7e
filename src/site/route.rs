//! Routes: which asset answers which paths.
//!
//! ```text
//! path          the first of these keys that has content answers it       with
//! /a/b          /a/b, then /a/b.html, /a/b/index.html if aliased          200
//! /a/           /a/, then /a/index.html if aliased                        200
//! below /a      /a/404.html                                               404
//! below /       /404.html, then /index.html, then the built-in text       404, 200, 404
//! ```
//!
//! [`Route::candidates`] is that table. [`routes_of`] is its inverse, and only says where to look again when a key
//! changes; a test holds the two together.

use crate::{
    certification::{ExpressionPath, Reach},
    http::UrlPath,
};

/// Requests that are answered alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    /// Those for one path in normal form.
    Exact(String),
    /// Those for a directory, without its trailing slash, and all below that have no nearer answer.
    Below(String),
}

/// A key that may answer a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) key: String,
    /// The status that it answers with.
    pub(super) status: u16,
    /// Whether it answers for a path that is not its key, and so only if it is aliased.
    pub(super) is_alias: bool,
}

const INDEX: &str = "index.html";
const NOT_FOUND: &str = "404.html";

impl Route {
    /// The route of everything that nothing else answers.
    pub(super) const ROOT: Self = Self::Below(String::new());

    pub(super) fn expression_path(&self) -> ExpressionPath {
        let (path, reach) = match self {
            Self::Exact(path) => (path, Reach::Exact),
            Self::Below(path) => (path, Reach::Below),
        };
        match UrlPath::from_key(path) {
            Some(path) => ExpressionPath::new(path.segments(), reach),
            None => ExpressionPath::new::<&str>([], reach),
        }
    }

    /// The keys that may answer, best first.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let own = |key: String| Candidate {
            key,
            status: 200,
            is_alias: false,
        };
        let alias = |key: String| Candidate {
            is_alias: true,
            ..own(key)
        };
        match self {
            Self::Exact(path) if path.ends_with('/') => {
                vec![own(path.clone()), alias(format!("{path}{INDEX}"))]
            }
            Self::Exact(path) if path.ends_with(".html") => vec![own(path.clone())],
            Self::Exact(path) => vec![
                own(path.clone()),
                alias(format!("{path}.html")),
                alias(format!("{path}/{INDEX}")),
            ],
            Self::Below(directory) => {
                let mut candidates = vec![Candidate {
                    status: 404,
                    ..own(format!("{directory}/{NOT_FOUND}"))
                }];
                if *self == Self::ROOT {
                    candidates.push(own(format!("/{INDEX}")));
                }
                candidates
            }
        }
    }
}

/// The keys that may answer a path, whatever the site holds.
pub(crate) fn keys_answering(path: &UrlPath<'_>) -> Vec<String> {
    let path = path.as_str();
    let directories = path.rmatch_indices('/').map(|(end, _)| &path[..end]);
    let routes = [Route::Exact(path.to_owned())]
        .into_iter()
        .chain(directories.map(|directory| Route::Below(directory.to_owned())))
        .chain([Route::ROOT]);
    routes
        .flat_map(|route| route.candidates())
        .map(|candidate| candidate.key)
        .collect()
}

/// The routes that a key may answer. None if no URL leads to the key: it does not begin with a slash, or has two
/// in a row.
pub(super) fn routes_of(key: &str) -> Vec<Route> {
    if UrlPath::from_key(key).is_none() {
        return Vec::new();
    }
    let mut routes = vec![Route::Exact(key.to_owned())];
    let mut alias = |path: &str| routes.push(Route::Exact(path.to_owned()));
    let is_stem =
        |path: &&str| !path.is_empty() && !path.ends_with('/') && !path.ends_with(".html");
    if let Some(stem) = key.strip_suffix(".html").filter(is_stem) {
        alias(stem);
    }
    if let Some(directory) = key.strip_suffix(INDEX).filter(|path| path.ends_with('/')) {
        alias(directory);
        if let Some(directory) = directory.strip_suffix('/').filter(is_stem) {
            alias(directory);
        }
        if directory == "/" {
            routes.push(Route::ROOT);
        }
    }
    let directory = key.strip_suffix(NOT_FOUND);
    if let Some(directory) = directory.and_then(|path| path.strip_suffix('/')) {
        routes.push(Route::Below(directory.to_owned()));
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_key() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            Just("a"),
            Just("b.html"),
            Just("index.html"),
            Just("404.html"),
            Just(".html"),
            Just("index"),
            Just(""),
        ];
        prop::collection::vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")))
    }

    fn a_route() -> impl Strategy<Value = Route> {
        (a_key(), any::<bool>()).prop_filter_map("not in normal form", |(key, exact)| {
            UrlPath::from_key(&key)?;
            match key.strip_suffix('/') {
                _ if exact => Some(Route::Exact(key)),
                Some("") => Some(Route::ROOT),
                Some(_) => None,
                None => Some(Route::Below(key)),
            }
        })
    }

    proptest! {
        #[test]
        fn a_key_lists_exactly_the_routes_that_list_it(key in a_key(), route in a_route()) {
            if UrlPath::from_key(&key).is_some() {
                let is_candidate = route.candidates().iter().any(|candidate| candidate.key == key);
                prop_assert_eq!(routes_of(&key).contains(&route), is_candidate);
            }
            for route in routes_of(&key) {
                prop_assert!(route.candidates().iter().any(|candidate| candidate.key == key));
            }
        }
    }

    #[test]
    fn an_index_answers_for_its_directory() {
        let exact = |path: &str| Route::Exact(path.to_owned());
        assert_eq!(
            routes_of("/docs/index.html"),
            ["/docs/index.html", "/docs/index", "/docs/", "/docs"].map(exact)
        );
        assert_eq!(
            routes_of("/index.html"),
            [
                exact("/index.html"),
                exact("/index"),
                exact("/"),
                Route::ROOT
            ]
        );
        assert!(routes_of("no/slash").is_empty());
        assert!(routes_of("//twice").is_empty());
    }
}
