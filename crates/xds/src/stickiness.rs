//! Stickiness by Envoy's nearest means: the draw among weighted clusters follows from a hash of the cookie or header.
//!
//! Envoy's hash has no salt, so each rollout begins with the same users, and its place in the range is the hash modulo
//! the sum of the weights: users stay where they are as long as that sum does.
//!
//! Envoy makes a cookie only for the choice among a cluster's endpoints, and not for this draw. So those without one have
//! a route of their own, in front: they are drawn by the id of their request, and that id becomes their cookie.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::config::route::v3::route::Action;
use envoy_types::pb::envoy::config::route::v3::route_action::hash_policy::{Cookie, Header, PolicySpecifier};
use envoy_types::pb::envoy::config::route::v3::route_action::{ClusterSpecifier, HashPolicy};
use envoy_types::pb::envoy::config::route::v3::weighted_cluster::RandomValueSpecifier;
use envoy_types::pb::envoy::config::route::v3::{HeaderMatcher, Route, RouteAction, WeightedCluster};
use envoy_types::pb::google::protobuf::BoolValue;
use serin_api::GoDuration;
use serin_api::proxy::{Stickiness, StickyKey};

use crate::matcher::escaped;
use crate::protobuf::string_matcher;

/// The header with a request's id, which Envoy sets.
const REQUEST_ID: &str = "x-request-id";

/// Makes the draw among `clusters` follow from what the route's action [hashes](hash).
pub(crate) fn draw_by_hash(clusters: &mut WeightedCluster) {
    clusters.random_value_specifier = Some(RandomValueSpecifier::UseHashPolicy(BoolValue { value: true }));
}

/// Makes `action` hash what tells users apart.
pub(crate) fn hash(stickiness: &Stickiness, action: &mut RouteAction) {
    let Stickiness { key, salt: _ } = stickiness;
    let policies = match key {
        StickyKey::Header(name) => vec![header(name)],
        StickyKey::Cookie { name, .. } => {
            let cookie = Cookie { name: name.clone(), ..Cookie::default() };
            let cookie = HashPolicy { policy_specifier: Some(PolicySpecifier::Cookie(cookie)), terminal: true };
            vec![cookie, header(REQUEST_ID)]
        }
    };
    // In front of what else there is to hash, so that the draw follows from this alone.
    action.hash_policy.splice(0..0, policies);
}

fn header(name: &str) -> HashPolicy {
    let header = Header { header_name: name.to_owned(), ..Header::default() };
    HashPolicy { policy_specifier: Some(PolicySpecifier::Header(header)), terminal: true }
}

/// What stands in front of `route`: the same for those who have no cookie yet, which they get.
pub(crate) fn newcomers(stickiness: &Stickiness, route: &Route) -> Option<Route> {
    let StickyKey::Cookie { name, ttl, path } = &stickiness.key else { return None };
    let Some(Action::Route(RouteAction { cluster_specifier: Some(ClusterSpecifier::WeightedClusters(_)), .. })) =
        route.action
    else {
        return None;
    };
    let cookie = HeaderMatcher {
        name: "cookie".to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(string_matcher(
            &format!(r#"(?:.*;)?\s*{}="?[^;"].*"#, escaped(name)),
            true,
        ))),
        invert_match: true,
        treat_missing_header_as_empty: true,
    };
    let id = HeaderMatcher {
        name: REQUEST_ID.to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    };
    let set = HeaderValueOption {
        header: Some(HeaderValue {
            key: "set-cookie".to_owned(),
            value: set_cookie(name, *ttl, path),
            ..HeaderValue::default()
        }),
        append_action: HeaderAppendAction::AppendIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    };
    let mut made = route.clone();
    made.r#match.get_or_insert_default().headers.extend([cookie, id]);
    made.response_headers_to_add.push(set);
    Some(made)
}

/// The cookie, as one of Envoy's format strings.
fn set_cookie(name: &str, ttl: Option<GoDuration>, path: &str) -> String {
    let literal = |text: &str| text.replace('%', "%%");
    let age = ttl.map(|ttl| format!("; Max-Age={}", ttl.0.as_secs())).unwrap_or_default();
    format!("{}=%REQ({REQUEST_ID})%{age}; Path={}; HttpOnly; SameSite=Lax", literal(name), literal(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_no_formats() {
        let ttl = GoDuration::parse("1h");
        assert_eq!(
            set_cookie("a%b", ttl, "/%20"),
            "a%%b=%REQ(x-request-id)%; Max-Age=3600; Path=/%%20; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn only_those_who_are_drawn_get_a_cookie() {
        let key = StickyKey::Cookie { name: "side".into(), ttl: None, path: "/".into() };
        let route = |to| Route {
            action: Some(Action::Route(RouteAction { cluster_specifier: Some(to), ..RouteAction::default() })),
            ..Route::default()
        };
        let drawn = route(ClusterSpecifier::WeightedClusters(WeightedCluster::default()));
        let sticky = Stickiness { key, salt: String::new() };
        assert!(newcomers(&sticky, &drawn).is_some());
        assert!(newcomers(&sticky, &route(ClusterSpecifier::Cluster("up".into()))).is_none());
        let by_header = Stickiness { key: StickyKey::Header("x-user".into()), ..sticky };
        assert!(newcomers(&by_header, &drawn).is_none());
    }
}
