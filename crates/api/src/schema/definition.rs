//! The CustomResourceDefinitions: the catalogue's structure with the documentation of our types.

use serde_json::{Map, Value, json};

use super::typed::{self, Typed, TypedShape};
use crate::catalogue::{Catalogue, Scalar, Shape, Type};

/// One kind that is served.
struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    description: &'static str,
    columns: &'static [Column],
}

/// A column of `kubectl get`: its name, its type, and where its value is.
type Column = (&'static str, &'static str, &'static str);

const STATE: Column = ("State", "string", ".status.statuses.gloo-system.state");
const REASON: Column = ("Reason", "string", ".status.statuses.gloo-system.reason");
const AGE: Column = ("Age", "date", ".metadata.creationTimestamp");

const GATEWAY: &str = "gateway.solo.io";
const GLOO: &str = "gloo.solo.io";
const STORED: &str = "Stored, but nothing reads it yet.";

/// The kinds, with the names and the short names that Gloo gives them.
const KINDS: [Kind; 15] = [
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "Gateway",
        plural: "gateways",
        short_names: &["gw", "ggw"],
        description: "A listener: an address and a port, and which VirtualServices are served there.",
        columns: &[("Port", "integer", ".spec.bindPort"), ("SSL", "boolean", ".spec.ssl"), STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "VirtualService",
        plural: "virtualservices",
        short_names: &["vs", "gvs"],
        description: "A set of domains and the routes at their root.",
        columns: &[("Domains", "string", ".spec.virtualHost.domains"), STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "RouteTable",
        plural: "routetables",
        short_names: &["rt", "grt"],
        description: "Routes of one team, which a VirtualService or another RouteTable delegates to.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "RouteOption",
        plural: "routeoptions",
        short_names: &["rto", "rtopts", "grto"],
        description: "Options that many routes share.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "VirtualHostOption",
        plural: "virtualhostoptions",
        short_names: &["vho", "vhopts", "gvho"],
        description: "Options that many virtual hosts share.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "ListenerOption",
        plural: "listeneroptions",
        short_names: &["lisopts", "glisopts"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "HttpListenerOption",
        plural: "httplisteneroptions",
        short_names: &["hlisopts", "ghlisopts"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "MatchableHttpGateway",
        plural: "httpgateways",
        short_names: &["hgw", "ghgw"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "MatchableTcpGateway",
        plural: "tcpgateways",
        short_names: &["tgw", "gtgw"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Upstream",
        plural: "upstreams",
        short_names: &["us", "gus"],
        description: "A destination: its endpoints, their subsets, and how requests are spread over them.",
        columns: &[("Service", "string", ".spec.kube.serviceName"), STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "UpstreamGroup",
        plural: "upstreamgroups",
        short_names: &["ug", "gug"],
        description: "Weighted destinations that many routes can refer to.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Settings",
        plural: "settings",
        short_names: &["st", "gst"],
        description: "How the control plane behaves. The one called `default` in `gloo-system` counts.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Proxy",
        plural: "proxies",
        short_names: &["px", "gpx"],
        description: "What one data plane serves: every reference resolved, every route in its place. For reading.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: "enterprise.gloo.solo.io",
        version: "v1",
        kind: "AuthConfig",
        plural: "authconfigs",
        short_names: &["ac", "gac"],
        description: "Stored, but nothing reads it yet: a route that asks for authentication answers 403.",
        columns: &[AGE],
    },
    Kind {
        group: "ratelimit.solo.io",
        version: "v1alpha1",
        kind: "RateLimitConfig",
        plural: "ratelimitconfigs",
        short_names: &["rlc", "grlc"],
        description: STORED,
        columns: &[AGE],
    },
];

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
    let version = json!({
        "name": kind.version,
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": root_schema(kind)},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    });
    json!({
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
            "versions": [version],
        },
    })
}

fn root_schema(kind: &Kind) -> Value {
    let typed = typed::spec(kind.kind);
    let mut spec = match (Catalogue::get().message(kind.kind), typed) {
        (Some(_), typed) => schema(&Type { shape: Shape::Message(kind.kind), nullable: false }, typed, typed.is_some()),
        (None, _) => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    let described = typed.map_or(kind.description, |typed| typed.description.as_str());
    describe(&mut spec, described);
    json!({
        "type": "object",
        "description": kind.description,
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
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
    })
}

/// The schema of a field. `implemented` says that everything around it is, so that the first field without a type of ours
/// carries the remark.
fn schema(field: &Type, typed: Option<&Typed>, implemented: bool) -> Value {
    let mut schema = match &field.shape {
        Shape::Scalar(kind) => scalar(*kind),
        Shape::List(inner) => {
            json!({"type": "array", "items": schema(inner, typed.and_then(Typed::element), implemented && typed.is_some())})
        }
        Shape::Map(inner) => {
            let values = schema(inner, typed.and_then(Typed::element), implemented && typed.is_some());
            json!({"type": "object", "additionalProperties": values})
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
    json!({"type": "object", "properties": properties})
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
        assert_eq!(options["timeout"]["description"], "Not implemented yet; using it is reported in the status.");
        assert_eq!(options["retries"]["properties"]["numRetries"]["description"], Value::Null);
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
