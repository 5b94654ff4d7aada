//! Copies of requests, in Envoy's terms.

use envoy_types::pb::envoy::config::core::v3::RuntimeFractionalPercent;
use envoy_types::pb::envoy::config::route::v3::route_action::RequestMirrorPolicy;
use envoy_types::pb::envoy::r#type::v3::FractionalPercent;
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use serin_api::proxy::{Shadow, ShadowHost};

/// Envoy's policy for `shadow`.
pub(crate) fn mirror_policy(shadow: &Shadow) -> RequestMirrorPolicy {
    let Shadow { cluster, per_million, host } = shadow;
    let share = FractionalPercent { numerator: *per_million, denominator: DenominatorType::Million.into() };
    RequestMirrorPolicy {
        cluster: cluster.to_string(),
        runtime_fraction: Some(RuntimeFractionalPercent {
            default_value: Some(share),
            ..RuntimeFractionalPercent::default()
        }),
        disable_shadow_host_suffix_append: *host == ShadowHost::Same,
        host_rewrite_literal: match host {
            ShadowHost::Literal(host) => host.clone(),
            ShadowHost::Suffixed | ShadowHost::Same => String::new(),
        },
        ..RequestMirrorPolicy::default()
    }
}
