//! What share of many requests comes to what: for faults, weights, copies and hashes, where chance decides about each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::case::Case;
use super::error::DifferentialError;
use super::outcome::Outcome;
use super::planes::{Planes, Side};
use super::request::Request;
use super::upstream::Arrival;
use super::workers;

/// Requests that are under way at a time.
const AT_A_TIME: usize = 8;
/// What stands for the request's number in its headers.
pub(crate) const NUMBER: &str = "{number}";
/// A request that took so long was delayed.
pub(crate) const SLOW: Duration = Duration::from_millis(400);
/// How far the two may be apart. Of `n` requests each, a share `a` of one's and `b` of the other's come to something; `m` is
/// their mean, and D the relative entropy. Where chance is the same for both, n·(D(a‖m) + D(b‖m)) exceeds x less often than
/// 4·(1+x)·e^-x (Chernoff's bound for each, and the tail of their sum): once in a thousand million times.
const FURTHEST: f64 = 26.0;

/// How often what came of a request.
type Counts = BTreeMap<String, usize>;

/// Sends the case's request to both `times` times; what came of it where that differs.
///
/// # Errors
/// When the listener is missing.
pub(crate) fn look(
    planes: &Planes,
    listener: usize,
    case: &Case,
    times: usize,
    name: &str,
) -> Result<Option<(Outcome, Outcome)>, DifferentialError> {
    let ours = count(planes, listener, case, times, name, Side::Serin)?;
    let envoys = count(planes, listener, case, times, name, Side::Envoy)?;
    let all: BTreeSet<&String> = ours.keys().chain(envoys.keys()).collect();
    let of = |counts: &Counts, what: &str| counts.get(what).copied().unwrap_or_default();
    let differ = all.into_iter().any(|what| distance(of(&ours, what), of(&envoys, what), times) > FURTHEST);
    Ok(differ.then(|| (Outcome::of_shares(shown(&ours)), Outcome::of_shares(shown(&envoys)))))
}

fn count(
    planes: &Planes,
    listener: usize,
    case: &Case,
    times: usize,
    name: &str,
    side: Side,
) -> Result<Counts, DifferentialError> {
    let answers = Mutex::new(Vec::with_capacity(times));
    workers::each(times, AT_A_TIME, |number| {
        let begun = Instant::now();
        let outcome = planes.send(listener, &numbered(&case.request, number), &format!("{name}-{number}"), side)?;
        let slow = begun.elapsed() >= SLOW;
        answers.lock().unwrap_or_else(PoisonError::into_inner).push((number, slow, outcome));
        Ok(())
    })?;
    let copies =
        case.host.routes.iter().any(|route| route.policy.as_ref().is_some_and(|policy| policy.shadow.is_some()));
    let delays = case.host.routes.iter().any(|route| {
        route.policy.as_ref().is_some_and(|policy| policy.faults.as_ref().is_some_and(|faults| faults.delay.is_some()))
    });
    if copies {
        planes.settle();
    }
    let mut counts = Counts::new();
    for (number, slow, outcome) in answers.into_inner().unwrap_or_else(PoisonError::into_inner) {
        // Nobody waits for copies: they may have come after the answer.
        let late = planes.arrived(&format!("{name}-{number}"), side);
        let copy = |arrival: &Arrival| arrival.request.header("host").is_some_and(|host| host.ends_with("-shadow"));
        let named = |arrival: &Arrival| match copy(arrival) {
            true => format!("a copy for {}", arrival.upstream),
            false => arrival.upstream.clone(),
        };
        let mut upstreams: Vec<_> = outcome.arrivals.iter().chain(&late).map(named).collect();
        upstreams.sort_unstable();
        let answer = match &outcome.answer {
            Ok(answer) => answer.status().unwrap_or_default().to_string(),
            Err(error) => error.clone(),
        };
        let slow = if slow && delays { ", late" } else { "" };
        *counts.entry(format!("{answer} of {upstreams:?}{slow}")).or_default() += 1;
    }
    Ok(counts)
}

/// The request, with its number.
fn numbered(request: &Request, number: usize) -> Request {
    let mut request = request.clone();
    for (_, value) in &mut request.headers {
        *value = value.replace(NUMBER, &number.to_string());
    }
    request
}

/// How far two counts are apart, each of `times`; see [`FURTHEST`].
fn distance(ours: usize, envoys: usize, times: usize) -> f64 {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let (n, a, b) = (float(times), float(ours) / float(times), float(envoys) / float(times));
    let mean = f64::midpoint(a, b);
    n * (relative_entropy(a, mean) + relative_entropy(b, mean))
}

fn relative_entropy(share: f64, expected: f64) -> f64 {
    let part = |share: f64, expected: f64| if share > 0.0 { share * (share / expected).ln() } else { 0.0 };
    part(share, expected) + part(1.0 - share, 1.0 - expected)
}

fn shown(counts: &Counts) -> String {
    counts.iter().fold(String::new(), |mut text, (what, times)| {
        // Writing to memory does not fail.
        let _ = write!(text, "{times} times {what}; ");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_alone_is_not_told_of() {
        let mut random = fastrand::Rng::with_seed(1);
        for share in [0.0, 0.01, 0.3, 0.5, 0.99, 1.0] {
            for _ in 0..2000 {
                let mut draw = || (0..500).filter(|_| random.f64() < share).count();
                assert!(distance(draw(), draw(), 500) <= FURTHEST, "{share}");
            }
        }
    }

    #[test]
    fn other_shares_are() {
        assert!(distance(0, 75, 1500) > FURTHEST);
        assert!(distance(750, 1000, 1500) > FURTHEST);
        assert!(distance(1500, 1440, 1500) > FURTHEST);
        assert!(distance(750, 800, 1500) <= FURTHEST);
    }
}
