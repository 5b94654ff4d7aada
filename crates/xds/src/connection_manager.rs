//! HTTP connection managers: how a listener speaks HTTP, and what it does to every request.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::http_protocol_options::HeadersWithUnderscoresAction;
use envoy_types::pb::envoy::config::core::v3::http1_protocol_options::HeaderKeyFormat;
use envoy_types::pb::envoy::config::core::v3::http1_protocol_options::header_key_format::{
    HeaderFormat, ProperCaseWords,
};
use envoy_types::pb::envoy::config::core::v3::{
    CidrRange, Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions,
};
use envoy_types::pb::envoy::extensions::filters::http::cors::v3::Cors;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3::HttpFault;
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::{
    CodecType, InternalAddressConfig, PathWithEscapedSlashesAction, RouteSpecifier, ServerHeaderTransformation,
    StripPortMode, UpgradeConfig,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds, RequestIdExtension, http_filter,
};
use envoy_types::pb::envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
use envoy_types::pb::google::protobuf::{Any, BoolValue, UInt32Value};
use serin_api::GoDuration;
use serin_api::proxy::{
    Codec, ConnectionSettings, EscapedSlashes, ForwardedSettings, Http1Settings, Http2Settings, HttpSettings,
    PathSettings, RequestIds, ServerHeader, Underscores,
};

use crate::buffer;
use crate::client_certificate;
use crate::cors;
use crate::faults;
use crate::protobuf::{any, duration, same_stream};

/// KiB of a request's headers; the same as in Serin's data plane.
const HEADER_KIB: u32 = 60;
/// How long the headers of a request may take; the same as in Serin's data plane.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Clients that are trusted to name a request: those on loopback and private addresses.
const INTERNAL: [(&str, u32); 6] =
    [("127.0.0.0", 8), ("10.0.0.0", 8), ("172.16.0.0", 12), ("192.168.0.0", 16), ("::1", 128), ("fc00::", 7)];

/// The connection manager of the listener `name`.
pub(crate) fn connection_manager(
    name: &str,
    strip_any_host_port: bool,
    settings: &HttpSettings,
) -> HttpConnectionManager {
    let HttpSettings {
        paths,
        connections,
        forwarded,
        client_certificate,
        internal,
        request_ids,
        buffer: held,
        suppress_envoy_headers,
        underscores,
        server,
        via,
    } = settings;
    let ConnectionSettings {
        idle_timeout,
        stream_idle_timeout,
        request_headers_timeout,
        request_timeout,
        max_stream_duration,
        delayed_close,
        drain,
        max_duration,
        max_requests,
        header_kib,
        header_count,
        codec,
        // Told the listener, not its manager.
        buffer_bytes: _,
        http1,
        http2,
    } = connections;
    let time = |time: &Option<GoDuration>| time.map(|time| duration(time.0));
    let number = |number: Option<u32>| number.map(|value| UInt32Value { value });
    let PathSettings { escaped_slashes, normalize, merge_slashes } = *paths;
    let ForwardedSettings {
        use_remote_address,
        trusted_hops,
        append_for,
        port,
        generate_request_id,
        keep_external_request_id,
    } = *forwarded;
    let router = Router { suppress_envoy_headers: *suppress_envoy_headers, ..Router::default() };
    // All but the last do nothing but what a route says.
    let http_filters = vec![
        http_filter(cors::FILTER, any(&Cors {})),
        http_filter(faults::FILTER, any(&HttpFault::default())),
        HttpFilter { disabled: held.is_none(), ..http_filter(buffer::FILTER, any(&buffer::filter(*held))) },
        http_filter("envoy.filters.http.router", any(&router)),
    ];
    let range = |address: String, length: u32| CidrRange {
        address_prefix: address,
        prefix_len: Some(UInt32Value { value: length }),
    };
    let internal = match internal {
        None => INTERNAL.map(|(address, length)| range(address.to_owned(), length)).into(),
        Some(ranges) => ranges.iter().map(|one| range(one.address.to_string(), one.bits.into())).collect::<Vec<_>>(),
    };
    let mut manager = HttpConnectionManager {
        stat_prefix: name.to_owned(),
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(same_stream()),
            route_config_name: name.to_owned(),
        })),
        http_filters,
        normalize_path: Some(BoolValue { value: normalize }),
        merge_slashes,
        path_with_escaped_slashes_action: match escaped_slashes {
            EscapedSlashes::Keep => PathWithEscapedSlashesAction::KeepUnchanged,
            EscapedSlashes::Reject => PathWithEscapedSlashesAction::RejectRequest,
            EscapedSlashes::Redirect => PathWithEscapedSlashesAction::UnescapeAndRedirect,
            EscapedSlashes::Undo => PathWithEscapedSlashesAction::UnescapeAndForward,
        }
        .into(),
        use_remote_address: Some(BoolValue { value: use_remote_address }),
        xff_num_trusted_hops: trusted_hops,
        skip_xff_append: !append_for,
        append_x_forwarded_port: port,
        generate_request_id: Some(BoolValue { value: generate_request_id }),
        preserve_external_request_id: keep_external_request_id,
        common_http_protocol_options: Some(HttpProtocolOptions {
            idle_timeout: time(idle_timeout),
            max_connection_duration: time(max_duration),
            max_stream_duration: time(max_stream_duration),
            max_requests_per_connection: number(*max_requests),
            max_headers_count: number(*header_count),
            ..common(*underscores)
        }),
        server_name: server.as_ref().map(|server| server.name.clone()).unwrap_or_default(),
        // Without a name of its own the gateway keeps the upstream's.
        server_header_transformation: match server {
            None => ServerHeaderTransformation::PassThrough,
            Some(ServerHeader { overwrite: true, .. }) => ServerHeaderTransformation::Overwrite,
            Some(ServerHeader { overwrite: false, .. }) => ServerHeaderTransformation::AppendIfAbsent,
        }
        .into(),
        via: via.clone().unwrap_or_default(),
        internal_address_config: Some(InternalAddressConfig {
            cidr_ranges: internal,
            ..InternalAddressConfig::default()
        }),
        stream_idle_timeout: time(stream_idle_timeout),
        request_timeout: time(request_timeout),
        delayed_close_timeout: time(delayed_close),
        drain_timeout: time(drain),
        max_request_headers_kb: Some(UInt32Value { value: header_kib.unwrap_or(HEADER_KIB) }),
        request_headers_timeout: Some(duration(request_headers_timeout.map_or(HEADER_TIME, |time| time.0))),
        codec_type: match codec {
            Codec::Auto => CodecType::Auto,
            Codec::Http1 => CodecType::Http1,
            Codec::Http2 => CodecType::Http2,
        }
        .into(),
        http2_protocol_options: (*http2 != Http2Settings::default()).then(|| of_http2(http2)),
        http_protocol_options: Some(of_http1(http1)),
        request_id_extension: request_ids.map(of_request_ids),
        upgrade_configs: vec![UpgradeConfig { upgrade_type: "websocket".to_owned(), ..UpgradeConfig::default() }],
        strip_port_mode: strip_any_host_port.then_some(StripPortMode::StripAnyHostPort(true)),
        ..HttpConnectionManager::default()
    };
    client_certificate::tell(&mut manager, *client_certificate);
    manager
}

fn of_http1(settings: &Http1Settings) -> Http1ProtocolOptions {
    let Http1Settings { accept_http10, default_host, proper_case } = settings;
    let capitals = HeaderFormat::ProperCaseWords(ProperCaseWords {});
    Http1ProtocolOptions {
        enable_trailers: true,
        accept_http_10: accept_http10.unwrap_or_default(),
        default_host_for_http_10: default_host.clone().unwrap_or_default(),
        header_key_format: proper_case.then_some(HeaderKeyFormat { header_format: Some(capitals) }),
        ..Http1ProtocolOptions::default()
    }
}

fn of_request_ids(ids: RequestIds) -> RequestIdExtension {
    let RequestIds { pack_trace_reason, choose_traces } = ids;
    let flag = |flag: Option<bool>| flag.map(|value| BoolValue { value });
    let config = UuidRequestIdConfig {
        pack_trace_reason: flag(pack_trace_reason),
        use_request_id_for_trace_sampling: flag(choose_traces),
    };
    RequestIdExtension { typed_config: Some(any(&config)) }
}

fn of_http2(settings: &Http2Settings) -> Http2ProtocolOptions {
    let Http2Settings { max_streams, stream_window, connection_window } = *settings;
    let number = |number: Option<u32>| number.map(|value| UInt32Value { value });
    Http2ProtocolOptions {
        max_concurrent_streams: number(max_streams),
        initial_stream_window_size: number(stream_window),
        initial_connection_window_size: number(connection_window),
        ..Http2ProtocolOptions::default()
    }
}

fn common(underscores: Underscores) -> HttpProtocolOptions {
    HttpProtocolOptions {
        headers_with_underscores_action: match underscores {
            Underscores::Allow => HeadersWithUnderscoresAction::Allow,
            Underscores::Reject => HeadersWithUnderscoresAction::RejectRequest,
            Underscores::Drop => HeadersWithUnderscoresAction::DropHeader,
        }
        .into(),
        ..HttpProtocolOptions::default()
    }
}

fn http_filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
