//! What the types of this crate have implemented, with their documentation, read off their schemars schemas.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::gateway::{GatewaySpec, RouteOptionSpec, RouteTableSpec, VirtualHostOptionSpec, VirtualServiceSpec};
use crate::gloo::{ProxyDocument, SettingsSpec, UpstreamGroupSpec, UpstreamSpec};

/// A value as a type has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    /// The doc comment.
    pub description: String,
    pub shape: TypedShape,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TypedShape {
    /// A scalar of a JSON type: `string`, `integer`, `number` or `boolean`.
    Scalar(String),
    /// One of these names.
    Enum(Vec<String>),
    /// An object whose fields nobody reads one by one yet ([`crate::RawOptions`]).
    Opaque,
    Object(BTreeMap<String, Typed>),
    List(Box<Typed>),
    Map(Box<Typed>),
}

impl Typed {
    pub(crate) fn child(&self, name: &str) -> Option<&Typed> {
        match &self.shape {
            TypedShape::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    pub(crate) fn element(&self) -> Option<&Typed> {
        match &self.shape {
            TypedShape::List(inner) | TypedShape::Map(inner) => Some(inner),
            _ => None,
        }
    }
}

/// The spec of a kind, as far as it has a type.
pub(crate) fn spec(kind: &str) -> Option<&'static Typed> {
    static SPECS: OnceLock<BTreeMap<&'static str, Typed>> = OnceLock::new();
    let specs = SPECS.get_or_init(|| {
        BTreeMap::from([
            ("Gateway", of::<GatewaySpec>()),
            ("VirtualService", of::<VirtualServiceSpec>()),
            ("RouteTable", of::<RouteTableSpec>()),
            ("RouteOption", of::<RouteOptionSpec>()),
            ("VirtualHostOption", of::<VirtualHostOptionSpec>()),
            ("Upstream", of::<UpstreamSpec>()),
            ("UpstreamGroup", of::<UpstreamGroupSpec>()),
            ("Settings", of::<SettingsSpec>()),
            ("Proxy", of::<ProxyDocument>()),
        ])
    });
    specs.get(kind)
}

/// What schemars says of a type.
pub(crate) fn of<T: JsonSchema>() -> Typed {
    let root = SchemaGenerator::default().into_root_schema_for::<T>();
    let root = root.to_value();
    let empty = Map::new();
    let definitions = root.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    read(&root, definitions)
}

fn read(schema: &Value, definitions: &Map<String, Value>) -> Typed {
    let inner = referenced(schema, definitions);
    let mut typed = match inner {
        Some(inner) => read(inner, definitions),
        None => Typed { description: String::new(), shape: shape(schema, definitions) },
    };
    if let Some(description) = schema.get("description").and_then(Value::as_str) {
        // Doc comments are wrapped in the source; a client wraps for its own width.
        typed.description =
            description.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
    typed
}

/// The schema that this one stands for: a definition, or the one that an `Option` wraps.
fn referenced<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> Option<&'a Value> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return definitions.get(name.strip_prefix("#/$defs/")?);
    }
    let alternatives = ["anyOf", "allOf"].iter().find_map(|key| schema.get(*key)?.as_array())?;
    alternatives.iter().find(|alternative| alternative.get("type") != Some(&Value::from("null")))
}

fn shape(schema: &Value, definitions: &Map<String, Value>) -> TypedShape {
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return TypedShape::Enum(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        let names = variants.iter().flat_map(|variant| match variant.get("enum").and_then(Value::as_array) {
            Some(names) => names.clone(),
            None => variant.get("const").cloned().into_iter().collect(),
        });
        return TypedShape::Enum(names.filter_map(|name| name.as_str().map(str::to_owned)).collect());
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or(""),
        _ => "",
    };
    match kind {
        "array" => TypedShape::List(Box::new(read(schema.get("items").unwrap_or(&Value::Null), definitions))),
        "object" => match (schema.get("properties").and_then(Value::as_object), schema.get("additionalProperties")) {
            (Some(properties), _) => TypedShape::Object(
                properties.iter().map(|(name, schema)| (name.clone(), read(schema, definitions))).collect(),
            ),
            (None, Some(Value::Bool(true))) => TypedShape::Opaque,
            (None, Some(values @ Value::Object(_))) => TypedShape::Map(Box::new(read(values, definitions))),
            (None, _) => TypedShape::Object(BTreeMap::new()),
        },
        scalar => TypedShape::Scalar(scalar.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_they_implement() {
        let spec = spec("VirtualService").unwrap();
        assert_eq!(
            spec.description,
            "A set of domains, their root routes, and the options and certificate of the host."
        );
        let host = spec.child("virtualHost").unwrap();
        assert_eq!(host.description, "The domains and their routes.");
        let route = host.child("routes").unwrap().element().unwrap();
        let options = route.child("options").unwrap();
        assert_eq!(options.child("timeout").unwrap().shape, TypedShape::Scalar("string".to_owned()));
        assert_eq!(options.child("waf"), None);
        let tcp = super::spec("Gateway").unwrap().child("tcpGateway").unwrap();
        assert_eq!(tcp.shape, TypedShape::Opaque);
        let matcher = route.child("matchers").unwrap().element().unwrap();
        assert_eq!(matcher.child("prefix").unwrap().shape, TypedShape::Scalar("string".to_owned()));
        let redirect = route.child("redirectAction").unwrap().child("responseCode").unwrap();
        let TypedShape::Enum(names) = &redirect.shape else { panic!("{redirect:?}") };
        assert_eq!(names[0], "MOVED_PERMANENTLY");
        let values = route.child("routeAction").unwrap().child("single").unwrap().child("subset").unwrap();
        assert!(matches!(values.child("values").unwrap().shape, TypedShape::Map(_)));
    }
}
