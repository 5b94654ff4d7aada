//! Ownership after a write that is not an apply: who changes a field owns it from then on.

use serde_json::{Map, Value};

use super::managers::{self, Manager, Managers, Operation, Owned};
use super::ownership::{filter, ignored, strip, take};
use super::typed;
use crate::schema::Schema;

/// A create, update, or patch that is not an apply.
#[derive(Clone, Copy, Debug)]
pub struct UpdateRequest<'a> {
    /// The object as it was; `None` for a create.
    pub old: Option<&'a Value>,
    /// Who writes: the `fieldManager` parameter, else the first part of the user agent.
    pub manager: &'a str,
    /// The version written in, such as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource written, or empty.
    pub subresource: &'a str,
    /// Whether the kind has a status subresource; then the object's own writes leave `status` alone.
    pub has_status: bool,
    /// Now, in RFC 3339 with seconds.
    pub time: &'a str,
    /// The kind's schema.
    pub schema: &'a Schema,
}

/// Keeps `metadata.managedFields` of `new`, which is about to be stored, in step with what the write changed.
///
/// An object that has no managed fields (it was reset with `managedFields: [{}]`) stays without until it is applied.
pub fn track_update(request: &UpdateRequest<'_>, new: &mut Value) {
    let mut managed = starting_managers(request, new);
    if let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if managed.is_empty() && request.old.is_some() {
        managers::write(new, &managed);
        return;
    }
    let zero = request.old.is_none().then(|| request.schema.zero_value());
    // The old object's managed fields count as removed, which nobody owns.
    let old = request.old.or(zero.as_ref()).unwrap_or(&Value::Null);
    let manager = Manager::new(request.manager, Operation::Update, request.api_version, request.subresource);
    record(old, new, &manager, request, &mut managed);
    managers::cap(&mut managed);
    managers::write(new, &managed);
}

/// The managers to start from: a client may edit them, except through a subresource; one that does not know of them
/// does not delete them.
fn starting_managers(request: &UpdateRequest<'_>, new: &Value) -> Managers {
    let live = || request.old.and_then(|old| managers::read(old).ok()).unwrap_or_default();
    if !request.subresource.is_empty() {
        return live();
    }
    let given = &new["metadata"]["managedFields"];
    if let Some(entries) = given.as_array() {
        let is_blank = |entry: &Value| entry.as_object().is_some_and(|entry| entry.values().all(Value::is_null));
        if entries.is_empty() || (entries.len() == 1 && is_blank(&entries[0])) {
            return Managers::new();
        }
    }
    match managers::read(new) {
        Ok(managed) if !managed.is_empty() => managed,
        _ => live(),
    }
}

/// Gives `manager` what the change from `old` to `new` touched, and takes it from everyone else.
pub(super) fn record(old: &Value, new: &Value, manager: &Manager, request: &UpdateRequest<'_>, managed: &mut Managers) {
    let mut change = typed::compare(old, new, Some(request.schema.root()));
    let ignored = ignored(request.schema, request.subresource, request.has_status);
    filter(&mut change, &ignored);
    take(&change, None, managed);
    let own = strip(&change.modified.union(&change.added));
    if own.is_empty() {
        return;
    }
    let owned = managed.entry(manager.clone()).or_default();
    *owned = Owned {
        set: owned.set.union(&own),
        version: request.api_version.to_owned(),
        time: Some(request.time.to_owned()),
    };
}

/// Makes a write that changed nothing but the time in its managed fields a write that changed nothing: `new` gets the
/// managed fields of `old`. Whether the two are then equal.
pub fn settle(old: &Value, new: &mut Value) -> bool {
    if old == new {
        return true;
    }
    let same = same_but_times(old, new);
    if same {
        *new = old.clone();
    }
    same
}

fn same_but_times(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return false };
    let agree = |a: &Map<String, Value>, b: &Map<String, Value>, special: &str, same: fn(&Value, &Value) -> bool| {
        a.len() == b.len()
            && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| if key == special { same(a, b) } else { a == b }))
    };
    let entries = |a: &Value, b: &Value| match (a.as_array(), b.as_array()) {
        (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| timeless(a) == timeless(b)),
        _ => a == b,
    };
    old.len() == new.len()
        && old.iter().all(|(key, a)| match (key.as_str(), new.get(key)) {
            ("metadata", Some(Value::Object(b))) => {
                a.as_object().is_some_and(|a| agree(a, b, "managedFields", entries))
            }
            (_, b) => Some(a) == b,
        })
}

/// A managed-fields entry without its time.
fn timeless(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(entry) = entry.as_object_mut() {
        entry.remove("time");
    }
    entry
}
