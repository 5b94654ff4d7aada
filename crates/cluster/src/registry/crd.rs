//! CustomResourceDefinitions: their defaults and status, and the resources that follow from one.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::resource::{Custom, Origin, PrinterColumn, Resource, Scale};
use crate::schema::{FieldError, Schema, SchemaError};
use crate::store::Object;

/// Keeps a deleted definition until its objects are gone.
pub const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

fn text(value: &Value) -> Box<str> {
    value.as_str().unwrap_or_default().into()
}

fn texts(value: &Value) -> Vec<Arc<str>> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Arc::from).collect()
}

/// What a registry needs of a definition; the schemas, which are most of it, are passed over.
#[derive(Deserialize)]
struct Definition {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    group: Box<str>,
    scope: Box<str>,
    names: Value,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    name: Box<str>,
    served: bool,
    #[serde(default)]
    subresources: Value,
    #[serde(default)]
    additional_printer_columns: Value,
    #[serde(default)]
    selectable_fields: Value,
    #[serde(default)]
    deprecated: bool,
    deprecation_warning: Option<Box<str>>,
}

/// The resources a stored definition serves: one for each served version.
pub fn resources(definition: &Arc<Object>) -> Vec<Resource> {
    let spec = match serde_json::from_slice(&definition.json) {
        Ok(Definition { spec }) => spec,
        Err(error) => {
            tracing::error!(name = %definition.name, %error, "cannot serve what this definition declares");
            return Vec::new();
        }
    };
    let (names, group, plural) = (&spec.names, &spec.group, text(&spec.names["plural"]));
    let versions = spec.versions.into_iter().filter(|version| version.served);
    versions
        .map(|version| Resource {
            group: group.clone().into(),
            kind: text(&names["kind"]).into(),
            list_kind: text(&names["listKind"]).into(),
            plural: plural.clone().into(),
            singular: text(&names["singular"]).into(),
            short_names: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            namespaced: &*spec.scope == "Namespaced",
            storage: format!("{group}/{plural}").into(),
            status: version.subresources["status"].is_object(),
            scale: scale(&version.subresources["scale"]),
            verbs: None,
            origin: Origin::Custom(Box::new(Custom {
                definition: definition.clone(),
                columns: columns(&version.additional_printer_columns),
                selectable: version
                    .selectable_fields
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|field| text(&field["jsonPath"]))
                    .collect(),
                deprecation: version.deprecated.then(|| match version.deprecation_warning {
                    Some(warning) => warning,
                    None => format!("{group}/{} {} is deprecated", version.name, text(&names["kind"])).into(),
                }),
            })),
            schema: OnceLock::new(),
            version: version.name.into(),
        })
        .collect()
}

#[derive(Deserialize)]
struct Schemas {
    spec: SchemasOfSpec,
}

#[derive(Deserialize)]
struct SchemasOfSpec {
    versions: Vec<SchemaOfVersion>,
}

#[derive(Deserialize)]
struct SchemaOfVersion {
    name: Box<str>,
    #[serde(default)]
    schema: Value,
}

/// The `openAPIV3Schema` of a version.
pub(super) fn schema_of(definition: &Object, version: &str) -> Option<Value> {
    let Schemas { spec } = serde_json::from_slice(&definition.json).ok()?;
    let mut found = spec.versions.into_iter().find(|v| &*v.name == version)?;
    Some(found.schema["openAPIV3Schema"].take())
}

fn scale(value: &Value) -> Option<Scale> {
    value.as_object().map(|scale| Scale {
        spec_replicas: scale.get("specReplicasPath").map(text).unwrap_or_default(),
        status_replicas: scale.get("statusReplicasPath").map(text).unwrap_or_default(),
        selector: scale.get("labelSelectorPath").map(text).filter(|path| !path.is_empty()),
    })
}

fn columns(declared: &Value) -> Vec<PrinterColumn> {
    let Some(columns) = declared.as_array() else {
        return vec![PrinterColumn {
            name: "Age".into(),
            kind: "date".into(),
            format: "".into(),
            description: "".into(),
            priority: 0,
            path: ".metadata.creationTimestamp".into(),
        }];
    };
    let column = |column: &Value| PrinterColumn {
        name: text(&column["name"]),
        kind: text(&column["type"]),
        format: text(&column["format"]),
        description: text(&column["description"]),
        priority: column["priority"].as_i64().unwrap_or(0),
        path: text(&column["jsonPath"]),
    };
    columns.iter().map(column).collect()
}

/// Fills in what kube-apiserver fills in, and the status it would arrive at; `now` is an RFC 3339 time.
pub fn complete(definition: &mut Value, now: &str) {
    let names = &mut definition["spec"]["names"];
    let kind = text(&names["kind"]);
    if names["singular"].as_str().unwrap_or_default().is_empty() {
        names["singular"] = Value::from(kind.to_lowercase());
    }
    if names["listKind"].as_str().unwrap_or_default().is_empty() {
        names["listKind"] = Value::from(format!("{kind}List"));
    }
    let accepted = names.clone();
    if definition["spec"]["conversion"].is_null() {
        definition["spec"]["conversion"] = json!({"strategy": "None"});
    }
    let storage = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .unwrap_or_default();
    if !definition["status"].is_object() {
        definition["status"] = Value::Object(Map::new());
    }
    let status = &mut definition["status"];
    status["acceptedNames"] = accepted;
    let stored = status["storedVersions"].as_array().cloned().unwrap_or_default();
    if !stored.contains(&storage) {
        status["storedVersions"] = stored.into_iter().chain([storage]).collect();
    }
    set_condition(status, now, "NamesAccepted", "True", "NoConflicts", "no conflicts found");
    set_condition(status, now, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted");
}

/// Sets a condition of a status; its time changes only with its value.
pub fn set_condition(status: &mut Value, now: &str, kind: &str, value: &str, reason: &str, message: &str) {
    if !status["conditions"].is_array() {
        status["conditions"] = Value::Array(Vec::new());
    }
    let new = json!({"lastTransitionTime": now, "message": message, "reason": reason, "status": value, "type": kind});
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(old) if old["status"] == value => {
            old["reason"] = reason.into();
            old["message"] = message.into();
        }
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// What is wrong with a definition beyond its own schema.
pub fn problems(definition: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &definition["spec"];
    let expected = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    if definition["metadata"]["name"] != expected {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &definition["metadata"]["name"], detail));
    }
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &spec["versions"], detail));
    }
    for (i, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{i}].schema.openAPIV3Schema");
        let schema = &version["schema"]["openAPIV3Schema"];
        if schema.is_null() {
            errors.push(FieldError::required(path, "schemas are required"));
            continue;
        }
        match Schema::from_crd_version(
            &text(&spec["group"]),
            &text(&version["name"]),
            &text(&spec["names"]["kind"]),
            schema,
        ) {
            Ok(_) => {}
            Err(SchemaError::NotStructural(faults)) => errors.extend(faults.into_iter().map(|fault| {
                let path = if fault.path.is_empty() { path.clone() } else { format!("{path}.{}", fault.path) };
                FieldError { path, ..fault }
            })),
            Err(error) => errors.push(FieldError::invalid(path, &Value::from(""), &error.to_string())),
        }
    }
    errors
}
