//! How Envoy speaks to a cluster's endpoints.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::cluster::v3::cluster::TransportSocketMatch;
use envoy_types::pb::envoy::config::cluster::v3::{Cluster, UpstreamConnectionOptions};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, TcpKeepalive, TransportSocket, data_source, transport_socket,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::{
    CombinedCertificateValidationContext, ValidationContextType,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SdsSecretConfig, TlsCertificate, TlsParameters, UpstreamTlsContext,
};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, UInt32Value, Value};
use serin_api::proxy::{ClientTls, Connections, CredentialSource, Keepalive, TlsVersion, Transport};

use crate::protobuf::{any, duration, same_stream, string_matcher};
use crate::secret::SecretMap;

/// The name of Envoy's transport socket for TLS.
pub(crate) const TLS_SOCKET: &str = "envoy.transport_sockets.tls";
/// Where Envoy looks for what chooses an endpoint's transport socket.
pub(crate) const SOCKET_METADATA: &str = "envoy.transport_socket_match";
/// The key there that says which name an endpoint is asked for.
const SNI_KEY: &str = "sni";

/// Whether there is a certificate to show to a cluster's endpoints. An Envoy that is told of one waits until it has it.
pub(crate) fn shows_certificate(transport: &Transport, secrets: &SecretMap) -> bool {
    let tls = transport.tls.as_ref().filter(|tls| tls.show_certificate);
    let credential = tls.and_then(|tls| secrets.get(tls.credential.as_ref()?));
    credential.is_some_and(|text| text.has_certificate())
}

/// Tells `made` how to speak to its endpoints.
pub(crate) fn set(transport: &Transport, secrets: &SecretMap, made: &mut Cluster) {
    let Transport { tls, http2: _, connections } = transport;
    // The rest is among the options of HTTP.
    let Connections { max_requests: _, connect_timeout, idle_timeout: _, keepalive, buffer_bytes, max_headers: _ } =
        connections;
    made.per_connection_buffer_limit_bytes = buffer_bytes.map(|value| UInt32Value { value });
    if let Some(time) = connect_timeout {
        made.connect_timeout = Some(duration(time.0));
    }
    made.upstream_connection_options =
        keepalive.map(|Keepalive { probes, time, interval }| UpstreamConnectionOptions {
            tcp_keepalive: Some(TcpKeepalive {
                keepalive_probes: probes.map(|value| UInt32Value { value }),
                keepalive_time: time.map(|value| UInt32Value { value }),
                keepalive_interval: interval.map(|value| UInt32Value { value }),
            }),
            ..UpstreamConnectionOptions::default()
        });
    let Some(tls) = tls else { return };
    let shows = shows_certificate(transport, secrets);
    made.transport_socket = Some(socket(tls, &tls.sni, shows));
    let mut names: Vec<&String> = tls.host_sni.values().collect();
    names.sort();
    names.dedup();
    made.transport_socket_matches = names
        .into_iter()
        .map(|name| TransportSocketMatch {
            name: name.clone(),
            r#match: Some(asked_for(name)),
            transport_socket: Some(socket(tls, name, shows)),
        })
        .collect();
}

/// What an endpoint that is asked for `name` has in its metadata.
pub(crate) fn asked_for(name: &str) -> Struct {
    let value = Value { kind: Some(Kind::StringValue(name.to_owned())) };
    Struct { fields: BTreeMap::from([(SNI_KEY.to_owned(), value)]).into_iter().collect() }
}

fn socket(tls: &ClientTls, sni: &str, shows: bool) -> TransportSocket {
    TransportSocket {
        name: TLS_SOCKET.to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(any(&context(tls, sni, shows)))),
    }
}

fn context(tls: &ClientTls, sni: &str, shows: bool) -> UpstreamTlsContext {
    let ClientTls { credential, show_certificate, sni: _, host_sni: _, names, minimum, maximum, alpn } = tls;
    let mut common = CommonTlsContext {
        tls_params: Some(TlsParameters {
            tls_minimum_protocol_version: version(*minimum).into(),
            tls_maximum_protocol_version: version(*maximum).into(),
            ..TlsParameters::default()
        }),
        alpn_protocols: alpn.clone(),
        ..CommonTlsContext::default()
    };
    let checks = CertificateValidationContext {
        #[expect(deprecated, reason = "it compares names of every kind, as Gloo has it")]
        match_subject_alt_names: names.iter().map(|name| string_matcher(name, false)).collect(),
        ..CertificateValidationContext::default()
    };
    match credential {
        None => {}
        Some(CredentialSource::Files { certificate, key, authority })
            if !(certificate.is_empty() && authority.is_empty()) =>
        {
            if *show_certificate && !certificate.is_empty() {
                common.tls_certificates = vec![TlsCertificate {
                    certificate_chain: Some(file(certificate)),
                    private_key: Some(file(key)),
                    ..TlsCertificate::default()
                }];
            }
            if !authority.is_empty() {
                let checks = CertificateValidationContext { trusted_ca: Some(file(authority)), ..checks };
                common.validation_context_type = Some(ValidationContextType::ValidationContext(checks));
            }
        }
        Some(source) => {
            if shows {
                common.tls_certificate_sds_secret_configs = vec![secret(&certificate_name(source))];
            }
            common.validation_context_type =
                Some(ValidationContextType::CombinedValidationContext(CombinedCertificateValidationContext {
                    default_validation_context: Some(checks),
                    validation_context_sds_secret_config: Some(secret(&authority_name(source))),
                    ..CombinedCertificateValidationContext::default()
                }));
        }
    }
    UpstreamTlsContext { common_tls_context: Some(common), sni: sni.to_owned(), ..UpstreamTlsContext::default() }
}

/// The name of the secret with a credential's certificate and key.
pub(crate) fn certificate_name(source: &CredentialSource) -> String {
    format!("certificate of {source}")
}

/// The name of the secret with a credential's roots.
pub(crate) fn authority_name(source: &CredentialSource) -> String {
    format!("roots of {source}")
}

pub(crate) fn secret(name: &str) -> SdsSecretConfig {
    SdsSecretConfig { name: name.to_owned(), sds_config: Some(same_stream()) }
}

fn file(path: &str) -> DataSource {
    DataSource { specifier: Some(data_source::Specifier::Filename(path.to_owned())), ..DataSource::default() }
}

pub(crate) fn version(version: TlsVersion) -> TlsProtocol {
    match version {
        TlsVersion::V1_2 => TlsProtocol::TlSv12,
        TlsVersion::V1_3 => TlsProtocol::TlSv13,
    }
}
