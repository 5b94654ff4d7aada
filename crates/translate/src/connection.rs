//! How connections to an Upstream's endpoints are made and kept.

use serin_api::gloo::{CommonHttpProtocolOptions, ConnectionConfig, TcpKeepalive, UpstreamSpec};
use serin_api::proxy::{Connections, Keepalive};
use serin_api::{GoDuration, ResourceId};

use crate::report::Finding;

/// Bytes that are read ahead at least: a usual head has to fit.
const LEAST_BUFFER: u32 = 1024;

/// What an Upstream says of its connections.
pub(crate) fn of(id: &ResourceId, spec: &UpstreamSpec, findings: &mut Vec<Finding>) -> Connections {
    let Some(config) = &spec.connection_config else { return Connections::default() };
    let ConnectionConfig {
        max_requests_per_connection,
        connect_timeout,
        tcp_keepalive,
        per_connection_buffer_limit_bytes,
        common_http_protocol_options,
    } = config;
    if connect_timeout.is_some_and(|time| time.0.is_zero()) {
        let path = "spec.connectionConfig.connectTimeout";
        findings.push(Finding::error(id, path, format!("{path}: it must be longer than 0s")));
    }
    let (mut idle_timeout, mut max_headers) = (None, None);
    if let Some(CommonHttpProtocolOptions { idle_timeout: idle, max_headers_count }) = common_http_protocol_options {
        (idle_timeout, max_headers) = (*idle, max_headers_count.filter(|most| *most > 0));
    }
    if let Some(bytes) = per_connection_buffer_limit_bytes.filter(|bytes| *bytes < LEAST_BUFFER) {
        let path = "spec.connectionConfig.perConnectionBufferLimitBytes";
        findings.push(Finding::error(id, path, format!("{path}: {bytes} is too little; use at least {LEAST_BUFFER}")));
    }
    Connections {
        // For Gloo, 0 is none.
        max_requests: max_requests_per_connection.filter(|most| *most > 0),
        connect_timeout: connect_timeout.filter(|time| !time.0.is_zero()),
        idle_timeout,
        keepalive: tcp_keepalive.as_ref().map(keepalive),
        buffer_bytes: per_connection_buffer_limit_bytes.filter(|bytes| *bytes >= LEAST_BUFFER),
        max_headers,
    }
}

fn keepalive(written: &TcpKeepalive) -> Keepalive {
    let TcpKeepalive { keepalive_probes, keepalive_time, keepalive_interval } = written;
    Keepalive {
        probes: keepalive_probes.filter(|probes| *probes > 0),
        time: keepalive_time.map(seconds),
        interval: keepalive_interval.map(seconds),
    }
}

/// Rounded up; the system knows no less than a second, and no more than it can count.
fn seconds(time: GoDuration) -> u32 {
    let seconds = time.0.as_secs() + u64::from(time.0.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).clamp(1, 32_767)
}
