//! Stickiness by Envoy's nearest means: the draw among weighted clusters follows from a hash of the cookie or header.
//!
//! Envoy's hash has no salt, so each rollout begins with the same users, and its place in the range is the hash modulo
//! the sum of the weights: users stay where they are as long as that sum does.

use envoy_types::pb::envoy::config::route::v3::route_action::HashPolicy;
use envoy_types::pb::envoy::config::route::v3::route_action::hash_policy::{Cookie, Header, PolicySpecifier};
use envoy_types::pb::envoy::config::route::v3::weighted_cluster::RandomValueSpecifier;
use envoy_types::pb::envoy::config::route::v3::{RouteAction, WeightedCluster};
use envoy_types::pb::google::protobuf::BoolValue;
use serin_api::proxy::{Stickiness, StickyKey};

use crate::protobuf::duration;

/// Makes the draw among `clusters` follow from what the route's action [hashes](hash).
pub(crate) fn draw_by_hash(clusters: &mut WeightedCluster) {
    clusters.random_value_specifier = Some(RandomValueSpecifier::UseHashPolicy(BoolValue { value: true }));
}

/// Makes `action` hash what tells users apart.
pub(crate) fn hash(stickiness: &Stickiness, action: &mut RouteAction) {
    let Stickiness { key, salt: _ } = stickiness;
    let specifier = match key {
        StickyKey::Header(name) => PolicySpecifier::Header(Header { header_name: name.clone(), ..Header::default() }),
        StickyKey::Cookie { name, ttl, path } => PolicySpecifier::Cookie(Cookie {
            name: name.clone(),
            // Without one Envoy makes no cookie; zero is one for the session.
            ttl: Some(duration(ttl.map_or_else(Default::default, |ttl| ttl.0))),
            path: path.clone(),
            attributes: Vec::new(),
        }),
    };
    // In front of what else there is to hash, so that the draw follows from this alone.
    action.hash_policy.insert(0, HashPolicy { policy_specifier: Some(specifier), terminal: true });
}
