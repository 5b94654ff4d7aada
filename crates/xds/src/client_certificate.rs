//! What upstreams are told of clients' certificates.

use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::{
    ForwardClientCertDetails, SetCurrentClientCertDetails,
};
use envoy_types::pb::google::protobuf::BoolValue;
use serin_api::proxy::{ClientCertificateDetails, ClientCertificateHeader, ClientCertificateSettings};

/// Has `manager` tell what `settings` say.
pub(crate) fn tell(manager: &mut HttpConnectionManager, settings: ClientCertificateSettings) {
    let ClientCertificateSettings { header, details } = settings;
    let ClientCertificateDetails { subject, certificate, chain, dns, uri } = details;
    manager.forward_client_cert_details = match header {
        ClientCertificateHeader::Remove => ForwardClientCertDetails::Sanitize,
        ClientCertificateHeader::Keep => ForwardClientCertDetails::ForwardOnly,
        ClientCertificateHeader::Append => ForwardClientCertDetails::AppendForward,
        ClientCertificateHeader::Replace => ForwardClientCertDetails::SanitizeSet,
        ClientCertificateHeader::KeepAlways => ForwardClientCertDetails::AlwaysForwardOnly,
    }
    .into();
    manager.set_current_client_cert_details =
        (details != ClientCertificateDetails::default()).then_some(SetCurrentClientCertDetails {
            subject: subject.then_some(BoolValue { value: true }),
            cert: certificate,
            chain,
            dns,
            uri,
            ..SetCurrentClientCertDetails::default()
        });
}
