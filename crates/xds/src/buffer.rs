//! Requests that are held until they are whole, in Envoy's terms.

use envoy_types::pb::envoy::extensions::filters::http::buffer::v3::buffer_per_route::Override;
use envoy_types::pb::envoy::extensions::filters::http::buffer::v3::{Buffer, BufferPerRoute};
use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use serin_api::proxy::RequestBuffer;

use crate::protobuf::any;

/// The filter's name, in listeners and in routes.
pub(crate) const FILTER: &str = "envoy.filters.http.buffer";

/// The filter, for requests with up to `limit` bytes. Without one it is disabled, and the limit is no one's: routes and
/// hosts enable it.
pub(crate) fn filter(limit: Option<u32>) -> Buffer {
    Buffer { max_request_bytes: Some(UInt32Value { value: limit.unwrap_or(u32::MAX) }) }
}

/// What the filter does for a route or a host.
pub(crate) fn settings(buffer: &RequestBuffer) -> (String, Any) {
    let what = match buffer {
        RequestBuffer::Off => Override::Disabled(true),
        RequestBuffer::UpTo(bytes) => {
            Override::Buffer(Buffer { max_request_bytes: Some(UInt32Value { value: *bytes }) })
        }
    };
    (FILTER.to_owned(), any(&BufferPerRoute { r#override: Some(what) }))
}
