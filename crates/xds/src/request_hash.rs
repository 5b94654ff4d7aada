//! What of a request brings it to the same endpoint as others like it, in Envoy's terms.

use envoy_types::pb::envoy::config::route::v3::route_action::HashPolicy;
use envoy_types::pb::envoy::config::route::v3::route_action::hash_policy::{
    ConnectionProperties, Cookie, Header, PolicySpecifier,
};
use serin_api::proxy::{HashKey, HashPart};

use crate::protobuf::duration;

/// Envoy's policy for `part`.
pub(crate) fn policy(part: &HashPart) -> HashPolicy {
    let HashPart { key, terminal } = part;
    let specifier = match key {
        HashKey::Header(name) => PolicySpecifier::Header(Header { header_name: name.clone(), ..Header::default() }),
        HashKey::Cookie { name, ttl, path } => PolicySpecifier::Cookie(Cookie {
            name: name.clone(),
            ttl: ttl.map(|ttl| duration(ttl.0)),
            path: path.clone(),
            attributes: Vec::new(),
        }),
        HashKey::SourceIp => PolicySpecifier::ConnectionProperties(ConnectionProperties { source_ip: true }),
    };
    HashPolicy { policy_specifier: Some(specifier), terminal: *terminal }
}
