//! The CustomResourceDefinitions: the catalogue's structure with the documentation of our types.

use serde_json::{Map, Value, json};

use super::kinds::{KINDS, Kind};
use super::typed::{self, Typed, TypedShape};
use crate::catalogue::{Catalogue, Scalar, Shape, Type};

/// The CustomResourceDefinitions of every kind that is served, one at a time: expanded, the larger ones take megabytes.
pub fn crd_stream() -> impl ExactSizeIterator<Item = Value> {
    KINDS.iter().map(definition)
}

/// The CustomResourceDefinitions of every kind that is served, valid for any Kubernetes API server.
pub fn crds() -> Vec<Value> {
    crd_stream().collect()
}

fn definition(kind: &Kind) -> Value {
    let singular = kind.kind.to_lowercase();
    // Gloo's two are kinds that are called otherwise in the API.
    let singular = singular.strip_prefix("matchable").unwrap_or(&singular);
    let columns: Vec<Value> = kind
        .columns
        .iter()
        .map(|(name, column_type, path)| json!({"name": name, "type": column_type, "jsonPath": path}))
        .collect();
    let mut version = json!({
        "name": kind.version,
        "served": true,
        "storage": true,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    });
    version["schema"] = nested("openAPIV3Schema", root_schema(kind));
    let mut definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", kind.plural, kind.group)},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": format!("{}List", kind.kind),
                "plural": kind.plural,
                "singular": singular,
                "shortNames": kind.short_names,
                "categories": ["gloo", "gloo-gateway"],
            },
        },
    });
    definition["spec"]["versions"] = Value::Array(vec![version]);
    definition
}

/// An object with one entry. (`json!` copies the values that it is given, which here would copy whole schemas at each level.)
fn nested(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

fn root_schema(kind: &Kind) -> Value {
    let typed = typed::spec(kind.kind);
    let mut spec = match (Catalogue::get().message(kind.kind), typed) {
        (Some(_), typed) => schema(&Type { shape: Shape::Message(kind.kind), nullable: false }, typed, typed.is_some()),
        (None, _) => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    let described = typed.map_or(kind.description, |typed| typed.description.as_str());
    describe(&mut spec, described);
    let mut root = json!({
        "type": "object",
        "description": kind.description,
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "status": {
                "type": "object",
                "description": "What the control plane says of this object.",
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": {
                    "statuses": {
                        "type": "object",
                        "description": "By the namespace of the control plane that wrote it: the state (Pending, Accepted, \
                                        Warning or Rejected), the reason in words, and who reported it.",
                        "x-kubernetes-preserve-unknown-fields": true,
                    },
                },
            },
        },
    });
    root["properties"]["spec"] = spec;
    root
}

/// The schema of a field. `implemented` says that everything around it is, so that the first field without a type of ours
/// carries the remark.
fn schema(field: &Type, typed: Option<&Typed>, implemented: bool) -> Value {
    let mut schema = match &field.shape {
        Shape::Scalar(kind) => scalar(*kind),
        Shape::List(inner) | Shape::Map(inner) => {
            let (name, holds) = match field.shape {
                Shape::List(_) => ("array", "items"),
                _ => ("object", "additionalProperties"),
            };
            let inner = schema(inner, typed.and_then(Typed::element), implemented && typed.is_some());
            with_type(name, nested(holds, inner))
        }
        Shape::Message(name) => object(name, typed, implemented),
    };
    if field.nullable
        && let Value::Object(schema) = &mut schema
    {
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
    if let Some(typed) = typed {
        describe(&mut schema, &documentation(typed));
    }
    schema
}

fn object(name: &str, typed: Option<&Typed>, implemented: bool) -> Value {
    let mut properties = Map::new();
    let fields = Catalogue::get().message(name).map(|message| message.fields.as_slice()).unwrap_or_default();
    for (name, field) in fields {
        let child = typed.and_then(|typed| typed.child(name));
        let mut property = schema(field, child, implemented && child.is_some());
        if child.is_none() && implemented && typed.is_some() {
            describe(&mut property, "Not implemented yet; using it is reported in the status.");
        }
        properties.insert((*name).to_owned(), property);
    }
    with_type("object", nested("properties", Value::Object(properties)))
}

fn with_type(name: &str, mut schema: Value) -> Value {
    schema["type"] = Value::from(name);
    schema
}

fn scalar(scalar: Scalar) -> Value {
    match scalar {
        Scalar::String => json!({"type": "string"}),
        Scalar::Bytes => json!({"type": "string", "format": "byte"}),
        Scalar::Bool => json!({"type": "boolean"}),
        Scalar::Int32 => json!({"type": "integer", "format": "int32"}),
        Scalar::Uint32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Scalar::Number => json!({"type": "number"}),
        Scalar::Int64 | Scalar::Enum => json!({"x-kubernetes-int-or-string": true}),
        Scalar::Empty => json!({"type": "object"}),
        Scalar::Object => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        Scalar::Any => json!({"x-kubernetes-preserve-unknown-fields": true}),
    }
}

/// The doc comment, with the names that an enum takes.
fn documentation(typed: &Typed) -> String {
    match &typed.shape {
        TypedShape::Enum(names) => format!("{}\n\nOne of: {}.", typed.description, names.join(", ")),
        _ => typed.description.clone(),
    }
}

fn describe(schema: &mut Value, description: &str) {
    if let (Value::Object(schema), false) = (schema, description.is_empty()) {
        schema.insert("description".to_owned(), Value::String(description.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a type of ours reads what the catalogue has; the first field where it does not.
    fn disagreement(path: &str, field: &Type, typed: &Typed) -> Option<String> {
        let agree = match (&field.shape, &typed.shape) {
            (Shape::Message(name), TypedShape::Object(fields)) => {
                let message = Catalogue::get().message(name).unwrap();
                return fields.iter().find_map(|(name, typed)| {
                    let path = format!("{path}.{name}");
                    match message.field(name) {
                        Some(field) => disagreement(&path, field, typed),
                        None => Some(format!("{path} is not in the catalogue")),
                    }
                });
            }
            (Shape::List(field), TypedShape::List(typed)) => return disagreement(&format!("{path}[]"), field, typed),
            (Shape::Map(field), TypedShape::Map(typed)) => return disagreement(&format!("{path}{{}}"), field, typed),
            (Shape::Message(_), TypedShape::Opaque) => true,
            (Shape::Scalar(Scalar::Object | Scalar::Any), TypedShape::Opaque) => true,
            (Shape::Scalar(Scalar::Object), TypedShape::Map(_)) => true,
            (Shape::Scalar(Scalar::Empty), TypedShape::Object(fields)) => fields.is_empty(),
            (Shape::Scalar(Scalar::Enum), TypedShape::Enum(_)) => true,
            (Shape::Scalar(scalar), TypedShape::Scalar(kind)) => match scalar {
                Scalar::String | Scalar::Bytes => kind == "string",
                Scalar::Bool => kind == "boolean",
                Scalar::Int32 | Scalar::Uint32 | Scalar::Int64 => kind == "integer",
                Scalar::Number => kind == "number",
                _ => false,
            },
            _ => false,
        };
        (!agree).then(|| format!("{path}: {:?} in the catalogue, {:?} in the type", field.shape, typed.shape))
    }

    #[test]
    fn every_field_of_our_types_is_one_of_gloos() {
        for kind in &KINDS {
            if let (Some(typed), Some(_)) = (typed::spec(kind.kind), Catalogue::get().message(kind.kind)) {
                let spec = Type { shape: Shape::Message(kind.kind), nullable: false };
                assert_eq!(disagreement(kind.kind, &spec, typed), None);
            }
        }
    }

    #[test]
    fn every_implemented_field_is_documented() {
        fn undocumented(path: &str, typed: &Typed, found: &mut Vec<String>) {
            if typed.description.is_empty() {
                found.push(path.to_owned());
            }
            match &typed.shape {
                TypedShape::Object(fields) => {
                    fields.iter().for_each(|(name, typed)| undocumented(&format!("{path}.{name}"), typed, found));
                }
                TypedShape::List(inner) | TypedShape::Map(inner) => {
                    if let TypedShape::Object(_) = inner.shape {
                        undocumented(&format!("{path}[]"), inner, found);
                    }
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        for kind in &KINDS {
            if let Some(typed) = typed::spec(kind.kind) {
                undocumented(kind.kind, typed, &mut found);
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn a_schema_has_gloos_structure_and_our_words() {
        let definitions = crds();
        let service = definitions.iter().find(|crd| crd["spec"]["names"]["kind"] == "VirtualService").unwrap();
        let spec = &service["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let host = &spec["properties"]["virtualHost"];
        assert_eq!(host["description"], "The domains and their routes.");
        let route = &host["properties"]["routes"]["items"]["properties"];
        let options = &route["options"]["properties"];
        assert_eq!(options["timeout"]["type"], "string");
        assert!(options["timeout"]["description"].as_str().unwrap().starts_with("How long the upstream may take"));
        assert_eq!(options["waf"]["description"], "Not implemented yet; using it is reported in the status.");
        assert_eq!(options["waf"]["properties"]["disabled"]["description"], Value::Null);
        assert_eq!(route["inheritableMatchers"]["nullable"], true);
        let operator = &route["delegateAction"]["properties"]["selector"]["properties"]["expressions"]["items"]["properties"]
            ["operator"];
        assert_eq!(operator["x-kubernetes-int-or-string"], true);
        assert!(operator["description"].as_str().unwrap().ends_with("GreaterThan, LessThan."), "{operator}");
    }

    /// The rules of apiextensions.k8s.io/v1 for structural schemas.
    fn unstructural(path: &str, schema: &Value) -> Option<String> {
        let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
        let int_or_string = schema["x-kubernetes-int-or-string"] == true;
        let kind = schema["type"].as_str();
        if kind.is_none() && !open && !int_or_string || kind.is_some() && int_or_string {
            return Some(format!("{path}: type"));
        }
        let known = [
            "type",
            "description",
            "properties",
            "items",
            "additionalProperties",
            "nullable",
            "format",
            "minimum",
            "maximum",
        ];
        let odd =
            schema.as_object()?.keys().find(|key| !known.contains(&key.as_str()) && !key.starts_with("x-kubernetes-"));
        if let Some(odd) = odd {
            return Some(format!("{path}: {odd}"));
        }
        if schema["properties"].is_object() && !schema["additionalProperties"].is_null() {
            return Some(format!("{path}: properties and additionalProperties"));
        }
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let children = properties.iter().map(|(name, schema)| (format!("{path}.{name}"), schema));
        let inner = ["items", "additionalProperties"]
            .iter()
            .filter_map(|key| schema.get(*key))
            .map(|schema| (format!("{path}[]"), schema));
        children.chain(inner).find_map(|(path, schema)| unstructural(&path, schema))
    }

    #[test]
    fn every_schema_is_structural() {
        for crd in crds() {
            let name = crd["metadata"]["name"].as_str().unwrap();
            assert_eq!(unstructural(name, &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]), None);
        }
    }

    #[test]
    fn names_do_not_collide() {
        let mut names: Vec<String> = KINDS.iter().map(|kind| format!("{}.{}", kind.plural, kind.group)).collect();
        names.extend(KINDS.iter().flat_map(|kind| kind.short_names).map(|name| (*name).to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
