//! The scenarios: which routes a proxy is given, and which requests it is sent. Every proxy gets the same of both.

use std::fmt;

/// One of the two versions of the upstream, told apart by what they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

impl Version {
    /// The name of its cluster, pool or Upstream, and the body of its answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Version::V1 => "v1",
            Version::V2 => "v2",
        }
    }
}

/// Where a rule sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    Single(Version),
    /// Shares of a hundred for v1 and v2.
    Split(u32, u32),
}

/// A route: the first rule in order that matches decides.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) prefix: String,
    /// Only requests that carry [`CANARY`].
    pub(crate) canary: bool,
    pub(crate) destination: Destination,
    /// Whether it does more than forward: the prefix becomes [`REWRITTEN`], a header of the request is set and one removed, one
    /// of the response is set, there are a time limit of 5 s and a second try where there was no answer.
    pub(crate) options: bool,
}

/// What the prefix becomes where a rule has options.
pub(crate) const REWRITTEN: &str = "/new/";
/// The headers that a rule with options sets on the request, removes from it, and sets on the response.
pub(crate) const CHANGED: [&str; 3] = ["x-bench-request", "accept-language", "x-bench-response"];

/// A request of the load, and what a right answer is.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) canary: bool,
    /// Whether the connection ends with its answer.
    pub(crate) new_connection: bool,
    /// `None` where the proxy may choose.
    pub(crate) expected: Option<Version>,
}

/// The header that tells a canary request.
pub(crate) const CANARY: (&str, &str) = ("stage", "canary");

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Two prefix routes
    #[value(name = "routes-2")]
    Routes2,
    /// Ten thousand prefix routes, the requests spread over all of them
    #[value(name = "routes-10000")]
    Routes10000,
    /// Two services, each with a second version for requests that carry a header; every second request does
    HeaderMatch,
    /// Two services, each with nine tenths of its requests to one version and a tenth to the other
    Weighted,
    /// Two prefix routes with a rewrite, three header changes, a time limit and a retry policy
    Options,
    /// Two prefix routes over TLS, on connections that stay open
    Tls,
    /// Two prefix routes over TLS, each request on a connection of its own
    TlsHandshakes,
    /// No requests: the memory of a proxy that waits, with two routes
    Idle,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scenario::Routes2 => "routes-2",
            Scenario::Routes10000 => "routes-10000",
            Scenario::HeaderMatch => "header-match",
            Scenario::Weighted => "weighted",
            Scenario::Options => "options",
            Scenario::Tls => "tls",
            Scenario::TlsHandshakes => "tls-handshakes",
            Scenario::Idle => "idle",
        })
    }
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 8] = [
        Scenario::Routes2,
        Scenario::Routes10000,
        Scenario::HeaderMatch,
        Scenario::Weighted,
        Scenario::Options,
        Scenario::Tls,
        Scenario::TlsHandshakes,
        Scenario::Idle,
    ];

    pub(crate) fn is_idle(self) -> bool {
        self == Scenario::Idle
    }

    /// Whether clients speak TLS to the proxies.
    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Scenario::Tls | Scenario::TlsHandshakes)
    }

    /// How many prefixes have routes of their own.
    fn services(self) -> usize {
        if self == Scenario::Routes10000 { 10_000 } else { 2 }
    }

    pub(crate) fn rules(self) -> Vec<Rule> {
        let options = self == Scenario::Options;
        let rule = |service, canary, destination| Rule { prefix: prefix(service), canary, destination, options };
        (0..self.services())
            .flat_map(|service| match self {
                Scenario::HeaderMatch => vec![
                    rule(service, true, Destination::Single(Version::V2)),
                    rule(service, false, Destination::Single(Version::V1)),
                ],
                Scenario::Weighted => vec![rule(service, false, Destination::Split(90, 10))],
                _ => vec![rule(service, false, Destination::Single(Version::V1))],
            })
            .collect()
    }

    /// The requests that the load goes through again and again.
    pub(crate) fn requests(self) -> Vec<Request> {
        let services = self.services();
        (0..services.min(1000) * 2)
            .map(|index| {
                // Far from its neighbours, so that nothing is warm because the last request was near.
                let path = format!("{}item", prefix(index * 7919 % services));
                let canary = self == Scenario::HeaderMatch && (index / services) % 2 == 1;
                let expected = match self {
                    Scenario::Weighted => None,
                    _ if canary => Some(Version::V2),
                    _ => Some(Version::V1),
                };
                Request { path, canary, new_connection: self == Scenario::TlsHandshakes, expected }
            })
            .collect()
    }
}

/// The prefixes are all of one length and none is the beginning of another.
fn prefix(service: usize) -> String {
    format!("/service-{service:05}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_rule_that_sends_it_where_it_is_expected() {
        for scenario in Scenario::ALL {
            let rules = scenario.rules();
            for request in scenario.requests() {
                let rule = rules
                    .iter()
                    .find(|rule| request.path.starts_with(&rule.prefix) && (!rule.canary || request.canary))
                    .unwrap_or_else(|| panic!("{scenario}: no rule for {}", request.path));
                match request.expected {
                    Some(version) => assert_eq!(rule.destination, Destination::Single(version), "{scenario}"),
                    None => assert!(matches!(rule.destination, Destination::Split(..)), "{scenario}"),
                }
            }
        }
    }

    #[test]
    fn header_match_sends_both_kinds_of_request_to_both_services() {
        let mut kinds: Vec<_> =
            Scenario::HeaderMatch.requests().into_iter().map(|request| (request.path, request.canary)).collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), 4);
    }

    #[test]
    fn ten_thousand_routes_are_all_different() {
        let mut prefixes: Vec<_> = Scenario::Routes10000.rules().into_iter().map(|rule| rule.prefix).collect();
        prefixes.sort();
        prefixes.dedup();
        assert_eq!(prefixes.len(), 10_000);
    }
}
