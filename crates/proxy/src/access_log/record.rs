//! What is remembered of a request for its line.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body::Body;
use rustc_hash::FxHashMap;
use serin_api::ResponseFlag;

use super::{AccessLogs, Flags};
use crate::forward::Unconnected;
use crate::tls::TlsFacts;

/// How a request ended, as far as the data plane decided it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The upstream answered.
    #[default]
    ViaUpstream,
    /// The route answered.
    Direct,
    /// The request is at fault.
    Refused,
    /// No route matched.
    NoRoute,
    /// A header named a cluster that is not there.
    NoCluster,
    /// No endpoint.
    NoHealthyUpstream,
    /// No connection to an endpoint.
    Unconnected(Unconnected),
    /// The upstream has too much under way.
    Overflow,
    /// The endpoint closed the connection.
    UpstreamClosed,
    /// The endpoint reset the stream.
    UpstreamReset,
    /// The endpoint sent what is not HTTP.
    UpstreamProtocol,
    /// The route's time ran out.
    Timeout,
    /// It took longer from beginning to end than it may.
    Expired,
    /// The client took too long to send it.
    SentTooSlowly,
    /// Nothing moved for too long.
    Standstill,
    /// The route refused it on purpose.
    FaultAborted,
    /// The client left.
    ClientLeft,
}

impl Outcome {
    /// Envoy's response flag.
    pub(super) fn flag(self) -> Option<ResponseFlag> {
        Some(match self {
            Self::ViaUpstream | Self::Direct | Self::Expired | Self::SentTooSlowly => return None,
            Self::Refused => ResponseFlag::ClientProtocol,
            Self::NoRoute => ResponseFlag::NoRoute,
            Self::NoCluster => ResponseFlag::NoCluster,
            Self::NoHealthyUpstream => ResponseFlag::NoHealthyUpstream,
            Self::Unconnected(_) => ResponseFlag::UpstreamConnectFailure,
            Self::Overflow => ResponseFlag::UpstreamOverflow,
            Self::UpstreamClosed => ResponseFlag::UpstreamClosed,
            Self::UpstreamReset => ResponseFlag::UpstreamReset,
            Self::UpstreamProtocol => ResponseFlag::UpstreamProtocol,
            Self::Timeout => ResponseFlag::UpstreamTimeout,
            Self::Standstill => ResponseFlag::Standstill,
            Self::FaultAborted => ResponseFlag::FaultInjected,
            Self::ClientLeft => ResponseFlag::ClientClosed,
        })
    }

    /// Envoy's words for it.
    pub(super) fn details(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::ViaUpstream => "via_upstream",
            Self::Direct => "direct_response",
            Self::Refused => "downstream_protocol_error",
            Self::NoRoute => "route_not_found",
            Self::NoCluster => "cluster_not_found",
            Self::NoHealthyUpstream => "no_healthy_upstream",
            Self::Unconnected(reason) => return unconnected(reason).into(),
            Self::UpstreamClosed => "upstream_reset_before_response_started{connection_termination}",
            Self::UpstreamReset => "upstream_reset_before_response_started{remote_reset}",
            Self::UpstreamProtocol => "upstream_reset_before_response_started{protocol_error}",
            Self::Timeout => "response_timeout",
            Self::Expired => "max_duration_timeout",
            Self::SentTooSlowly => "request_overall_timeout",
            Self::Standstill => "stream_idle_timeout",
            Self::FaultAborted => "fault_filter_abort",
            Self::Overflow => "upstream_reset_before_response_started{overflow}",
            Self::ClientLeft => "downstream_remote_disconnect",
        })
    }

    /// What failed below HTTP, between us and the endpoint.
    pub(super) fn transport_failure(self) -> Option<&'static str> {
        if let Self::Unconnected(reason) = self { reason.transport() } else { None }
    }
}

fn unconnected(reason: Unconnected) -> String {
    let what = match reason {
        Unconnected::TimedOut => "connection_timeout",
        Unconnected::Ended => "connection_termination",
        _ => "remote_connection_failure",
    };
    let why = reason.transport().map(|why| format!("|{}", why.replace(' ', "_"))).unwrap_or_default();
    format!("upstream_reset_before_response_started{{{what}{why}}}")
}

/// What is known of one request. Only headers that some format names are kept.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) logs: Arc<AccessLogs>,
    pub(super) protocol: &'static str,
    pub(super) request: FxHashMap<&'static str, HeaderValue>,
    pub(super) request_headers: Vec<Option<HeaderValue>>,
    pub(super) response_headers: Vec<Option<HeaderValue>>,
    pub(super) trailers: Vec<Option<HeaderValue>>,
    /// Whether it is one of gRPC.
    pub(crate) is_grpc: bool,
    /// Bytes of headers.
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
    pub(super) trailer_bytes: u64,
    pub(super) peer: SocketAddr,
    pub(super) upstream: Option<SocketAddr>,
    /// The endpoint's name, where it has one.
    pub(super) upstream_name: Option<HeaderValue>,
    pub(super) upstream_protocol: Option<&'static str>,
    pub(super) upstream_tls: Option<TlsFacts>,
    /// How often it was sent to an endpoint, and when last.
    pub(super) attempts: u64,
    pub(super) sent_after: Option<Duration>,
    pub(super) response_after: Option<Duration>,
    /// Beside what the outcome says.
    pub(crate) flags: Flags,
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl Record {
    /// Begins the record of a request as the client sent it.
    pub(crate) fn begin<B>(logs: Arc<AccessLogs>, request: &Request<B>, peer: SocketAddr) -> Box<Self> {
        let uri = request.uri();
        let text = |text: &str| HeaderValue::from_str(text).ok();
        let host = uri.authority().map(|host| host.as_str().as_bytes());
        let host = host.or_else(|| request.headers().get(http::header::HOST).map(HeaderValue::as_bytes));
        let pseudo = [
            (":method", text(request.method().as_str())),
            (":path", text(uri.path_and_query().map_or("/", |path| path.as_str()))),
            (":authority", host.and_then(|host| HeaderValue::from_bytes(host).ok())),
            (":scheme", text("http")),
        ];
        let mut record = Box::new(Self {
            protocol: match request.version() {
                Version::HTTP_10 => "HTTP/1.0",
                Version::HTTP_2 => "HTTP/2",
                _ => "HTTP/1.1",
            },
            request: pseudo.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            trailers: Vec::new(),
            is_grpc: false,
            request_bytes: 0,
            response_bytes: 0,
            trailer_bytes: 0,
            peer,
            upstream: None,
            upstream_name: None,
            upstream_protocol: None,
            upstream_tls: None,
            attempts: 0,
            sent_after: None,
            response_after: None,
            flags: Flags::default(),
            received: 0,
            sent: 0,
            logs,
        });
        record.keep_request(request.headers());
        record
    }

    /// Keeps the request's headers as they go to the upstream.
    pub(crate) fn keep_request(&mut self, headers: &HeaderMap) {
        self.request_headers = self.logs.request_names.iter().map(|name| headers.get(name).cloned()).collect();
        self.request_bytes = size(headers) + self.request.iter().map(|(name, value)| length(name, value)).sum::<u64>();
    }

    /// The path that goes to the upstream; the one that came is kept if it is another.
    pub(crate) fn keep_path(&mut self, path: &str) {
        if self.request.get(":path").is_none_or(|came| came.as_bytes() != path.as_bytes())
            && let Ok(value) = HeaderValue::from_str(path)
            && let Some(original) = self.request.insert(":path", value)
        {
            self.request.insert("x-envoy-original-path", original);
        }
    }

    /// Where the request is sent, and how long after its beginning.
    pub(crate) fn sent_to(&mut self, upstream: SocketAddr, name: Option<&HeaderValue>, after: Duration) {
        self.upstream = Some(upstream);
        self.upstream_name = name.cloned();
        self.upstream_protocol = None;
        self.upstream_tls = None;
        self.attempts += 1;
        self.sent_after = Some(after);
    }

    /// The endpoint, once there is a connection to it.
    pub(super) fn reached(&self) -> Option<SocketAddr> {
        self.upstream.filter(|_| self.upstream_protocol.is_some())
    }

    /// How the endpoint was spoken to.
    pub(crate) fn spoken(&mut self, http2: bool, tls: impl FnOnce() -> Option<TlsFacts>) {
        self.upstream_protocol = Some(if http2 { "HTTP/2" } else { "HTTP/1.1" });
        self.upstream_tls = if self.logs.upstream_tls { tls() } else { None };
    }

    /// Keeps the response's trailers.
    pub(crate) fn keep_trailers(&mut self, trailers: &HeaderMap) {
        self.trailers = self.logs.trailer_names.iter().map(|name| trailers.get(name).cloned()).collect();
        self.trailer_bytes = size(trailers);
    }

    /// The upstream's answer has begun, so long after the request.
    pub(crate) fn answered(&mut self, after: Duration) {
        self.response_after = Some(after);
    }

    /// Keeps the response's headers as they go to the client.
    pub(crate) fn keep_response<B: Body>(&mut self, response: &Response<B>) {
        let headers = response.headers();
        // The library adds the length of what we say ourselves when it writes it.
        let own = response.body().size_hint().exact().filter(|own| *own > 0);
        let own = |name: &HeaderName| own.filter(|_| name == CONTENT_LENGTH).map(HeaderValue::from);
        let kept = |name: &HeaderName| headers.get(name).cloned().or_else(|| own(name));
        self.response_headers = self.logs.response_names.iter().map(kept).collect();
        self.response_bytes = size(headers) + length(":status", &HeaderValue::from(response.status().as_u16()));
    }
}

/// Bytes of headers, their names and values.
fn size(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| length(name.as_str(), value)).sum()
}

fn length(name: &str, value: &HeaderValue) -> u64 {
    (name.len() + value.len()) as u64
}
