//! What is to be said of a certificate that can be served: whether it is its time, and whose names it has.

use std::collections::BTreeSet;

use crate::snapshot::CertificateFacts;

/// How long before its end somebody is told, in seconds: 30 days.
const SOON: i64 = 30 * 24 * 60 * 60;

/// Where a certificate is in its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateAge {
    /// It is not valid yet.
    Early,
    /// It is valid.
    Good,
    /// It is valid, and for less than 30 days still.
    EndsSoon,
    /// It is not valid any more.
    Expired,
}

impl CertificateFacts {
    /// Where it is in its time at `now`, in seconds since 1970.
    pub fn age(&self, now: i64) -> CertificateAge {
        if now > self.not_after {
            CertificateAge::Expired
        } else if now < self.not_before {
            CertificateAge::Early
        } else if self.not_after.saturating_sub(now) < SOON {
            CertificateAge::EndsSoon
        } else {
            CertificateAge::Good
        }
    }

    /// Its names, for people.
    fn whose(&self) -> String {
        if self.names.is_empty() { "no name".to_owned() } else { self.names.join(", ") }
    }
}

/// Advice on a certificate that is out of its time or soon will be, with what comes of that: `refused`.
pub(crate) fn out_of_time(certificate: &CertificateFacts, now: i64, refused: &str) -> Option<String> {
    if now == 0 {
        return None;
    }
    let (from, to, whose) = (date(certificate.not_before), date(certificate.not_after), certificate.whose());
    match certificate.age(now) {
        CertificateAge::Good => None,
        CertificateAge::Early => {
            Some(format!("its certificate for {whose} is valid from {from} on; {refused} until then"))
        }
        CertificateAge::EndsSoon => Some(format!("its certificate for {whose} ends on {to}; renew it before then")),
        CertificateAge::Expired => Some(format!("its certificate for {whose} expired on {to}; {refused}")),
    }
}

/// Advice on a certificate that is not for all of a VirtualService's domains and the names that it is asked for.
pub(crate) fn foreign(certificate: &CertificateFacts, domains: &[String], asked: &[String]) -> Option<String> {
    let foreign = uncovered(domains, asked, &certificate.names).join(", ");
    let (whose, to) = (certificate.whose(), date(certificate.not_after));
    (!foreign.is_empty())
        .then(|| format!("its certificate is for {whose} (until {to}), not for {foreign}; clients refuse it"))
}

/// The names that none of a certificate's covers.
fn uncovered(domains: &[String], asked: &[String], names: &[String]) -> Vec<String> {
    let covered = |domain: &str| {
        let rest = domain.split_once('.').map(|(_, rest)| rest);
        names.iter().any(|name| name == domain || (name.strip_prefix("*.").is_some_and(|name| Some(name) == rest)))
    };
    let hosts = domains.iter().filter(|domain| !domain.ends_with('*')).map(|domain| match domain.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        _ => domain.clone(),
    });
    let mut seen = BTreeSet::new();
    let all = hosts.chain(asked.iter().map(|name| name.to_ascii_lowercase()));
    all.filter(|name| !covered(name) && seen.insert(name.clone())).collect()
}

/// A moment as a date, in UTC.
fn date(seconds: i64) -> String {
    // Days are counted from 1 March of the year 0, so that leap days come last (Howard Hinnant's civil calendar).
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_utc() {
        for (seconds, text) in
            [(0, "1970-01-01"), (951_782_399, "2000-02-28"), (951_782_400, "2000-02-29"), (4_102_444_799, "2099-12-31")]
        {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = text(&["a.com", "*.b.com"]);
        let domains = text(&["a.com", "a.com:8443", "x.b.com", "*.b.com", "y.x.b.com", "b.com", "*", "c.*"]);
        assert_eq!(uncovered(&domains, &[], &names), ["y.x.b.com", "b.com"]);
        assert_eq!(uncovered(&domains, &text(&["B.com", "d.com", "x.b.com"]), &names), ["y.x.b.com", "b.com", "d.com"]);
    }

    #[test]
    fn a_certificate_grows_old() {
        let day = 24 * 60 * 60;
        let certificate = CertificateFacts { names: Vec::new(), not_before: 100 * day, not_after: 200 * day };
        for (now, age) in [
            (100 * day - 1, CertificateAge::Early),
            (100 * day, CertificateAge::Good),
            (170 * day, CertificateAge::Good),
            (170 * day + 1, CertificateAge::EndsSoon),
            (200 * day, CertificateAge::EndsSoon),
            (200 * day + 1, CertificateAge::Expired),
        ] {
            assert_eq!(certificate.age(now), age, "{now}");
        }
    }
}
