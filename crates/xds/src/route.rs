//! Route configurations: virtual hosts, their routes in order, and what each does with a request.

use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::{DataSource, RuntimeFractionalPercent};
use envoy_types::pb::envoy::config::route::v3::redirect_action::{
    PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier,
};
use envoy_types::pb::envoy::config::route::v3::route::Action as EnvoyAction;
use envoy_types::pb::envoy::config::route::v3::route_action::ClusterSpecifier;
use envoy_types::pb::envoy::config::route::v3::weighted_cluster::ClusterWeight;
use envoy_types::pb::envoy::config::route::v3::{
    DirectResponseAction, RedirectAction, Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost,
    WeightedCluster,
};
use envoy_types::pb::envoy::r#type::matcher::v3::RegexMatchAndSubstitute;
use envoy_types::pb::envoy::r#type::v3::FractionalPercent;
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{
    self, Action, Forward, PathRedirect, Redirect, RoutePolicy, Stickiness, Target, WeightedTarget,
};

use crate::header_changes::envoy_headers;
use crate::matcher::route_match;
use crate::policy;
use crate::protobuf::{regex, subset_metadata};
use crate::stickiness;

/// Bytes of a direct response that Envoy takes without being told.
const ENVOY_BODY_BYTES: usize = 4096;
/// What a share of requests is counted in.
const MILLION: u64 = 1_000_000;

/// The routes of `listener`, under its name.
pub(crate) fn configuration(listener: &proxy::Listener) -> RouteConfiguration {
    let virtual_hosts: Vec<_> = listener.virtual_hosts.iter().map(|host| virtual_host(host)).collect();
    let longest = virtual_hosts.iter().flat_map(|host| &host.routes).map(body_length).max().unwrap_or_default();
    let value = u32::try_from(longest.max(ENVOY_BODY_BYTES)).unwrap_or(u32::MAX);
    RouteConfiguration {
        name: listener.name.clone(),
        virtual_hosts,
        max_direct_response_body_size_bytes: Some(UInt32Value { value }),
        ..RouteConfiguration::default()
    }
}

fn body_length(route: &Route) -> usize {
    match &route.action {
        Some(EnvoyAction::DirectResponse(DirectResponseAction { body: Some(body), .. })) => match &body.specifier {
            Some(Specifier::InlineString(text)) => text.len(),
            _ => 0,
        },
        _ => 0,
    }
}

fn virtual_host(host: &proxy::VirtualHost) -> VirtualHost {
    let proxy::VirtualHost { name, source: _, domains, routes, policy } = host;
    let mut made = VirtualHost {
        name: name.clone(),
        domains: domains.clone(),
        routes: routes.iter().flat_map(|route| alternatives(route)).collect(),
        ..VirtualHost::default()
    };
    if let Some(policy) = policy {
        policy::apply_to_host(policy, &mut made);
    }
    made
}

/// A route as Envoy's, which have one matcher each.
fn alternatives(route: &proxy::Route) -> Vec<Route> {
    let proxy::Route { name, source: _, via: _, matchers, action, policy, stickiness } = route;
    let actions = actions(action, policy.as_deref(), stickiness.as_deref());
    let routes = matchers.iter().map(route_match).flat_map(|found| {
        actions.iter().map(move |(share, action)| {
            let mut made = Route {
                name: name.clone(),
                r#match: Some(RouteMatch { runtime_fraction: share.map(fraction), ..found.clone() }),
                action: Some(action.clone()),
                // Only what is forwarded can fail on purpose.
                typed_per_filter_config: policy
                    .as_deref()
                    .filter(|_| matches!(action, EnvoyAction::Route(_)))
                    .map(policy::filters)
                    .unwrap_or_default(),
                ..Route::default()
            };
            if let Some(policy) = policy {
                policy::apply_to_route(policy, &mut made);
            }
            let newcomers = stickiness.as_deref().and_then(|stickiness| stickiness::newcomers(stickiness, &made));
            newcomers.into_iter().chain([made])
        })
    });
    routes.flatten().collect()
}

/// What is done with a request, each with how many in a million it and those before it take; `None` is all that is left.
fn actions(
    action: &Action,
    policy: Option<&RoutePolicy>,
    stickiness: Option<&Stickiness>,
) -> Vec<(Option<u32>, EnvoyAction)> {
    match action {
        Action::Forward(Forward::ClusterHeader(header)) => {
            vec![(None, forward(ClusterSpecifier::ClusterHeader(header.clone()), policy))]
        }
        Action::Forward(Forward::Weighted(targets)) => weighted(targets, policy, stickiness),
        Action::Redirect(to) => vec![(None, EnvoyAction::Redirect(redirect(to)))],
        Action::DirectResponse { status, body } => vec![(None, direct_response(*status, body))],
    }
}

/// Envoy weighs clusters only, so responses are routes of their own, in front, for a share of the requests. Envoy draws one
/// number for a request, so the shares add up.
fn weighted(
    targets: &[WeightedTarget],
    policy: Option<&RoutePolicy>,
    stickiness: Option<&Stickiness>,
) -> Vec<(Option<u32>, EnvoyAction)> {
    let total: u64 = targets.iter().map(|target| u64::from(target.weight)).sum();
    let mut routes = Vec::new();
    let mut clusters = Vec::new();
    let mut taken = 0_u64;
    // Only a cluster among others can change headers.
    let mut plain = true;
    for WeightedTarget { target, weight, headers } in targets.iter().filter(|target| target.weight > 0) {
        match target {
            Target::Cluster { cluster, subset } => {
                plain &= headers.is_none();
                let headers = envoy_headers(headers.as_deref());
                clusters.push(ClusterWeight {
                    name: cluster.to_string(),
                    weight: Some(UInt32Value { value: in_range(*weight, total) }),
                    metadata_match: subset_metadata(subset),
                    request_headers_to_add: headers.request_add,
                    request_headers_to_remove: headers.request_remove,
                    response_headers_to_add: headers.response_add,
                    response_headers_to_remove: headers.response_remove,
                    ..ClusterWeight::default()
                });
            }
            Target::DirectResponse { status, body } => {
                taken += u64::from(*weight);
                let share = u32::try_from(taken * MILLION / total.max(1)).unwrap_or(u32::MAX);
                routes.push((Some(share), direct_response(*status, body)));
            }
        }
    }
    match (clusters.len(), routes.last_mut()) {
        // Nothing is left behind the last response.
        (0, Some((share, _))) => *share = None,
        (0, None) => {}
        (1, _) if plain => {
            let only = clusters.remove(0);
            let mut action = route_action(ClusterSpecifier::Cluster(only.name), policy);
            action.metadata_match = only.metadata_match;
            routes.push((None, EnvoyAction::Route(action)));
        }
        _ => {
            let mut clusters = WeightedCluster { clusters, ..WeightedCluster::default() };
            if stickiness.is_some() {
                stickiness::draw_by_hash(&mut clusters);
            }
            let mut action = route_action(ClusterSpecifier::WeightedClusters(clusters), policy);
            if let Some(stickiness) = stickiness {
                stickiness::hash(stickiness, &mut action);
            }
            routes.push((None, EnvoyAction::Route(action)));
        }
    }
    routes
}

/// A weight as part of a sum that Envoy can hold.
fn in_range(weight: u32, total: u64) -> u32 {
    match total <= u64::from(u32::MAX) {
        true => weight,
        false => u32::try_from(u64::from(weight) * MILLION / total).unwrap_or(u32::MAX),
    }
}

fn fraction(share: u32) -> RuntimeFractionalPercent {
    let percent = FractionalPercent { numerator: share, denominator: DenominatorType::Million.into() };
    RuntimeFractionalPercent { default_value: Some(percent), ..RuntimeFractionalPercent::default() }
}

fn forward(to: ClusterSpecifier, policy: Option<&RoutePolicy>) -> EnvoyAction {
    EnvoyAction::Route(route_action(to, policy))
}

fn route_action(to: ClusterSpecifier, policy: Option<&RoutePolicy>) -> RouteAction {
    let mut action = RouteAction { cluster_specifier: Some(to), ..RouteAction::default() };
    if let Some(policy) = policy {
        policy::apply(policy, &mut action);
    }
    action
}

fn direct_response(status: u16, body: &str) -> EnvoyAction {
    let body = (!body.is_empty())
        .then(|| DataSource { specifier: Some(Specifier::InlineString(body.to_owned())), ..DataSource::default() });
    EnvoyAction::DirectResponse(DirectResponseAction { status: status.into(), body, ..DirectResponseAction::default() })
}

fn redirect(redirect: &Redirect) -> RedirectAction {
    let Redirect { status, host, port, https, path, strip_query } = redirect;
    let code = match status {
        302 => RedirectResponseCode::Found,
        303 => RedirectResponseCode::SeeOther,
        307 => RedirectResponseCode::TemporaryRedirect,
        308 => RedirectResponseCode::PermanentRedirect,
        _ => RedirectResponseCode::MovedPermanently,
    };
    let path = match path {
        PathRedirect::Keep => None,
        PathRedirect::Replace(path) => Some(PathRewriteSpecifier::PathRedirect(path.clone())),
        PathRedirect::PrefixRewrite(prefix) => Some(PathRewriteSpecifier::PrefixRewrite(prefix.clone())),
        PathRedirect::Regex { pattern, substitution } => {
            Some(PathRewriteSpecifier::RegexRewrite(RegexMatchAndSubstitute {
                pattern: Some(regex(pattern)),
                substitution: substitution.clone(),
            }))
        }
    };
    RedirectAction {
        host_redirect: host.clone().unwrap_or_default(),
        port_redirect: port.map_or(0, u32::from),
        response_code: code.into(),
        strip_query: *strip_query,
        scheme_rewrite_specifier: https.then_some(SchemeRewriteSpecifier::HttpsRedirect(true)),
        path_rewrite_specifier: path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(weight: u32) -> WeightedTarget {
        WeightedTarget { target: Target::DirectResponse { status: 404, body: String::new() }, weight, headers: None }
    }

    fn cluster(weight: u32) -> WeightedTarget {
        WeightedTarget {
            target: Target::Cluster { cluster: "c".into(), subset: Default::default() },
            weight,
            headers: None,
        }
    }

    fn shares(targets: &[WeightedTarget]) -> Vec<Option<u32>> {
        weighted(targets, None, None).into_iter().map(|(share, _)| share).collect()
    }

    #[test]
    fn responses_among_clusters_take_their_share_and_the_rest_is_weighed() {
        assert_eq!(shares(&[answer(20), cluster(50), answer(30)]), [Some(200_000), Some(500_000), None]);
        assert_eq!(shares(&[answer(1), answer(1)]), [Some(500_000), None]);
        assert_eq!(shares(&[cluster(1), answer(0)]), [None]);
    }

    #[test]
    fn weights_fit_in_what_envoy_can_hold() {
        assert_eq!(in_range(7, 10), 7);
        assert_eq!(in_range(u32::MAX, 2 * u64::from(u32::MAX)), 500_000);
    }
}
