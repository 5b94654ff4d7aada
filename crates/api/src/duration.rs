//! Lengths of time as manifests have them: `5s`, `250ms`, `1h30m`, `0.5s`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as Go writes one: numbers, each with a unit (`ns`, `us`, `ms`, `s`, `m`, `h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(transparent)]
pub struct GoDuration(#[schemars(with = "String")] pub Duration);

/// Units by name, longest names first, each in nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("\u{3bc}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

impl GoDuration {
    /// Reads `text`. Negative lengths are refused.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::default());
        }
        let (mut rest, mut nanos) = (text, 0.0);
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
            let (number, tail) = rest.split_at(digits);
            let (unit, scale) = UNITS.iter().find(|(unit, _)| {
                tail.strip_prefix(unit).is_some_and(|next| !next.starts_with(|c: char| c.is_alphabetic()))
            })?;
            nanos += number.parse::<f64>().ok()? * scale;
            rest = &tail[unit.len()..];
        }
        // What Go's own duration holds at most.
        let fits = !text.is_empty() && nanos <= i64::MAX as f64;
        fits.then(|| Self(Duration::from_nanos(nanos.round() as u64)))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_nanos() {
            nanos if nanos % 1_000_000_000 == 0 => write!(f, "{}s", nanos / 1_000_000_000),
            nanos if nanos % 1_000_000 == 0 => write!(f, "{}ms", nanos / 1_000_000),
            nanos if nanos % 1000 == 0 => write!(f, "{}us", nanos / 1000),
            nanos => write!(f, "{nanos}ns"),
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format_args!("{text:?} is not a length of time; write one like 5s, 250ms or 1h30m"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_as_in_go() {
        for (text, millis) in [
            ("5s", 5000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("0.5s", 500),
            (".5s", 500),
            ("0", 0),
            ("2m0s", 120_000),
        ] {
            assert_eq!(GoDuration::parse(text), Some(GoDuration(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "5sec", "5d", "1e3s", "99999999999h", "..s", "5s,"] {
            assert_eq!(GoDuration::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn they_are_written_in_the_largest_unit_that_is_whole() {
        for text in ["5s", "250ms", "17us", "3ns", "0s"] {
            assert_eq!(GoDuration::parse(text).unwrap().to_string(), text);
        }
    }
}
