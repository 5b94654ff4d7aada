//! When a container that ended starts again, and when its pod is done.

use std::time::Duration;

/// Whether containers start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartPolicy {
    Always,
    OnFailure,
    Never,
}

impl RestartPolicy {
    pub(crate) fn parse(text: Option<&str>) -> RestartPolicy {
        match text {
            Some("OnFailure") => RestartPolicy::OnFailure,
            Some("Never") => RestartPolicy::Never,
            _ => RestartPolicy::Always,
        }
    }

    pub(crate) fn restarts(self, exit_code: i32) -> bool {
        match self {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => exit_code != 0,
            RestartPolicy::Never => false,
        }
    }
}

/// How long a container waits before it starts again. The defaults are Kubernetes'.
#[derive(Clone, Copy, Debug)]
pub struct BackOff {
    /// The wait before the second restart; it doubles with each further one. The first restart waits for nothing.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// A run as long as this makes up for what was before.
    pub forgiven_after: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        BackOff {
            first: Duration::from_secs(10),
            longest: Duration::from_secs(300),
            forgiven_after: Duration::from_secs(600),
        }
    }
}

impl BackOff {
    /// The wait after `failures` runs in a row that have ended.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        match failures {
            0 | 1 => Duration::ZERO,
            more => self.first.saturating_mul(1 << (more - 2).min(20)).min(self.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let seconds: Vec<u64> = (1..=8).map(|n| BackOff::default().delay(n).as_secs()).collect();
        assert_eq!(seconds, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(BackOff::default().delay(u32::MAX).as_secs(), 300);
    }

    #[test]
    fn policies() {
        let restarts = |policy, code| RestartPolicy::parse(Some(policy)).restarts(code);
        assert!(restarts("Always", 0) && restarts("OnFailure", 1));
        assert!(!restarts("OnFailure", 0) && !restarts("Never", 1));
        assert!(RestartPolicy::parse(None).restarts(0));
    }
}
