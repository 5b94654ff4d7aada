//! The string formats that kube-apiserver checks in custom kinds; every other `format` is only for the reader.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether kube-apiserver checks this format.
pub(super) fn is_known(format: &str) -> bool {
    matches!(
        &*format.replace('-', ""),
        "bsonobjectid"
            | "uri"
            | "email"
            | "hostname"
            | "ipv4"
            | "ipv6"
            | "cidr"
            | "mac"
            | "uuid"
            | "uuid3"
            | "uuid4"
            | "uuid5"
            | "hexcolor"
            | "byte"
            | "password"
            | "date"
            | "duration"
            | "datetime"
            | "int32"
            | "int64"
            | "float"
            | "double"
    )
}

/// Whether `text` is of the format; true for the formats that are not checked.
pub(super) fn is_valid(format: &str, text: &str) -> bool {
    match &*format.replace('-', "") {
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "uri" => text.starts_with('/') || (text.contains(':') && text.parse::<http::Uri>().is_ok()),
        "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => {
            let parts: Vec<&str> = text.split([':', '-']).collect();
            matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(|p| p.len() == 2 && u8::from_str_radix(p, 16).is_ok())
        }
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some(b'3')),
        "uuid4" => is_uuid(text, Some(b'4')),
        "uuid5" => is_uuid(text, Some(b'5')),
        "hexcolor" => {
            let digits = text.strip_prefix('#').unwrap_or(text);
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "duration" => is_duration(text),
        _ => true,
    }
}

fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.bytes().all(|b| b.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn is_uuid(text: &str, version: Option<u8>) -> bool {
    let hex: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    hex.len() == 32
        && hex.iter().all(u8::is_ascii_hexdigit)
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && version.is_none_or(|version| hex[12] == version)
}

/// Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `300ms`.
pub(crate) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(number);
        if !digits.bytes().any(|b| b.is_ascii_digit()) || digits.matches('.').count() > 1 {
            return false;
        }
        let units = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let Some(unit) = units.iter().find(|unit| {
            tail.strip_prefix(**unit)
                .is_some_and(|after| after.is_empty() || after.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        }) else {
            return false;
        };
        rest = &tail[unit.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{is_duration, is_valid};

    #[test]
    fn durations_are_gos() {
        for good in ["0", "1s", "1.5h", "300ms", "-2m30s", "1h2m3s", ".5s"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "1", "s", "1d", "1 s", "1..5s", "-"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }

    #[test]
    fn formats_are_checked_only_when_known() {
        assert!(is_valid("date-time", "2026-01-02T03:04:05Z"));
        assert!(!is_valid("date-time", "yesterday"));
        assert!(is_valid("int64", "whatever"));
        assert!(!is_valid("ipv4", "1.2.3"));
        assert!(is_valid("cidr", "10.0.0.0/8") && !is_valid("cidr", "10.0.0.0/33"));
    }
}
