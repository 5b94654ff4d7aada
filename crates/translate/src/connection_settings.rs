//! What a client's connection may use: the limits and times of `httpConnectionManagerSettings`.

use serin_api::GoDuration;
use serin_api::gateway::{CodecType, HttpConnectionManagerSettings};
use serin_api::proxy::{Codec, ConnectionSettings, Http1Settings, Http2Settings};

use crate::http_settings::fault;
use crate::option_fault::OptionFault;
use crate::options::Options;

/// The largest number that HTTP/2 has for windows and streams.
const MOST: u32 = i32::MAX as u32;
/// The smallest window that a data plane takes.
const SMALLEST_WINDOW: u32 = 65_535;

/// A listener's option of its own.
const BUFFER: &str = "perConnectionBufferLimitBytes";

/// What `settings` ask for. A field at fault is left out and told.
pub(crate) fn of(settings: &HttpConnectionManagerSettings, faults: &mut Vec<OptionFault>) -> ConnectionSettings {
    let http1 = http1(settings, faults);
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
        // It is the whole listener's, and read with that.
        buffer_bytes: None,
        http1,
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

fn http1(settings: &HttpConnectionManagerSettings, faults: &mut Vec<OptionFault>) -> Http1Settings {
    let host = settings.default_host_for_http10.clone().filter(|host| !host.is_empty());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_host = |host: &String| host.bytes().all(allowed);
    if let Some(bad) = host.as_ref().filter(|host| !is_host(host)) {
        faults.push(fault("defaultHostForHttp10", format!("{bad:?} is no host")));
    }
    Http1Settings {
        accept_http10: settings.accept_http10,
        default_host: host.filter(is_host),
        proper_case: settings.proper_case_header_key_format.unwrap_or_default(),
    }
}

/// What `perConnectionBufferLimitBytes` among a Gateway's own options asks for.
///
/// # Errors
/// Why it cannot be done.
pub(crate) fn buffer_bytes(options: Option<&Options>) -> Result<Option<u32>, OptionFault> {
    let Some(written) = options.and_then(|options| options.get(BUFFER)).filter(|written| !written.is_null()) else {
        return Ok(None);
    };
    let bytes = written.as_u64().and_then(|bytes| u32::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    bytes.map(Some).ok_or_else(|| OptionFault::new(BUFFER, format!("{written} is no number of bytes; use 1 or more")))
}
