//! Server-side apply: a configuration is merged into the live object, each manager owns the fields that it applied, and
//! a field that another manager owns is not changed without force.
//!
//! Follows `sigs.k8s.io/structured-merge-diff` and kube-apiserver's field manager. Every version of a kind is taken to
//! have the same fields, as it is for custom kinds without conversion webhooks.

mod managers;
mod merge;
mod ownership;
mod path;
mod set;
mod typed;
mod update;

use serde_json::{Value, json};

pub use managers::{Manager, Managers, Operation, Owned, read as read_managers};
pub use path::PathElement;
pub use set::Set;
pub use update::{UpdateRequest, settle, track_update};

use crate::schema::Schema;
use crate::schema::node::Node;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager that owns what was there before anyone applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// One server-side apply.
#[derive(Clone, Copy, Debug)]
pub struct ApplyRequest<'a> {
    /// The object as it is; `None` when the apply creates it.
    pub live: Option<&'a Value>,
    /// The applied configuration.
    pub config: &'a Value,
    /// The `fieldManager` parameter.
    pub manager: &'a str,
    /// Take fields from other managers.
    pub force: bool,
    /// The subresource applied to, or empty.
    pub subresource: &'a str,
    /// Whether the kind has a status subresource; then the object's own writes leave `status` alone.
    pub has_status: bool,
    /// Now, in RFC 3339 with seconds.
    pub time: &'a str,
    /// The kind's schema.
    pub schema: &'a Schema,
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The other manager, as messages name it: `"kubectl" using apps/v1`.
    pub manager: String,
    /// The field: `.spec.replicas`.
    pub field: String,
}

/// Why an apply was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The configuration cannot be applied as it stands: a 400 answer.
    #[error("{0}")]
    Malformed(String),
    /// Other managers own fields that the configuration changes: a 409 answer, with a cause (`FieldManagerConflict`)
    /// for each.
    #[error("{}", conflict_message(.0))]
    Conflicts(Vec<Conflict>),
}

fn conflict_message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", only.manager, only.field);
    }
    let mut managers: Vec<&str> = conflicts.iter().map(|conflict| conflict.manager.as_str()).collect();
    managers.sort_unstable();
    managers.dedup();
    let mut lines = Vec::new();
    for manager in managers {
        lines.push(format!("conflicts with {manager}:"));
        let of_manager = conflicts.iter().filter(|conflict| conflict.manager == manager);
        lines.extend(of_manager.map(|conflict| format!("- {}", conflict.field)));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

/// Applies a configuration and returns the object to store, with its managed fields. The caller defaults and validates
/// it, and, when it is unchanged ([`settle`]), does not store it.
///
/// # Errors
/// [`ApplyError::Conflicts`] without force; [`ApplyError::Malformed`] for a configuration that cannot be applied.
pub fn server_side_apply(request: &ApplyRequest<'_>) -> Result<Value, ApplyError> {
    let config = request.config;
    if !config.is_object() || !(config["metadata"].is_null() || config["metadata"].is_object()) {
        return Err(ApplyError::Malformed("the applied configuration must be an object".to_owned()));
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(ApplyError::Malformed("metadata.managedFields must be nil".to_owned()));
    }
    check(request)?;
    let version = config["apiVersion"].as_str().unwrap_or_default();
    let live = request.live.map_or_else(|| json!({}), managers::without);
    let mut managed = match request.live {
        Some(live) => managers::read(live).map_err(ApplyError::Malformed)?,
        None => Managers::new(),
    };
    if managed.is_empty()
        && let Some(old) = request.live
    {
        let owner = Manager::new(BEFORE_FIRST_APPLY, Operation::Update, version, request.subresource);
        let update = UpdateRequest {
            old: Some(old),
            manager: BEFORE_FIRST_APPLY,
            api_version: version,
            subresource: request.subresource,
            has_status: request.has_status,
            time: request.time,
            schema: request.schema,
        };
        update::record(&request.schema.zero_value(), &live, &owner, &update, &mut managed);
    }
    let outcome = match apply(request, &live, managed.clone(), version, request.force) {
        // kubectl may take back what its own client-side apply set.
        Err(ApplyError::Conflicts(conflicts)) if request.manager == "kubectl" => {
            let left = not_client_side(request, &live, conflicts, version);
            if left.is_empty() {
                apply(request, &live, managed, version, true)
            } else {
                Err(ApplyError::Conflicts(left))
            }
        }
        outcome => outcome,
    };
    let (mut object, managed) = outcome?;
    if request.manager == "kubectl" {
        refresh_last_applied(&mut object, config);
    }
    managers::write(&mut object, &managed);
    Ok(object)
}

/// Refuses a configuration that names unknown fields or one item twice: it would not be clear what it owns.
fn check(request: &ApplyRequest<'_>) -> Result<(), ApplyError> {
    let mut faults = Vec::new();
    find_faults(request.config, Some(request.schema.root()), &mut String::new(), &mut faults);
    let meta = &request.config["metadata"];
    let name = |field: &str| meta[field].as_str().unwrap_or_default();
    let text = match faults.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    Err(ApplyError::Malformed(format!(
        "failed to create typed patch object ({}/{}; {}, Kind={}): {text}",
        name("namespace"),
        name("name"),
        request.config["apiVersion"].as_str().unwrap_or_default(),
        request.schema.kind(),
    )))
}

fn find_faults(value: &Value, node: Option<&Node>, path: &mut String, faults: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push_str(&format!(".{key}"));
                match node.and_then(|node| node.child(key)) {
                    None if node.is_some_and(|node| !node.preserve_unknown) => {
                        faults.push(format!("{path}: field not declared in schema"));
                    }
                    child => find_faults(value, child, path, faults),
                }
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            let Some(list) = node else { return };
            let associative = typed::shape(node, value) == typed::Shape::List;
            let mut seen: Vec<PathElement> = Vec::new();
            for (i, item) in items.iter().enumerate() {
                let identity = typed::identity(list, item);
                match &identity {
                    Some(identity) if seen.contains(identity) => {
                        faults.push(format!("{path}: duplicate entries for key {identity}"));
                    }
                    None if associative => {
                        faults.push(format!("{path}: element {i}: the key fields of the list's items are missing"));
                    }
                    _ => {}
                }
                let step = identity.as_ref().map_or_else(|| format!("[{i}]"), ToString::to_string);
                seen.extend(identity);
                path.push_str(&step);
                find_faults(item, list.item(), path, faults);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn apply(
    request: &ApplyRequest<'_>,
    live: &Value,
    mut managed: Managers,
    version: &str,
    force: bool,
) -> Result<(Value, Managers), ApplyError> {
    let root = Some(request.schema.root());
    let manager = Manager::new(request.manager, Operation::Apply, version, request.subresource);
    let merged = merge::merge(live, request.config, root);
    let ignored = ownership::ignored(request.schema, request.subresource, request.has_status);
    let own = typed::field_set(request.config, root).recursive_difference(&ignored);
    let last = managed.get(&manager).cloned();
    let time = last.as_ref().and_then(|owned| owned.time.clone());
    managed.insert(manager.clone(), Owned { set: own.clone(), version: version.to_owned(), time });
    let object = match &last {
        Some(last) if !last.set.is_empty() => prune(&merged, &managed, &last.set, root),
        _ => merged.clone(),
    };
    let mut change = typed::compare(live, &object, root);
    ownership::filter(&mut change, &ignored);
    let conflicts = conflicts(&change, &managed, &manager);
    if !conflicts.is_empty() && !force {
        return Err(ApplyError::Conflicts(conflicts));
    }
    ownership::take(&change, Some(&manager), &mut managed);
    let stripped = ownership::strip(&own);
    if stripped.is_empty() {
        managed.remove(&manager);
    } else if let Some(owned) = managed.get_mut(&manager) {
        owned.set = stripped;
        if object != *live {
            owned.time = Some(request.time.to_owned());
        }
    }
    let mut object = without_new_nulls(&merged, object);
    if let Some(map) = object.as_object_mut()
        && !map.get("metadata").is_some_and(Value::is_object)
    {
        map.insert("metadata".to_owned(), json!({}));
    }
    Ok((object, managed))
}

fn conflicts(change: &typed::Comparison, managed: &Managers, applier: &Manager) -> Vec<Conflict> {
    let changed = change.modified.union(&change.added);
    let others = managed.iter().filter(|(manager, _)| *manager != applier);
    let mut conflicts = Vec::new();
    for (manager, owned) in others {
        for path in owned.set.intersection(&changed).paths() {
            let field = path.iter().map(ToString::to_string).collect();
            conflicts.push(Conflict { manager: manager.to_string(), field });
        }
    }
    conflicts
}

/// Removes what this manager applied last time and not this time, unless someone else owns it.
fn prune(merged: &Value, managed: &Managers, last: &Set, root: Option<&Node>) -> Value {
    let named = |set: &Set| set.with_named_parents(root);
    let pruned = typed::remove(merged, &named(last), root);
    // Back comes what any manager, including this one, still owns…
    let owned = managed.values().fold(Set::default(), |all, owned| all.union(&owned.set));
    let all = named(&typed::field_set(merged, root));
    let kept = named(&typed::field_set(&pruned, root)).union(&named(&owned));
    let pruned = typed::remove(merged, &all.difference(&kept), root);
    // …and what was not this manager's to remove.
    let kept = named(&typed::field_set(&pruned, root));
    typed::remove(merged, &all.difference(&kept).intersection(&named(last)), root)
}

/// Drops the nulls that removing left where something was: they only told that the field itself was still owned.
fn without_new_nulls(before: &Value, after: Value) -> Value {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let kept =
                after.into_iter().filter(|(key, value)| !value.is_null() || before.get(key) == Some(&Value::Null));
            Value::Object(
                kept.map(|(key, value)| {
                    let value = without_new_nulls(before.get(&key).unwrap_or(&Value::Null), value);
                    (key, value)
                })
                .collect(),
            )
        }
        (Value::Array(before), Value::Array(after)) => {
            let settled =
                |item: Value| if before.contains(&item) { item } else { without_new_nulls(&Value::Null, item) };
            Value::Array(after.into_iter().map(settled).collect())
        }
        (_, Value::Object(after)) => {
            let kept = after.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_new_nulls(&Value::Null, value))).collect())
        }
        (_, after) => after,
    }
}

/// The conflicts that are not about a field that client-side apply set and nobody changed since.
fn not_client_side(request: &ApplyRequest<'_>, live: &Value, conflicts: Vec<Conflict>, version: &str) -> Vec<Conflict> {
    let root = Some(request.schema.root());
    let annotation = live["metadata"]["annotations"][LAST_APPLIED].as_str();
    let Some(last) = annotation.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return conflicts };
    if last["apiVersion"].as_str() != Some(version) {
        return conflicts;
    }
    let change = typed::compare(&last, live, root);
    let allowed = typed::field_set(&last, root)
        .difference(&change.modified)
        .difference(&change.added)
        .difference(&change.removed);
    let allowed: Vec<String> =
        allowed.paths().iter().map(|path| path.iter().map(ToString::to_string).collect()).collect();
    conflicts.into_iter().filter(|conflict| !allowed.contains(&conflict.field)).collect()
}

/// Keeps the annotation of client-side apply, where there is one, in step, so that a client can go back to it.
fn refresh_last_applied(object: &mut Value, config: &Value) {
    let annotation =
        object.pointer_mut("/metadata/annotations").and_then(|annotations| annotations.get_mut(LAST_APPLIED));
    let Some(annotation) = annotation.filter(|text| text.as_str().is_some_and(|text| !text.is_empty())) else { return };
    let mut applied = config.clone();
    if let Some(annotations) = applied.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    *annotation = Value::String(format!("{applied}\n"));
}

#[cfg(test)]
mod tests;
