//! The catalogue of Gloo's API: the name and the type of every field of every kind, implemented here or not.
//!
//! It is what field validation, `kubectl explain` and the advice on unimplemented fields know of the fields that no type of
//! this crate has. Expanded into a schema, a VirtualService alone has some 3,200 fields; as messages that refer to each other,
//! as in Gloo's protobuf definitions, everything together is a few hundred short ones. They are kept in `schemas/*.txt`:
//!
//! ```text
//! # A comment.
//! message Ref { name: string, namespace: string }
//! message Route {
//!   matchers: [Matcher], options: RouteOptions, weights: {uint32}, inheritableMatchers: bool?,
//! }
//! ```
//!
//! A type is a message's name or one of those in [`Scalar`]; `[T]` is a list, `{T}` an object with keys of the user's choice,
//! and `T?` may be null. The message that has a kind's name is that kind's `spec`.

mod parse;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub(crate) use parse::parse;

/// The messages of the API, by name.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    messages: BTreeMap<&'static str, Message>,
}

/// The fields of one message, sorted by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Message {
    pub fields: Vec<(&'static str, Type)>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Type {
    pub shape: Shape,
    /// Whether null is a value of its own: a wrapper type, for which unset differs from zero.
    pub nullable: bool,
}

/// What a field holds, but for null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Scalar(Scalar),
    Message(&'static str),
    List(Box<Type>),
    Map(Box<Type>),
}

/// Types without fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// `string`. Durations are strings too.
    String,
    /// `bytes`, in base64.
    Bytes,
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `uint32`.
    Uint32,
    /// `int64`, as a number or as a string.
    Int64,
    /// `number`.
    Number,
    /// `enum`: a value's name, or its number.
    Enum,
    /// `empty`: an object without fields.
    Empty,
    /// `object`: an object with any fields.
    Object,
    /// `any`: anything.
    Any,
}

impl Catalogue {
    /// The catalogue that is built in, parsed when it is first asked for.
    pub(crate) fn get() -> &'static Catalogue {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE
            .get_or_init(|| parse(&SOURCES).expect("the built-in catalogue parses: a test of this module reads it"))
    }

    pub(crate) fn message(&self, name: &str) -> Option<&Message> {
        self.messages.get(name)
    }
}

impl Message {
    pub(crate) fn field(&self, name: &str) -> Option<&Type> {
        let at = self.fields.binary_search_by_key(&name, |(name, _)| name).ok()?;
        Some(&self.fields[at].1)
    }
}

const SOURCES: [&str; 6] = [
    include_str!("../../schemas/gateway.txt"),
    include_str!("../../schemas/gloo.txt"),
    include_str!("../../schemas/options.txt"),
    include_str!("../../schemas/enterprise.txt"),
    include_str!("../../schemas/envoy.txt"),
    include_str!("../../schemas/serin.txt"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_whole() {
        let catalogue = parse(&SOURCES).unwrap();
        assert!(catalogue.messages.len() > 400);
        let host = catalogue.message("VirtualHost").unwrap();
        assert_eq!(host.field("options").unwrap().shape, Shape::Message("VirtualHostOptions"));
        assert_eq!(host.field("nothing"), None);
        let timeout = catalogue.message("RouteOptions").unwrap().field("timeout").unwrap();
        assert_eq!(timeout, &Type { shape: Shape::Scalar(Scalar::String), nullable: false });
    }

    #[test]
    fn no_message_contains_itself() {
        fn visit(catalogue: &Catalogue, name: &'static str, path: &mut Vec<&'static str>) {
            assert!(!path.contains(&name), "{path:?} -> {name}");
            path.push(name);
            for (_, field) in &catalogue.message(name).unwrap().fields {
                let mut field = field;
                while let Shape::List(inner) | Shape::Map(inner) = &field.shape {
                    field = inner;
                }
                if let Shape::Message(inner) = field.shape {
                    visit(catalogue, inner, path);
                }
            }
            path.pop();
        }
        let catalogue = Catalogue::get();
        for name in catalogue.messages.keys() {
            visit(catalogue, name, &mut Vec::new());
        }
    }
}
