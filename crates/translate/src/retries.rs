//! The option `retries`: which conditions there are, and which lengths of time make sense.

use std::collections::BTreeSet;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::gateway::{RateLimitedRetryBackOff, ResetHeader, ResetHeaderFormat, RetryBackOff, RetryPolicy};
use serin_api::proxy::{BackOff, RateLimitedBackOff, Retries, RetryCondition};

use crate::option_fault::OptionFault;

/// The shortest interval between two tries.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest wait that a response may ask for where nothing is said (as in Envoy).
const LONGEST_ASKED: GoDuration = GoDuration(Duration::from_secs(300));

/// What `written` comes to. What is wrong with it is added to `faults`.
pub(crate) fn of(written: RetryPolicy, faults: &mut Vec<OptionFault>) -> Retries {
    let mut fault =
        |field: &str, reason: String| faults.push(OptionFault { field: format!("retries.{field}"), reason });
    let RetryPolicy {
        retry_on,
        num_retries,
        per_try_timeout,
        retry_back_off,
        retriable_status_codes,
        rate_limited_retry_back_off,
    } = written;
    let mut on = BTreeSet::new();
    for name in retry_on.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        match RetryCondition::ALL.iter().find(|condition| condition.as_str() == name) {
            Some(condition) => {
                on.insert(*condition);
            }
            None => {
                let known: Vec<_> = RetryCondition::ALL.iter().map(|condition| condition.as_str()).collect();
                fault("retryOn", format!("{name:?} is no condition; use some of {}", known.join(", ")));
            }
        }
    }
    let mut status_codes = Vec::with_capacity(retriable_status_codes.len());
    for (place, code) in retriable_status_codes.into_iter().enumerate() {
        match u16::try_from(code).ok().filter(|code| (100..600).contains(code)) {
            Some(code) => status_codes.push(code),
            None => {
                fault(&format!("retriableStatusCodes[{place}]"), format!("{code} is no status code; use 100 to 599"))
            }
        }
    }
    let back_off = match retry_back_off.map(back_off).transpose() {
        Ok(back_off) => back_off.flatten(),
        Err((field, reason)) => {
            fault(&format!("retryBackOff.{field}"), reason);
            None
        }
    };
    let rate_limited = rate_limited_retry_back_off.and_then(|written| {
        rate_limited(written).map_err(|(field, reason)| fault(&format!("rateLimitedRetryBackOff.{field}"), reason)).ok()
    });
    Retries {
        on,
        // As in Gloo, 0 counts as unset.
        times: num_retries.filter(|times| *times > 0).unwrap_or(1),
        per_try_timeout: per_try_timeout.filter(|timeout| !timeout.0.is_zero()),
        back_off,
        status_codes,
        rate_limited,
    }
}

fn rate_limited(written: RateLimitedRetryBackOff) -> Result<RateLimitedBackOff, (String, String)> {
    let RateLimitedRetryBackOff { reset_headers, max_interval } = written;
    let longest = max_interval.unwrap_or(LONGEST_ASKED);
    if longest.0 < SHORTEST {
        return Err(("maxInterval".to_owned(), format!("{longest} is too short; use at least 1ms")));
    }
    if reset_headers.is_empty() {
        return Err(("resetHeaders".to_owned(), "it is missing; name the headers that say when".to_owned()));
    }
    let header = |(place, header): (usize, ResetHeader)| {
        let ResetHeader { name, format } = header;
        match is_header_name(&name) {
            true => Ok((name.to_ascii_lowercase(), format.unwrap_or_default() == ResetHeaderFormat::UnixTimestamp)),
            false => Err((format!("resetHeaders[{place}].name"), format!("{name:?} is not a header name"))),
        }
    };
    let headers = reset_headers.into_iter().enumerate().map(header).collect::<Result<_, _>>()?;
    Ok(RateLimitedBackOff { headers, longest })
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$&'*+^`|~".contains(&byte))
}

fn back_off(written: RetryBackOff) -> Result<Option<BackOff>, (&'static str, String)> {
    match (written.base_interval, written.max_interval) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(("baseInterval", "it is missing, and maxInterval needs it".to_owned())),
        (Some(base), _) if base.0 < SHORTEST => Err(("baseInterval", format!("{base} is too short; use at least 1ms"))),
        (Some(base), Some(max)) if max < base => {
            Err(("maxInterval", format!("{max} is shorter than baseInterval ({base})")))
        }
        (Some(base), max) => Ok(Some(BackOff { base, max })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Retries, Vec<String>) {
        let mut faults = Vec::new();
        let retries = of(serde_json::from_value(value).unwrap(), &mut faults);
        (retries, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn retries_are_read() {
        let (retries, faults) = of_json(json!({
            "retryOn": "5xx, retriable-status-codes,unavailable", "numRetries": 3, "perTryTimeout": "2s",
            "retryBackOff": {"baseInterval": "10ms", "maxInterval": "1s"}, "retriableStatusCodes": [404],
        }));
        assert_eq!(faults, [""; 0]);
        let on = [RetryCondition::ServerError, RetryCondition::RetriableStatusCodes, RetryCondition::Unavailable];
        assert_eq!(retries.on, BTreeSet::from(on));
        assert_eq!((retries.times, retries.status_codes), (3, vec![404]));
        assert_eq!(retries.per_try_timeout.unwrap().to_string(), "2s");
        assert_eq!(retries.back_off.unwrap().max.unwrap().to_string(), "1s");
    }

    #[test]
    fn what_is_left_out_is_as_in_gloo() {
        let (retries, faults) = of_json(json!({"numRetries": 0, "perTryTimeout": "0s", "retryBackOff": {}}));
        assert_eq!(faults, [""; 0]);
        let expected = Retries {
            on: BTreeSet::new(),
            times: 1,
            per_try_timeout: None,
            back_off: None,
            status_codes: Vec::new(),
            rate_limited: None,
        };
        assert_eq!(retries, expected);
    }

    #[test]
    fn headers_that_say_when_are_read() {
        let (retries, faults) = of_json(json!({"rateLimitedRetryBackOff": {"maxInterval": "60s", "resetHeaders": [
            {"name": "Retry-After"}, {"name": "X-RateLimit-Reset", "format": "UNIX_TIMESTAMP"},
        ]}}));
        assert_eq!(faults, [""; 0]);
        let limited = retries.rate_limited.unwrap();
        assert_eq!(limited.headers, [("retry-after".to_owned(), false), ("x-ratelimit-reset".to_owned(), true)]);
        assert_eq!(limited.longest.to_string(), "60s");
        let (retries, _) = of_json(json!({"rateLimitedRetryBackOff": {"resetHeaders": [{"name": "a"}]}}));
        assert_eq!(retries.rate_limited.unwrap().longest, LONGEST_ASKED);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |value, expected: &str| {
            let (_, faults) = of_json(value);
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{faults:?}");
        };
        wrong(json!({"retryOn": "5xx,sometimes"}), "retries.retryOn: \"sometimes\" is no condition; use some of 5xx, ");
        wrong(json!({"retriableStatusCodes": [500, 99]}), "retries.retriableStatusCodes[1]: 99 is no status code");
        wrong(json!({"retriableStatusCodes": [70_000]}), "retries.retriableStatusCodes[0]: 70000 is no status code");
        wrong(json!({"retryBackOff": {"maxInterval": "1s"}}), "retries.retryBackOff.baseInterval: it is missing");
        wrong(json!({"retryBackOff": {"baseInterval": "0s"}}), "retries.retryBackOff.baseInterval: 0s is too short");
        let limited = |limited| json!({"rateLimitedRetryBackOff": limited});
        wrong(limited(json!({})), "retries.rateLimitedRetryBackOff.resetHeaders: it is missing");
        wrong(
            limited(json!({"resetHeaders": [{"name": "a"}, {"name": "b c"}]})),
            "retries.rateLimitedRetryBackOff.resetHeaders[1].name: \"b c\" is not a header name",
        );
        wrong(
            limited(json!({"resetHeaders": [{"name": "a"}], "maxInterval": "0s"})),
            "retries.rateLimitedRetryBackOff.maxInterval: 0s is too short",
        );
        wrong(
            json!({"retryBackOff": {"baseInterval": "1s", "maxInterval": "10ms"}}),
            "retries.retryBackOff.maxInterval: 10ms is shorter than baseInterval (1s)",
        );
    }
}
