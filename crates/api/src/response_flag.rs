//! Why a request did not end well, in the letters that Envoy writes into access logs.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A response flag. The order is the one in which several are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResponseFlag {
    /// The gateway itself is not well.
    LocalHealthCheck,
    /// No endpoint is there, or none is healthy.
    NoHealthyUpstream,
    /// The route's time ran out.
    UpstreamTimeout,
    /// The gateway reset the stream.
    LocalReset,
    /// The endpoint reset the stream.
    UpstreamReset,
    /// No connection to the endpoint.
    UpstreamConnectFailure,
    /// The endpoint closed the connection.
    UpstreamClosed,
    /// The upstream has too much under way.
    UpstreamOverflow,
    /// No route matched.
    NoRoute,
    /// The route held the request up on purpose.
    DelayInjected,
    /// The route refused the request on purpose.
    FaultInjected,
    /// There were too many requests.
    RateLimited,
    /// An external service did not authorise the request.
    Unauthorised,
    /// The service that limits rates is not well.
    RateLimitError,
    /// The client closed the connection.
    ClientClosed,
    /// It was tried as often as the route allows.
    RetriesExhausted,
    /// Nothing moved for too long.
    Standstill,
    /// A header for the gateway has a value that is not one.
    InvalidHeader,
    /// The client did not speak HTTP.
    ClientProtocol,
    /// The stream to the upstream took too long.
    UpstreamStreamTooLong,
    /// The response is from a cache.
    FromCache,
    /// A filter had no configuration.
    NoFilterConfig,
    /// The connection lasted too long.
    ConnectionTooLong,
    /// The endpoint did not speak HTTP.
    UpstreamProtocol,
    /// The upstream is not known.
    NoCluster,
    /// The gateway has too much to do.
    Overloaded,
    /// The upstream's name is not known.
    DnsFailure,
    /// The upstream asked for less.
    DropOverload,
    /// The client reset the stream.
    ClientReset,
    /// The upstream asked for nothing.
    UnconditionalDropOverload,
}

use ResponseFlag as Flag;

/// All flags in their order, with their letters and their long names.
const NAMES: [(ResponseFlag, &str, &str); 30] = [
    (Flag::LocalHealthCheck, "LH", "FailedLocalHealthCheck"),
    (Flag::NoHealthyUpstream, "UH", "NoHealthyUpstream"),
    (Flag::UpstreamTimeout, "UT", "UpstreamRequestTimeout"),
    (Flag::LocalReset, "LR", "LocalReset"),
    (Flag::UpstreamReset, "UR", "UpstreamRemoteReset"),
    (Flag::UpstreamConnectFailure, "UF", "UpstreamConnectionFailure"),
    (Flag::UpstreamClosed, "UC", "UpstreamConnectionTermination"),
    (Flag::UpstreamOverflow, "UO", "UpstreamOverflow"),
    (Flag::NoRoute, "NR", "NoRouteFound"),
    (Flag::DelayInjected, "DI", "DelayInjected"),
    (Flag::FaultInjected, "FI", "FaultInjected"),
    (Flag::RateLimited, "RL", "RateLimited"),
    (Flag::Unauthorised, "UAEX", "UnauthorizedExternalService"),
    (Flag::RateLimitError, "RLSE", "RateLimitServiceError"),
    (Flag::ClientClosed, "DC", "DownstreamConnectionTermination"),
    (Flag::RetriesExhausted, "URX", "UpstreamRetryLimitExceeded"),
    (Flag::Standstill, "SI", "StreamIdleTimeout"),
    (Flag::InvalidHeader, "IH", "InvalidEnvoyRequestHeaders"),
    (Flag::ClientProtocol, "DPE", "DownstreamProtocolError"),
    (Flag::UpstreamStreamTooLong, "UMSDR", "UpstreamMaxStreamDurationReached"),
    (Flag::FromCache, "RFCF", "ResponseFromCacheFilter"),
    (Flag::NoFilterConfig, "NFCF", "NoFilterConfigFound"),
    (Flag::ConnectionTooLong, "DT", "DurationTimeout"),
    (Flag::UpstreamProtocol, "UPE", "UpstreamProtocolError"),
    (Flag::NoCluster, "NC", "NoClusterFound"),
    (Flag::Overloaded, "OM", "OverloadManagerTerminated"),
    (Flag::DnsFailure, "DF", "DnsResolutionFailed"),
    (Flag::DropOverload, "DO", "DropOverload"),
    (Flag::ClientReset, "DR", "DownstreamRemoteReset"),
    (Flag::UnconditionalDropOverload, "UDO", "UnconditionalDropOverload"),
];

impl ResponseFlag {
    /// All of them, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(flag, ..)| flag)
    }

    /// The flag with these letters.
    #[must_use]
    pub fn from_letters(letters: &str) -> Option<Self> {
        NAMES.into_iter().find(|(_, short, _)| *short == letters).map(|(flag, ..)| flag)
    }

    /// Its letters.
    #[must_use]
    pub fn letters(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// Its long name.
    #[must_use]
    pub fn long_name(self) -> &'static str {
        NAMES[self as usize].2
    }
}

impl Serialize for ResponseFlag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.letters())
    }
}

impl<'de> Deserialize<'de> for ResponseFlag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let letters = String::deserialize(deserializer)?;
        Self::from_letters(&letters).ok_or_else(|| D::Error::custom(format!("{letters:?} is not a response flag")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_is_at_its_own_place() {
        for (at, flag) in ResponseFlag::all().enumerate() {
            assert_eq!(flag as usize, at, "{flag:?}");
            assert_eq!(ResponseFlag::from_letters(flag.letters()), Some(flag));
        }
        assert_eq!(ResponseFlag::from_letters("uh"), None);
    }
}
