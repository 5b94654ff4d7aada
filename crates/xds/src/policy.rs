//! Options of routes and virtual hosts, in Envoy's terms.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::route::v3::route_action::upgrade_config::ConnectConfig;
use envoy_types::pb::envoy::config::route::v3::route_action::{
    HostRewriteSpecifier, MaxStreamDuration as EnvoyMaxStreamDuration, UpgradeConfig,
};
use envoy_types::pb::envoy::config::route::v3::{Route, RouteAction, VirtualHost};
use envoy_types::pb::google::protobuf::{Any, BoolValue};
use serin_api::proxy::{Connect, HostPolicy, HostRewrite, PathRewrite, RoutePolicy};

use crate::buffer;
use crate::cors;
use crate::faults;
use crate::header_changes::envoy_headers;
use crate::protobuf::{any, duration, substitution};

/// Sets what `policy` says on the action that forwards a route's requests; see [`apply_to_route`] for the rest.
pub(crate) fn apply(policy: &RoutePolicy, action: &mut RouteAction) {
    let RoutePolicy {
        path_rewrite,
        host_rewrite,
        append_x_forwarded_host,
        timeout,
        retries,
        idle_timeout,
        max_stream_duration,
        shadow,
        buffer: _,
        faults: _,
        hash,
        websocket,
        connect,
        headers: _,
        cors: _,
    } = policy;
    match path_rewrite {
        None => {}
        Some(PathRewrite::Prefix(prefix)) => action.prefix_rewrite.clone_from(prefix),
        Some(PathRewrite::Regex(rewrite)) => action.regex_rewrite = Some(substitution(rewrite)),
    }
    action.host_rewrite_specifier = host_rewrite.as_ref().map(|rewrite| match rewrite {
        HostRewrite::Literal(host) => HostRewriteSpecifier::HostRewriteLiteral(host.clone()),
        HostRewrite::Endpoint => HostRewriteSpecifier::AutoHostRewrite(BoolValue { value: true }),
        HostRewrite::Header(name) => HostRewriteSpecifier::HostRewriteHeader(name.clone()),
        HostRewrite::Path(rewrite) => HostRewriteSpecifier::HostRewritePathRegex(substitution(rewrite)),
    });
    action.append_x_forwarded_host = *append_x_forwarded_host;
    action.timeout = timeout.map(|timeout| duration(timeout.0));
    action.max_stream_duration = max_stream_duration.map(|limits| EnvoyMaxStreamDuration {
        max_stream_duration: limits.most.map(|time| duration(time.0)),
        grpc_timeout_header_max: limits.grpc_most.map(|time| duration(time.0)),
        grpc_timeout_header_offset: limits.grpc_offset.map(|time| duration(time.0)),
    });
    action.idle_timeout = idle_timeout.map(|timeout| duration(timeout.0));
    action.upgrade_configs.extend(websocket.map(|enabled| UpgradeConfig {
        upgrade_type: "websocket".to_owned(),
        enabled: Some(BoolValue { value: enabled }),
        ..UpgradeConfig::default()
    }));
    action.upgrade_configs.extend(connect.map(|connect| UpgradeConfig {
        upgrade_type: "CONNECT".to_owned(),
        enabled: Some(BoolValue { value: true }),
        connect_config: (connect == Connect::Terminate).then(ConnectConfig::default),
    }));
    action.hash_policy = hash.iter().map(crate::request_hash::policy).collect();
    action.request_mirror_policies.extend(shadow.as_ref().map(crate::shadow::mirror_policy));
    action.retry_policy = retries.as_ref().map(crate::retries::policy);
}

/// What `policy` says to the filters before the router, by their names.
pub(crate) fn filters(policy: &RoutePolicy) -> HashMap<String, Any> {
    let faults = policy.faults.as_ref().map(|faults| (faults::FILTER.to_owned(), any(&faults::filter(faults))));
    faults.into_iter().chain(policy.buffer.as_ref().map(buffer::settings)).collect()
}

/// Sets what `policy` says on a route, whatever is done with its requests.
pub(crate) fn apply_to_route(policy: &RoutePolicy, route: &mut Route) {
    route.typed_per_filter_config.extend(policy.cors.as_ref().map(cors::settings));
    let headers = envoy_headers(policy.headers.as_ref());
    route.request_headers_to_add = headers.request_add;
    route.request_headers_to_remove = headers.request_remove;
    route.response_headers_to_add = headers.response_add;
    route.response_headers_to_remove = headers.response_remove;
}

/// Sets what `policy` says for all routes of `host`.
pub(crate) fn apply_to_host(policy: &HostPolicy, host: &mut VirtualHost) {
    let HostPolicy { headers, cors, buffer, retries, attempts_in_request, attempts_in_response } = policy;
    host.retry_policy = retries.as_ref().map(crate::retries::policy);
    host.include_request_attempt_count = *attempts_in_request;
    host.include_attempt_count_in_response = *attempts_in_response;
    host.typed_per_filter_config.extend(cors.as_ref().map(cors::settings));
    host.typed_per_filter_config.extend(buffer.as_ref().map(buffer::settings));
    let headers = envoy_headers(headers.as_ref());
    host.request_headers_to_add = headers.request_add;
    host.request_headers_to_remove = headers.request_remove;
    host.response_headers_to_add = headers.response_add;
    host.response_headers_to_remove = headers.response_remove;
}
