//! Why there is no connection to an endpoint, in the words of responses and of access logs.

use super::reply;
use crate::dial::DialError;

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unconnected {
    /// Nobody listens there.
    Refused,
    /// There is no way there.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// There is no credential to speak TLS with it.
    NoCredential,
    /// Its certificate is not one to trust.
    Untrusted,
    /// TLS was not agreed on.
    Handshake,
    /// It was there, and ended at once.
    Ended,
}

impl Unconnected {
    /// What the client is told.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Refused | Self::Unreachable => reply::CONNECT_FAILURE,
            Self::TimedOut => reply::CONNECT_TIMEOUT,
            Self::NoCredential => reply::NO_CREDENTIAL,
            Self::Untrusted => reply::UNTRUSTED,
            Self::Handshake => reply::HANDSHAKE,
            Self::Ended => reply::DISCONNECTED,
        }
    }

    /// What failed below HTTP.
    pub(crate) fn transport(self) -> Option<&'static str> {
        match self {
            Self::Refused => Some("delayed connect error: Connection refused"),
            Self::Unreachable => Some("delayed connect error: No route to host"),
            Self::NoCredential => Some("TLS error: Secret is not supplied by SDS"),
            Self::Untrusted => Some("TLS_error: CERTIFICATE_VERIFY_FAILED"),
            Self::Handshake => Some("TLS_error: HANDSHAKE_FAILURE"),
            Self::TimedOut | Self::Ended => None,
        }
    }
}

impl From<DialError> for Unconnected {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Refused => Self::Refused,
            DialError::Unreachable => Self::Unreachable,
            DialError::NoCredential => Self::NoCredential,
            DialError::Untrusted => Self::Untrusted,
            DialError::Handshake => Self::Handshake,
        }
    }
}
