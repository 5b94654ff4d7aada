//! The option `shadowing`: whose copies are sent where, and whether that exists.

use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::gateway::RouteShadowing;
use serin_api::proxy::{RoutePolicy, Shadow, ShadowHost};

use crate::destination::{Destinations, Notes};
use crate::faults::per_million;
use crate::field_path::FieldPath;
use crate::option_fault::OptionFault;
use crate::options::Options;
use crate::report::Finding;
use crate::upstream;

/// What `written` comes to; `None` where nothing is copied. What is wrong with it is added to `faults`. Whether the
/// Upstream exists is [`look_up`]'s business.
pub(crate) fn of(written: &RouteShadowing, faults: &mut Vec<OptionFault>) -> Option<Shadow> {
    let RouteShadowing { upstream, percentage, disable_shadow_host_suffix_append, host_rewrite_literal } = written;
    let per_million = per_million(*percentage, "shadowing.percentage", faults);
    let upstream = upstream.as_ref().filter(|upstream| !upstream.name.is_empty());
    match upstream {
        None => faults.push(OptionFault::new("shadowing.upstream", "name the Upstream that gets the copies")),
        Some(upstream) if upstream.namespace.is_empty() => {
            faults.push(OptionFault::new("shadowing.upstream.namespace", "name the Upstream's namespace as well"));
        }
        Some(_) => {}
    }
    let host = match (host_rewrite_literal.as_str(), disable_shadow_host_suffix_append) {
        ("", false) => ShadowHost::Suffixed,
        ("", true) => ShadowHost::Same,
        (host, _) => {
            if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
                let reason = format!("{host:?} is not a host; write one like api.example.com or 10.0.0.1:8080");
                faults.push(OptionFault::new("shadowing.hostRewriteLiteral", reason));
            }
            ShadowHost::Literal(host.to_owned())
        }
    };
    let per_million = per_million.filter(|share| *share > 0)?;
    Some(Shadow { cluster: upstream::name(upstream?), per_million, host })
}

/// Looks the Upstream up that `options`, those of `id` at `at`, name. Where it is missing, that is a finding.
pub(crate) fn look_up<'a>(
    destinations: &Destinations<'a>,
    options: Option<&Options>,
    id: &ResourceId,
    at: &FieldPath<'_>,
    findings: &mut Vec<Arc<Finding>>,
    uses: &mut Vec<&'a ResourceId>,
) {
    let written = options.and_then(|options| options.get("shadowing")?.get("upstream"));
    let Some(reference) = written.and_then(|written| serde_json::from_value::<serin_api::Ref>(written.clone()).ok())
    else {
        return;
    };
    if reference.name.is_empty() || reference.namespace.is_empty() {
        return;
    }
    let mut notes = Notes::default();
    let at = at.field("options");
    let at = at.field("shadowing");
    let _ = destinations.upstream(&reference, &at.field("upstream"), &mut notes);
    findings.extend(notes.problems.into_iter().map(|problem| Arc::new(problem.on_route(id))));
    uses.append(&mut notes.uses);
}

/// The policy without copies where the cluster that gets them does not exist: the rest of it is served.
pub(crate) fn without_missing(policy: Arc<RoutePolicy>, destinations: &Destinations<'_>) -> Option<Arc<RoutePolicy>> {
    match &policy.shadow {
        Some(shadow) if !destinations.has(&shadow.cluster) => {
            let rest = RoutePolicy { shadow: None, ..RoutePolicy::clone(&policy) };
            (rest != RoutePolicy::default()).then(|| Arc::new(rest))
        }
        _ => Some(policy),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Option<Shadow>, Vec<String>) {
        let mut faults = Vec::new();
        let shadow = of(&serde_json::from_value(value).unwrap(), &mut faults);
        (shadow, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn shares_and_hosts_are_read() {
        let upstream = json!({"name": "next", "namespace": "team"});
        let with = |host: ShadowHost| Shadow { cluster: "next_team".into(), per_million: 125_000, host };
        for (value, expected) in [
            (json!({"upstream": upstream, "percentage": 12.5}), Some(with(ShadowHost::Suffixed))),
            (
                json!({"upstream": upstream, "percentage": 12.5, "disableShadowHostSuffixAppend": true}),
                Some(with(ShadowHost::Same)),
            ),
            (
                json!({"upstream": upstream, "percentage": 12.5, "hostRewriteLiteral": "copy:80"}),
                Some(with(ShadowHost::Literal("copy:80".to_owned()))),
            ),
            (json!({"upstream": upstream}), None),
            (json!({"upstream": upstream, "percentage": 0}), None),
        ] {
            assert_eq!(of_json(value), (expected, Vec::new()));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let upstream = json!({"name": "next", "namespace": "team"});
        for (value, expected) in [
            (json!({"percentage": 1}), "shadowing.upstream: name the Upstream"),
            (json!({"upstream": {"name": "next"}, "percentage": 1}), "shadowing.upstream.namespace: name the"),
            (json!({"upstream": upstream, "percentage": 100.1}), "shadowing.percentage: 100.1 is no percentage"),
            (json!({"upstream": upstream, "percentage": -1}), "shadowing.percentage: -1 is no percentage"),
            (
                json!({"upstream": upstream, "percentage": 1, "hostRewriteLiteral": "a\nb"}),
                "shadowing.hostRewriteLiteral: \"a\\nb\" is not a host",
            ),
        ] {
            let (_, faults) = of_json(value);
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{faults:?}");
        }
    }
}
