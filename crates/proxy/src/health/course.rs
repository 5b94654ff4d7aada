//! What the answers to health checks come to: how many it takes, and how long to wait for the next. Envoy's rules.

use std::sync::Arc;
use std::time::Duration;

use serin_api::proxy::HealthCheck;

use super::mark::{EndpointHealth, Mark};

/// The health checks of one endpoint, one after the other.
#[derive(Debug)]
pub(super) struct Course {
    check: Arc<HealthCheck>,
    first: bool,
    good: u32,
    bad: u32,
}

/// Why a check failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There was no answer.
    Silence(String),
    /// The answer was bad, which is enough by itself.
    Answer(String),
}

impl Failure {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Silence(reason) | Self::Answer(reason) => reason,
        }
    }
}

/// What an answer meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing new.
    Same,
    /// A change, if more like it follow.
    Pending,
    /// A change.
    Changed,
}

impl Course {
    pub(super) fn new(check: Arc<HealthCheck>) -> Self {
        Self { check, first: true, good: 0, bad: 0 }
    }

    /// Takes an answer in and marks the endpoint by it.
    pub(super) fn take(&mut self, answer: &Result<(), Failure>, health: &EndpointHealth) -> Meaning {
        let first = std::mem::replace(&mut self.first, false);
        let unhealthy = health.has(Mark::Unhealthy);
        let enough = match answer {
            Ok(()) => {
                self.bad = 0;
                self.good += u32::from(unhealthy);
                unhealthy.then_some(first || self.good >= self.check.healthy_threshold)
            }
            Err(failure) => {
                self.good = 0;
                self.bad += u32::from(!unhealthy);
                let at_once = first || matches!(failure, Failure::Answer(_));
                (!unhealthy).then_some(at_once || self.bad >= self.check.unhealthy_threshold)
            }
        };
        match enough {
            None => Meaning::Same,
            Some(false) => Meaning::Pending,
            Some(true) => {
                (self.good, self.bad) = (0, 0);
                health.set(Mark::Unhealthy, answer.is_err());
                Meaning::Changed
            }
        }
    }

    /// How long to wait after an answer. `traffic`: the cluster has had requests.
    pub(super) fn wait(&self, good: bool, meaning: Meaning, traffic: bool, random: &mut fastrand::Rng) -> Duration {
        let check = &self.check;
        let wait = match (traffic, good, meaning == Meaning::Pending) {
            (false, ..) => check.no_traffic_interval,
            (true, true, false) => check.interval,
            (true, true, true) => check.healthy_edge_interval,
            (true, false, false) => check.unhealthy_interval,
            (true, false, true) => check.unhealthy_edge_interval,
        };
        let percent = f64::from(check.interval_jitter_percent) / 100.0;
        let share = wait.0.mul_f64((percent * random.f64()).clamp(0.0, 1e6));
        (wait.0 + share + up_to(check.interval_jitter.0, random)).max(Duration::from_millis(1))
    }

    /// How long the first question waits.
    pub(super) fn first_wait(&self, random: &mut fastrand::Rng) -> Duration {
        up_to(self.check.initial_jitter.0, random)
    }
}

/// A random time below `longest`.
fn up_to(longest: Duration, random: &mut fastrand::Rng) -> Duration {
    longest.mul_f64(random.f64())
}

/// A check that nobody asks by.
#[cfg(test)]
pub(super) fn check() -> HealthCheck {
    let time = |seconds| serin_api::GoDuration(Duration::from_secs(seconds));
    HealthCheck {
        timeout: time(1),
        interval: time(1),
        no_traffic_interval: time(60),
        unhealthy_interval: time(2),
        unhealthy_edge_interval: time(3),
        healthy_edge_interval: time(4),
        initial_jitter: time(0),
        interval_jitter: time(0),
        interval_jitter_percent: 0,
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        reuse_connection: true,
        logs_failures: false,
        question: serin_api::proxy::Question::Tcp { send: Vec::new(), receive: Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence() -> Result<(), Failure> {
        Err(Failure::Silence("no answer".to_owned()))
    }

    fn bad() -> Result<(), Failure> {
        Err(Failure::Answer("no".to_owned()))
    }

    /// What each of `answers` means to an endpoint that begins unhealthy, and whether it is healthy then.
    fn course(answers: &[Result<(), Failure>]) -> Vec<(Meaning, bool)> {
        let health = EndpointHealth::default();
        health.set(Mark::Unhealthy, true);
        let mut course = Course::new(Arc::new(check()));
        answers.iter().map(|answer| (course.take(answer, &health), health.is_good())).collect()
    }

    #[test]
    fn the_first_good_answer_is_enough_and_later_ones_are_counted() {
        use Meaning::{Changed, Pending, Same};
        assert_eq!(course(&[Ok(()), Ok(())]), [(Changed, true), (Same, true)]);
        assert_eq!(
            course(&[silence(), Ok(()), silence(), Ok(()), Ok(())]),
            [(Same, false), (Pending, false), (Same, false), (Pending, false), (Changed, true)]
        );
        assert_eq!(
            course(&[Ok(()), silence(), silence(), Ok(()), silence(), silence(), silence()]),
            [
                (Changed, true),
                (Pending, true),
                (Pending, true),
                (Same, true),
                (Pending, true),
                (Pending, true),
                (Changed, false)
            ]
        );
        assert_eq!(course(&[Ok(()), bad()]), [(Changed, true), (Changed, false)]);
    }

    #[test]
    fn a_healthy_one_that_is_checked_anew_has_one_chance() {
        let health = EndpointHealth::default();
        let mut course = Course::new(Arc::new(check()));
        assert_eq!(course.take(&silence(), &health), Meaning::Changed);
        assert!(!health.is_good());
    }

    #[test]
    fn what_comes_next_says_how_long_to_wait() {
        let random = &mut fastrand::Rng::with_seed(1);
        let course = Course::new(Arc::new(check()));
        let mut seconds = |good, meaning, traffic| course.wait(good, meaning, traffic, random).as_secs();
        assert_eq!(seconds(true, Meaning::Same, true), 1);
        assert_eq!(seconds(false, Meaning::Same, true), 2);
        assert_eq!(seconds(false, Meaning::Pending, true), 3);
        assert_eq!(seconds(true, Meaning::Pending, true), 4);
        assert_eq!(seconds(true, Meaning::Same, false), 60);
        let jitter = HealthCheck { interval_jitter_percent: 50, interval_jitter: check().interval, ..check() };
        let course = Course::new(Arc::new(jitter));
        for _ in 0..100 {
            let wait = course.wait(true, Meaning::Same, true, random).as_secs_f64();
            assert!((1.0..2.5).contains(&wait), "{wait}");
        }
    }
}
