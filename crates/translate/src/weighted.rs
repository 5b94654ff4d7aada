//! Several destinations by weight: in a route, or in an UpstreamGroup that many routes share.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serin_api::gateway::{WeightedDestination, WeightedDestinationOptions};
use serin_api::gloo::UpstreamGroupSpec;
use serin_api::proxy::{HeaderChanges, Target, WeightedTarget};
use serin_api::{Ref, ResourceId};

use crate::closed;
use crate::destination::{Destinations, Notes, Problem, Severity};
use crate::field_path::FieldPath;
use crate::header_changes;
use crate::option_fault::{OptionFault, read};
use crate::options;
use crate::policy::InvalidPolicy;
use crate::report::Finding;
use crate::snapshot::Resource;
use crate::view::View;

/// Resolves a list of destinations. An invalid one is replaced and keeps its weight; `None` when the list as a whole
/// cannot be served.
pub(crate) fn resolve<'a>(
    destinations: &Destinations<'a>,
    policy: &InvalidPolicy,
    written: &[WeightedDestination],
    namespace: &str,
    path: &FieldPath<'_>,
    notes: &mut Notes<'a>,
) -> Option<Vec<WeightedTarget>> {
    if written.is_empty() {
        notes.malformed(path, "must specify at least one weighted destination for multi destination routes");
        return None;
    }
    let mut targets = Vec::with_capacity(written.len());
    let mut sum: u64 = 0;
    for (at, weighted) in written.iter().enumerate() {
        let element = path.element("destinations", at);
        let mut resolved = destinations.resolve(&weighted.destination, namespace, &element.field("destination"), notes);
        let (headers, faults) = headers(weighted);
        for fault in faults {
            let path = format!("{}.{}", element.field("options"), fault.field);
            notes.problems.push(Problem { severity: Severity::Malformed, reason: fault.reason, path });
            resolved = None;
        }
        let target = match resolved {
            _ if closed::asks(None, &[options::map(weighted.options.as_ref())]) => closed::target(),
            Some(target) => target,
            None => policy.target(),
        };
        let weight = weighted.weight.unwrap_or(0);
        sum += u64::from(weight);
        let headers = headers.filter(|_| matches!(target, Target::Cluster { .. }));
        targets.push(WeightedTarget { target, weight, headers });
    }
    if sum == 0 {
        notes.malformed(path, "Weighted Destinations require a total weight that is greater than or equal to 1");
        return None;
    }
    if sum > u64::from(u32::MAX) {
        notes.malformed(path, "the weights add up to more than 4294967295; weights are relative: use smaller ones");
        return None;
    }
    Some(targets)
}

/// How a destination's options change headers, and what is wrong with them.
fn headers(weighted: &WeightedDestination) -> (Option<Arc<HeaderChanges>>, Vec<OptionFault>) {
    let mut faults = Vec::new();
    let Some(written) = options::map(weighted.options.as_ref()) else { return (None, faults) };
    let WeightedDestinationOptions { header_manipulation } = read(written, &mut faults);
    let changes = header_changes::of(header_manipulation.as_ref(), &mut faults);
    (changes.map(Arc::new), faults)
}

/// An UpstreamGroup, looked at once for all the routes that name it.
pub(crate) struct Group<'a> {
    pub(crate) id: &'a ResourceId,
    /// Its targets; `None` when it cannot be served at all.
    pub(crate) targets: Option<Vec<WeightedTarget>>,
    /// What is wrong with its destinations, for the routes that name it.
    pub(crate) problems: Vec<Problem>,
    /// The Upstreams it names.
    pub(crate) uses: Vec<&'a ResourceId>,
    /// What is to be said of the group itself.
    pub(crate) findings: Vec<Finding>,
}

/// All UpstreamGroups, by namespace and name.
pub(crate) type Groups<'a> = FxHashMap<&'a Ref, Group<'a>>;

/// Looks at every group that is watched.
pub(crate) fn groups<'a>(view: &View<'a>, destinations: &Destinations<'a>) -> Groups<'a> {
    let all = view.snapshot.upstream_groups.iter().filter(|(reference, _)| view.watches(&reference.namespace));
    all.map(|(reference, group)| (reference, look_at(view, destinations, group))).collect()
}

fn look_at<'a>(view: &View<'a>, destinations: &Destinations<'a>, group: &'a Resource<UpstreamGroupSpec>) -> Group<'a> {
    let mut notes = Notes::default();
    let path = FieldPath::root("spec");
    let namespace = &group.id.namespace;
    let targets = resolve(destinations, &view.policy, &group.spec.destinations, namespace, &path, &mut notes);
    let findings = notes.problems.iter().map(|problem| on_group(&group.id, problem)).collect();
    Group { id: &group.id, targets, problems: notes.problems, uses: notes.uses, findings }
}

fn on_group(id: &ResourceId, problem: &Problem) -> Finding {
    let message = format!("{}: {}", problem.path, problem.reason);
    match problem.severity {
        Severity::Missing | Severity::Malformed => Finding::error(id, problem.path.clone(), message),
        Severity::Degraded => Finding::left_out(id, problem.path.clone(), message),
        Severity::Unimplemented => Finding::advice(id, problem.path.clone(), message),
    }
}
