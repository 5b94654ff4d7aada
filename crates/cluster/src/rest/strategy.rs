//! What each kind does when it is written: what is kept from before, what is filled in, what is refused.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::{Api, ApiError, Cause, WriteOptions, defaults, metadata};
use crate::names::NameRule;
use crate::registry::{Resource, crd};

/// The rule for names of a kind.
fn name_rule(resource: &Resource) -> NameRule {
    match (&*resource.group, &*resource.plural) {
        ("", "namespaces") => NameRule::Label,
        ("", "services") => NameRule::Label1035,
        ("rbac.authorization.k8s.io", _) => NameRule::PathSegment,
        _ => NameRule::Subdomain,
    }
}

/// Makes a new object ready to be stored; gives warnings.
pub(super) fn prepare_create(
    api: &Api,
    resource: &Arc<Resource>,
    value: &mut Value,
    options: &WriteOptions,
) -> Result<Vec<String>, ApiError> {
    let _ = (api, options);
    if resource.status
        && &*resource.plural != "nodes"
        && let Some(object) = value.as_object_mut()
    {
        object.remove("status");
    }
    let warnings = Vec::new();
    if resource.custom().is_none() {
        defaults::apply(resource, value);
        if &*resource.plural == "secrets" {
            fold_string_data(value);
        }
        if &*resource.plural == "customresourcedefinitions" {
            crd::complete(value, &metadata::now());
            value["metadata"]["finalizers"] = json!([crd::CLEANUP_FINALIZER]);
        }
    }
    let mut causes = metadata::problems(value, name_rule(resource));
    causes.extend(kind_problems(resource, value));
    if causes.is_empty() { Ok(warnings) } else { Err(ApiError::invalid(resource, name_of(value), &causes)) }
}

/// Makes a changed object ready to be stored; gives warnings.
pub(super) fn prepare_update(
    api: &Api,
    resource: &Arc<Resource>,
    old: &Value,
    new: &mut Value,
    options: &WriteOptions,
) -> Result<Vec<String>, ApiError> {
    let _ = api;
    super::check_type(resource, new)?;
    let given_version = new["metadata"]["resourceVersion"].clone();
    match options.subresource {
        Some("status") => {
            let status = new.get_mut("status").map(Value::take);
            let managed = new["metadata"].get_mut("managedFields").map(Value::take);
            *new = old.clone();
            set_or_remove(new, "status", status);
            set_or_remove(&mut new["metadata"], "managedFields", managed);
        }
        Some("finalize") => {
            let finalizers = new["spec"]["finalizers"].take();
            *new = old.clone();
            new["spec"]["finalizers"] = finalizers;
        }
        _ => {
            if resource.status {
                set_or_remove(new, "status", old.get("status").cloned());
            }
            if &*resource.plural == "namespaces" {
                new["spec"] = old["spec"].clone();
            }
        }
    }
    let meta = &mut new["metadata"];
    for field in [
        "uid",
        "name",
        "namespace",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ] {
        set_or_remove(meta, field, old["metadata"].get(field).cloned());
    }
    set_or_remove(meta, "resourceVersion", Some(given_version).filter(|v| !v.is_null()));
    if resource.custom().is_none() {
        defaults::apply(resource, new);
        defaults::keep(resource, old, new);
        if &*resource.plural == "secrets" {
            fold_string_data(new);
        }
        if &*resource.plural == "customresourcedefinitions" && options.subresource.is_none() {
            crd::complete(new, &metadata::now());
        }
    }
    metadata::drop_nulls(new);
    if options.subresource != Some("status") && spec_changed(resource, old, new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = generation.into();
    }
    let mut causes = metadata::problems(new, name_rule(resource));
    causes.extend(kind_problems(resource, new));
    causes.extend(immutable_problems(resource, old, new));
    if causes.is_empty() { Ok(Vec::new()) } else { Err(ApiError::invalid(resource, name_of(new), &causes)) }
}

fn name_of(value: &Value) -> &str {
    value["metadata"]["name"].as_str().unwrap_or_default()
}

fn set_or_remove(value: &mut Value, field: &str, to: Option<Value>) {
    let Some(object) = value.as_object_mut() else { return };
    match to {
        Some(to) => object.insert(field.into(), to),
        None => object.remove(field),
    };
}

/// Whether what the generation counts has changed.
fn spec_changed(resource: &Resource, old: &Value, new: &Value) -> bool {
    if !resource.has_generation() {
        return false;
    }
    if resource.custom().is_none() {
        return ["spec", "webhooks"].iter().any(|field| old.get(field) != new.get(field));
    }
    let ignored = |field: &str| field == "metadata" || (field == "status" && resource.status);
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return true };
    let kept = |map: &serde_json::Map<String, Value>| map.iter().filter(|(k, _)| !ignored(k)).count();
    kept(old) != kept(new) || new.iter().any(|(field, value)| !ignored(field) && old.get(field) != Some(value))
}

/// Whether nothing would change but times of managed fields.
pub(super) fn same(old: &Value, new: &Value) -> bool {
    let strip = |value: &Value| {
        let mut meta = value["metadata"].clone();
        for entry in meta["managedFields"].as_array_mut().into_iter().flatten() {
            entry["time"] = Value::Null;
        }
        meta
    };
    let (Some(a), Some(b)) = (old.as_object(), new.as_object()) else { return false };
    a.len() == b.len()
        && a.iter().all(|(field, value)| field == "metadata" || b.get(field) == Some(value))
        && strip(old) == strip(new)
}

/// `stringData` of a secret is write-only: it goes into `data`.
fn fold_string_data(value: &mut Value) {
    use base64::Engine;
    let Some(Value::Object(texts)) = value.as_object_mut().and_then(|object| object.remove("stringData")) else {
        return;
    };
    for (key, text) in texts {
        let bytes = text.as_str().unwrap_or_default();
        value["data"][key] = base64::engine::general_purpose::STANDARD.encode(bytes).into();
    }
}

/// What a built-in kind demands beyond its schema.
fn kind_problems(resource: &Resource, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = &value["spec"];
    match (&*resource.group, &*resource.plural) {
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => {
            if spec["selector"].is_null() {
                causes.push(Cause::required("spec.selector", ""));
            } else {
                causes.extend(selector_problems(spec));
            }
        }
        ("", "services")
            if spec["ports"].as_array().is_none_or(Vec::is_empty)
                && spec["type"] != "ExternalName"
                && spec["clusterIP"] != "None" =>
        {
            causes.push(Cause::required("spec.ports", ""));
        }
        ("", "pods") if spec["containers"].as_array().is_none_or(Vec::is_empty) => {
            causes.push(Cause::required("spec.containers", ""));
        }
        ("apiextensions.k8s.io", _) => {
            let expected = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
            if name_of(value) != expected {
                let detail = "must be spec.names.plural+\".\"+spec.group";
                causes.push(Cause::invalid("metadata.name", &value["metadata"]["name"], detail));
            }
            let versions = spec["versions"].as_array().into_iter().flatten();
            if versions.filter(|version| version["storage"] == true).count() != 1 {
                causes.push(Cause::invalid(
                    "spec.versions",
                    &spec["versions"],
                    "must have exactly one version marked as storage version",
                ));
            }
        }
        _ => {}
    }
    causes
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A workload's selector must select the pods of its own template.
fn selector_problems(spec: &Value) -> Option<Cause> {
    let labels = &spec["template"]["metadata"]["labels"];
    let selector = crate::selector::LabelSelector::from_object(&spec["selector"]).ok()?;
    let matches = selector.matches(|key| labels[key].as_str());
    (!matches).then(|| {
        let shown = if labels.is_null() { json!({}) } else { labels.clone() };
        Cause::invalid("spec.template.metadata.labels", &shown, "`selector` does not match template `labels`")
    })
}

/// What must not change.
fn immutable_problems(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut fixed = |path: &str, pointer: &str| {
        let (before, after) = (old.pointer(pointer), new.pointer(pointer));
        if before.is_some_and(|before| !before.is_null()) && before != after {
            causes.push(Cause::invalid(path, after.unwrap_or(&Value::Null), "field is immutable"));
        }
    };
    match (&*resource.group, &*resource.plural) {
        ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets") => {
            fixed("spec.selector", "/spec/selector")
        }
        ("batch", "jobs") => fixed("spec.selector", "/spec/selector"),
        ("", "secrets") => fixed("type", "/type"),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => fixed("roleRef", "/roleRef"),
        ("apiextensions.k8s.io", _) => fixed("spec.scope", "/spec/scope"),
        _ => {}
    }
    if matches!(&*resource.plural, "secrets" | "configmaps") && old["immutable"] == true {
        for field in ["data", "binaryData", "immutable"] {
            if old.get(field) != new.get(field) {
                causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
            }
        }
    }
    causes
}

/// Gives a service its cluster IP. The guard is to be held until the service is stored, so that none is given twice.
pub(super) async fn allocate<'a>(
    api: &'a Api,
    resource: &Resource,
    value: &mut Value,
) -> Result<Option<MutexGuard<'a, ()>>, ApiError> {
    if &*resource.storage != "/services" {
        return Ok(None);
    }
    let guard = api.addresses.lock().await;
    defaults::assign_cluster_ip(&api.store, resource, value)?;
    Ok(Some(guard))
}
