//! The option `faults`: shares, a status and a length of time that make sense.

use serin_api::gateway::{RouteAbort, RouteDelay, RouteFaults};
use serin_api::proxy::{Abort, Delay, Faults};

use crate::option_fault::OptionFault;

/// What `written` comes to; `None` where it asks for nothing. What is wrong with it is added to `faults`.
pub(crate) fn of(written: RouteFaults, faults: &mut Vec<OptionFault>) -> Option<Faults> {
    let RouteFaults { abort, delay } = written;
    let abort = abort.and_then(|RouteAbort { percentage, http_status }| {
        let per_million = per_million(percentage, "faults.abort.percentage", faults);
        let written = http_status.unwrap_or(0);
        let status = u16::try_from(written).ok().filter(|status| (200..600).contains(status));
        if status.is_none() {
            fault(
                faults,
                "faults.abort.httpStatus",
                format!("{written} is not a status to answer with; use 200 to 599"),
            );
        }
        Some(Abort { per_million: per_million?, status: status? })
    });
    let delay = delay.and_then(|RouteDelay { percentage, fixed_delay }| {
        let per_million = per_million(percentage, "faults.delay.percentage", faults);
        let time = fixed_delay.filter(|time| !time.0.is_zero());
        if time.is_none() {
            fault(faults, "faults.delay.fixedDelay", "a delay is longer than 0s".to_owned());
        }
        Some(Delay { per_million: per_million?, time: time? })
    });
    (abort.is_some() || delay.is_some()).then_some(Faults { abort, delay })
}

/// A percentage as a share of a million; four digits behind the point count.
pub(crate) fn per_million(percentage: Option<f64>, field: &str, faults: &mut Vec<OptionFault>) -> Option<u32> {
    let percentage = percentage.unwrap_or(0.0);
    if (0.0..=100.0).contains(&percentage) {
        return Some((percentage * 10_000.0).round() as u32);
    }
    fault(faults, field, format!("{percentage} is no percentage; use 0 to 100"));
    None
}

fn fault(faults: &mut Vec<OptionFault>, field: &str, reason: String) {
    faults.push(OptionFault { field: field.to_owned(), reason });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Option<Faults>, Vec<String>) {
        let mut wrong = Vec::new();
        let faults = of(serde_json::from_value(value).unwrap(), &mut wrong);
        (faults, wrong.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn percentages_become_shares_of_a_million() {
        let (faults, wrong) = of_json(json!({
            "abort": {"percentage": 0.0001, "httpStatus": 503}, "delay": {"percentage": 100, "fixedDelay": "250ms"},
        }));
        assert_eq!(wrong, [""; 0]);
        let faults = faults.unwrap();
        assert_eq!(faults.abort, Some(Abort { per_million: 1, status: 503 }));
        assert_eq!(faults.delay.unwrap().per_million, 1_000_000);
        assert_eq!(of_json(json!({})), (None, Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, expected) in [
            (
                json!({"abort": {"percentage": 100.5, "httpStatus": 500}}),
                "faults.abort.percentage: 100.5 is no percentage",
            ),
            (json!({"abort": {"percentage": -1, "httpStatus": 500}}), "faults.abort.percentage: -1 is no percentage"),
            (json!({"abort": {"percentage": 1}}), "faults.abort.httpStatus: 0 is not a status"),
            (json!({"abort": {"httpStatus": 70000}}), "faults.abort.httpStatus: 70000 is not a status"),
            (json!({"delay": {"percentage": 1}}), "faults.delay.fixedDelay: a delay is longer than 0s"),
            (json!({"delay": {"percentage": 1, "fixedDelay": "0s"}}), "faults.delay.fixedDelay: a delay is"),
        ] {
            let (faults, wrong) = of_json(value);
            assert_eq!(faults, None);
            assert!(wrong.len() == 1 && wrong[0].starts_with(expected), "{wrong:?}");
        }
    }
}
