//! Values that Go's decoder would refuse for a built-in kind, in its words:
//! `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.

use serde_json::Value;

use super::builtin::go_types;
use super::node::{Child, Node, Type};
use super::{Origin, Schema};

impl Schema {
    /// The first value whose JSON type the kind's Go struct cannot hold, as the message of a 400 answer. For a custom
    /// kind only `apiVersion`, `kind` and `metadata` are looked at: the rest is validation's business.
    pub fn decode_error(&self, object: &Value) -> Option<String> {
        let Value::Object(map) = object else {
            return Some(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                go_kind(object)
            ));
        };
        let root = self.root();
        let mut places = vec![];
        for (key, value) in map {
            if self.origin == Origin::Custom && !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let Some(field) = root.field(key) else { continue };
            places.push(key.clone());
            let owner = if self.origin == Origin::Custom { "ObjectMeta" } else { root.short_name() };
            if let Some(error) = mismatch(value, field.schema.node(), owner, &mut places) {
                return Some(error);
            }
            places.pop();
        }
        None
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn mismatch(value: &Value, node: &Node, owner: &str, places: &mut Vec<String>) -> Option<String> {
    let fits = match (node.ty, value) {
        (_, Value::Null) | (Type::Any, _) => return None,
        (Type::Object, Value::Object(map)) => {
            let owner = if node.name.is_some() { node.short_name() } else { owner };
            for (key, value) in map {
                let Some(child) = node.child(key) else { continue };
                // Go's stack names fields and the structs embedded in one, but not the keys of a map.
                let depth = places.len();
                if node.field(key).is_some() {
                    places.extend(go_types::embedded_in(owner, key).map(str::to_owned));
                    places.push(key.clone());
                }
                if let Some(error) = mismatch(value, child, owner, places) {
                    return Some(error);
                }
                places.truncate(depth);
            }
            return None;
        }
        (Type::Array, Value::Array(items)) => {
            return items.iter().find_map(|item| mismatch(item, node.item()?, owner, places));
        }
        (Type::String, Value::String(text)) => return time_error(node.format(), text),
        (Type::Boolean, Value::Bool(_)) | (Type::Number, Value::Number(_)) => true,
        (Type::Integer, Value::Number(number)) => {
            let range =
                if node.format() == "int32" { i64::from(i32::MIN)..=i64::from(i32::MAX) } else { i64::MIN..=i64::MAX };
            if number.as_i64().is_some_and(|number| range.contains(&number)) {
                true
            } else {
                return Some(unmarshal(&format!("number {number}"), owner, places, &go_type(node)));
            }
        }
        (Type::IntOrString, _) => return int_or_string_error(value, node, owner, places),
        _ => false,
    };
    (!fits).then(|| {
        let field = places.last().map_or("", String::as_str);
        let ty = go_types::named_type(owner, field).map_or_else(|| go_type(node), str::to_owned);
        unmarshal(go_kind(value), owner, places, &ty)
    })
}

fn unmarshal(kind: &str, owner: &str, places: &[String], ty: &str) -> String {
    format!("json: cannot unmarshal {kind} into Go struct field {owner}.{} of type {ty}", places.join("."))
}

fn int_or_string_error(value: &Value, node: &Node, owner: &str, places: &[String]) -> Option<String> {
    let is_quantity = node.short_name() == "Quantity";
    match value {
        Value::String(text) if is_quantity && !super::is_quantity(text) => Some(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned(),
        ),
        Value::String(_) => None,
        Value::Number(_) if is_quantity => None,
        Value::Number(number) => match number.as_i64().map(i32::try_from) {
            Some(Ok(_)) => None,
            _ => Some(unmarshal(&format!("number {number}"), owner, places, "int32")),
        },
        Value::Null => None,
        _ if is_quantity => Some(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned(),
        ),
        other => Some(unmarshal(go_kind(other), owner, places, "int32")),
    }
}

fn time_error(format: &str, text: &str) -> Option<String> {
    match format {
        "date-time" if !text.is_empty() && text.parse::<jiff::Timestamp>().is_err() => {
            let quoted = super::quote(text);
            Some(format!("parsing time {quoted} as \"2006-01-02T15:04:05Z07:00\": cannot parse {quoted} as \"2006\""))
        }
        "byte" => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', '\r'], ""));
            let at = match decoded {
                Ok(_) => return None,
                Err(base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _)) => at,
                Err(_) => text.len().saturating_sub(text.len() % 4),
            };
            Some(format!("illegal base64 data at input byte {at}"))
        }
        _ => None,
    }
}

/// The Go type that a node stands for.
fn go_type(node: &Node) -> String {
    match node.ty {
        Type::Integer if node.format() == "int32" => "int32".to_owned(),
        Type::Integer => "int64".to_owned(),
        Type::Number => "float64".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::String if node.format() == "byte" => "[]uint8".to_owned(),
        Type::String => "string".to_owned(),
        Type::Array => format!("[]{}", element_type(node.items.as_ref())),
        Type::Object if node.name.is_some() => go_name(node),
        Type::Object => format!("map[string]{}", element_type(node.additional.as_ref())),
        Type::Any | Type::IntOrString => go_name(node),
    }
}

fn element_type(child: Option<&Child>) -> String {
    child.map_or_else(|| "interface {}".to_owned(), |child| go_type(child.node()))
}

/// `v1.Container` from `io.k8s.api.core.v1.Container`.
fn go_name(node: &Node) -> String {
    let Some(name) = node.name.as_deref() else { return "interface {}".to_owned() };
    let mut parts = name.rsplit('.');
    let short = parts.next().unwrap_or_default();
    match parts.next() {
        Some(package) => format!("{package}.{short}"),
        None => short.to_owned(),
    }
}
