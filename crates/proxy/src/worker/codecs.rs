//! How one listener's connections are spoken and what they may use: the data plane's limits, and what the listener says.

use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{Codec, ConnectionSettings};

use super::LocalExecutor;
use super::connection_state::SweepLimits;
use super::deadlines::ticks;
use crate::Limits;

/// How much longer than a request its connection may stand still.
const GRACE: Duration = Duration::from_secs(5);

/// How long a client that was refused is listened to before its connection is closed.
const LINGER: Duration = Duration::from_secs(2);

/// How connections are spoken, and what they may use.
pub(crate) struct Codecs {
    pub(super) http1: hyper::server::conn::http1::Builder,
    pub(super) http2: hyper::server::conn::http2::Builder<LocalExecutor>,
    /// What is spoken, where that does not depend on the client.
    pub(super) codec: Codec,
    pub(super) sweep: SweepLimits,
    /// How many requests a connection may carry.
    pub(super) max_requests: Option<u32>,
    /// How long a request may stand still, where the listener says so.
    pub(super) stream_idle: Option<Duration>,
    /// How long all of a request may take to arrive.
    pub(super) request_time: Option<Duration>,
    /// How long a request may take from beginning to end.
    pub(super) max_stream: Option<Duration>,
    /// How long a client that was refused is listened to before its connection is closed.
    pub(super) linger: Duration,
    /// How long a connection may wait for its last request when it is to end, where the listener says so.
    pub(super) drain: Option<Duration>,
}

impl Codecs {
    pub(super) fn new(limits: &Limits, settings: &ConnectionSettings) -> Self {
        let header_bytes = settings.header_kib.map_or(limits.header_bytes, |kib| kib as usize * 1024);
        let header_count = settings.header_count.map_or(limits.header_count, |count| count as usize);
        let mut http1 = hyper::server::conn::http1::Builder::new();
        http1
            .half_close(false)
            .keep_alive(true)
            .max_headers(header_count)
            .max_header_size(header_bytes)
            // A request's headers have to fit in, and the library wants 8 KiB at least.
            .max_buf_size(settings.buffer_bytes.map_or(64 * 1024, |bytes| bytes.max(8192) as usize).max(header_bytes))
            .title_case_headers(settings.http1.proper_case)
            // Time limits are the sweep's: a timer for each request costs more.
            .header_read_timeout(None);
        let mut http2 = hyper::server::conn::http2::Builder::new(LocalExecutor);
        http2
            .enable_connect_protocol()
            .max_concurrent_streams(settings.http2.max_streams.unwrap_or(limits.concurrent_streams))
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(Some(20))
            .max_local_error_reset_streams(Some(1024))
            .initial_stream_window_size(Some(settings.http2.stream_window.unwrap_or(256 * 1024)))
            .initial_connection_window_size(Some(settings.http2.connection_window.unwrap_or(1024 * 1024)));
        if let Some(bytes) = settings.buffer_bytes {
            http2.max_send_buf_size(bytes as usize);
        }
        Self {
            http1,
            http2,
            codec: settings.codec,
            sweep: SweepLimits {
                // No longer than what they are part of.
                header: limit(settings.request_headers_timeout, limits.header_time)
                    .min(limit(settings.request_timeout, Duration::ZERO))
                    .min(limit(settings.max_stream_duration, Duration::ZERO)),
                idle: limit(settings.idle_timeout, limits.idle_time),
                // Requests are answered by themselves when the listener says so; the connection ends where that did not help.
                stall: match settings.stream_idle_timeout {
                    Some(set) => limit(Some(set), Duration::ZERO).saturating_add(ticks(GRACE)),
                    None => limit(None, limits.stall_time),
                },
                age: limit(settings.max_duration, Duration::ZERO),
            },
            max_requests: settings.max_requests,
            request_time: settings.request_timeout.map(|time| time.0),
            max_stream: settings.max_stream_duration.map(|time| time.0),
            linger: settings.delayed_close.map_or(LINGER, |time| time.0),
            drain: settings.drain.map(|time| time.0),
            stream_idle: settings.stream_idle_timeout.map(|time| time.0),
        }
    }
}

/// A limit in ticks; 0 is none.
fn limit(set: Option<GoDuration>, default: Duration) -> u64 {
    match set.map_or(default, |set| set.0) {
        Duration::ZERO => u64::MAX,
        time => ticks(time),
    }
}
