//! What of a request brings it to the same endpoint as others like it, hashed and combined as Envoy does it, so that both
//! send it to the same one.

use std::net::SocketAddr;

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serin_api::proxy::{HashKey, HashPart};
use twox_hash::XxHash64;

use crate::cookie;
use crate::error::CompileError;

/// The parts of a request's hash, in their order.
#[derive(Debug)]
pub(crate) struct CompiledHash(Vec<Part>);

#[derive(Debug)]
struct Part {
    key: Key,
    terminal: bool,
}

#[derive(Debug)]
enum Key {
    Header(HeaderName),
    Authority,
    Path,
    Method,
    Cookie {
        name: String,
        /// What stands behind the value in `set-cookie`; `None`: no cookie is made.
        attributes: Option<String>,
    },
    SourceIp,
}

/// What a request's hash comes to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RequestHash {
    /// `None`: the request has none of the parts.
    pub(crate) hash: Option<u64>,
    /// The cookies that the response must set.
    pub(crate) cookies: Vec<HeaderValue>,
}

impl CompiledHash {
    /// `None`: no part is hashed.
    ///
    /// # Errors
    /// When a header's name is none.
    pub(crate) fn new(parts: &[HashPart]) -> Result<Option<Self>, CompileError> {
        let part = |part: &HashPart| Ok(Part { key: Key::new(&part.key)?, terminal: part.terminal });
        let parts: Vec<_> = parts.iter().map(part).collect::<Result<_, CompileError>>()?;
        Ok((!parts.is_empty()).then_some(Self(parts)))
    }

    /// The hash of a request from `client`, as it goes to the upstream, with the changes that its route makes.
    pub(crate) fn of<B>(&self, request: &Request<B>, client: SocketAddr) -> RequestHash {
        let mut made = RequestHash::default();
        for part in &self.0 {
            if let Some(hash) = part.key.hash(request, client, &mut made.cookies) {
                // Turned, so that two parts of one value do not cancel out.
                made.hash = Some(made.hash.map_or(0, |before| before.rotate_left(1)) ^ hash);
            }
            if part.terminal && made.hash.is_some() {
                break;
            }
        }
        made
    }
}

impl Key {
    fn new(key: &HashKey) -> Result<Self, CompileError> {
        Ok(match key {
            HashKey::Header(name) => match name.as_str() {
                ":authority" | "host" => Self::Authority,
                ":path" => Self::Path,
                ":method" => Self::Method,
                name => Self::Header(
                    HeaderName::from_bytes(name.as_bytes()).map_err(|_| CompileError::HashHeader(name.to_owned()))?,
                ),
            },
            HashKey::Cookie { name, ttl, path } => Self::Cookie {
                name: name.clone(),
                attributes: ttl.map(|ttl| {
                    let age = ttl.0.as_secs();
                    let age = if age == 0 { String::new() } else { format!("; Max-Age={age}") };
                    let path = if path.is_empty() { String::new() } else { format!("; Path={path}") };
                    format!("{age}{path}; HttpOnly")
                }),
            },
            HashKey::SourceIp => Self::SourceIp,
        })
    }

    fn hash<B>(&self, request: &Request<B>, client: SocketAddr, cookies: &mut Vec<HeaderValue>) -> Option<u64> {
        match self {
            Self::Header(name) => of_values(request.headers(), name),
            Self::Authority => of_values(request.headers(), &HOST),
            Self::Path => request.uri().path_and_query().map(|path| hash(path.as_str().as_bytes())),
            Self::Method => Some(hash(request.method().as_str().as_bytes())),
            Self::SourceIp => Some(hash(client.ip().to_string().as_bytes())),
            Self::Cookie { name, attributes } => match cookie::values(request.headers(), name).next().map(unquoted) {
                Some(value) if !value.is_empty() => Some(hash(value)),
                _ => {
                    // The same for all requests of a connection, so that those which come at once agree.
                    let attributes = attributes.as_ref()?;
                    let value = format!("{:016x}", hash(client.to_string().as_bytes()));
                    cookies.extend(HeaderValue::try_from(format!("{name}=\"{value}\"{attributes}")));
                    Some(hash(value.as_bytes()))
                }
            },
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

/// The hash of all values of a header, whatever their order.
fn of_values(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let (first, second) = (values.next()?, values.next());
    let Some(second) = second else { return Some(hash(first)) };
    let mut all: Vec<&[u8]> = [first, second].into_iter().chain(values).collect();
    all.sort_unstable();
    Some(all.into_iter().fold(0, XxHash64::oneshot))
}

/// A cookie's value without the quotes around it.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serin_api::GoDuration;

    use super::*;

    fn header(name: &str) -> HashKey {
        HashKey::Header(name.to_owned())
    }

    fn cookie_key(ttl: Option<&str>) -> HashKey {
        HashKey::Cookie { name: "side".into(), ttl: ttl.and_then(GoDuration::parse), path: "/shop".into() }
    }

    fn made(keys: &[(HashKey, bool)], headers: &[(&str, &str)]) -> RequestHash {
        let parts: Vec<_> =
            keys.iter().map(|(key, terminal)| HashPart { key: key.clone(), terminal: *terminal }).collect();
        let mut request = Request::get("/a?b=c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let compiled = CompiledHash::new(&parts).unwrap().unwrap();
        compiled.of(&request.body(()).unwrap(), "10.1.2.3:4567".parse().unwrap())
    }

    fn hash_of(keys: &[(HashKey, bool)], headers: &[(&str, &str)]) -> Option<u64> {
        made(keys, headers).hash
    }

    #[test]
    fn parts_are_hashed_each_in_its_way() {
        let plain = |text: &str| Some(hash(text.as_bytes()));
        let headers = [("x-user", "ann"), ("host", "h"), ("cookie", "a=b; side=\"left\""), ("cookie", "side=right")];
        for (key, expected) in [
            (header("x-user"), plain("ann")),
            (header("x-other"), None),
            (header(":authority"), plain("h")),
            (header("host"), plain("h")),
            (header(":path"), plain("/a?b=c")),
            (header(":method"), plain("GET")),
            (cookie_key(None), plain("left")),
            (HashKey::SourceIp, plain("10.1.2.3")),
        ] {
            assert_eq!(hash_of(&[(key.clone(), false)], &headers), expected, "{key:?}");
        }
        assert_eq!(hash(b""), 0xef46_db37_51d8_e999, "xxHash64 of nothing, by its specification");
    }

    #[test]
    fn the_order_of_a_headers_values_does_not_matter() {
        let keys = [(header("x"), false)];
        let one = hash_of(&keys, &[("x", "a"), ("x", "b")]);
        assert_eq!(one, hash_of(&keys, &[("x", "b"), ("x", "a")]));
        assert_ne!(one, hash_of(&keys, &[("x", "ab")]));
    }

    #[test]
    fn parts_are_combined_and_a_terminal_one_ends_it() {
        let (a, b) = (hash(b"1"), hash(b"2"));
        let both = [("a", "1"), ("b", "2")];
        let keys = |terminal| [(header("a"), terminal), (header("b"), false)];
        assert_eq!(hash_of(&keys(false), &both), Some(a.rotate_left(1) ^ b));
        assert_eq!(hash_of(&keys(true), &both), Some(a));
        assert_eq!(hash_of(&keys(true), &both[1..]), Some(b), "what is not there ends nothing");
        assert_eq!(hash_of(&keys(true), &[]), None);
        let twice = [(header("a"), false), (header("a"), false)];
        assert_ne!(hash_of(&twice, &both), Some(0), "a value twice does not cancel out");
    }

    #[test]
    fn a_cookie_is_made_where_its_life_is_said() {
        assert_eq!(made(&[(cookie_key(None), false)], &[]), RequestHash::default());
        for (ttl, attributes) in [("90s", "; Max-Age=90; Path=/shop; HttpOnly"), ("0s", "; Path=/shop; HttpOnly")] {
            let first = made(&[(cookie_key(Some(ttl)), false)], &[("cookie", "side=")]);
            let set = first.cookies[0].to_str().unwrap();
            let pair = set.strip_suffix(attributes).unwrap();
            let again = made(&[(cookie_key(Some(ttl)), false)], &[("cookie", pair)]);
            assert_eq!(again, RequestHash { hash: first.hash, cookies: Vec::new() }, "{pair}");
        }
    }

    #[test]
    fn a_header_without_a_name_is_refused() {
        let part = HashPart { key: header("no name"), terminal: false };
        assert!(matches!(CompiledHash::new(&[part]), Err(CompileError::HashHeader(_))));
    }
}
