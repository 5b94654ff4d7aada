//! Whether what became of a try asks for another one.

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};
use serin_api::proxy::{Retries, RetryCondition};

/// Envoy's defaults: the first interval, and how much longer the longest one is.
const BASE: Duration = Duration::from_millis(25);
const LONGEST: u32 = 10;

const RATE_LIMITED: &str = "x-envoy-ratelimited";
const GRPC_STATUS: &str = "grpc-status";

/// A compiled [`Retries`].
#[derive(Debug)]
pub(crate) struct CompiledRetries {
    /// One bit for each condition.
    on: u32,
    pub(crate) times: u32,
    pub(crate) per_try: Option<Duration>,
    /// The first interval and the longest.
    pub(crate) back_off: (Duration, Duration),
    status_codes: Vec<u16>,
    reset: Option<Box<Reset>>,
}

/// How a response asks for a wait.
#[derive(Debug)]
struct Reset {
    /// Headers that ask for it, and whether each names a moment.
    headers: Vec<(HeaderName, bool)>,
    longest: Duration,
}

/// What became of a try that got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// No connection.
    Unconnected,
    /// A connection, which ended or spoke something else, or on which nothing came in time. `sent`: some of the request
    /// had gone out.
    Broken { sent: bool },
    /// The upstream refused its stream.
    Refused { sent: bool },
}

impl CompiledRetries {
    pub(crate) fn new(retries: &Retries) -> Self {
        let (base, max) = retries.back_off.map_or((BASE, None), |back_off| (back_off.base.0, back_off.max));
        Self {
            on: retries.on.iter().fold(0, |on, condition| on | bit(*condition)),
            times: retries.times,
            per_try: retries.per_try_timeout.map(|timeout| timeout.0),
            back_off: (base, max.map_or(base.saturating_mul(LONGEST), |max| max.0)),
            status_codes: retries.status_codes.clone(),
            reset: retries.rate_limited.as_ref().map(|limited| {
                let name = |(name, moment): &(String, bool)| Some((name.parse().ok()?, *moment));
                Box::new(Reset {
                    headers: limited.headers.iter().filter_map(name).collect(),
                    longest: limited.longest.0,
                })
            }),
        }
    }

    fn any(&self, conditions: &[RetryCondition]) -> bool {
        conditions.iter().any(|condition| self.on & bit(*condition) != 0)
    }

    /// Whether a response asks for another try.
    pub(crate) fn after_response(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        use RetryCondition as On;
        // Whoever limits the rate does not want the request again, unless told so.
        if headers.contains_key(RATE_LIMITED) {
            return self.any(&[On::EnvoyRateLimited]);
        }
        let status = status.as_u16();
        (status >= 500 && self.any(&[On::ServerError]))
            || (matches!(status, 502..=504) && self.any(&[On::GatewayError]))
            || (status == 409 && self.any(&[On::Retriable4xx]))
            || (self.status_codes.contains(&status) && self.any(&[On::RetriableStatusCodes]))
            || grpc(headers).is_some_and(|condition| self.any(&[condition]))
    }

    /// How long a response asks to be left in peace, if it does. `now` is the time since 1970.
    pub(crate) fn asked_wait(&self, headers: &HeaderMap, now: impl Fn() -> Duration) -> Option<Duration> {
        let Reset { headers: names, longest } = self.reset.as_deref()?;
        let wait = |(name, moment): &(HeaderName, bool)| {
            let seconds = headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok()?;
            match moment {
                true => seconds.checked_sub(now().as_secs()).map(Duration::from_secs),
                false => Some(Duration::from_secs(seconds)),
            }
        };
        names.iter().filter_map(wait).find(|wait| wait <= longest).filter(|wait| !wait.is_zero())
    }

    /// Whether it is to be tried again without a response.
    pub(crate) fn after_no_response(&self, what: NoResponse) -> bool {
        use RetryCondition as On;
        self.any(&[On::ServerError, On::GatewayError, On::Reset])
            || match what {
                NoResponse::Unconnected => self.any(&[On::ConnectFailure, On::ResetBeforeRequest]),
                NoResponse::Refused { sent } => {
                    self.any(&[On::RefusedStream]) || (!sent && self.any(&[On::ResetBeforeRequest]))
                }
                NoResponse::Broken { sent } => !sent && self.any(&[On::ResetBeforeRequest]),
            }
    }
}

fn bit(condition: RetryCondition) -> u32 {
    1 << condition as u32
}

/// The condition for a gRPC status that comes in the headers. One in the trailers comes too late.
fn grpc(headers: &HeaderMap) -> Option<RetryCondition> {
    match headers.get(GRPC_STATUS)?.as_bytes() {
        b"1" => Some(RetryCondition::Cancelled),
        b"4" => Some(RetryCondition::DeadlineExceeded),
        b"8" => Some(RetryCondition::ResourceExhausted),
        b"13" => Some(RetryCondition::Internal),
        b"14" => Some(RetryCondition::Unavailable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serin_api::proxy::RateLimitedBackOff;

    use super::*;

    fn compiled(on: &[RetryCondition]) -> CompiledRetries {
        let on = on.iter().copied().collect();
        let retries = Retries {
            on,
            times: 1,
            per_try_timeout: None,
            back_off: None,
            status_codes: vec![404],
            rate_limited: Some(RateLimitedBackOff {
                headers: vec![("retry-after".to_owned(), false), ("reset".to_owned(), true)],
                longest: serin_api::GoDuration(Duration::from_secs(60)),
            }),
        };
        CompiledRetries::new(&retries)
    }

    fn after(on: RetryCondition, status: u16, header: Option<(&'static str, &'static str)>) -> bool {
        let headers = header
            .into_iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
        compiled(&[on]).after_response(StatusCode::from_u16(status).unwrap(), &headers.collect())
    }

    #[test]
    fn each_condition_has_its_responses() {
        use RetryCondition as On;
        for (on, yes, no) in [
            (On::ServerError, 500, 404),
            (On::ServerError, 503, 200),
            (On::GatewayError, 502, 500),
            (On::GatewayError, 504, 501),
            (On::Retriable4xx, 409, 404),
            (On::RetriableStatusCodes, 404, 503),
        ] {
            assert!(after(on, yes, None), "{on:?} {yes}");
            assert!(!after(on, no, None), "{on:?} {no}");
        }
        for (on, status) in [
            (On::Cancelled, "1"),
            (On::DeadlineExceeded, "4"),
            (On::ResourceExhausted, "8"),
            (On::Internal, "13"),
            (On::Unavailable, "14"),
        ] {
            assert!(after(on, 200, Some(("grpc-status", status))), "{on:?}");
            assert!(!after(on, 200, Some(("grpc-status", "0"))), "{on:?}");
            assert!(!after(on, 503, None), "{on:?}");
        }
    }

    #[test]
    fn a_rate_limit_is_respected() {
        let limited = Some(("x-envoy-ratelimited", "true"));
        assert!(!after(RetryCondition::ServerError, 503, limited));
        assert!(after(RetryCondition::EnvoyRateLimited, 429, limited));
        assert!(!after(RetryCondition::EnvoyRateLimited, 429, None));
    }

    #[test]
    fn a_response_may_ask_to_be_left_in_peace() {
        let policy = compiled(&[]);
        for (headers, expected) in [
            (&[("retry-after", "5")] as &[_], Some(5)),
            (&[("reset", "1007")], Some(7)),
            (&[("retry-after", "5"), ("reset", "1007")], Some(5)),
            (&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), ("reset", "1007")], Some(7)),
            // Too long, or over.
            (&[("retry-after", "61"), ("reset", "1060")], Some(60)),
            (&[("retry-after", "61")], None),
            (&[("reset", "999")], None),
            (&[("retry-after", "0")], None),
            (&[("retry-after", "-1")], None),
            (&[], None),
        ] {
            let all =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let wait = policy.asked_wait(&all.collect(), || Duration::from_millis(1_000_900));
            assert_eq!(wait, expected.map(Duration::from_secs), "{headers:?}");
        }
    }

    #[test]
    fn silence_has_its_conditions() {
        use NoResponse::{Broken, Unconnected};
        use RetryCondition as On;
        let sent = Broken { sent: true };
        let unsent = Broken { sent: false };
        for (on, expected) in [
            (On::ServerError, [true, true, true]),
            (On::GatewayError, [true, true, true]),
            (On::Reset, [true, true, true]),
            (On::ConnectFailure, [true, false, false]),
            (On::ResetBeforeRequest, [true, true, false]),
            (On::RefusedStream, [false, false, false]),
            (On::Retriable4xx, [false, false, false]),
        ] {
            let policy = compiled(&[on]);
            assert_eq!([Unconnected, unsent, sent].map(|what| policy.after_no_response(what)), expected, "{on:?}");
        }
    }
}
