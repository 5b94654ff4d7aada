//! `x-forwarded-client-cert`: what upstreams are told of the client's certificate, and whom that header is believed.

use http::header::{HeaderMap, HeaderName};
use serin_api::proxy::{ClientCertificateHeader, ClientCertificateSettings};

use crate::worker::ConnectionState;

pub(super) const CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

/// Tells the upstream of the client's certificate. What a client says of its own is never believed by default.
pub(super) fn tell(settings: ClientCertificateSettings, headers: &mut HeaderMap, connection: &ConnectionState) {
    use ClientCertificateHeader::{Append, Keep, KeepAlways, Remove, Replace};
    match (settings.header, connection.certificate()) {
        (KeepAlways, _) | (Keep, Some(_)) => {}
        (Remove, _) | (_, None) => {
            headers.remove(CLIENT_CERTIFICATE);
        }
        (Append | Replace, Some(certificate)) => match certificate.told(settings.details) {
            Some(value) if settings.header == Append => super::append(headers, CLIENT_CERTIFICATE, &value, b","),
            Some(value) => {
                headers.insert(CLIENT_CERTIFICATE, value);
            }
            None => {
                headers.remove(CLIENT_CERTIFICATE);
            }
        },
    }
}
