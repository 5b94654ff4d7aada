//! A round: many configurations side by side, and the requests that they get.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use serin_api::proxy::{HttpSettings, VirtualHost};

use super::accepted;
use super::case::{self, Case};
use super::error::DifferentialError;
use super::listeners::{self, Configuration, Place};
use super::outcome::Outcome;
use super::planes::Planes;
use super::request::Request;
use super::{chances, configurations, http_settings, manifests, random as random_of, requests, shares, workers};

/// Requests that are under way at a time.
const AT_A_TIME: usize = 4;
/// How often a difference is looked at again before it counts: on a busy machine a connection can break.
const LOOKS: usize = 3;

/// Of so many configurations one is followed by one that is written as teams write them.
const BETWEEN_MANIFESTS: usize = 5;
/// Of so many configurations one is followed by one in which chance decides.
const BETWEEN_CHANCES: usize = 100;
/// Configurations in a row that share a listener of drawn settings.
const ON_ONE_LISTENER: usize = 32;

/// Configurations side by side, and requests to them.
pub(crate) struct Round {
    pub(crate) configuration: Configuration,
    pub(crate) cases: Vec<Played>,
}

/// A request to one of the configurations.
pub(crate) struct Played {
    /// The place of its host in the configuration.
    pub(crate) host: usize,
    /// The number of its listener.
    listener: usize,
    request: Request,
    /// How often it is sent; see [`Case::times`].
    times: Option<usize>,
}

/// What came of a round.
#[derive(Default)]
pub(crate) struct Found {
    /// The numbers of the cases that differ, and how.
    pub(crate) differences: Vec<(usize, (Outcome, Outcome))>,
    /// Differences that did not show a second time.
    pub(crate) passing: usize,
    /// How often each rule explained a difference.
    pub(crate) accepted: BTreeMap<&'static str, usize>,
}

impl Round {
    /// The configurations of these numbers: some on listeners that cut ports off, some on listeners that speak TLS, every
    /// second on one whose settings are drawn.
    ///
    /// # Errors
    /// When what is drawn as manifests comes to nothing.
    pub(crate) fn drawn(seed: u64, numbers: Range<usize>, requests: usize) -> Result<Self, DifferentialError> {
        let mut round = Self { configuration: Configuration::default(), cases: Vec::new() };
        for number in numbers {
            let host = configurations::virtual_host(&mut random_of(seed, number, 0), number);
            let kind = match number % 10 {
                4 | 7 => listeners::TLS,
                1 | 3 | 5 | 9 => listeners::STRIP,
                _ => listeners::PLAIN,
            };
            let http = match number % 4 {
                2 | 3 => http_settings::draw(&mut random_of(seed, number / ON_ONE_LISTENER, 2)),
                _ => HttpSettings::default(),
            };
            let mut random = random_of(seed, number, 1);
            let draw = |_| {
                let sni = (kind == listeners::TLS).then(|| requests::sni(&mut random));
                Request { sni, ..requests::request(&mut random, &host) }
            };
            let drawn = (0..requests).map(draw).collect();
            round.add(Place { kind, http }, host, drawn, None);
            let plain = Place { kind: listeners::PLAIN, http: HttpSettings::default() };
            if number % BETWEEN_MANIFESTS == 0 {
                let mut random = random_of(seed, number, 4);
                let host = manifests::virtual_host(&mut random, number)?;
                let drawn = (0..requests).map(|_| requests::request(&mut random, &host)).collect();
                round.add(plain.clone(), host, drawn, None);
            }
            if number % BETWEEN_CHANCES == 0 {
                let (host, request) = chances::draw(&mut random_of(seed, number, 3), number, number / BETWEEN_CHANCES);
                round.add(plain, host, vec![request], Some(chances::TIMES));
            }
        }
        Ok(round)
    }

    /// Cases that were kept, under domains of their own.
    pub(crate) fn of_cases(kept: Vec<(String, Case)>) -> Self {
        let mut round = Self { configuration: Configuration::default(), cases: Vec::new() };
        for (number, (_, case)) in kept.into_iter().enumerate() {
            if let Some(place) = case.place() {
                let case = case.renamed(case::DOMAIN, &format!("kept{number}"));
                round.add(place, case.host, vec![case.request], case.times);
            }
        }
        round
    }

    fn add(&mut self, place: Place, host: VirtualHost, requests: Vec<Request>, times: Option<usize>) {
        let number = self.configuration.hosts.len();
        let listener = self.configuration.add(place, host);
        self.cases.extend(requests.into_iter().map(|request| Played { host: number, listener, request, times }));
    }

    /// Case `number` by itself.
    pub(crate) fn case(&self, number: usize) -> Case {
        let Played { host, listener, request, times } = &self.cases[number];
        let (_, host) = &self.configuration.hosts[*host];
        let Place { kind, http } = self.configuration.listeners[*listener].clone();
        Case { listener: kind.to_owned(), http, host: (**host).clone(), request: request.clone(), times: *times }
    }

    /// How many requests that is.
    pub(crate) fn requests(&self) -> usize {
        self.cases.iter().map(|case| case.times.unwrap_or(1)).sum()
    }

    /// A name for case `number`.
    pub(crate) fn name(&self, number: usize) -> String {
        let (_, host) = &self.configuration.hosts[self.cases[number].host];
        format!("{}-{number}", host.source.name)
    }
}

/// Sends every request to both; what differs.
///
/// # Errors
/// When a listener is missing.
pub(crate) fn play(planes: &Planes, round: &Round) -> Result<Found, DifferentialError> {
    let found = Mutex::new(Found::default());
    workers::each(round.cases.len(), AT_A_TIME, |number| {
        let listener = round.cases[number].listener;
        let case = round.case(number);
        let mut looks = 0;
        let verdict = loop {
            let verdict = look(planes, listener, &case, &format!("{number}-{looks}"))?;
            looks += 1;
            if !matches!(verdict, Verdict::Differs(..)) || looks == LOOKS {
                break verdict;
            }
        };
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Verdict::Differs(outcomes) => found.differences.push((number, *outcomes)),
            Verdict::Alike(rules) => {
                found.passing += usize::from(looks > 1);
                for rule in rules {
                    *found.accepted.entry(rule).or_default() += 1;
                }
            }
        }
        Ok(())
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.differences.sort_by_key(|(number, _)| *number);
    Ok(found)
}

enum Verdict {
    /// They are alike, but for what these rules explain.
    Alike(Vec<&'static str>),
    Differs(Box<(Outcome, Outcome)>),
}

fn look(planes: &Planes, listener: usize, case: &Case, name: &str) -> Result<Verdict, DifferentialError> {
    if let Some(times) = case.times {
        let differ = shares::look(planes, listener, case, times, name)?;
        return Ok(differ.map_or(Verdict::Alike(Vec::new()), |outcomes| Verdict::Differs(Box::new(outcomes))));
    }
    let (ours, envoys) = planes.play(listener, &case.request, name)?;
    if ours == envoys {
        return Ok(Verdict::Alike(Vec::new()));
    }
    let rules = accepted::rules(case, &ours, &envoys);
    Ok(if rules.is_empty() { Verdict::Differs(Box::new((ours, envoys))) } else { Verdict::Alike(rules) })
}

/// What the two make of `case`, the only one they have, where that differs.
///
/// # Errors
/// When a listener is missing.
pub(crate) fn differ(
    planes: &Planes,
    case: &Case,
    name: &str,
) -> Result<Option<(Outcome, Outcome)>, DifferentialError> {
    Ok(match look(planes, 0, case, name)? {
        Verdict::Alike(_) => None,
        Verdict::Differs(outcomes) => Some(*outcomes),
    })
}
