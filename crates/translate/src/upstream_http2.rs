//! HTTP/2 towards an Upstream's endpoints.

use serin_api::gloo::UpstreamSpec;
use serin_api::proxy::Http2;
use serin_api::{Ref, ResourceId};

use crate::report::Finding;
use crate::snapshot::Snapshot;

/// The smallest window that HTTP/2 begins with, and the largest that there is (RFC 9113, 6.9).
const WINDOWS: std::ops::RangeInclusive<u32> = 65_535..=0x7fff_ffff;

/// How HTTP/2 is to be spoken with an Upstream's endpoints, if at all.
pub(crate) fn of(id: &ResourceId, spec: &UpstreamSpec, findings: &mut Vec<Finding>) -> Option<Http2> {
    if !spec.use_http2.unwrap_or_default() {
        return None;
    }
    let mut checked = |field: &str, value: Option<u32>, allowed: std::ops::RangeInclusive<u32>| {
        let value = value?;
        if allowed.contains(&value) {
            return Some(value);
        }
        let (path, least, most) = (format!("spec.{field}"), allowed.start(), allowed.end());
        findings.push(Finding::error(id, &path, format!("{path}: {value} is not from {least} to {most}")));
        None
    };
    Some(Http2 {
        stream_window: checked("initialStreamWindowSize", spec.initial_stream_window_size, WINDOWS),
        connection_window: checked("initialConnectionWindowSize", spec.initial_connection_window_size, WINDOWS),
        concurrent_streams: checked("maxConcurrentStreams", spec.max_concurrent_streams, 1..=0x7fff_ffff),
    })
}

/// The same for a Service without an Upstream of its own.
pub(crate) fn of_service(snapshot: &Snapshot, service: &Ref, port: u16) -> Option<Http2> {
    let ports = &snapshot.services.get(service)?.ports;
    ports.iter().any(|one| one.port == port && one.http2).then(Http2::default)
}
