//! A request that may be tried again: how often still, where it has been, and how long to wait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serin_api::ResponseFlag;

use crate::balance::RetryPermit;
use crate::http1::ResponseHead;
use crate::policy::{CompiledPolicy, CompiledRetries, NoResponse};
use crate::worker::{LocalDestination, Worker};

/// The retries of one request.
pub(super) struct Retrying {
    policy: Arc<CompiledRetries>,
    left: u32,
    interval: Duration,
    tried: Vec<SocketAddr>,
    permit: Option<RetryPermit>,
    /// Why it is not tried once more, though the route asks for it.
    given_up: Option<ResponseFlag>,
}

/// What became of a try.
pub(super) enum Outcome<'r> {
    Response(&'r ResponseHead),
    None(NoResponse),
}

impl Retrying {
    /// `None`: the route does not try again.
    pub(super) fn new(policy: Option<&CompiledPolicy>) -> Option<Self> {
        let policy = policy?.retries()?;
        let (left, interval) = (policy.times, policy.back_off.0);
        Some(Self { policy: Arc::clone(policy), left, interval, tried: Vec::new(), permit: None, given_up: None })
    }

    /// Which try the next one is.
    pub(super) fn attempt(&self) -> u32 {
        self.policy.times - self.left + 1
    }

    /// The endpoints that it has been sent to.
    pub(super) fn tried(&self) -> &[SocketAddr] {
        &self.tried
    }

    /// Why it was given up, though the route asks for another try.
    pub(super) fn given_up(&self) -> Option<ResponseFlag> {
        self.given_up
    }

    /// Whether the request is to be tried again after `outcome` at `address`, and how long to wait first.
    pub(super) fn again(
        &mut self,
        outcome: &Outcome<'_>,
        address: SocketAddr,
        destination: &LocalDestination,
        worker: &Worker,
    ) -> Option<Duration> {
        self.permit = None;
        let asked = match outcome {
            Outcome::Response(head) => self.policy.after_response(head.status, &head.headers),
            Outcome::None(what) => self.policy.after_no_response(*what),
        };
        if !asked {
            return None;
        }
        if self.left == 0 {
            self.given_up = Some(ResponseFlag::RetriesExhausted);
            return None;
        }
        self.permit = destination.permit_retry();
        if self.permit.is_none() {
            worker.counters.upstream_retries_refused.add(1);
            self.given_up = Some(ResponseFlag::UpstreamOverflow);
            return None;
        }
        self.left -= 1;
        self.tried.push(address);
        let share = worker.random.borrow_mut().f64();
        if let Outcome::Response(head) = outcome
            && let Some(asked) = self.policy.asked_wait(&head.headers, since_1970)
        {
            return Some(asked.mul_f64(1.0 + share / 2.0));
        }
        let wait = self.interval.mul_f64(share);
        self.interval = self.interval.saturating_mul(2).min(self.policy.back_off.1);
        Some(wait)
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
