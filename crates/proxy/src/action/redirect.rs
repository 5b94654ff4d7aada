//! Redirects: the request's own URL with some parts changed, put together as Envoy does it.

use http::HeaderValue;
use serin_api::proxy::{PathRedirect, Redirect};

use crate::error::CompileError;
use crate::router::{RequestView, without_port};
use crate::substitution::CompiledSubstitution;

/// A redirect, ready to be answered with.
#[derive(Debug)]
pub(crate) struct CompiledRedirect {
    pub(crate) status: http::StatusCode,
    host: Option<Box<str>>,
    port: Option<u16>,
    https: bool,
    path: Path,
    strip_query: bool,
}

#[derive(Debug)]
enum Path {
    Keep,
    Replace(Box<str>),
    Prefix(Box<str>),
    Regex(Box<CompiledSubstitution>),
}

impl CompiledRedirect {
    pub(crate) fn new(redirect: &Redirect) -> Result<Self, CompileError> {
        let path = match &redirect.path {
            PathRedirect::Keep => Path::Keep,
            PathRedirect::Replace(path) => Path::Replace(location_part(path)?),
            PathRedirect::PrefixRewrite(prefix) => Path::Prefix(location_part(prefix)?),
            PathRedirect::Regex { pattern, substitution } => {
                location_part(substitution)?;
                Path::Regex(Box::new(CompiledSubstitution::new(pattern, substitution)?))
            }
        };
        Ok(Self {
            status: super::status(redirect.status)?,
            host: redirect.host.as_deref().map(location_part).transpose()?,
            port: redirect.port,
            https: redirect.https,
            path,
            strip_query: redirect.strip_query,
        })
    }

    /// The `location` for `request`. `prefix` is how much of the path the matcher's prefix covered.
    ///
    /// `None` when the request's own host cannot be sent back in a header.
    pub(crate) fn location(&self, request: &RequestView<'_>, prefix: Option<usize>) -> Option<HeaderValue> {
        let scheme = if self.https { "https" } else { request.scheme };
        let authority = request.authority.unwrap_or_default();
        let mut location = format!("{scheme}://");
        location.push_str(self.host.as_deref().unwrap_or(match self.port {
            Some(_) => without_port(authority),
            // The old scheme's own port would be wrong under the new one.
            None if self.https && request.scheme == "http" => authority.strip_suffix(":80").unwrap_or(authority),
            None => authority,
        }));
        if let Some(port) = self.port {
            location.push(':');
            location.push_str(&port.to_string());
        }

        let path_at = location.len();
        let own_query = match &self.path {
            Path::Keep => {
                location.push_str(request.path);
                false
            }
            Path::Replace(path) => {
                location.push_str(path);
                path.contains('?')
            }
            Path::Prefix(new) => {
                location.push_str(new);
                location.push_str(request.path.get(prefix.unwrap_or(request.path.len())..).unwrap_or_default());
                false
            }
            Path::Regex(substitution) => {
                location.push_str(&substitution.apply(request.path));
                false
            }
        };
        // Without its slash, the path would be the end of the host's name.
        if !location.get(path_at..).is_some_and(|path| path.starts_with('/')) {
            location.insert(path_at, '/');
        }
        if let Some(query) = request.query.filter(|_| !self.strip_query && !own_query) {
            location.push('?');
            location.push_str(query);
        }
        HeaderValue::try_from(location).ok()
    }
}

fn location_part(text: &str) -> Result<Box<str>, CompileError> {
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(CompileError::Location(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    fn location(change: impl FnOnce(&mut Redirect), path: &str, query: Option<&str>, host: &str) -> String {
        let mut redirect = Redirect {
            status: 301,
            host: None,
            port: None,
            https: false,
            path: PathRedirect::Keep,
            strip_query: false,
        };
        change(&mut redirect);
        let headers = HeaderMap::new();
        let request =
            RequestView { method: &Method::GET, path, query, authority: Some(host), scheme: "http", headers: &headers };
        let value = CompiledRedirect::new(&redirect).unwrap().location(&request, Some(4)).unwrap();
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn parts_change_one_by_one() {
        assert_eq!(location(|r| r.https = true, "/a", Some("q=1"), "h:80"), "https://h/a?q=1");
        assert_eq!(location(|r| r.https = true, "/a", None, "h:8080"), "https://h:8080/a");
        assert_eq!(location(|r| r.port = Some(444), "/a", None, "h:8080"), "http://h:444/a");
        assert_eq!(location(|r| r.host = Some("x.y".into()), "/a", None, "h:8080"), "http://x.y/a");
        assert_eq!(location(|r| r.strip_query = true, "/a", Some("q"), "h"), "http://h/a");
        assert_eq!(location(|r| r.path = PathRedirect::Replace("/n".into()), "/a", Some("q"), "h"), "http://h/n?q");
        assert_eq!(
            location(|r| r.path = PathRedirect::Replace("/n?z=1".into()), "/a", Some("q"), "h"),
            "http://h/n?z=1"
        );
        assert_eq!(
            location(|r| r.path = PathRedirect::PrefixRewrite("/new".into()), "/old/x", Some("q"), "h"),
            "http://h/new/x?q"
        );
    }

    #[test]
    fn a_regex_replaces_each_match_and_groups_are_checked() {
        let regex = |pattern: &str, substitution: &str| PathRedirect::Regex {
            pattern: pattern.to_owned(),
            substitution: substitution.to_owned(),
        };
        assert_eq!(
            location(|r| r.path = regex("/v([0-9])/", r"/\1-v\\/"), "/x/v1/y/v2/", None, "h"),
            r"http://h/x/1-v\/y/2-v\/"
        );
        let bad =
            Redirect { status: 301, host: None, port: None, https: false, path: regex("a", r"\1"), strip_query: false };
        assert!(matches!(CompiledRedirect::new(&bad), Err(CompileError::Substitution { group: 1, groups: 0, .. })));
    }
}
