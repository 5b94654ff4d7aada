//! What fuzz targets share: JSON values made of the fuzzer's bytes, with the keys that Kubernetes objects have.

pub mod routing;

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};

/// A JSON value, not deep and not wide, whose keys and texts are often ones that mean something.
#[derive(Debug, Clone)]
pub struct Json(pub Value);

impl<'a> Arbitrary<'a> for Json {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        value(input, 6).map(Json)
    }
}

/// Keys with a meaning somewhere: to a schema, a patch, or the objects of the API.
pub const KEYS: &[&str] = &[
    "",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
    "a",
    "b",
    "a/b",
    "~",
    "0",
    "-",
    "additionalProperties",
    "allOf",
    "annotations",
    "anyOf",
    "apiVersion",
    "args",
    "clusterIP",
    "containers",
    "containerPort",
    "data",
    "default",
    "description",
    "env",
    "enum",
    "finalizers",
    "format",
    "image",
    "items",
    "key",
    "kind",
    "labels",
    "matchExpressions",
    "matchLabels",
    "maxLength",
    "maxSurge",
    "maximum",
    "metadata",
    "name",
    "namespace",
    "not",
    "nullable",
    "oneOf",
    "operator",
    "ownerReferences",
    "path",
    "pattern",
    "port",
    "ports",
    "properties",
    "protocol",
    "replicas",
    "required",
    "resources",
    "rollingUpdate",
    "selector",
    "spec",
    "status",
    "strategy",
    "targetPort",
    "template",
    "type",
    "uid",
    "uniqueItems",
    "value",
    "valueFrom",
    "values",
    "volumes",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
    // Those of the routing API.
    "addr",
    "delegateAction",
    "delegateOptions",
    "destination",
    "destinations",
    "directResponseAction",
    "domains",
    "exact",
    "expressions",
    "gloo",
    "headers",
    "hosts",
    "inheritableMatchers",
    "invertMatch",
    "kube",
    "matchers",
    "methods",
    "multi",
    "namespaces",
    "options",
    "prefix",
    "queryParameters",
    "redirectAction",
    "ref",
    "regex",
    "routeAction",
    "routes",
    "selectors",
    "serviceName",
    "serviceNamespace",
    "servicePort",
    "single",
    "static",
    "subset",
    "subsetSpec",
    "upstream",
    "upstreamGroup",
    "virtualHost",
    "weight",
];

/// Texts that a schema or a patch treats in a way of its own.
const TEXTS: [&str; 24] = [
    "",
    "*",
    "/",
    "/spec/replicas",
    "1Gi",
    "25%",
    "500m",
    "Always",
    "In",
    "RollingUpdate",
    "TCP",
    "a",
    "array",
    "atomic",
    "boolean",
    "delete",
    "integer",
    "map",
    "merge",
    "object",
    "replace",
    "set",
    "string",
    "2026-01-01T00:00:00Z",
];

fn key(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(if input.ratio(1, 16)? { input.arbitrary()? } else { (*input.choose(KEYS)?).to_owned() })
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(if input.ratio(1, 4)? { input.arbitrary()? } else { (*input.choose(&TEXTS)?).to_owned() })
}

fn value(input: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match input.int_in_range(0..=if depth == 0 { 5 } else { 11 })? {
        0 => Value::Null,
        1 => Value::Bool(input.arbitrary()?),
        2 => Value::from(input.int_in_range(-1..=3)?),
        3 => Value::from(input.arbitrary::<i64>()?),
        4 => Value::from(input.arbitrary::<f64>()?),
        5 => Value::String(text(input)?),
        6 | 7 => {
            let length = input.int_in_range(0..=4)?;
            (0..length).map(|_| value(input, depth - 1)).collect::<Result<_>>()?
        }
        _ => {
            let length = input.int_in_range(0..=5)?;
            let fields = (0..length).map(|_| Ok((key(input)?, value(input, depth - 1)?)));
            Value::Object(fields.collect::<Result<Map<_, _>>>()?)
        }
    })
}

/// Equal up to how a number is held: 1.0 and 1 are the same.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
