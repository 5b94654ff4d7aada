//! What the operators of formats come to that headers and access logs have in common: what is known of the connection,
//! the machine and the time.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use serin_api::{Operator, Peer, TimeSource};

use crate::front::request_id;
use crate::worker::ConnectionState;

/// ISO 8601 with milliseconds.
const ISO: &str = "%Y-%m-%dT%H:%M:%S.%3fZ";

/// What `operator` comes to for a request that came on `connection`; `None` where it says nothing, or is not about it.
pub(crate) fn of_connection(operator: &Operator, connection: &ConnectionState) -> Option<String> {
    let tls = || connection.tls();
    let local = || connection.local();
    match operator {
        Operator::ClientHost { .. } => Some(connection.peer_address().to_string()),
        Operator::ClientAddress { .. } => Some(connection.peer.to_string()),
        Operator::ClientPort { .. } => Some(connection.peer_port.to_string()),
        Operator::LocalHost => local().map(|local| local.to_string()),
        Operator::LocalAddress => local().map(|local| local.ip().to_string()),
        Operator::LocalPort => local().map(|local| local.port().to_string()),
        Operator::ConnectionId => Some(connection.number.to_string()),
        Operator::UniqueId => request_id(&mut fastrand::Rng::new()).to_str().ok().map(str::to_owned),
        Operator::RequestedServerName => tls()?.server_name().map(str::to_owned),
        Operator::TlsVersion(Peer::Client) => tls()?.version().map(str::to_owned),
        Operator::TlsCipher(Peer::Client) => tls()?.cipher(),
        Operator::Peer(Peer::Client, what) => tls()?.certificate(*what),
        Operator::Hostname => Some(hostname().to_owned()).filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// A moment in words. `age`: how long ago the request began.
pub(crate) fn time(of: TimeSource, local: bool, format: Option<&str>, age: Duration) -> Option<String> {
    let at = match of {
        TimeSource::Start => SystemTime::now().checked_sub(age)?,
        TimeSource::Emit => SystemTime::now(),
    };
    let zone = if local { TimeZone::system() } else { TimeZone::UTC };
    let at = Timestamp::try_from(at).ok()?.to_zoned(zone);
    let mut text = String::new();
    // Envoy's fractions have all their digits.
    let format = format.map_or_else(|| ISO.to_owned(), |format| format.replace("%f", "%9f"));
    BrokenDownTime::from(&at).format(format, &mut text).ok()?;
    Some(text)
}

/// The machine's name, asked once.
fn hostname() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
        name.unwrap_or_default().trim().to_owned()
    })
}

/// What stands in front of the question mark.
pub(crate) fn without_query(text: &str) -> &str {
    text.split_once('?').map_or(text, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_asked() {
        let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let begun = |format| time(TimeSource::Start, false, Some(format), age).unwrap();
        let day = begun("%Y/%m/%d %z");
        assert!(day == "1970/01/01 +0000", "{day}");
        assert_eq!(begun("%f").len(), 9);
        assert_eq!(begun("%3f").len(), 3);
        assert_eq!(time(TimeSource::Start, false, None, age).unwrap().len(), "1970-01-01T00:00:00.000Z".len());
        assert!(time(TimeSource::Emit, true, Some("%Y"), age).unwrap().starts_with("20"));
        assert_eq!(time(TimeSource::Emit, false, Some("%Q%!"), age), None);
        assert_eq!(without_query("/a?b?c"), "/a");
    }
}
