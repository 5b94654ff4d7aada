//! From the `openAPIV3Schema` of a CustomResourceDefinition's version to a [`Schema`].

use std::sync::Arc;

use serde_json::{Map, Value};

use super::node::{Child, Field, Interner, ListType, Node, Rules, Type, anything};
use super::pruning::drop_unknown;
use super::{Origin, Schema, SchemaError, builtin, structural};

/// Deeper nesting than this is refused: no real schema comes near it, and every walk over a schema recurses.
const MAX_DEPTH: usize = 100;

impl Schema {
    /// Builds the schema of a custom kind.
    ///
    /// `metadata`, `apiVersion` and `kind` are added; what the CRD says of them is not looked at.
    ///
    /// # Errors
    /// When the schema is not structural, with kube-apiserver's wording for each fault.
    pub fn from_crd_version(
        group: &str,
        version: &str,
        kind: &str,
        open_api_v3_schema: &Value,
    ) -> Result<Arc<Self>, SchemaError> {
        if depth(open_api_v3_schema) > MAX_DEPTH * 2 {
            return Err(SchemaError::TooDeep(MAX_DEPTH));
        }
        let faults = structural::structural_errors("", open_api_v3_schema);
        if !faults.is_empty() {
            return Err(SchemaError::NotStructural(faults));
        }
        let mut build = Build { interner: Interner::default() };
        let mut root = build.node(open_api_v3_schema);
        root.ty = Type::Object;
        root.embedded = false;
        let (group_text, version_text, kind_text) = (group.to_owned(), version.to_owned(), kind.to_owned());
        let name_rules = root.field("metadata").filter(|field| !field.schema.node().fields.is_empty());
        let name_rules = name_rules.map(|field| field.schema.clone());
        build.add_resource_fields(&mut root);
        let root = build.interner.node(root);
        Ok(Arc::new(Self {
            name_rules,
            group: group_text,
            version: version_text,
            kind: kind_text,
            origin: Origin::Custom,
            root,
        }))
    }

    /// The schema of a custom kind that has none: everything is kept, nothing is checked but metadata.
    pub fn schemaless(group: &str, version: &str, kind: &str) -> Arc<Self> {
        let mut build = Build { interner: Interner::default() };
        let mut root = Node { ty: Type::Object, preserve_unknown: true, ..Node::default() };
        build.add_resource_fields(&mut root);
        let root = build.interner.node(root);
        Arc::new(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            origin: Origin::Custom,
            root,
            name_rules: None,
        })
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

struct Build {
    interner: Interner,
}

impl Build {
    fn node(&mut self, schema: &Value) -> Node {
        let Some(map) = schema.as_object() else { return (**anything()).clone() };
        let flag = |name: &str| map.get(name).and_then(Value::as_bool).unwrap_or(false);
        let int_or_string = flag("x-kubernetes-int-or-string");
        let ty = match map.get("type").and_then(Value::as_str) {
            _ if int_or_string => Type::IntOrString,
            Some("object") => Type::Object,
            Some("array") => Type::Array,
            Some("string") => Type::String,
            Some("integer") => Type::Integer,
            Some("number") => Type::Number,
            Some("boolean") => Type::Boolean,
            _ => Type::Any,
        };
        let mut fields: Vec<Field> = match map.get("properties").and_then(Value::as_object) {
            Some(properties) => properties.iter().map(|(name, schema)| self.field(name, schema)).collect(),
            None => Vec::new(),
        };
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let additional = match map.get("additionalProperties") {
            Some(Value::Bool(true)) => Some(Child::Here(anything().clone())),
            Some(schema @ Value::Object(_)) => Some(self.child(schema)),
            _ => None,
        };
        let mut node = Node {
            name: None,
            ty,
            nullable: flag("nullable"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            atomic: map.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic"),
            fields: fields.into(),
            additional,
            items: map.get("items").map(|schema| self.child(schema)),
            required: self.texts(map.get("required")),
            list: self.list_type(map),
            description: map.get("description").and_then(Value::as_str).map(|text| self.interner.text(text)),
            rules: self.rules(map, int_or_string),
        };
        if node.embedded {
            self.add_resource_fields(&mut node);
        }
        node
    }

    fn child(&mut self, schema: &Value) -> Child {
        let node = self.node(schema);
        self.interner.node(node)
    }

    fn field(&mut self, name: &str, schema: &Value) -> Field {
        let child = self.child(schema);
        // As kube-apiserver, a default is pruned like everything else.
        let default = schema.get("default").map(|value| {
            let mut value = value.clone();
            drop_unknown(&mut value, Some(child.node()));
            Box::new(value)
        });
        Field { name: self.interner.text(name), description: None, schema: child, patch: None, default }
    }

    fn texts(&mut self, value: Option<&Value>) -> Box<[super::node::Str]> {
        let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str).map(|text| self.interner.text(text)).collect()
    }

    fn list_type(&mut self, map: &Map<String, Value>) -> ListType {
        match map.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(self.texts(map.get("x-kubernetes-list-map-keys"))),
            _ => ListType::Atomic,
        }
    }

    fn rules(&mut self, map: &Map<String, Value>, int_or_string: bool) -> Option<Box<Rules>> {
        let number = |name: &str| match map.get(name) {
            Some(Value::Number(number)) => Some(number.clone()),
            _ => None,
        };
        let count = |name: &str| map.get(name).and_then(Value::as_u64);
        let flag = |name: &str| map.get(name).and_then(Value::as_bool).unwrap_or(false);
        let text = |name: &str| map.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let list = |name: &str| map.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let any_of = list("anyOf");
        // The idiom `anyOf: [{type: integer}, {type: string}]` only repeats what int-or-string says.
        let any_of = if int_or_string && is_integer_or_string(any_of) { &[][..] } else { any_of };
        let rules = Rules {
            format: text("format").map(|text| self.interner.text(text)),
            title: text("title").map(|text| self.interner.text(text)),
            one_of_values: list("enum").into(),
            pattern: text("pattern").map(|text| self.interner.text(text)),
            minimum: number("minimum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            maximum: number("maximum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            unique_items: flag("uniqueItems"),
            min_properties: count("minProperties"),
            max_properties: count("maxProperties"),
            all_of: list("allOf").iter().map(|schema| self.child(schema)).collect(),
            any_of: any_of.iter().map(|schema| self.child(schema)).collect(),
            one_of: list("oneOf").iter().map(|schema| self.child(schema)).collect(),
            not: map.get("not").filter(|schema| schema.is_object()).map(|schema| self.child(schema)),
            expressions: map.get("x-kubernetes-validations").cloned(),
        };
        (rules != Rules::default()).then(|| Box::new(rules))
    }

    /// Gives an object the fields that every resource has.
    fn add_resource_fields(&mut self, node: &mut Node) {
        let mut fields: Vec<Field> = node
            .fields
            .iter()
            .filter(|field| !matches!(&*field.name, "apiVersion" | "kind" | "metadata"))
            .cloned()
            .collect();
        for (name, description) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            let description = Some(self.interner.text(description));
            let schema = self.interner.node(Node { ty: Type::String, description, ..Node::default() });
            fields.push(Field {
                name: self.interner.text(name),
                description: None,
                schema,
                patch: None,
                default: None,
            });
        }
        fields.push(Field {
            name: self.interner.text("metadata"),
            description: Some(self.interner.text(METADATA)),
            schema: builtin::object_meta(),
            patch: None,
            default: None,
        });
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        node.fields = fields.into();
    }
}

fn is_integer_or_string(any_of: &[Value]) -> bool {
    matches!(any_of, [first, second]
        if first == &serde_json::json!({"type": "integer"}) && second == &serde_json::json!({"type": "string"}))
}

const API_VERSION: &str = "The version of the schema that this object is written in: GROUP/VERSION.";
const KIND: &str = "The kind of resource that this object is, in CamelCase. Cannot be changed.";
const METADATA: &str = "The object's name, namespace, labels, annotations and what the server keeps about it.";
