//! Every field of every kind as a tree, each with whether a type of this crate implements it.

use super::kinds::KINDS;
use super::typed::{self, Typed, TypedShape};
use crate::catalogue::{Catalogue, Shape, Type};

/// A kind and the fields of its `spec`.
#[derive(Clone, Debug, PartialEq)]
pub struct KindFields {
    /// The API group, such as `gateway.solo.io`.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// What the kind is for.
    pub description: &'static str,
    /// The fields of its `spec`, by name; none for a kind whose objects are free in form.
    pub fields: Vec<KnownField>,
}

/// A field that Gloo's API (or ours) knows.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownField {
    /// Its name, followed by `[]` for a list and by `{}` for an object with keys of the user's choice.
    pub name: String,
    /// What its value, or the elements of it, are called in the API, where they have fields.
    pub message: Option<&'static str>,
    /// Whether Serin does something with it. Of one with fields of its own: whether it looks at them one by one.
    pub implemented: bool,
    /// The fields in it, by name.
    pub fields: Vec<KnownField>,
}

impl KnownField {
    /// How many fields this one stands for: those at the ends of its branches.
    pub fn count(&self) -> usize {
        self.ends(&|_| true)
    }

    /// How many of those are implemented.
    pub fn count_implemented(&self) -> usize {
        self.ends(&|field| field.implemented)
    }

    fn ends(&self, which: &impl Fn(&Self) -> bool) -> usize {
        match self.fields.as_slice() {
            [] => usize::from(which(self)),
            fields => fields.iter().map(|field| field.ends(which)).sum(),
        }
    }
}

/// Every field of every kind that is served, in the order of the kinds and of the fields' names.
pub fn known_fields() -> Vec<KindFields> {
    KINDS
        .iter()
        .map(|kind| KindFields {
            group: kind.group,
            kind: kind.kind,
            description: kind.description,
            fields: message(kind.kind, typed::spec(kind.kind)),
        })
        .collect()
}

fn message(name: &str, typed: Option<&Typed>) -> Vec<KnownField> {
    let fields = Catalogue::get().message(name).map(|message| message.fields.as_slice()).unwrap_or_default();
    fields.iter().map(|(name, known)| field(name, known, typed.and_then(|typed| typed.child(name)))).collect()
}

fn field(name: &str, known: &Type, typed: Option<&Typed>) -> KnownField {
    let (mut suffix, mut known, mut typed) = (String::new(), known, typed);
    while let Shape::List(inner) | Shape::Map(inner) = &known.shape {
        suffix.push_str(if matches!(known.shape, Shape::List(_)) { "[]" } else { "{}" });
        known = inner;
        typed = typed.and_then(Typed::element);
    }
    let implemented = typed.is_some_and(|typed| typed.shape != TypedShape::Opaque);
    let (message_name, fields) = match &known.shape {
        Shape::Message(name) => (Some(*name), message(name, typed)),
        _ => (None, Vec::new()),
    };
    KnownField { name: format!("{name}{suffix}"), message: message_name, implemented, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(fields: &'a [KnownField], path: &[&str]) -> &'a KnownField {
        let found = fields.iter().find(|field| field.name == path[0]).unwrap_or_else(|| panic!("no {path:?}"));
        if path.len() == 1 { found } else { at(&found.fields, &path[1..]) }
    }

    #[test]
    fn a_field_with_a_type_is_implemented() {
        let kinds = known_fields();
        let fields = |kind: &str| &kinds.iter().find(|fields| fields.kind == kind).unwrap().fields;
        let service = fields("VirtualService");
        let options = at(service, &["virtualHost", "routes[]", "options"]);
        assert_eq!(options.message, Some("RouteOptions"));
        assert!(at(&options.fields, &["timeout"]).implemented);
        assert!(!at(&options.fields, &["waf"]).implemented);
        assert!(at(service, &["virtualHost", "domains[]"]).implemented);
        assert!(!at(fields("Gateway"), &["tcpGateway"]).implemented, "it has a type, but nobody reads its fields");
        assert!(at(fields("Upstream"), &["kube", "selector{}"]).implemented);
        assert!(fields("AuthConfig").iter().all(|field| field.count_implemented() == 0));
    }

    #[test]
    fn ends_of_branches_are_counted() {
        let end = |implemented| KnownField { name: "a".to_owned(), message: None, implemented, fields: Vec::new() };
        let tree = KnownField { fields: vec![end(true), end(false)], ..end(true) };
        assert_eq!((tree.count(), tree.count_implemented()), (2, 1));
        assert_eq!((end(false).count(), end(false).count_implemented()), (1, 0));
    }
}
