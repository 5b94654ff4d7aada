//! What ownership is of: which fields are never tracked, and how it passes from one manager to another.

use std::sync::LazyLock;

use super::managers::{Manager, Managers};
use super::path::PathElement;
use super::set::Set;
use super::typed::Comparison;
use crate::schema::Schema;

fn path(names: &[&str]) -> Vec<PathElement> {
    names.iter().map(|name| PathElement::Field((*name).to_owned())).collect()
}

/// The server's own fields: nobody owns them.
static SERVER_FIELDS: LazyLock<Set> = LazyLock::new(|| {
    let mut set = Set::default();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&path(&[name]));
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&path(&["metadata", name]));
    }
    set
});

/// A set without the server's own fields.
pub(super) fn strip(set: &Set) -> Set {
    set.difference(&SERVER_FIELDS)
}

/// The fields that a write through this endpoint does not reach.
pub(super) fn ignored(schema: &Schema, subresource: &str, has_status: bool) -> Set {
    let mut set = Set::default();
    match subresource {
        "" if has_status => set.insert(&path(&["status"])),
        "status" => {
            for field in schema.root().fields.iter().filter(|field| &*field.name != "status") {
                set.insert(&path(&[&field.name]));
            }
        }
        _ => {}
    }
    set
}

/// Leaves out of a comparison what a write does not reach.
pub(super) fn filter(change: &mut Comparison, ignored: &Set) {
    if ignored.is_empty() {
        return;
    }
    for set in [&mut change.added, &mut change.modified, &mut change.removed] {
        *set = set.recursive_difference(ignored);
    }
}

/// Takes what changed and what is gone from every manager but `except`.
pub(super) fn take(change: &Comparison, except: Option<&Manager>, managed: &mut Managers) {
    let changed = change.modified.union(&change.added).union(&change.removed);
    for (manager, owned) in managed.iter_mut() {
        if except != Some(manager) {
            owned.set = owned.set.difference(&changed);
        }
    }
    managed.retain(|_, owned| !owned.set.is_empty());
}
