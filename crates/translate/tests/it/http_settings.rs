//! A Gateway's `httpConnectionManagerSettings`: what its listener gets of them, and what is wrong with them.

use serin_api::GoDuration;
use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{
    AddressRange, ClientCertificateDetails, ClientCertificateHeader, ClientCertificateSettings, Codec,
    ConnectionSettings, EscapedSlashes, ForwardedSettings, Http1Settings, Http2Settings, HttpSettings, PathSettings,
    RequestIds, ServerHeader, Underscores,
};

use crate::fixture::World;

fn world(settings: &str) -> World {
    let mut world = World::new();
    world
        .apply(&format!(
            "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {{name: gateway-proxy, namespace: gloo-system}}\n\
             spec: {{bindAddress: '::', bindPort: 8080, \
             httpGateway: {{options: {{httpConnectionManagerSettings: {settings}}}}}}}\n"
        ))
        .serve();
    world
}

fn settings(world: &World) -> HttpSettings {
    world.serving().listeners[0].http.clone()
}

fn status(world: &World) -> (serin_api::StatusState, String) {
    world.status(ResourceKind::Gateway, "gloo-system", "gateway-proxy")
}

#[test]
fn every_field_reaches_the_listener() {
    let world = world(
        "{normalizePath: false, mergeSlashes: true, pathWithEscapedSlashesAction: UNESCAPE_AND_REDIRECT, \
         serverName: us, serverHeaderTransformation: APPEND_IF_ABSENT, via: here, useRemoteAddress: false, \
         xffNumTrustedHops: 2, skipXffAppend: true, appendXForwardedPort: true, generateRequestId: false, \
         preserveExternalRequestId: true, headersWithUnderscoresAction: DROP_HEADER, idleTimeout: 1m, streamIdleTimeout: 0s, \
         requestHeadersTimeout: 2s, requestTimeout: 3s, maxStreamDuration: 4s, delayedCloseTimeout: 0s, \
         drainTimeout: 5s, maxConnectionDuration: 1h, maxRequestsPerConnection: 7, maxRequestHeadersKb: 8, \
         maxHeadersCount: 9, codecType: HTTP1, \
         uuidRequestIdConfig: {packTraceReason: false}, acceptHttp10: true, defaultHostForHttp10: 'a.b:81', \
         properCaseHeaderKeyFormat: true, internalAddressConfig: {unixSockets: true, cidrRanges: [{addressPrefix: 10.0.0.0, \
         prefixLen: 8}]}, forwardClientCertDetails: APPEND_FORWARD, \
         setCurrentClientCertDetails: {subject: true, chain: true, uri: false}, http2ProtocolOptions: {maxConcurrentStreams: 3, \
         initialStreamWindowSize: 65535, initialConnectionWindowSize: 65536}}",
    );
    assert_eq!(status(&world), (Accepted, String::new()));
    let expected = HttpSettings {
        paths: PathSettings { escaped_slashes: EscapedSlashes::Redirect, normalize: false, merge_slashes: true },
        connections: ConnectionSettings {
            idle_timeout: GoDuration::parse("1m"),
            stream_idle_timeout: GoDuration::parse("0"),
            request_headers_timeout: GoDuration::parse("2s"),
            request_timeout: GoDuration::parse("3s"),
            max_stream_duration: GoDuration::parse("4s"),
            delayed_close: GoDuration::parse("0"),
            drain: GoDuration::parse("5s"),
            max_duration: GoDuration::parse("1h"),
            max_requests: Some(7),
            header_kib: Some(8),
            header_count: Some(9),
            codec: Codec::Http1,
            buffer_bytes: None,
            http1: Http1Settings {
                accept_http10: Some(true),
                default_host: Some("a.b:81".to_owned()),
                proper_case: true,
            },
            http2: Http2Settings { max_streams: Some(3), stream_window: Some(65_535), connection_window: Some(65_536) },
        },
        forwarded: ForwardedSettings {
            use_remote_address: false,
            trusted_hops: 2,
            append_for: false,
            port: true,
            generate_request_id: false,
            keep_external_request_id: true,
        },
        client_certificate: ClientCertificateSettings {
            header: ClientCertificateHeader::Append,
            details: ClientCertificateDetails { subject: true, chain: true, ..Default::default() },
        },
        internal: Some(vec![AddressRange { address: "10.0.0.0".parse().unwrap(), bits: 8 }]),
        request_ids: Some(RequestIds { pack_trace_reason: Some(false), choose_traces: None }),
        buffer: None,
        suppress_envoy_headers: false,
        underscores: Underscores::Drop,
        server: Some(ServerHeader { name: "us".to_owned(), overwrite: false }),
        via: Some("here".to_owned()),
    };
    assert_eq!(settings(&world), expected);
}

#[test]
fn without_settings_paths_are_normalised_and_whoever_connects_is_the_client() {
    for silent in [
        "{}",
        "{normalizePath: null}",
        "{pathWithEscapedSlashesAction: 0, via: ''}",
        "{maxConnectionDuration: 0s, maxRequestsPerConnection: 0, requestTimeout: 0s, maxStreamDuration: 0s}",
        "{forwardClientCertDetails: 0, setCurrentClientCertDetails: {cert: true}}",
    ] {
        let settings = settings(&world(silent));
        assert_eq!(settings, HttpSettings::default(), "{silent}");
        assert!(settings.paths.normalize && settings.forwarded.use_remote_address && settings.forwarded.append_for);
    }
}

#[test]
fn a_server_header_is_named_where_one_is_asked_for() {
    for (written, server) in [
        ("{serverName: us}", Some(("us", true))),
        ("{serverHeaderTransformation: OVERWRITE}", Some(("envoy", true))),
        ("{serverHeaderTransformation: APPEND_IF_ABSENT}", Some(("envoy", false))),
        ("{serverName: us, serverHeaderTransformation: PASS_THROUGH}", None),
    ] {
        let expected = server.map(|(name, overwrite)| ServerHeader { name: name.to_owned(), overwrite });
        assert_eq!(settings(&world(written)).server, expected, "{written}");
    }
}

#[test]
fn a_bad_value_is_named_and_the_others_hold() {
    for (written, field) in [
        ("{mergeSlashes: true, normalizePath: sometimes}", "normalizePath"),
        ("{mergeSlashes: true, pathWithEscapedSlashesAction: MAYBE}", "pathWithEscapedSlashesAction"),
        ("{mergeSlashes: true, xffNumTrustedHops: -1}", "xffNumTrustedHops"),
        ("{mergeSlashes: true, serverHeaderTransformation: 7}", "serverHeaderTransformation"),
        ("{mergeSlashes: true, headersWithUnderscoresAction: []}", "headersWithUnderscoresAction"),
        ("{mergeSlashes: true, idleTimeout: soon}", "idleTimeout"),
        ("{mergeSlashes: true, requestTimeout: never}", "requestTimeout"),
        ("{mergeSlashes: true, maxStreamDuration: -1s}", "maxStreamDuration"),
        ("{mergeSlashes: true, delayedCloseTimeout: 1}", "delayedCloseTimeout"),
        ("{mergeSlashes: true, drainTimeout: {}}", "drainTimeout"),
        ("{mergeSlashes: true, maxRequestHeadersKb: 0}", "maxRequestHeadersKb"),
        ("{mergeSlashes: true, maxRequestHeadersKb: 8193}", "maxRequestHeadersKb"),
        ("{mergeSlashes: true, maxHeadersCount: 0}", "maxHeadersCount"),
        ("{mergeSlashes: true, codecType: HTTP3}", "codecType"),
        ("{mergeSlashes: true, acceptHttp10: perhaps}", "acceptHttp10"),
        ("{mergeSlashes: true, defaultHostForHttp10: 'a b'}", "defaultHostForHttp10"),
        ("{mergeSlashes: true, forwardClientCertDetails: SOMETIMES}", "forwardClientCertDetails"),
        ("{mergeSlashes: true, setCurrentClientCertDetails: {dns: 1}}", "setCurrentClientCertDetails.dns"),
        (
            "{mergeSlashes: true, http2ProtocolOptions: {initialStreamWindowSize: 1}}",
            "http2ProtocolOptions.initialStreamWindowSize",
        ),
        ("{mergeSlashes: true, via: \"a\\r\\nb\"}", "via"),
        ("{mergeSlashes: true, serverName: \"\\u00e9\"}", "serverName"),
    ] {
        let world = world(written);
        let (state, reason) = status(&world);
        assert_eq!(state, Rejected, "{written}");
        let path = format!("spec.httpGateway.options.httpConnectionManagerSettings.{field}: ");
        assert!(reason.contains(&path), "{reason}");
        let expected = HttpSettings {
            paths: PathSettings { merge_slashes: true, ..PathSettings::default() },
            ..HttpSettings::default()
        };
        assert_eq!(settings(&world), expected, "{written}");
    }
}

#[test]
fn a_range_of_addresses_has_an_address_and_a_length() {
    for (range, field) in [
        ("{addressPrefix: nowhere, prefixLen: 8}", "addressPrefix"),
        ("{addressPrefix: 10.0.0.0}", "prefixLen"),
        ("{addressPrefix: 10.0.0.0, prefixLen: 33}", "prefixLen"),
        ("{addressPrefix: '::1', prefixLen: 129}", "prefixLen"),
    ] {
        let world = world(&format!("{{internalAddressConfig: {{cidrRanges: [{range}]}}}}"));
        let (state, reason) = status(&world);
        assert_eq!(state, Rejected, "{range}");
        assert!(reason.contains(&format!("internalAddressConfig.cidrRanges[0].{field}: ")), "{reason}");
        // Nobody is let in by mistake.
        assert_eq!(settings(&world).internal, Some(Vec::new()));
    }
}

#[test]
fn the_other_options_of_a_listener_are_read_beside_them() {
    let serve = |http: &str, own: &str| {
        let mut world = World::new();
        world
            .apply(&format!(
                "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {{name: gateway-proxy, namespace: gloo-system}}\n\
                 spec: {{bindAddress: '::', bindPort: 8080, options: {own}, httpGateway: {{options: {http}}}}}\n"
            ))
            .serve();
        world
    };
    let world = serve(
        "{buffer: {maxRequestBytes: 5}, router: {suppressEnvoyHeaders: true}, \
         httpConnectionManagerSettings: {mergeSlashes: true}}",
        "{perConnectionBufferLimitBytes: 1024}",
    );
    assert_eq!(status(&world), (Accepted, String::new()));
    let settings = settings(&world);
    assert_eq!((settings.buffer, settings.suppress_envoy_headers), (Some(5), true));
    assert!(settings.paths.merge_slashes);
    assert_eq!(settings.connections.buffer_bytes, Some(1024));
    for (http, own, path) in [
        ("{buffer: {maxRequestBytes: 0}}", "{}", "spec.httpGateway.options.buffer.maxRequestBytes: "),
        ("{buffer: {}}", "{}", "spec.httpGateway.options.buffer.maxRequestBytes: "),
        ("{router: {suppressEnvoyHeaders: 1}}", "{}", "spec.httpGateway.options.router.suppressEnvoyHeaders: "),
        ("{httpConnectionManagerSettings: 5}", "{}", "spec.httpGateway.options.httpConnectionManagerSettings: "),
        ("{}", "{perConnectionBufferLimitBytes: 0}", "spec.options.perConnectionBufferLimitBytes: "),
        ("{}", "{perConnectionBufferLimitBytes: lots}", "spec.options.perConnectionBufferLimitBytes: "),
    ] {
        let (state, reason) = status(&serve(http, own));
        assert_eq!(state, Rejected, "{http} {own}");
        assert!(reason.contains(path) && reason.matches(path).count() == 1, "{reason}");
    }
}
