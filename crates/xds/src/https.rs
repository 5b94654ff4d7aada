//! Listeners that speak TLS: a filter chain for each certificate, chosen by the name that the client asks for.

use envoy_types::pb::envoy::config::core::v3::{TransportSocket, transport_socket};
use envoy_types::pb::envoy::config::listener::v3::{
    Filter, FilterChain, FilterChainMatch, ListenerFilter, listener_filter,
};
use envoy_types::pb::envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::{
    CombinedCertificateValidationContext, ValidationContextType,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::downstream_tls_context::SessionTicketKeysType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, DownstreamTlsContext, TlsParameters,
};
use envoy_types::pb::google::protobuf::BoolValue;
use serin_api::proxy::{Listener, ServerTls, VirtualHost};

use crate::client_checks;
use crate::protobuf::{any, string_matcher};
use crate::secret::SecretMap;
use crate::transport::{TLS_SOCKET, authority_name, certificate_name, secret, version};

/// A name for TLS that can be served, and whether its clients must show a certificate.
struct Served<'a> {
    tls: &'a ServerTls,
    verifies: bool,
}

/// What can be served of a listener's TLS: what has a certificate, and roots if clients are to be checked by name.
fn served<'a>(listener: &'a Listener, secrets: &SecretMap) -> Vec<Served<'a>> {
    let served = listener.tls.iter().filter_map(|tls| {
        let text = secrets.get(&tls.credential).filter(|text| text.has_certificate())?;
        let verifies = tls.verify_clients && text.has_authority();
        let cannot_check = tls.verify_clients && !verifies && !tls.client_names.is_empty();
        (!cannot_check).then_some(Served { tls, verifies })
    });
    served.collect()
}

/// What the filter chains depend on beside the listener itself: which credentials have what.
pub(crate) fn standing(listener: &Listener, secrets: &SecretMap) -> Vec<Option<(bool, bool)>> {
    let standing = |tls: &std::sync::Arc<ServerTls>| {
        secrets.get(&tls.credential).map(|text| (text.has_certificate(), text.has_authority()))
    };
    listener.tls.iter().map(standing).collect()
}

/// The filter chains of a listener; none when no certificate can be served.
pub(crate) fn chains(listener: &Listener, secrets: &SecretMap, filter: &Filter) -> Vec<FilterChain> {
    served(listener, secrets).iter().map(|served| chain(served, filter)).collect()
}

/// Whether `host` wants clients to show a certificate and could be reached by those who need not: any name for TLS leads to
/// every host.
pub(crate) fn is_reached_unchecked(listener: &Listener, secrets: &SecretMap, host: &VirtualHost) -> bool {
    let wanted = listener.tls.iter().any(|tls| {
        tls.verify_clients && tls.sources.contains(&host.source) && {
            let text = secrets.get(&tls.credential);
            text.is_none_or(|text| text.has_authority() || !tls.client_names.is_empty())
        }
    });
    wanted
        && !served(listener, secrets).iter().all(|served| served.verifies && served.tls.sources.contains(&host.source))
}

/// Reads the name that a client asks for.
pub(crate) fn inspector() -> ListenerFilter {
    ListenerFilter {
        name: "envoy.filters.listener.tls_inspector".to_owned(),
        config_type: Some(listener_filter::ConfigType::TypedConfig(any(&TlsInspector::default()))),
        ..ListenerFilter::default()
    }
}

fn chain(served: &Served<'_>, filter: &Filter) -> FilterChain {
    let names = match served.tls.default {
        // The chain for all that no other has.
        true => Vec::new(),
        false => served.tls.names.iter().cloned().collect(),
    };
    let remembered = served.verifies.then(|| client_checks::remember(served.tls));
    let socket = TransportSocket {
        name: TLS_SOCKET.to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(any(&context(served)))),
    };
    FilterChain {
        filter_chain_match: Some(FilterChainMatch { server_names: names, ..FilterChainMatch::default() }),
        filters: remembered.into_iter().chain([filter.clone()]).collect(),
        transport_socket: Some(socket),
        ..FilterChain::default()
    }
}

fn context(served: &Served<'_>) -> DownstreamTlsContext {
    let Served { tls, verifies } = served;
    let ServerTls {
        sources: _,
        names: _,
        default: _,
        credential,
        minimum,
        maximum,
        alpn,
        verify_clients: _,
        client_names,
        resumption,
    } = tls;
    let checks = CertificateValidationContext {
        #[expect(deprecated, reason = "it compares names of every kind, as Gloo has it")]
        match_subject_alt_names: client_names.iter().map(|name| string_matcher(name, false)).collect(),
        ..CertificateValidationContext::default()
    };
    let validation = CombinedCertificateValidationContext {
        default_validation_context: Some(checks),
        validation_context_sds_secret_config: Some(secret(&authority_name(credential))),
        ..CombinedCertificateValidationContext::default()
    };
    let common = CommonTlsContext {
        tls_params: Some(TlsParameters {
            tls_minimum_protocol_version: version(*minimum).into(),
            tls_maximum_protocol_version: version(*maximum).into(),
            ..TlsParameters::default()
        }),
        tls_certificate_sds_secret_configs: vec![secret(&certificate_name(credential))],
        alpn_protocols: alpn.clone(),
        validation_context_type: verifies.then_some(ValidationContextType::CombinedValidationContext(validation)),
        ..CommonTlsContext::default()
    };
    DownstreamTlsContext {
        common_tls_context: Some(common),
        require_client_certificate: verifies.then_some(BoolValue { value: true }),
        disable_stateful_session_resumption: !resumption,
        session_ticket_keys_type: (!resumption)
            .then_some(SessionTicketKeysType::DisableStatelessSessionResumption(true)),
        ..DownstreamTlsContext::default()
    }
}
