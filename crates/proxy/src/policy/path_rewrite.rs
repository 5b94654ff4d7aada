//! The path that the upstream gets, where it is not the client's.

use http::Uri;
use http::uri::PathAndQuery;
use serin_api::proxy::{PathRewrite, Substitution};

use crate::error::CompileError;
use crate::substitution::CompiledSubstitution;

/// A compiled [`PathRewrite`].
#[derive(Debug)]
pub(super) enum CompiledPathRewrite {
    Prefix(String),
    Regex(CompiledSubstitution),
}

impl CompiledPathRewrite {
    pub(super) fn new(rewrite: &PathRewrite) -> Result<Self, CompileError> {
        Ok(match rewrite {
            PathRewrite::Prefix(prefix) => Self::Prefix(prefix.clone()),
            PathRewrite::Regex(Substitution { pattern, substitution }) => {
                Self::Regex(CompiledSubstitution::new(pattern, substitution)?)
            }
        })
    }

    /// Changes the path of `uri` and leaves its query. What would be no path stays as it was.
    pub(super) fn apply(&self, uri: &mut Uri, prefix: Option<usize>) {
        let path = uri.path();
        let rewritten = match self {
            Self::Prefix(replacement) => {
                let rest = prefix.and_then(|prefix| path.get(prefix..)).unwrap_or_default();
                format!("{replacement}{rest}")
            }
            Self::Regex(substitution) => substitution.apply(path),
        };
        let target = match uri.query() {
            Some(query) => format!("{rewritten}?{query}"),
            None => rewritten,
        };
        if let Ok(target) = PathAndQuery::try_from(target) {
            let mut parts = std::mem::take(uri).into_parts();
            parts.path_and_query = Some(target);
            if let Ok(changed) = Uri::from_parts(parts) {
                *uri = changed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixed(rewrite: &str, uri: &str, prefix: Option<usize>) -> String {
        let mut uri = uri.parse().unwrap();
        CompiledPathRewrite::new(&PathRewrite::Prefix(rewrite.to_owned())).unwrap().apply(&mut uri, prefix);
        uri.to_string()
    }

    #[test]
    fn a_prefix_is_replaced_and_the_query_stays() {
        assert_eq!(prefixed("/new", "/old/x?q=1", Some(4)), "/new/x?q=1");
        assert_eq!(prefixed("/", "/old/x", Some(5)), "/x");
        assert_eq!(prefixed("/new", "/whole/path?q", None), "/new?q");
        assert_eq!(prefixed("/new", "http://h/old", Some(4)), "http://h/new");
    }
}
