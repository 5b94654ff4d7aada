//! What browsers are told of requests from other origins' pages, in Envoy's terms.

use envoy_types::pb::envoy::config::core::v3::RuntimeFractionalPercent;
use envoy_types::pb::envoy::extensions::filters::http::cors::v3::CorsPolicy as EnvoyCors;
use envoy_types::pb::envoy::r#type::v3::FractionalPercent;
use envoy_types::pb::google::protobuf::{Any, BoolValue};
use serin_api::proxy::{CorsPolicy, OriginMatch};

use crate::protobuf::{any, string_matcher};

/// The filter's name, under which routes and hosts say what they want of it.
pub(crate) const FILTER: &str = "envoy.filters.http.cors";

/// `policy`, as the filter's settings of a route or a host.
pub(crate) fn settings(policy: &CorsPolicy) -> (String, Any) {
    let CorsPolicy {
        disabled,
        allow_origins,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
        allow_credentials,
    } = policy;
    let origins = allow_origins.iter().map(|origin| match origin {
        OriginMatch::Exact(origin) => string_matcher(origin, false),
        OriginMatch::Regex(pattern) => string_matcher(pattern, true),
    });
    let never = RuntimeFractionalPercent { default_value: Some(FractionalPercent::default()), ..Default::default() };
    let made = EnvoyCors {
        allow_origin_string_match: origins.collect(),
        allow_methods: allow_methods.clone(),
        allow_headers: allow_headers.clone(),
        expose_headers: expose_headers.clone(),
        max_age: max_age.clone(),
        allow_credentials: allow_credentials.then_some(BoolValue { value: true }),
        filter_enabled: disabled.then_some(never),
        ..EnvoyCors::default()
    };
    (FILTER.to_owned(), any(&made))
}
