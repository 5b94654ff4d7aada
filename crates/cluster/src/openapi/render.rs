//! A schema's node as OpenAPI writes it.

use serde_json::{Map, Value, json};

use crate::schema::node::{Child, Field, ListType, Node, Rules, Type};

/// Which version of OpenAPI is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    /// The place of a type in the document.
    pub(super) fn reference(self, name: &str) -> Value {
        let place = match self {
            Self::V2 => "definitions",
            Self::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }

    /// A value where it is used: a reference, or written out.
    fn child(self, child: &Child) -> Value {
        match child {
            Child::Named(named) => self.reference(&named.name),
            Child::Here(node) => self.node(node),
        }
    }

    fn field(self, field: &Field) -> Value {
        let mut schema = match (&field.schema, self) {
            // Nothing may stand beside a reference in v3, so it is wrapped, as kube-apiserver does.
            (Child::Named(named), Self::V3) => json!({"allOf": [self.reference(&named.name)]}),
            (child, _) => self.child(child),
        };
        let Some(map) = schema.as_object_mut() else { return schema };
        if let Some(description) = &field.description {
            map.insert("description".into(), json!(&**description));
        }
        if let Some(default) = &field.default {
            map.insert("default".into(), (**default).clone());
        }
        if let Some(patch) = &field.patch {
            let mut strategies = Vec::new();
            strategies.extend(patch.merge.then_some("merge"));
            strategies.extend(patch.retain_keys.then_some("retainKeys"));
            map.insert("x-kubernetes-patch-strategy".into(), json!(strategies.join(",")));
            if let Some(key) = &patch.merge_key {
                map.insert("x-kubernetes-patch-merge-key".into(), json!(&**key));
            }
        }
        schema
    }

    /// A node written out.
    pub(super) fn node(self, node: &Node) -> Value {
        let mut map = Map::new();
        if let Some(description) = &node.description {
            map.insert("description".into(), json!(&**description));
        }
        if node.ty == Type::IntOrString {
            self.int_or_string(node, &mut map);
        } else if node.ty != Type::Any {
            map.insert("type".into(), json!(node.ty.name()));
        }
        if !node.fields.is_empty() {
            let fields = node.fields.iter().map(|field| (field.name.to_string(), self.field(field)));
            map.insert("properties".into(), Value::Object(fields.collect()));
        }
        if let Some(additional) = &node.additional {
            map.insert("additionalProperties".into(), self.child(additional));
        }
        if let Some(items) = &node.items {
            map.insert("items".into(), self.child(items));
        }
        if !node.required.is_empty() {
            map.insert("required".into(), node.required.iter().map(|name| Value::from(&**name)).collect());
        }
        if node.ty == Type::Array {
            self.list(node, &mut map);
        }
        if node.atomic {
            map.insert("x-kubernetes-map-type".into(), json!("atomic"));
        }
        if node.name.is_none() {
            for (set, name) in [
                (node.nullable && self == Self::V3 && node.ty != Type::Any, "nullable"),
                (node.preserve_unknown, "x-kubernetes-preserve-unknown-fields"),
                (node.embedded, "x-kubernetes-embedded-resource"),
            ] {
                if set {
                    map.insert(name.into(), Value::Bool(true));
                }
            }
        }
        if let Some(rules) = &node.rules {
            self.rules(rules, &mut map);
        }
        Value::Object(map)
    }

    fn int_or_string(self, node: &Node, map: &mut Map<String, Value>) {
        let quantity = node.short_name() == "Quantity";
        match (self, quantity, node.name.is_some()) {
            (Self::V2, true, _) => {
                map.insert("type".into(), json!("string"));
            }
            (Self::V2, false, _) => {
                map.insert("type".into(), json!("string"));
                map.insert("format".into(), json!("int-or-string"));
            }
            (Self::V3, true, _) => {
                map.insert("oneOf".into(), json!([{"type": "string"}, {"type": "number"}]));
            }
            (Self::V3, false, true) => {
                map.insert("oneOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
                map.insert("format".into(), json!("int-or-string"));
            }
            (Self::V3, false, false) => {
                map.insert("anyOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
                map.insert("x-kubernetes-int-or-string".into(), Value::Bool(true));
            }
        }
    }

    fn list(self, node: &Node, map: &mut Map<String, Value>) {
        let kind = match &node.list {
            ListType::Atomic => "atomic",
            ListType::Set => "set",
            ListType::Map(keys) => {
                let keys = keys.iter().map(|key| Value::from(&**key)).collect();
                map.insert("x-kubernetes-list-map-keys".into(), keys);
                "map"
            }
        };
        map.insert("x-kubernetes-list-type".into(), json!(kind));
    }

    fn rules(self, rules: &Rules, map: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<crate::schema::node::Str>| text.as_deref().map(Value::from);
        let number = |number: &Option<serde_json::Number>| number.clone().map(Value::Number);
        let flag = |set: bool| set.then_some(Value::Bool(true));
        put("format", text(&rules.format));
        put("title", text(&rules.title));
        put("enum", (!rules.one_of_values.is_empty()).then(|| rules.one_of_values.to_vec().into()));
        put("pattern", text(&rules.pattern));
        put("minimum", number(&rules.minimum));
        put("exclusiveMinimum", flag(rules.exclusive_minimum));
        put("maximum", number(&rules.maximum));
        put("exclusiveMaximum", flag(rules.exclusive_maximum));
        put("multipleOf", number(&rules.multiple_of));
        put("minLength", rules.min_length.map(Value::from));
        put("maxLength", rules.max_length.map(Value::from));
        put("minItems", rules.min_items.map(Value::from));
        put("maxItems", rules.max_items.map(Value::from));
        put("uniqueItems", flag(rules.unique_items));
        put("minProperties", rules.min_properties.map(Value::from));
        put("maxProperties", rules.max_properties.map(Value::from));
        put("x-kubernetes-validations", rules.expressions.clone());
        let junctor = |children: &[Child]| {
            (!children.is_empty()).then(|| children.iter().map(|child| self.child(child)).collect::<Value>())
        };
        put("allOf", junctor(&rules.all_of));
        if self == Self::V3 {
            put("anyOf", junctor(&rules.any_of));
            put("oneOf", junctor(&rules.one_of));
            put("not", rules.not.as_ref().map(|child| self.child(child)));
        }
    }
}
