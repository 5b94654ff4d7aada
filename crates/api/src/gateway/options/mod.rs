//! The options of routes, hosts and destinations that are implemented. A field that is not here is known from the
//! catalogue alone, and is reported on whoever uses it.

mod buffer;
mod choices;
mod client_certificate;
mod cors;
mod destination;
mod faults;
mod gateway;
mod hashing;
mod headers;
mod host;
mod http_listener;
mod listener_parts;
mod log_filter;
mod max_stream_duration;
mod retries;
mod route;
mod shadowing;
mod upgrades;

pub use buffer::{Buffer, BufferPerRoute};
pub use client_certificate::{ForwardClientCertDetails, SetCurrentClientCertDetails};
pub use cors::CorsPolicy;
pub use destination::WeightedDestinationOptions;
pub use faults::{RouteAbort, RouteDelay, RouteFaults};
pub use gateway::{AccessLogOptions, AccessLoggingService, FileSink, GatewayOptions, LogTemplate};
pub use hashing::{HashCookie, HashPolicy, RouteActionHashConfig};
pub use headers::{HeaderManipulation, HeaderToAdd, NameAndValue, RequestHeaderToAdd};
pub use host::VirtualHostOptions;
pub use http_listener::{
    CodecType, EscapedSlashesAction, HeadersWithUnderscoreAction, Http2ProtocolOptions, HttpConnectionManagerSettings,
    HttpListenerOptions, ServerHeaderTransformation,
};
pub use listener_parts::{CidrRange, InternalAddressConfig, RouterOptions, UuidRequestIdConfig};
pub use log_filter::{
    AccessLogFilter, ComparingFilter, ComparisonFilter, ComparisonOp, EmptyFilter, FractionalDenominator,
    FractionalPercent, GrpcStatusFilter, GrpcStatusName, HeaderFilter, LogHeaderMatcher, LogRegexMatcher,
    NestedFilters, RangeMatch, ResponseFlagFilter, RuntimeFilter, RuntimeNumber,
};
pub use max_stream_duration::MaxStreamDuration;
pub use retries::{RateLimitedRetryBackOff, ResetHeader, ResetHeaderFormat, RetryBackOff, RetryPolicy};
pub use route::RouteOptions;
pub use shadowing::RouteShadowing;
pub use upgrades::{ProtocolUpgradeConfig, ProtocolUpgradeSpec};
