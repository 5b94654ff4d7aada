//! Which known fields of an object nothing implements yet.

use serde_json::{Map, Value};

use super::typed::{self, Typed, TypedShape};
use crate::ResourceKind;
use crate::catalogue::{Catalogue, Message, Scalar, Shape, Type};

/// The fields of an object that exist in Gloo's API and are not implemented, each by its path from the object's root
/// (`spec.routes[0].options.timeout`), at the outermost field that is not.
///
/// A field at the zero value that means the same as leaving it out is not named; one that does not exist in Gloo's API either
/// is for the API server to refuse.
pub fn unimplemented(kind: ResourceKind, object: &Value) -> Vec<String> {
    let catalogue = Catalogue::get();
    let mut found = Vec::new();
    let known = (catalogue.message(kind.as_str()), typed::spec(kind.as_str()), object.get("spec"));
    if let (Some(message), Some(typed), Some(Value::Object(spec))) = known {
        Walk { catalogue, found: &mut found }.object("spec", spec, message, typed);
    }
    found
}

struct Walk<'a> {
    catalogue: &'a Catalogue,
    found: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn object(&mut self, path: &str, object: &Map<String, Value>, message: &Message, typed: &Typed) {
        for (name, value) in object {
            let Some(known) = message.field(name) else { continue };
            if value.is_null() {
                continue;
            }
            let path = format!("{path}.{name}");
            match typed.child(name) {
                None if is_zero(known, value) => {}
                None => self.found.push(path),
                // A block of options is a set of features, each of which has its own line.
                Some(Typed { shape: TypedShape::Opaque, .. }) if name == "options" || name == "routeOptions" => {
                    self.options(&path, value, known);
                }
                Some(Typed { shape: TypedShape::Opaque, .. }) => self.found.push(path),
                Some(typed) => self.value(&path, value, known, typed),
            }
        }
    }

    fn options(&mut self, path: &str, value: &Value, known: &Type) {
        let Shape::Message(name) = known.shape else { return };
        let (Some(message), Value::Object(options)) = (self.catalogue.message(name), value) else { return };
        let used = options.iter().filter(|(name, value)| {
            !value.is_null() && message.field(name).is_some_and(|known| !is_zero(known, value))
        });
        self.found.extend(used.map(|(name, _)| format!("{path}.{name}")));
    }

    fn value(&mut self, path: &str, value: &Value, known: &Type, typed: &Typed) {
        match (&known.shape, value) {
            (Shape::Message(name), Value::Object(object)) => {
                if let Some(message) = self.catalogue.message(name) {
                    self.object(path, object, message, typed);
                }
            }
            (Shape::List(known), Value::Array(items)) => {
                let Some(typed) = typed.element() else { return };
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), item, known, typed);
                }
            }
            (Shape::Map(known), Value::Object(entries)) => {
                let Some(typed) = typed.element() else { return };
                for (key, value) in entries {
                    self.value(&format!("{path}.{key}"), value, known, typed);
                }
            }
            _ => {}
        }
    }
}

/// Whether a value is what its field has when it is left out, as far as protobuf can tell.
fn is_zero(known: &Type, value: &Value) -> bool {
    if known.nullable {
        return false;
    }
    match &known.shape {
        Shape::Scalar(Scalar::Empty | Scalar::Object | Scalar::Any) | Shape::Message(_) => false,
        _ => match value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_option_is_named_once_by_its_path() {
        let object = json!({"spec": {
            "sslConfig": {"secretRef": {"name": "a", "namespace": "b"}, "sniDomains": ["x"], "sds": {}},
            "virtualHost": {
                "domains": ["*"],
                "options": {"dlp": {"actions": []}, "nonsense": 1},
                "routes": [
                    {"matchers": [{"prefix": "/"}], "routeAction": {"single": {"upstream": {"name": "a"}}}},
                    {
                        "options": {"timeout": "5s", "tracing": {}, "ratelimit": {}, "dlp": null, "waf": {}},
                        "routeAction": {"multi": {"destinations": [{"options": {"transformations": {}}}]}},
                    },
                    {"graphqlApiRef": {"name": "a"}, "routeAction": {"dynamicForwardProxy": {}}},
                ],
            },
        }});
        let mut found = unimplemented(ResourceKind::VirtualService, &object);
        found.sort();
        assert_eq!(
            found,
            [
                "spec.sslConfig.sds",
                "spec.virtualHost.options.dlp",
                "spec.virtualHost.routes[1].options.ratelimit",
                "spec.virtualHost.routes[1].options.tracing",
                "spec.virtualHost.routes[1].options.waf",
                "spec.virtualHost.routes[1].routeAction.multi.destinations[0].options.transformations",
                "spec.virtualHost.routes[2].routeAction.dynamicForwardProxy",
            ]
        );
    }

    #[test]
    fn other_kinds_have_none() {
        assert!(unimplemented(ResourceKind::Service, &json!({"spec": {"ports": []}})).is_empty());
        assert!(unimplemented(ResourceKind::Proxy, &json!({"spec": {"listeners": []}})).is_empty());
        assert!(
            unimplemented(ResourceKind::Gateway, &json!({"spec": {"ssl": true, "hybridGateway": null}})).is_empty()
        );
    }
}
