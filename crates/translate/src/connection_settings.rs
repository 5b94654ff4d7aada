//! What a client's connection may use: the limits and times of `httpConnectionManagerSettings`.

use serin_api::GoDuration;
use serin_api::gateway::{CodecType, HttpConnectionManagerSettings};
use serin_api::proxy::{Codec, ConnectionSettings, Http2Settings};

use crate::http_settings::fault;
use crate::option_fault::OptionFault;

/// The largest number that HTTP/2 has for windows and streams.
const MOST: u32 = i32::MAX as u32;
/// The smallest window that a data plane takes.
const SMALLEST_WINDOW: u32 = 65_535;

/// What `settings` ask for. A field at fault is left out and told.
pub(crate) fn of(settings: &HttpConnectionManagerSettings, faults: &mut Vec<OptionFault>) -> ConnectionSettings {
    let http2 = settings.http2_protocol_options.clone().unwrap_or_default();
    let mut within = |field: &str, value: Option<u32>, least: u32, most: u32| {
        let value = value?;
        if !(least..=most).contains(&value) {
            faults.push(fault(field, format!("{value} is out of range: use {least} to {most}")));
            return None;
        }
        Some(value)
    };
    ConnectionSettings {
        idle_timeout: settings.idle_timeout,
        stream_idle_timeout: settings.stream_idle_timeout,
        request_headers_timeout: settings.request_headers_timeout,
        request_timeout: settings.request_timeout.filter(|time| *time != GoDuration::default()),
        max_stream_duration: settings.max_stream_duration.filter(|time| *time != GoDuration::default()),
        delayed_close: settings.delayed_close_timeout,
        drain: settings.drain_timeout,
        max_duration: settings.max_connection_duration.filter(|duration| *duration != GoDuration::default()),
        max_requests: settings.max_requests_per_connection.filter(|requests| *requests > 0),
        header_kib: within("maxRequestHeadersKb", settings.max_request_headers_kb, 1, 8192),
        header_count: within("maxHeadersCount", settings.max_headers_count, 1, u32::from(u16::MAX)),
        codec: match settings.codec_type.unwrap_or_default() {
            CodecType::Auto => Codec::Auto,
            CodecType::Http1 => Codec::Http1,
            CodecType::Http2 => Codec::Http2,
        },
        http2: Http2Settings {
            max_streams: within("http2ProtocolOptions.maxConcurrentStreams", http2.max_concurrent_streams, 1, MOST),
            stream_window: within(
                "http2ProtocolOptions.initialStreamWindowSize",
                http2.initial_stream_window_size,
                SMALLEST_WINDOW,
                MOST,
            ),
            connection_window: within(
                "http2ProtocolOptions.initialConnectionWindowSize",
                http2.initial_connection_window_size,
                SMALLEST_WINDOW,
                MOST,
            ),
        },
    }
}
