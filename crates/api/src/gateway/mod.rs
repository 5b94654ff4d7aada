//! The group `gateway.solo.io`: the resources that say how requests are routed.

mod delegate;
mod listener;
mod matcher;
mod options;
mod route;
mod route_table;
mod shared_options;
mod ssl;
mod stickiness;
mod virtual_service;

pub use delegate::{DelegateAction, DelegateOptionsRefs, Expression, Operator, RouteTableSelector};
pub use listener::{Gateway, GatewaySpec, HttpGateway, VirtualServiceSelectorExpressions};
pub use matcher::{ConnectMatcher, HeaderMatcher, Matcher, QueryParameterMatcher};
pub use options::{
    AccessLogFilter, ComparingFilter, ComparisonFilter, ComparisonOp, EmptyFilter, FractionalDenominator,
    FractionalPercent, GrpcStatusFilter, GrpcStatusName, HeaderFilter, LogHeaderMatcher, LogRegexMatcher,
    NestedFilters, RangeMatch, ResponseFlagFilter, RuntimeFilter, RuntimeNumber,
};
pub use options::{AccessLogOptions, AccessLoggingService, FileSink, GatewayOptions, LogTemplate};
pub use options::{
    Buffer, BufferPerRoute, CorsPolicy, HeaderManipulation, HeaderToAdd, NameAndValue, RequestHeaderToAdd,
    WeightedDestinationOptions,
};
pub use options::{CidrRange, InternalAddressConfig, RouterOptions, UuidRequestIdConfig};
pub use options::{
    CodecType, EscapedSlashesAction, HeadersWithUnderscoreAction, Http2ProtocolOptions, HttpConnectionManagerSettings,
    HttpListenerOptions, ServerHeaderTransformation,
};
pub use options::{ForwardClientCertDetails, MaxStreamDuration, SetCurrentClientCertDetails};
pub use options::{HashCookie, HashPolicy, RouteActionHashConfig};
pub use options::{ProtocolUpgradeConfig, ProtocolUpgradeSpec, RouteAbort, RouteDelay, RouteFaults};
pub use options::{
    RateLimitedRetryBackOff, ResetHeader, ResetHeaderFormat, RetryBackOff, RetryPolicy, RouteOptions, RouteShadowing,
    VirtualHostOptions,
};
pub use route::{
    Destination, DirectResponseAction, KubeDestination, MultiDestination, RedirectAction, RedirectResponseCode,
    RegexPattern, RegexRewrite, Route, RouteAction, Subset, WeightedDestination,
};
pub use route_table::{RouteTable, RouteTableSpec};
pub use shared_options::{RouteOption, RouteOptionSpec, VirtualHostOption, VirtualHostOptionSpec};
pub use ssl::{ProtocolVersion, SslConfig, SslFiles, SslParameters};
pub use stickiness::{Stickiness, StickyCookie};
pub use virtual_service::{VirtualHost, VirtualService, VirtualServiceSpec};
