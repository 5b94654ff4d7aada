//! HTTP/1.1 as it is spoken to upstreams: a request's head into bytes, bytes into a response's head and body; and what is
//! let through of a client's. No I/O.
//!
//! An upstream may be in another team's hands or broken, so what it sends is held to limits, and a message whose end is
//! in doubt (RFC 9112, 6.3) is refused: the next response on its connection could be anybody's.

mod body_decoder;
mod chunk_line;
mod request_head;
mod request_scan;
mod response_head;

pub use body_decoder::{BodyDecoder, Decoded};
pub use request_head::{RequestFraming, encode_chunk_line, encode_request_head, encode_trailers};
pub use request_scan::RequestScan;
pub use response_head::{HeadParser, ResponseHead};

/// Bytes that the head of a response, or its trailers, may have.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Lines that the head of a response, or its trailers, may have.
pub const MAX_HEADER_LINES: usize = 256;

/// Why what an upstream sent is not a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not the syntax of HTTP/1.
    #[error("it is not HTTP/1: {0}")]
    Syntax(#[from] httparse::Error),
    /// More bytes of headers than [`MAX_HEAD_BYTES`].
    #[error("its headers are longer than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    /// A status below 100 or above 999.
    #[error("its status is not a status")]
    Status,
    /// A Content-Length that is no number, or more than one of them, or one beside a Transfer-Encoding.
    #[error("its length is not clear")]
    Length,
    /// A transfer encoding other than chunked, or one in HTTP/1.0.
    #[error("its transfer encoding is not chunked")]
    TransferEncoding,
    /// A chunk does not begin with its size, or does not end where it should.
    #[error("its chunks are malformed")]
    Chunk,
    /// The connection ended before the body did.
    #[error("it ended before its end")]
    Truncated,
}
