//! Which tables a delegating route hands its requests to, and in which order.

use std::collections::BTreeSet;
use std::sync::Arc;

use serin_api::gateway::{DelegateAction, RouteTableSelector};
use serin_api::{Ref, ResourceId, ResourceKind};

use crate::field_path::FieldPath;
use crate::labels::{Requirement, has_all};
use crate::report::Finding;
use crate::view::{TableIndex, View};

/// The tables that a route delegates to.
#[derive(Default)]
pub(crate) struct Selection {
    /// Their places in the index, by weight, then namespace and name.
    pub(crate) tables: Vec<usize>,
    /// Tables that are chosen but cannot be read.
    pub(crate) unreadable: Vec<ResourceId>,
}

/// Finds the tables; what is wrong goes to `findings`.
pub(crate) fn select(
    view: &View<'_>,
    index: &TableIndex<'_>,
    owner: &ResourceId,
    action: &DelegateAction,
    at: &FieldPath<'_>,
    findings: &mut Vec<Arc<Finding>>,
) -> Selection {
    let warn = |at: &FieldPath<'_>, reason: String| {
        Arc::new(Finding::left_out(owner, at.to_string(), format!("{at}: {reason}")))
    };
    let old_form = !action.name.is_empty() || !action.namespace.is_empty();
    let named = if old_form { Some(Ref::new(&action.namespace, &action.name)) } else { action.reference.clone() };
    let mut selection = Selection::default();
    match (named, &action.selector) {
        (Some(reference), _) => match index.find(&reference) {
            Some(table) => selection.tables.push(table),
            None => match view.unreadable(ResourceKind::RouteTable, &reference) {
                Some(_) => selection.unreadable.push(table_id(&reference)),
                None => findings.push(warn(at, format!("route table {reference} missing"))),
            },
        },
        (None, Some(selector)) => {
            let at = at.field("selector");
            match by_selector(view, index, &owner.namespace, selector) {
                Ok(selected) if selected.tables.is_empty() && selected.unreadable.is_empty() => {
                    findings.push(warn(&at, "no route table matches the given selector".to_owned()));
                }
                Ok(selected) => selection = selected,
                Err(reason) => findings.push(warn(&at, reason)),
            }
        }
        (None, None) => findings.push(warn(
            at,
            "cannot determine delegation target: you must specify a route table either via a resource reference or a \
             selector"
                .to_owned(),
        )),
    }
    let tables = index.tables();
    // Stable: within one weight the order of the index stays.
    selection.tables.sort_by_key(|table| weight(tables[*table].spec.weight));
    for table in &selection.unreadable {
        let reason = view.snapshot.unreadable.get(table).map_or("", |unreadable| unreadable.reason.as_str());
        let message = format!("{at}: route table {} cannot be read: {reason}", table.reference());
        findings.push(Arc::new(Finding::error(owner, at.to_string(), message)));
    }
    selection
}

/// A table's weight.
pub(crate) fn weight(written: Option<i32>) -> i32 {
    written.unwrap_or(0)
}

fn table_id(reference: &Ref) -> ResourceId {
    ResourceId::new(ResourceKind::RouteTable, &reference.namespace, &reference.name)
}

fn by_selector(
    view: &View<'_>,
    index: &TableIndex<'_>,
    owner_namespace: &str,
    selector: &RouteTableSelector,
) -> Result<Selection, String> {
    if !selector.labels.is_empty() && !selector.expressions.is_empty() {
        return Err("cannot use both labels and expressions within the same selector".to_owned());
    }
    let requirements = Requirement::all(&selector.expressions)
        .map_err(|error| format!("the route table selector expression is invalid: {error}"))?;
    let namespaces: Option<BTreeSet<&str>> = if selector.namespaces.is_empty() {
        Some(BTreeSet::from([owner_namespace]))
    } else if selector.namespaces.iter().any(|namespace| namespace == "*") {
        None
    } else {
        Some(selector.namespaces.iter().map(String::as_str).collect())
    };
    let in_place = |namespace: &str| namespaces.as_ref().is_none_or(|namespaces| namespaces.contains(namespace));
    let chosen =
        |labels| has_all(labels, &selector.labels) && requirements.iter().all(|requirement| requirement.holds(labels));
    let tables = index.tables();
    let found = index.candidates(namespaces.as_ref(), &selector.labels);
    Ok(Selection {
        tables: found
            .into_iter()
            .filter(|table| in_place(&tables[*table].id.namespace) && chosen(&tables[*table].labels))
            .collect(),
        unreadable: view
            .all_unreadable(ResourceKind::RouteTable)
            .filter(|(id, unreadable)| in_place(&id.namespace) && chosen(&unreadable.labels))
            .map(|(id, _)| id.clone())
            .collect(),
    })
}
