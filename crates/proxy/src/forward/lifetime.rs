//! How long a request may take from its beginning to the end of its response, as its route or listener says.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::exchange::Exchange;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Digits that a `grpc-timeout` may have.
const GRPC_DIGITS: usize = 8;

/// Remembers how long the request with these `headers` may take. Where its route says so, a call of gRPC tells the
/// upstream the same.
pub(super) fn begin(exchange: &mut Exchange, headers: &mut HeaderMap) {
    let lifetime = of(exchange, headers);
    let is_grpc = exchange.notes().is_some_and(|notes| notes.grpc);
    if is_grpc && exchange.policy.as_ref().is_some_and(|policy| policy.max_stream().is_some()) {
        match lifetime.and_then(|time| HeaderValue::try_from(written(time)).ok()) {
            Some(time) => headers.insert(GRPC_TIMEOUT, time),
            None => headers.remove(GRPC_TIMEOUT),
        };
    }
    if lifetime.is_some() {
        exchange.note().lifetime = lifetime;
    }
}

/// How long the request with these `headers` may take; `None`: as long as it likes.
fn of(exchange: &Exchange, headers: &HeaderMap) -> Option<Duration> {
    let listeners = || exchange.connection.max_stream();
    let Some(limits) = exchange.policy.as_ref().and_then(|policy| policy.max_stream()) else { return listeners() };
    if let Some(most) = limits.grpc_most
        && let Some(asked) = headers.get(GRPC_TIMEOUT).and_then(|value| grpc_timeout(value.to_str().ok()?))
    {
        let granted = if most.0.is_zero() { asked } else { asked.min(most.0) };
        return Some(granted.saturating_sub(limits.grpc_offset.unwrap_or_default().0));
    }
    match limits.most {
        Some(most) => (!most.0.is_zero()).then_some(most.0),
        None => listeners(),
    }
}

/// A length of time as gRPC writes it, in whole milliseconds: digits and a unit.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = digits.len() <= GRPC_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    let milliseconds = |parts: u64| Duration::from_millis(number.div_ceil(parts));
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => milliseconds(1),
        "u" => milliseconds(1000),
        "n" => milliseconds(1_000_000),
        _ => return None,
    })
}

/// The same the other way: the smallest unit from milliseconds on that leaves few enough digits.
fn written(time: Duration) -> String {
    let most = 99_999_999;
    let units = [(1, 'm'), (1000, 'S'), (60_000, 'M'), (3_600_000, 'H')];
    let parts = units.map(|(length, unit)| (time.as_millis() / length, unit));
    let fits = parts.into_iter().find(|(number, _)| *number <= most);
    let (number, unit) = fits.unwrap_or((most, 'H'));
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_grpc_is_digits_and_a_unit() {
        for (text, expected) in [
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("0S", Some(Duration::ZERO)),
            ("300m", Some(Duration::from_millis(300))),
            ("5u", Some(Duration::from_millis(1))),
            ("2000001n", Some(Duration::from_millis(3))),
        ] {
            assert_eq!(grpc_timeout(text), expected, "{text}");
        }
        for (milliseconds, expected) in
            [(0, "0m"), (200, "200m"), (99_999_999, "99999999m"), (100_000_000, "100000S"), (u64::MAX, "99999999H")]
        {
            assert_eq!(written(Duration::from_millis(milliseconds)), expected);
        }
        for bad in ["", "S", "5", "5s", "-1S", "+1S", "1.5S", "100000000S", " 1S", "1 S", "\u{e9}"] {
            assert_eq!(grpc_timeout(bad), None, "{bad}");
        }
    }
}
