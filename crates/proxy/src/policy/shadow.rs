//! Which requests are copied, for whom, and under which host.

use http::HeaderValue;
use serin_api::proxy::{Shadow, ShadowHost};

use crate::action::WHOLE;
use crate::compile::{DestinationHandle, Destinations};
use crate::error::CompileError;
use crate::router::without_port;

const SUFFIX: &[u8] = b"-shadow";

/// A compiled [`Shadow`].
#[derive(Debug)]
pub(crate) struct CompiledShadow {
    destination: DestinationHandle,
    per_million: u32,
    host: Host,
}

#[derive(Debug)]
enum Host {
    Suffixed,
    Same,
    Literal(HeaderValue),
}

impl CompiledShadow {
    pub(super) fn new(shadow: &Shadow, destinations: &mut Destinations) -> Result<Self, CompileError> {
        let host = match &shadow.host {
            ShadowHost::Suffixed => Host::Suffixed,
            ShadowHost::Same => Host::Same,
            ShadowHost::Literal(host) => {
                Host::Literal(HeaderValue::from_str(host).map_err(|_| CompileError::HeaderValue(host.clone()))?)
            }
        };
        let destination = destinations.handle(&shadow.cluster, &WHOLE);
        Ok(Self { destination, per_million: shadow.per_million, host })
    }

    /// The number of the destination that gets the copies.
    pub(crate) fn destination(&self) -> u32 {
        self.destination.number()
    }

    /// Whether this request is copied.
    pub(crate) fn draw(&self, random: &mut fastrand::Rng) -> bool {
        random.u32(..1_000_000) < self.per_million
    }

    /// The copy's host, where it is not the request's `host`.
    pub(crate) fn host(&self, host: &HeaderValue) -> Option<HeaderValue> {
        match &self.host {
            Host::Same => None,
            Host::Literal(literal) => Some(literal.clone()),
            Host::Suffixed => {
                let text = host.to_str().ok()?;
                let (name, port) = text.split_at(without_port(text).len());
                HeaderValue::from_bytes(&[name.as_bytes(), SUFFIX, port.as_bytes()].concat()).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(per_million: u32, host: ShadowHost) -> CompiledShadow {
        CompiledShadow::new(&Shadow { cluster: "c".into(), per_million, host }, &mut Destinations::default()).unwrap()
    }

    #[test]
    fn the_suffix_comes_before_the_port() {
        let shadow = compiled(1, ShadowHost::Suffixed);
        for (host, expected) in [
            ("a.com", "a.com-shadow"),
            ("a.com:80", "a.com-shadow:80"),
            ("[::1]:80", "[::1]-shadow:80"),
            ("[::1]", "[::1]-shadow"),
        ] {
            assert_eq!(shadow.host(&HeaderValue::from_static(host)).unwrap(), expected);
        }
        let host = HeaderValue::from_static("a.com");
        assert_eq!(compiled(1, ShadowHost::Same).host(&host), None);
        assert_eq!(compiled(1, ShadowHost::Literal("b:1".to_owned())).host(&host).unwrap(), "b:1");
    }

    #[test]
    fn shares_are_kept() {
        let mut random = fastrand::Rng::with_seed(1);
        for (per_million, expected) in [(250_000, 24_000..=26_000), (1_000_000, 100_000..=100_000)] {
            let shadow = compiled(per_million, ShadowHost::Same);
            let drawn = (0..100_000).filter(|_| shadow.draw(&mut random)).count();
            assert!(expected.contains(&drawn), "{per_million}: {drawn}");
        }
    }

    #[test]
    fn a_host_that_no_header_can_say_is_refused() {
        let shadow = Shadow { cluster: "c".into(), per_million: 1, host: ShadowHost::Literal("a\nb".to_owned()) };
        assert!(CompiledShadow::new(&shadow, &mut Destinations::default()).is_err());
    }
}
