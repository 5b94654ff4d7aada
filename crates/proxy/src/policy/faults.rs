//! Faults that a route makes on purpose, drawn for each request.

use std::time::Duration;

use http::StatusCode;
use serin_api::proxy::Faults;

use crate::error::CompileError;

/// Compiled [`Faults`].
#[derive(Debug)]
pub(crate) struct CompiledFaults {
    abort: Option<(u32, StatusCode)>,
    delay: Option<(u32, Duration)>,
}

impl CompiledFaults {
    pub(crate) fn new(faults: &Faults) -> Result<Self, CompileError> {
        let abort = faults.abort.map(|abort| {
            let status = StatusCode::from_u16(abort.status).map_err(|_| CompileError::Status(abort.status))?;
            Ok((abort.per_million, status))
        });
        let delay = faults.delay.map(|delay| (delay.per_million, delay.time.0));
        Ok(Self { abort: abort.transpose()?, delay })
    }

    /// How long this request is held up, if it is.
    pub(crate) fn delay(&self, random: &mut fastrand::Rng) -> Option<Duration> {
        self.delay.filter(|(share, _)| random.u32(..1_000_000) < *share).map(|(_, time)| time)
    }

    /// What this request is answered with, if it is not forwarded.
    pub(crate) fn abort(&self, random: &mut fastrand::Rng) -> Option<StatusCode> {
        self.abort.filter(|(share, _)| random.u32(..1_000_000) < *share).map(|(_, status)| status)
    }
}

#[cfg(test)]
mod tests {
    use serin_api::proxy::Abort;

    use super::*;

    #[test]
    fn shares_are_kept() {
        let mut random = fastrand::Rng::with_seed(1);
        for (per_million, expected) in [(0, 0..=0), (250_000, 24_000..=26_000), (1_000_000, 100_000..=100_000)] {
            let faults = Faults { abort: Some(Abort { per_million, status: 503 }), delay: None };
            let faults = CompiledFaults::new(&faults).unwrap();
            let aborted = (0..100_000).filter(|_| faults.abort(&mut random).is_some()).count();
            assert!(expected.contains(&aborted), "{per_million}: {aborted}");
            assert_eq!(faults.delay(&mut random), None);
        }
    }
}
