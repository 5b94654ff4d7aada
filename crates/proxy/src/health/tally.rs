//! What an endpoint's responses add up to. All workers count here, but only for endpoints that somebody judges by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use arc_swap::ArcSwapOption;
use http::StatusCode;
use serin_api::proxy::OutlierDetection;

use super::rates::Rate;

/// What happened to a request that was sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// There was a connection to send it on.
    Connected,
    /// It was answered.
    Answered(StatusCode),
    /// There was no connection, or it broke off.
    Broken,
    /// It took too long.
    TimedOut,
}

/// Why an endpoint is ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Consecutive5xx,
    ConsecutiveGatewayFailure,
    ConsecutiveLocalOriginFailure,
    SuccessRate,
    LocalOriginSuccessRate,
}

impl Reason {
    pub(crate) const ALL: [Self; 5] = [
        Self::Consecutive5xx,
        Self::ConsecutiveGatewayFailure,
        Self::ConsecutiveLocalOriginFailure,
        Self::SuccessRate,
        Self::LocalOriginSuccessRate,
    ];

    /// As Envoy's statistics have it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Consecutive5xx => "consecutive_5xx",
            Self::ConsecutiveGatewayFailure => "consecutive_gateway_failure",
            Self::ConsecutiveLocalOriginFailure => "consecutive_local_origin_failure",
            Self::SuccessRate => "success_rate",
            Self::LocalOriginSuccessRate => "local_origin_success_rate",
        }
    }

    /// The same for people.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Consecutive5xx => "it answered 5xx too often in a row",
            Self::ConsecutiveGatewayFailure => "it answered 502, 503 or 504 too often in a row",
            Self::ConsecutiveLocalOriginFailure => "it could not be reached too often in a row",
            Self::SuccessRate => "its success rate is far below that of the others",
            Self::LocalOriginSuccessRate => "it is reached far less often than the others",
        }
    }
}

/// By which rules an endpoint's responses are counted, and who is told when there are enough.
pub(crate) struct Rules {
    pub(crate) outliers: Arc<OutlierDetection>,
    pub(crate) tell: Box<dyn Fn(Reason) + Send + Sync>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.outliers.fmt(f)
    }
}

/// What an endpoint's responses add up to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Whether there are rules: all that is read where there are none.
    judged: AtomicBool,
    /// How often in a row.
    failures_5xx: AtomicU32,
    gateway_failures: AtomicU32,
    local_failures: AtomicU32,
    rules: ArcSwapOption<Rules>,
    pub(crate) answers: Rate,
    pub(crate) connections: Rate,
}

impl Tally {
    /// Counts by these rules from now on.
    pub(crate) fn set_rules(&self, rules: Option<Arc<Rules>>) {
        self.judged.store(rules.is_some(), Ordering::Relaxed);
        self.rules.store(rules);
    }

    /// Whether anything is counted.
    pub(crate) fn is_judged(&self) -> bool {
        self.judged.load(Ordering::Relaxed)
    }

    /// Counts what happened, where somebody wants to know.
    pub(crate) fn note(&self, happened: Happened) {
        if self.is_judged() {
            self.count(happened);
        }
    }

    #[cold]
    fn count(&self, happened: Happened) {
        let rules = self.rules.load();
        let Some(rules) = rules.as_deref() else { return };
        match (happened, &rules.outliers.local_origin) {
            (Happened::Answered(status), _) => self.answered(status, rules),
            (Happened::Connected, None) => {}
            (Happened::Connected, Some(_)) => {
                self.connections.add(true);
                self.local_failures.store(0, Ordering::Relaxed);
            }
            (Happened::Broken | Happened::TimedOut, Some(local)) => {
                self.connections.add(false);
                if next(&self.local_failures) == local.consecutive_failure {
                    (rules.tell)(Reason::ConsecutiveLocalOriginFailure);
                }
            }
            (Happened::Broken, None) => self.answered(StatusCode::SERVICE_UNAVAILABLE, rules),
            (Happened::TimedOut, None) => self.answered(StatusCode::GATEWAY_TIMEOUT, rules),
        }
    }

    fn answered(&self, status: StatusCode, rules: &Rules) {
        self.answers.add(!status.is_server_error());
        if !status.is_server_error() {
            self.failures_5xx.store(0, Ordering::Relaxed);
            self.gateway_failures.store(0, Ordering::Relaxed);
            return;
        }
        if matches!(status.as_u16(), 502..=504) {
            if next(&self.gateway_failures) == rules.outliers.consecutive_gateway_failure {
                (rules.tell)(Reason::ConsecutiveGatewayFailure);
            }
        } else {
            self.gateway_failures.store(0, Ordering::Relaxed);
        }
        if next(&self.failures_5xx) == rules.outliers.consecutive_5xx {
            (rules.tell)(Reason::Consecutive5xx);
        }
    }

    /// Begins to count again what is in a row, for one reason.
    pub(crate) fn begin_again(&self, reason: Reason) {
        match reason {
            Reason::Consecutive5xx => self.failures_5xx.store(0, Ordering::Relaxed),
            Reason::ConsecutiveGatewayFailure => self.gateway_failures.store(0, Ordering::Relaxed),
            Reason::ConsecutiveLocalOriginFailure => self.local_failures.store(0, Ordering::Relaxed),
            Reason::SuccessRate | Reason::LocalOriginSuccessRate => {}
        }
    }
}

fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

#[cfg(test)]
mod tests {
    use super::super::judge::rules;
    use super::*;
    use parking_lot::Mutex;

    /// What is told after each of `all`.
    fn told(outliers: OutlierDetection, all: &[Happened]) -> Vec<Vec<Reason>> {
        let heard: Arc<Mutex<Vec<Reason>>> = Arc::default();
        let hear = Arc::clone(&heard);
        let tally = Tally::default();
        tally.note(Happened::Broken);
        let tell = Box::new(move |reason| hear.lock().push(reason));
        tally.set_rules(Some(Arc::new(Rules { outliers: Arc::new(outliers), tell })));
        let each = all.iter().map(|happened| {
            tally.note(*happened);
            std::mem::take(&mut *heard.lock())
        });
        each.collect()
    }

    fn answered(status: u16) -> Happened {
        Happened::Answered(StatusCode::from_u16(status).unwrap())
    }

    const FEW: Vec<Reason> = Vec::new();

    #[test]
    fn failures_count_in_a_row() {
        let outliers = OutlierDetection { consecutive_5xx: 3, consecutive_gateway_failure: 2, ..rules() };
        let happened = [500, 502, 200, 502, 500, 503, 503, 503].map(answered);
        let told = told(outliers, &happened);
        use Reason::{Consecutive5xx, ConsecutiveGatewayFailure};
        assert_eq!(
            told,
            [FEW, FEW, FEW, FEW, FEW, vec![Consecutive5xx], vec![ConsecutiveGatewayFailure], FEW],
            "once, when there are enough"
        );
    }

    #[test]
    fn what_breaks_off_counts_as_an_answer_unless_told_apart() {
        let outliers = OutlierDetection { consecutive_5xx: 3, consecutive_gateway_failure: 3, ..rules() };
        let happened = [Happened::Broken, Happened::Connected, Happened::TimedOut, answered(504)];
        let both = vec![Reason::ConsecutiveGatewayFailure, Reason::Consecutive5xx];
        assert_eq!(told(outliers, &happened), [FEW, FEW, FEW, both]);
    }

    #[test]
    fn what_breaks_off_is_told_apart() {
        let local = serin_api::proxy::LocalOrigin {
            consecutive_failure: 2,
            enforcing_consecutive_failure: 100,
            enforcing_success_rate: 100,
        };
        let outliers = OutlierDetection { consecutive_5xx: 2, local_origin: Some(local), ..rules() };
        let happened =
            [Happened::Broken, Happened::Connected, answered(500), Happened::TimedOut, Happened::Broken, answered(500)];
        let way = vec![Reason::ConsecutiveLocalOriginFailure];
        assert_eq!(told(outliers, &happened), [FEW, FEW, FEW, FEW, way, vec![Reason::Consecutive5xx]]);
    }

    #[test]
    fn zero_in_a_row_is_never() {
        let outliers = OutlierDetection { consecutive_5xx: 0, consecutive_gateway_failure: 0, ..rules() };
        assert!(told(outliers, &[answered(503); 50]).concat().is_empty());
    }
}
