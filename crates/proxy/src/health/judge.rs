//! Who is ejected, for how long, and who comes back: Envoy's rules for the outliers of one cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::proxy::OutlierDetection;

use super::mark::Mark;
use super::rates::{Rate, threshold};
use super::tally::{Reason, Tally};
use crate::balance::EndpointState;

/// No ejection is longer, unless the first one is.
const LONGEST: Duration = Duration::from_secs(300);

/// One cluster's endpoints before their judge.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rules: Arc<OutlierDetection>,
    accused: Vec<Accused>,
    pub(super) record: Record,
}

/// What became of accusations.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// Ejections that happened, by reason.
    pub(super) ejections: [u64; Reason::ALL.len()],
    /// Ejections that did not happen because as many as may be were ejected already.
    pub(super) overflow: u64,
}

/// An endpoint.
#[derive(Debug)]
struct Accused {
    endpoint: Arc<EndpointState>,
    /// By how many times the next ejection is longer than the first.
    times: u32,
    /// Why it is ejected, and since when.
    ejected: Option<(Reason, Instant)>,
    /// When it came back last.
    back: Option<Instant>,
}

impl Judge {
    pub(super) fn new(rules: OutlierDetection) -> Self {
        Self { rules: Arc::new(rules), accused: Vec::new(), record: Record::default() }
    }

    /// The endpoints from now on. What is known of those that stay is kept.
    pub(super) fn set_endpoints<'e>(&mut self, endpoints: impl Iterator<Item = &'e Arc<EndpointState>>) {
        let mut before = std::mem::take(&mut self.accused);
        self.accused = endpoints
            .map(|endpoint| match before.iter().position(|one| Arc::ptr_eq(&one.endpoint, endpoint)) {
                Some(at) => before.swap_remove(at),
                None => Accused { endpoint: Arc::clone(endpoint), times: 0, ejected: None, back: None },
            })
            .collect();
    }

    /// Counted failures are enough: whether `endpoint` is ejected for them.
    pub(super) fn accuse(
        &mut self,
        endpoint: SocketAddr,
        reason: Reason,
        now: Instant,
        random: &mut fastrand::Rng,
    ) -> bool {
        let Some(at) = self.position(endpoint) else { return false };
        if self.accused[at].ejected.is_some() {
            return false;
        }
        let ejected = self.eject(at, reason, now, random);
        self.accused[at].endpoint.tally.begin_again(reason);
        ejected
    }

    /// An interval is over: whether anybody was ejected or may come back.
    pub(super) fn review(&mut self, now: Instant, random: &mut fastrand::Rng) -> bool {
        let mut changed = false;
        for at in 0..self.accused.len() {
            changed |= self.is_over(at, now) && self.release(at, now);
        }
        changed |= self.compare(Reason::SuccessRate, |tally| &tally.answers, now, random);
        changed |= self.compare(Reason::LocalOriginSuccessRate, |tally| &tally.connections, now, random);
        let interval = self.rules.interval.0;
        let behaved = |one: &Accused| {
            one.ejected.is_none() && one.back.is_some_and(|back| now.saturating_duration_since(back) >= interval)
        };
        for one in self.accused.iter_mut().filter(|one| behaved(one)) {
            one.times = one.times.saturating_sub(1);
        }
        changed
    }

    /// A health check of `endpoint` succeeded, which ends its ejection: whether there was one.
    pub(super) fn acquit(&mut self, endpoint: SocketAddr, now: Instant) -> bool {
        self.position(endpoint).is_some_and(|at| self.accused[at].ejected.is_some() && self.release(at, now))
    }

    /// Nobody is judged here any more: whether anybody comes back.
    pub(super) fn close(&mut self, now: Instant) -> bool {
        (0..self.accused.len()).fold(false, |changed, at| self.release(at, now) | changed)
    }

    /// Those that are ejected, why, and for how long still.
    pub(super) fn ejected(&self, now: Instant) -> impl Iterator<Item = (SocketAddr, (Reason, Duration))> {
        self.accused.iter().filter_map(move |one| {
            let (reason, since) = one.ejected?;
            let left = self.term(one.times).saturating_sub(now.saturating_duration_since(since));
            Some((one.endpoint.address, (reason, left)))
        })
    }

    fn position(&self, endpoint: SocketAddr) -> Option<usize> {
        self.accused.iter().position(|one| one.endpoint.address == endpoint)
    }

    /// How long an ejection lasts that is so many times the first.
    fn term(&self, times: u32) -> Duration {
        let base = self.rules.base_ejection_time.0;
        base.saturating_mul(times).min(LONGEST.max(base))
    }

    fn is_over(&self, at: usize, now: Instant) -> bool {
        let one = &self.accused[at];
        one.ejected.is_some_and(|(_, since)| self.term(one.times) <= now.saturating_duration_since(since))
    }

    fn eject(&mut self, at: usize, reason: Reason, now: Instant, random: &mut fastrand::Rng) -> bool {
        let already = self.accused.iter().filter(|one| one.ejected.is_some()).count();
        if (already + 1) * 100 > usize::from(self.rules.max_ejection_percent) * self.accused.len() {
            self.record.overflow += 1;
            return false;
        }
        if random.u8(..100) >= self.enforcing(reason) {
            return false;
        }
        self.record.ejections[reason as usize] += 1;
        let base = self.rules.base_ejection_time.0;
        let one = &mut self.accused[at];
        if base.saturating_mul(one.times) < LONGEST.max(base) + base {
            one.times += 1;
        }
        one.ejected = Some((reason, now));
        one.endpoint.health.set(Mark::Ejected, true)
    }

    fn release(&mut self, at: usize, now: Instant) -> bool {
        let one = &mut self.accused[at];
        (one.ejected, one.back) = (None, Some(now));
        // Whatever it was ejected for, the others do not count on.
        Reason::ALL.into_iter().for_each(|reason| one.endpoint.tally.begin_again(reason));
        one.endpoint.health.set(Mark::Ejected, false)
    }

    /// Ejects those whose success rate was too far below the others', where enough of them were asked enough.
    fn compare(
        &mut self,
        reason: Reason,
        rate: impl Fn(&Tally) -> &Rate,
        now: Instant,
        random: &mut fastrand::Rng,
    ) -> bool {
        let mut compared = Vec::new();
        for (at, one) in self.accused.iter().enumerate() {
            let (asked, good) = rate(&one.endpoint.tally).take();
            if one.ejected.is_none() && asked > 0 && asked >= self.rules.success_rate_request_volume.into() {
                compared.push((at, good));
            }
        }
        if compared.is_empty() || compared.len() < self.rules.success_rate_minimum_hosts as usize {
            return false;
        }
        let rates: Vec<f64> = compared.iter().map(|(_, rate)| *rate).collect();
        let least = threshold(&rates, self.rules.success_rate_stdev_factor);
        let low = compared.into_iter().filter(|(_, rate)| *rate < least);
        low.fold(false, |changed, (at, _)| self.eject(at, reason, now, random) | changed)
    }

    fn enforcing(&self, reason: Reason) -> u8 {
        let local = self.rules.local_origin;
        match reason {
            Reason::Consecutive5xx => self.rules.enforcing_consecutive_5xx,
            Reason::ConsecutiveGatewayFailure => self.rules.enforcing_consecutive_gateway_failure,
            Reason::SuccessRate => self.rules.enforcing_success_rate,
            Reason::ConsecutiveLocalOriginFailure => local.map_or(0, |local| local.enforcing_consecutive_failure),
            Reason::LocalOriginSuccessRate => local.map_or(0, |local| local.enforcing_success_rate),
        }
    }
}

/// Rules by which nothing but what a test asks for happens.
#[cfg(test)]
pub(super) fn rules() -> OutlierDetection {
    OutlierDetection {
        interval: serin_api::GoDuration(Duration::from_secs(10)),
        base_ejection_time: serin_api::GoDuration(Duration::from_secs(30)),
        max_ejection_percent: 100,
        consecutive_5xx: 5,
        enforcing_consecutive_5xx: 100,
        consecutive_gateway_failure: 0,
        enforcing_consecutive_gateway_failure: 0,
        success_rate_minimum_hosts: 5,
        success_rate_request_volume: 100,
        success_rate_stdev_factor: 1900,
        enforcing_success_rate: 100,
        local_origin: None,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
