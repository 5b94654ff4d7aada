//! What upstreams are told of clients' certificates: `forwardClientCertDetails` and `setCurrentClientCertDetails`.

use serin_api::gateway::{ForwardClientCertDetails, HttpConnectionManagerSettings};
use serin_api::proxy::{ClientCertificateDetails, ClientCertificateHeader, ClientCertificateSettings};

/// What `settings` ask for. What the header would tell is kept only where it is written.
pub(crate) fn of(settings: &HttpConnectionManagerSettings) -> ClientCertificateSettings {
    let header = match settings.forward_client_cert_details.unwrap_or_default() {
        ForwardClientCertDetails::Sanitize => ClientCertificateHeader::Remove,
        ForwardClientCertDetails::ForwardOnly => ClientCertificateHeader::Keep,
        ForwardClientCertDetails::AppendForward => ClientCertificateHeader::Append,
        ForwardClientCertDetails::SanitizeSet => ClientCertificateHeader::Replace,
        ForwardClientCertDetails::AlwaysForwardOnly => ClientCertificateHeader::KeepAlways,
    };
    let writes = matches!(header, ClientCertificateHeader::Append | ClientCertificateHeader::Replace);
    let asked = settings.set_current_client_cert_details.as_ref().filter(|_| writes);
    let details = asked.map(|asked| ClientCertificateDetails {
        subject: asked.subject.unwrap_or_default(),
        certificate: asked.cert.unwrap_or_default(),
        chain: asked.chain.unwrap_or_default(),
        dns: asked.dns.unwrap_or_default(),
        uri: asked.uri.unwrap_or_default(),
    });
    ClientCertificateSettings { header, details: details.unwrap_or_default() }
}
