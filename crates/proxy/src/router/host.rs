//! Which virtual host a request is for: exact name, then the longest `*.suffix`, then the longest `prefix.*`, then `*`.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// The domains of one listener.
#[derive(Debug, Default)]
pub struct HostIndex {
    exact: FxHashMap<Box<str>, u32>,
    suffixes: Wildcards,
    prefixes: Wildcards,
    any: Option<u32>,
    strip_port: bool,
}

/// Texts next to a `*`, and their lengths, the longest first.
#[derive(Debug, Default)]
struct Wildcards {
    texts: FxHashMap<Box<str>, u32>,
    lengths: Vec<usize>,
}

impl HostIndex {
    /// An index of `(domain, host)` pairs. With `strip_port`, a port in the request's host is cut off first.
    pub fn new<'a>(domains: impl IntoIterator<Item = (&'a str, u32)>, strip_port: bool) -> Self {
        let mut index = Self { strip_port, ..Self::default() };
        for (domain, host) in domains {
            let domain = domain.to_ascii_lowercase();
            if domain == "*" {
                index.any.get_or_insert(host);
            } else if let Some(suffix) = domain.strip_prefix('*') {
                index.suffixes.insert(suffix, host);
            } else if let Some(prefix) = domain.strip_suffix('*') {
                index.prefixes.insert(prefix, host);
            } else {
                index.exact.entry(domain.into()).or_insert(host);
            }
        }
        index
    }

    /// Whether a port in the request's host is cut off.
    pub(crate) fn strips_port(&self) -> bool {
        self.strip_port
    }

    /// The host that serves `authority`, which is what the request's Host or `:authority` says; empty when it says nothing.
    pub fn find(&self, authority: &str) -> Option<u32> {
        if self.exact.is_empty() && self.suffixes.texts.is_empty() && self.prefixes.texts.is_empty() {
            return self.any;
        }
        let host = if self.strip_port { without_port(authority) } else { authority };
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        self.exact
            .get(host.as_ref())
            .copied()
            .or_else(|| self.suffixes.find(&host, |host, length| host.get(host.len() - length..)))
            .or_else(|| self.prefixes.find(&host, |host, length| host.get(..length)))
            .or(self.any)
    }
}

impl Wildcards {
    fn insert(&mut self, text: &str, host: u32) {
        if !self.lengths.contains(&text.len()) {
            self.lengths.push(text.len());
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.texts.entry(text.into()).or_insert(host);
    }

    /// The host of the longest text that `part` cuts out of `host`. The `*` stands for at least one byte.
    fn find(&self, host: &str, part: impl Fn(&str, usize) -> Option<&str>) -> Option<u32> {
        self.lengths
            .iter()
            .filter(|length| **length < host.len())
            .find_map(|length| self.texts.get(part(host, *length)?).copied())
    }
}

/// `authority` without its port: `foo:80` is `foo`, `[::1]:80` is `[::1]`. What is not a port stays.
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::{HostIndex, without_port};

    #[test]
    fn precedence_is_exact_suffix_prefix_any() {
        let index = HostIndex::new(
            [
                ("foo.bar.com", 0),
                ("*.bar.com", 1),
                ("*.com", 2),
                ("foo.*", 3),
                ("foo.bar.*", 4),
                ("*", 5),
                ("*-x.com", 6),
            ],
            false,
        );
        for (host, expected) in [
            ("foo.bar.com", 0),
            ("FOO.bar.COM", 0),
            ("a.bar.com", 1),
            (".bar.com", 2),
            ("bar.com", 2),
            ("a-x.com", 6),
            ("foo.bar.org", 4),
            ("foo.org", 3),
            ("foo.", 5),
            ("other", 5),
            ("", 5),
            ("foo.bar.com:8080", 4),
            ("foo.bar.com.", 4),
        ] {
            assert_eq!(index.find(host), Some(expected), "{host}");
        }
        assert_eq!(HostIndex::new([("a.com", 0)], false).find(""), None);
        assert_eq!(HostIndex::new([("a.com", 0)], false).find("a.com:80"), None);
        assert_eq!(HostIndex::new([("a.com", 0)], true).find("a.com:80"), Some(0));
    }

    #[test]
    fn a_port_is_cut_off_an_authority() {
        assert_eq!(without_port("a:80"), "a");
        assert_eq!(without_port("[::1]:80"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("::1"), "::1");
        assert_eq!(without_port("a:b"), "a:b");
    }
}
