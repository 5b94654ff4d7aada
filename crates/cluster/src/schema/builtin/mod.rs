//! The schemas of Kubernetes' own kinds, derived on first use from what `k8s-openapi` carries.
//!
//! One registry holds every type met so far by its full name (`io.k8s.api.core.v1.Container`), so that a type is kept
//! once however many kinds use it, and a type may refer to itself.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::node::{Child, Field, Interner, ListType, Named, Node, PatchMarker, Rules, Str, Type, anything};
use super::{Origin, Schema};

pub(crate) mod defaults;
pub(crate) mod go_types;
mod kinds;
mod markers;
pub(crate) mod rules;
mod zero;

/// The schemas made so far, by group, version and kind.
type Known = HashMap<(String, String, String), Arc<Schema>>;

impl Schema {
    /// The schema of a built-in kind; `None` for a kind that is not known here. `group` is empty for core kinds.
    pub fn builtin(group: &str, version: &str, kind: &str) -> Option<Arc<Self>> {
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let key = (group.to_owned(), version.to_owned(), kind.to_owned());
        if let Some(schema) = KNOWN.lock().get(&key) {
            return Some(schema.clone());
        }
        let describe = kinds::find(group, version, kind)?;
        let root = Child::Named(register(describe));
        let (group, version, kind) = key.clone();
        let schema = Arc::new(Self { group, version, kind, origin: Origin::BuiltIn, root, name_rules: None });
        KNOWN.lock().insert(key, schema.clone());
        Some(schema)
    }
}

/// The `metadata` of every kind.
pub(super) fn object_meta() -> Child {
    static META: OnceLock<Arc<Named>> = OnceLock::new();
    let meta = META
        .get_or_init(|| register(kinds::Describe::of::<k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta>()));
    Child::Named(meta.clone())
}

/// A type that is not a kind of its own but is part of the API's surface, such as `DeleteOptions` or `Status`.
pub fn named_type(name: &str) -> Option<Arc<Named>> {
    kinds::part(name).map(register)
}

#[derive(Default)]
struct Registry {
    types: HashMap<Str, Arc<Named>>,
    interner: Interner,
}

/// Takes in a type and everything it refers to.
fn register(describe: kinds::Describe) -> Arc<Named> {
    static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);
    let mut generator = schemars::generate::SchemaSettings::openapi3().into_generator();
    let root = (describe.add)(&mut generator);
    let definitions = generator.take_definitions(false);
    let mut registry = REGISTRY.lock();
    for (name, definition) in &definitions {
        let named = registry.named(name);
        if named.node.get().is_none() {
            let node = registry.node(definition, name);
            let node = Arc::new(Node { name: Some(named.name.clone()), ..node });
            // Another thread cannot have set it: the registry is locked.
            let _ = named.node.set(node);
        }
    }
    let name = root.as_value().get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    registry.named(name.unwrap_or_default())
}

impl Registry {
    fn named(&mut self, name: &str) -> Arc<Named> {
        if let Some(named) = self.types.get(name) {
            return named.clone();
        }
        let name = self.interner.text(name);
        let named = Arc::new(Named { name: name.clone(), node: OnceLock::new() });
        self.types.insert(name, named.clone());
        named
    }

    /// `owner` is the type that the node belongs to, which the markers are looked up by.
    fn node(&mut self, schema: &Value, owner: &str) -> Node {
        let Some(map) = schema.as_object() else { return (**anything()).clone() };
        let int_or_string = map.get("x-kubernetes-int-or-string").and_then(Value::as_bool).unwrap_or(false);
        let ty = match map.get("type").and_then(Value::as_str) {
            _ if int_or_string => Type::IntOrString,
            // JSON, in a CRD's schema, is described as an object but holds anything.
            _ if owner.ends_with(".JSON") => Type::Any,
            Some("object") => Type::Object,
            Some("array") => Type::Array,
            Some("string") => Type::String,
            Some("integer") => Type::Integer,
            Some("number") => Type::Number,
            Some("boolean") => Type::Boolean,
            _ => Type::Any,
        };
        let properties = map.get("properties").and_then(Value::as_object);
        let mut fields: Vec<Field> =
            properties.into_iter().flatten().map(|(name, schema)| self.field(owner, name, schema)).collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let additional = map.get("additionalProperties").filter(|value| value.is_object());
        let additional = additional.map(|schema| self.child(schema, ""));
        let untyped = ty == Type::Any || (ty == Type::Object && fields.is_empty() && additional.is_none());
        Node {
            name: None,
            ty,
            nullable: ty == Type::Any,
            preserve_unknown: untyped && !markers::is_empty_struct(owner),
            embedded: false,
            atomic: markers::is_atomic_type(owner),
            fields: fields.into(),
            additional,
            items: map.get("items").map(|schema| self.child(schema, "")),
            required: self.texts(map, "required", owner),
            list: ListType::Atomic,
            description: map.get("description").and_then(Value::as_str).map(|text| self.interner.text(text)),
            rules: self.rules(map),
        }
    }

    fn rules(&mut self, map: &Map<String, Value>) -> Option<Box<Rules>> {
        let format = map.get("format").and_then(Value::as_str).map(|text| self.interner.text(text));
        format.map(|format| Box::new(Rules { format: Some(format), ..Rules::default() }))
    }

    fn texts(&mut self, map: &Map<String, Value>, key: &str, owner: &str) -> Box<[Str]> {
        let items = map.get(key).and_then(Value::as_array).into_iter().flatten();
        let names = items.filter_map(Value::as_str);
        // k8s-openapi counts `metadata` as required so that its Rust types have one; the API does not.
        let names = names.filter(|name| *name != "metadata" || owner.ends_with("TemplateSpec"));
        names.map(|text| self.interner.text(text)).collect()
    }

    fn child(&mut self, schema: &Value, owner: &str) -> Child {
        if let Some(name) = reference(schema) {
            return Child::Named(self.named(&name));
        }
        let node = self.node(schema, owner);
        self.interner.node(node)
    }

    fn field(&mut self, owner: &str, name: &str, schema: &Value) -> Field {
        let description = schema.get("description").and_then(Value::as_str).map(|text| self.interner.text(text));
        let is_reference = reference(schema).is_some();
        let schema = if is_reference {
            self.child(schema, "")
        } else {
            let mut node = self.node(schema, "");
            node.list = match markers::list_keys(owner, name) {
                None => ListType::Atomic,
                Some("") => ListType::Set,
                Some(keys) => ListType::Map(keys.split(',').map(|key| self.interner.text(key)).collect()),
            };
            node.atomic = markers::is_atomic_map(owner, name);
            self.interner.node(node)
        };
        let patch = markers::patch(owner, name).map(|(merge, retain_keys, key)| {
            let merge_key = (!key.is_empty()).then(|| self.interner.text(key));
            Box::new(PatchMarker { merge, retain_keys, merge_key })
        });
        Field {
            name: self.interner.text(name),
            description: if is_reference { description } else { None },
            schema,
            patch,
            default: markers::default(owner, name).map(Box::new),
        }
    }
}

/// The type that `{"$ref": "#/components/schemas/NAME"}` refers to. schemars wraps it in `allOf` when a description
/// stands beside it.
fn reference(schema: &Value) -> Option<String> {
    let direct = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
    direct.and_then(Value::as_str).and_then(|path| path.rsplit('/').next()).map(str::to_owned)
}
