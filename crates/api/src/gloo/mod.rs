//! The group `gloo.solo.io`: destinations, settings, and the flattened Proxy.

mod circuit_breakers;
mod connection;
mod health_check;
mod load_balancer;
mod outlier_detection;
mod proxy;
mod settings;
mod upstream;
mod upstream_group;
mod upstream_ssl;

pub use circuit_breakers::CircuitBreakerConfig;
pub use connection::{CommonHttpProtocolOptions, ConnectionConfig, TcpKeepalive};
pub use health_check::{
    GrpcHealthCheck, HealthCheck, HealthCheckMethod, HttpHealthCheck, Payload, StatusRange, TcpHealthCheck,
};
pub use load_balancer::{
    Empty, LeastRequest, LoadBalancerConfig, RingHash, RingHashConfig, RoundRobin, SlowStartConfig,
};
pub use outlier_detection::OutlierDetection;
pub use proxy::{Proxy, ProxyDocument};
pub use settings::{
    DiscoveryOptions, FdsMode, GatewayOptions, GlooOptions, InvalidConfigPolicy, RbacSettings, Settings, SettingsSpec,
    UdsOptions, ValidationOptions,
};
pub use upstream::{
    DefaultSubset, FallbackPolicy, KubeUpstream, StaticHost, StaticUpstream, SubsetSelector, SubsetSpec, Upstream,
    UpstreamSpec,
};
pub use upstream_group::{UpstreamGroup, UpstreamGroupSpec};
pub use upstream_ssl::UpstreamSslConfig;
