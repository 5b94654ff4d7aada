//! Whether a CustomResourceDefinition's schema is structural, worded as kube-apiserver words it.
//!
//! The rules are those of Kubernetes' "Specifying a structural schema": a type for every value, nothing but value
//! validation inside `allOf`, `anyOf`, `oneOf` and `not`, and no claims about `metadata` beyond its name.

use serde_json::{Map, Value, json};

use super::FieldError;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Every fault of the schema at `path` (a prefix for the faults' paths, such as
/// `spec.versions[0].schema.openAPIV3Schema`, or empty), sorted by text.
pub fn structural_errors(path: &str, schema: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match schema.as_object() {
        Some(map) => {
            structure(path, map, Level::Root, &mut errors);
            completeness(path, map, &mut errors);
        }
        None => errors.push(FieldError::required(path, "must be an object")),
    }
    errors.sort_by_key(ToString::to_string);
    errors.dedup();
    errors
}

pub(super) fn under(path: &str, child: &str) -> String {
    if path.is_empty() { child.to_owned() } else { format!("{path}.{child}") }
}

fn flag(map: &Map<String, Value>, name: &str) -> bool {
    map.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn list<'a>(map: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    map.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn objects<'a>(map: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Map<String, Value>)> {
    let entries = map.get(name).and_then(Value::as_object);
    entries.into_iter().flatten().filter_map(|(key, value)| value.as_object().map(|value| (key, value)))
}

fn structure(path: &str, map: &Map<String, Value>, level: Level, errors: &mut Vec<FieldError>) {
    let ty = map.get("type").and_then(Value::as_str).unwrap_or("");
    let at = |child: &str| under(path, child);
    if !matches!(ty, "" | "array" | "boolean" | "integer" | "number" | "object" | "string") {
        let known = ["array", "boolean", "integer", "number", "object", "string"];
        errors.push(FieldError::not_supported(at("type"), &json!(ty), &known));
    }
    for unsupported in ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"] {
        if map.get(unsupported).is_some_and(|value| !value.is_null()) {
            errors.push(FieldError::forbidden(at(unsupported), &format!("{unsupported} is not supported")));
        }
    }
    if flag(map, "uniqueItems") {
        errors.push(FieldError::forbidden(
            at("uniqueItems"),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ));
    }
    if ty == "array" && !map.get("items").is_some_and(Value::is_object) {
        errors.push(FieldError::required(at("items"), "must be specified"));
    }
    if let Some(items) = map.get("items").and_then(Value::as_object) {
        structure(&at("items"), items, Level::Item, errors);
    }
    for (name, schema) in objects(map, "properties") {
        structure(&format!("{}[{name}]", at("properties")), schema, Level::Field, errors);
    }
    if let Some(additional) = map.get("additionalProperties").filter(|value| !value.is_null()) {
        if level == Level::Root {
            errors.push(FieldError::forbidden(at("additionalProperties"), "must not be used at the root"));
        }
        if let Some(schema) = additional.as_object() {
            structure(&at("additionalProperties"), schema, Level::Field, errors);
        }
        if map.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty()) {
            errors.push(FieldError::forbidden(
                at("additionalProperties"),
                "additionalProperties and properties are mutual exclusive",
            ));
        }
    }
    extensions(path, map, ty, level, errors);
    let int_or_string = [json!({"type": "integer"}), json!({"type": "string"})];
    let skip_any_of = list(map, "anyOf") == int_or_string;
    let skip_first_all_of = list(map, "allOf").first().is_some_and(|first| first["anyOf"] == json!(int_or_string));
    values(path, map, skip_any_of, skip_first_all_of, errors);
    resource_fields(path, map, level, errors);
}

fn extensions(path: &str, map: &Map<String, Value>, ty: &str, level: Level, errors: &mut Vec<FieldError>) {
    let at = |child: &str| under(path, child);
    let int_or_string = flag(map, "x-kubernetes-int-or-string");
    let preserve = flag(map, "x-kubernetes-preserve-unknown-fields");
    let embedded = flag(map, "x-kubernetes-embedded-resource");
    for (name, set) in
        [("x-kubernetes-preserve-unknown-fields", preserve), ("x-kubernetes-embedded-resource", embedded)]
    {
        if int_or_string && set {
            let detail = "must be false if x-kubernetes-int-or-string is true";
            errors.push(FieldError::invalid(at(name), &Value::Bool(true), detail));
        }
    }
    if embedded && ty != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match ty {
            "" => FieldError::required(at("type"), detail),
            _ => FieldError::invalid(at("type"), &json!(ty), detail),
        });
    } else if ty.is_empty() && !int_or_string && !preserve {
        let detail = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.push(FieldError::required(at("type"), detail));
    }
    if embedded && map.contains_key("additionalProperties") {
        let detail = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(FieldError::forbidden(at("additionalProperties"), detail));
    }
    if level == Level::Root && !ty.is_empty() && ty != "object" {
        errors.push(FieldError::invalid(at("type"), &json!(ty), "must be object at the root"));
    }
    if embedded && !preserve && objects(map, "properties").next().is_none() {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                      x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(at("properties"), detail));
    }
    list_extensions(path, map, ty, errors);
}

fn list_extensions(path: &str, map: &Map<String, Value>, ty: &str, errors: &mut Vec<FieldError>) {
    let at = |child: &str| under(path, child);
    let keys = list(map, "x-kubernetes-list-map-keys");
    match map.get("x-kubernetes-list-type").and_then(Value::as_str) {
        None | Some("atomic" | "set") => {
            if !keys.is_empty() {
                let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
                errors.push(match map.get("x-kubernetes-list-type") {
                    None => FieldError::required(at("x-kubernetes-list-type"), detail),
                    Some(value) => FieldError::invalid(at("x-kubernetes-list-type"), value, detail),
                });
            }
        }
        Some("map") => {
            if keys.is_empty() {
                let detail = "must not be empty if x-kubernetes-list-type is map";
                errors.push(FieldError::required(at("x-kubernetes-list-map-keys"), detail));
            }
            for (i, key) in keys.iter().enumerate() {
                let properties = map.get("items").and_then(|items| items.get("properties"));
                let known = key.as_str().is_some_and(|key| properties.is_some_and(|fields| fields.get(key).is_some()));
                if !known {
                    let detail = "entries must all be names of item properties";
                    let place = at(&format!("x-kubernetes-list-map-keys[{i}]"));
                    errors.push(FieldError::invalid(place, key, detail));
                }
            }
        }
        Some(other) => errors.push(FieldError::not_supported(
            at("x-kubernetes-list-type"),
            &json!(other),
            &["atomic", "map", "set"],
        )),
    }
    if map.contains_key("x-kubernetes-list-type") && ty != "array" {
        let detail = "must be array if x-kubernetes-list-type is specified";
        errors.push(match ty {
            "" => FieldError::required(at("type"), detail),
            _ => FieldError::invalid(at("type"), &json!(ty), detail),
        });
    }
}

/// What `kind`, `apiVersion` and `metadata` may say where an object is a resource.
fn resource_fields(path: &str, map: &Map<String, Value>, level: Level, errors: &mut Vec<FieldError>) {
    if level != Level::Root && !flag(map, "x-kubernetes-embedded-resource") {
        return;
    }
    let Some(properties) = map.get("properties").and_then(Value::as_object) else { return };
    for name in ["kind", "apiVersion"] {
        if let Some(schema) = properties.get(name) {
            let ty = schema.get("type").cloned().unwrap_or_else(|| json!(""));
            if ty != "string" {
                let place = format!("{}[{name}].type", under(path, "properties"));
                errors.push(FieldError::invalid(place, &ty, "must be string"));
            }
        }
    }
    let Some(metadata) = properties.get("metadata") else { return };
    let place = format!("{}[metadata]", under(path, "properties"));
    let ty = metadata.get("type").cloned().unwrap_or_else(|| json!(""));
    if ty != "object" {
        errors.push(FieldError::invalid(format!("{place}.type"), &ty, "must be object"));
    }
    let only_names = metadata.as_object().is_none_or(|metadata| {
        metadata.iter().all(|(key, value)| match key.as_str() {
            "type" | "default" => true,
            "properties" => {
                value.as_object().is_none_or(|names| names.keys().all(|name| name == "name" || name == "generateName"))
            }
            _ => false,
        })
    });
    if level == Level::Root && !only_names {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(place, detail));
    }
}

/// The value validations of a schema: junctors and the pattern.
fn values(path: &str, map: &Map<String, Value>, skip_any_of: bool, skip_first: bool, errors: &mut Vec<FieldError>) {
    for junctor in ["anyOf", "allOf", "oneOf"] {
        for (i, nested_schema) in list(map, junctor).iter().enumerate() {
            let skip_here = junctor == "anyOf" && skip_any_of;
            if let (false, Some(schema)) = (skip_here, nested_schema.as_object()) {
                let place = under(path, &format!("{junctor}[{i}]"));
                nested(&place, schema, junctor == "allOf" && i == 0 && skip_first, errors);
            }
        }
    }
    if let Some(schema) = map.get("not").and_then(Value::as_object) {
        nested(&under(path, "not"), schema, false, errors);
    }
    if let Some(pattern) = map.get("pattern").and_then(Value::as_str)
        && let Err(error) = check_pattern(pattern)
    {
        let detail = format!("must be a valid regular expression, but isn't: {error}");
        errors.push(FieldError::invalid(under(path, "pattern"), &json!(pattern), &detail));
    }
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    super::validation::compile(pattern).map(|_| ()).map_err(|error| error.to_string().replace('\n', " "))
}

/// A schema inside a junctor: values only.
fn nested(path: &str, map: &Map<String, Value>, skip_any_of: bool, errors: &mut Vec<FieldError>) {
    values(path, map, skip_any_of, false, errors);
    if let Some(items) = map.get("items").and_then(Value::as_object) {
        nested(&under(path, "items"), items, false, errors);
    }
    for (name, schema) in objects(map, "properties") {
        let place = format!("{}[{name}]", under(path, "properties"));
        nested(&place, schema, false, errors);
        if name == "metadata" {
            errors.push(FieldError::forbidden(place, "must not be specified in a nested context"));
        }
    }
    for (name, must) in [
        ("type", "must be empty to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
    ] {
        let set = match map.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if set {
            errors.push(FieldError::forbidden(under(path, name), must));
        }
    }
}

/// Every field that a junctor at the root speaks of must be declared outside of it.
fn completeness(path: &str, declared: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    junctors(path, path, Some(declared), declared, errors);
}

/// Walks the junctors of `nested` (at `at`) beside the declarations of the same place (at `path`).
fn junctors(
    path: &str,
    at: &str,
    declared: Option<&Map<String, Value>>,
    nested: &Map<String, Value>,
    errors: &mut Vec<FieldError>,
) {
    for junctor in ["allOf", "anyOf", "oneOf"] {
        for (i, schema) in list(nested, junctor).iter().enumerate() {
            if let Some(schema) = schema.as_object() {
                declared_outside(path, &under(at, &format!("{junctor}[{i}]")), declared, schema, errors);
            }
        }
    }
    if let Some(schema) = nested.get("not").and_then(Value::as_object) {
        declared_outside(path, &under(at, "not"), declared, schema, errors);
    }
}

fn declared_outside(
    path: &str,
    at: &str,
    declared: Option<&Map<String, Value>>,
    nested: &Map<String, Value>,
    errors: &mut Vec<FieldError>,
) {
    let Some(declared) = declared else {
        errors.push(FieldError::required(path, &format!("because it is defined in {at}")));
        return;
    };
    junctors(path, at, Some(declared), nested, errors);
    if let Some(items) = nested.get("items").and_then(Value::as_object) {
        let outside = declared.get("items").and_then(Value::as_object);
        declared_outside(&under(path, "items"), &under(at, "items"), outside, items, errors);
    }
    for (name, schema) in objects(nested, "properties") {
        let outside = declared.get("properties").and_then(|fields| fields.get(name)).and_then(Value::as_object);
        let child = format!("properties[{name}]");
        declared_outside(&under(path, &child), &under(at, &child), outside, schema, errors);
    }
}
