//! Where the answers to a path are: at the path itself, or at the nearest wildcard above it.

use crate::{
    certification::{ExpressionPath, Reach},
    http::UrlPath,
    site::{Resource, Site},
    storage::{Memory, StorageError},
    tree::Labels,
};

/// The place in the tree that answers a path.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) path: ExpressionPath,
    pub(super) resource: Resource,
    /// Whether the site has something at the path itself.
    pub(super) is_found: bool,
    /// What must be proven absent for this place to be the right one: the path itself, and every wildcard that
    /// is nearer to it.
    pub(super) absent: Vec<Labels>,
}

impl Route {
    pub(super) fn to<M: Memory>(site: &Site<M>, path: &UrlPath<'_>) -> Result<Self, StorageError> {
        let exact = ExpressionPath::new(path.segments(), Reach::Exact);
        if let Some(resource) = site.resource(&exact)? {
            return Ok(Self {
                path: exact,
                resource,
                is_found: true,
                absent: Vec::new(),
            });
        }
        // Below the first segment that is not in the tree nothing is, and the proof that the exact path is
        // absent proves that too.
        let segments: Vec<&str> = path.segments().collect();
        let known = site.known_labels(exact.labels());
        // Something of it goes on, so what the wildcard answers is repeated there.
        let is_repeated = known > segments.len();
        let known = known.min(segments.len());
        let below = |count: usize| ExpressionPath::new(&segments[..count], Reach::Below);
        for count in (0..=known).rev() {
            let wildcard = below(count);
            let Some(resource) = site.resource(&wildcard)? else {
                continue;
            };
            if is_repeated {
                return Ok(Self {
                    path: exact,
                    resource,
                    is_found: false,
                    absent: Vec::new(),
                });
            }
            let mut absent = vec![exact.labels().clone()];
            for nearer in count..=known {
                if nearer > count {
                    absent.push(below(nearer).labels().clone());
                }
                // The wildcard of a directory with its trailing slash is nearer than the one without.
                let slash = segments[..nearer].iter().chain([&""]);
                let slash = ExpressionPath::new(slash, Reach::Below);
                absent.push(slash.labels().clone());
            }
            return Ok(Self {
                path: wildcard,
                resource,
                is_found: false,
                absent,
            });
        }
        Err(StorageError::Corrupt {
            structure: "tree of answers",
            at: 0,
        })
    }
}
