//! HTTP/2 to upstreams: connections that the requests of a worker share, each on a stream of its own.

mod connection;
mod head;
mod pipe;
mod stream;

pub(crate) use connection::{Http2Connection, Http2Pool};
pub(super) use head::Http2Request;
pub(crate) use stream::Http2Stream;

/// What is asked for beyond defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Http2Settings {
    /// Bytes of a response's body that may be under way on one stream.
    pub(crate) stream_window: Option<u32>,
    /// Bytes of all responses' bodies that may be under way on one connection.
    pub(crate) connection_window: Option<u32>,
    /// Requests that a connection carries at once.
    pub(crate) concurrent_streams: Option<u32>,
    /// Requests after which a connection takes no more.
    pub(crate) requests: Option<u32>,
}
