//! What a route does: its action, with every reference resolved and every value checked.

use serin_api::ResourceKind;
use serin_api::gateway::{self, DirectResponseAction, RedirectAction, RouteAction};
use serin_api::proxy::{Action, Forward, PathRedirect, Redirect, WeightedTarget};
use serin_api::{Ref, ResourceId};

use crate::destination::{Destinations, Notes, Severity, missing};
use crate::field_path::FieldPath;
use crate::policy::InvalidPolicy;
use crate::view::View;
use crate::weighted::{self, Groups};
use crate::{path, pattern};

/// What actions are resolved against.
pub(crate) struct Actions<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) destinations: &'a Destinations<'a>,
    pub(crate) groups: &'a Groups<'a>,
}

impl<'a> Actions<'a> {
    fn policy(&self) -> &InvalidPolicy {
        &self.view.policy
    }

    /// Resolves the action of a route that does not delegate. `None`: the route is invalid, and the notes say why.
    pub(crate) fn resolve(
        &self,
        owner: &ResourceId,
        route: &gateway::Route,
        at: &FieldPath<'_>,
        unimplemented: &[String],
        notes: &mut Notes<'a>,
    ) -> Option<Action> {
        match (&route.route_action, &route.redirect_action, &route.direct_response_action) {
            (Some(action), None, None) => {
                self.forward(owner, action, &at.field("routeAction"), unimplemented, notes).map(Action::Forward)
            }
            (None, Some(action), None) => redirect(action, &at.field("redirectAction"), notes).map(Action::Redirect),
            (None, None, Some(action)) => direct_response(action, &at.field("directResponseAction"), notes),
            (None, None, None) => {
                notes.malformed(at, "invalid route: route must specify an action");
                None
            }
            _ => {
                notes.malformed(at, "invalid route: a route has one action, keep only one of them");
                None
            }
        }
    }

    fn forward(
        &self,
        owner: &ResourceId,
        action: &RouteAction,
        at: &FieldPath<'_>,
        unimplemented: &[String],
        notes: &mut Notes<'a>,
    ) -> Option<Forward> {
        let namespace = owner.namespace.as_str();
        match (&action.single, &action.multi, &action.upstream_group, &action.cluster_header) {
            (Some(single), None, None, None) => {
                let at = at.field("single");
                if single.upstream.is_none() && single.kube.is_none() && notes.unimplemented(&at, unimplemented) {
                    return None;
                }
                let target = self.destinations.resolve(single, namespace, &at, notes)?;
                Some(Forward::Weighted(vec![WeightedTarget { target, weight: 1, headers: None }]))
            }
            (None, Some(multi), None, None) => {
                let at = at.field("multi");
                weighted::resolve(self.destinations, self.policy(), &multi.destinations, namespace, &at, notes)
                    .map(Forward::Weighted)
            }
            (None, None, Some(group), None) => self.group(group, &at.field("upstreamGroup"), notes),
            (None, None, None, Some(header)) => cluster_header(header, &at.field("clusterHeader"), notes),
            (None, None, None, None) => {
                if !notes.unimplemented(at, unimplemented) {
                    notes.malformed(at, "must specify one of single, multi, upstreamGroup and clusterHeader");
                }
                None
            }
            _ => {
                notes.malformed(at, "keep only one of single, multi, upstreamGroup and clusterHeader");
                None
            }
        }
    }

    fn group(&self, reference: &Ref, at: &FieldPath<'_>, notes: &mut Notes<'a>) -> Option<Forward> {
        let Some(group) = self.groups.get(reference) else {
            match self.view.unreadable(ResourceKind::UpstreamGroup, reference) {
                Some((id, unreadable)) => {
                    notes.uses.push(id);
                    notes.malformed(at, &format!("UpstreamGroup {reference} cannot be read: {}", unreadable.reason));
                }
                None => notes.problem(Severity::Missing, at, missing("UpstreamGroup", reference)),
            }
            return None;
        };
        notes.uses.push(group.id);
        notes.uses.extend(&group.uses);
        notes.problems.extend(group.problems.iter().cloned().map(|mut problem| {
            problem.path = format!("{at} (UpstreamGroup {reference}, {})", problem.path);
            problem
        }));
        group.targets.clone().map(Forward::Weighted)
    }
}

impl Notes<'_> {
    /// Notes that a block holds a field which is known but not implemented. `false`: there is none.
    fn unimplemented(&mut self, at: &FieldPath<'_>, fields: &[String]) -> bool {
        let block = format!("{at}.");
        let Some(field) = fields.iter().find(|field| field.starts_with(&block)) else { return false };
        self.problems.push(crate::destination::Problem {
            severity: Severity::Unimplemented,
            reason: "not implemented yet: the route answers as an invalid one does".to_owned(),
            path: field.clone(),
        });
        true
    }
}

fn cluster_header(header: &str, at: &FieldPath<'_>, notes: &mut Notes<'_>) -> Option<Forward> {
    if is_header_name(header) {
        return Some(Forward::ClusterHeader(header.to_owned()));
    }
    notes.malformed(at, &format!("{header} is an invalid HTTP header name"));
    None
}

/// Whether a text is a header's name: an RFC 9110 token.
pub(crate) fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn direct_response(action: &DirectResponseAction, at: &FieldPath<'_>, notes: &mut Notes<'_>) -> Option<Action> {
    match u16::try_from(action.status).ok().filter(|status| (200..600).contains(status)) {
        Some(status) => Some(Action::DirectResponse { status, body: action.body.clone() }),
        None => {
            notes.malformed(&at.field("status"), &format!("{} is no status code from 200 to 599", action.status));
            None
        }
    }
}

/// A redirect with a path that no URL should have is reported, and served all the same: what cannot be served at all
/// is `None`.
fn redirect(action: &RedirectAction, at: &FieldPath<'_>, notes: &mut Notes<'_>) -> Option<Redirect> {
    if let Err(reason) = path::check(&action.host_redirect) {
        notes.malformed(&at.field("hostRedirect"), &reason);
    }
    let path = match (&action.path_redirect, &action.prefix_rewrite, &action.regex_rewrite) {
        (None, None, None) => PathRedirect::Keep,
        (Some(target), None, None) => {
            if let Err(reason) = path::check_target(target) {
                notes.malformed(&at.field("pathRedirect"), &format!("the path is invalid: {target}: {reason}"));
            }
            PathRedirect::Replace(target.clone())
        }
        (None, Some(prefix), None) => {
            if let Err(reason) = path::check_target(prefix) {
                notes.malformed(&at.field("prefixRewrite"), &format!("the rewrite is invalid: {prefix}: {reason}"));
            }
            PathRedirect::PrefixRewrite(prefix.clone())
        }
        (None, None, Some(rewrite)) => {
            if let Err(reason) = pattern::check(&rewrite.pattern.regex) {
                let at = at.field("regexRewrite");
                notes.malformed(&at.field("pattern"), &format!("invalid regex: {}: {reason}", rewrite.pattern.regex));
                return None;
            }
            PathRedirect::Regex { pattern: rewrite.pattern.regex.clone(), substitution: rewrite.substitution.clone() }
        }
        _ => {
            notes.malformed(at, "keep only one of pathRedirect, prefixRewrite and regexRewrite");
            return None;
        }
    };
    let port = match action.port_redirect.map(u16::try_from) {
        None => None,
        Some(Ok(port)) => Some(port).filter(|port| *port != 0),
        Some(Err(_)) => {
            notes.malformed(&at.field("portRedirect"), "a port is at most 65535");
            return None;
        }
    };
    Some(Redirect {
        status: action.response_code.status(),
        host: Some(action.host_redirect.clone()).filter(|host| !host.is_empty()),
        port,
        https: action.https_redirect,
        path,
        strip_query: action.strip_query,
    })
}
