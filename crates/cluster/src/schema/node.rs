//! The compact tree that one kind's schema is kept as: nodes are shared, strings interned, rare parts boxed.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde_json::{Number, Value};

/// An interned string.
pub type Str = Arc<str>;

/// The JSON type a value must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Type {
    /// Anything: an OpenAPI schema without `type`.
    #[default]
    Any,
    /// A JSON object.
    Object,
    /// A JSON array.
    Array,
    /// A JSON string.
    String,
    /// A JSON number without a fraction.
    Integer,
    /// A JSON number.
    Number,
    /// A JSON boolean.
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
}

impl Type {
    /// The OpenAPI name; empty for [`Type::Any`] and [`Type::IntOrString`], which have none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any | Self::IntOrString => "",
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// How the items of a list relate, for server-side apply (`x-kubernetes-list-type`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ListType {
    /// The list is one value, replaced as a whole.
    #[default]
    Atomic,
    /// A set of scalars.
    Set,
    /// Items are identified by these fields (`x-kubernetes-list-map-keys`).
    Map(Box<[Str]>),
}

/// How a strategic merge patch treats a field (`x-kubernetes-patch-strategy` and `-merge-key`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PatchMarker {
    /// Items are merged, not replaced.
    pub merge: bool,
    /// Keys that the patch does not list in `$retainKeys` are cleared.
    pub retain_keys: bool,
    /// The field that identifies an item of a merged list of objects.
    pub merge_key: Option<Str>,
}

/// One property of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The property's name.
    pub name: Str,
    /// What stands at the property, where it differs from what its type says of itself.
    pub description: Option<Str>,
    /// The property's value.
    pub schema: Child,
    /// Strategic-merge treatment, where the kind defines any.
    pub patch: Option<Box<PatchMarker>>,
    /// The value a server fills in.
    pub default: Option<Box<Value>>,
}

/// A limit, a format or an alternative that a value must satisfy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// OpenAPI `format`.
    pub format: Option<Str>,
    /// OpenAPI `title`.
    pub title: Option<Str>,
    /// The allowed values, when not empty.
    pub one_of_values: Box<[Value]>,
    /// A regular expression (RE2 syntax) that a string must match somewhere.
    pub pattern: Option<Str>,
    /// Inclusive, unless `exclusive_minimum`.
    pub minimum: Option<Number>,
    /// `minimum` itself is not allowed.
    pub exclusive_minimum: bool,
    /// Inclusive, unless `exclusive_maximum`.
    pub maximum: Option<Number>,
    /// `maximum` itself is not allowed.
    pub exclusive_maximum: bool,
    /// A number must be a multiple of this.
    pub multiple_of: Option<Number>,
    /// In characters.
    pub min_length: Option<u64>,
    /// In characters.
    pub max_length: Option<u64>,
    /// In items.
    pub min_items: Option<u64>,
    /// In items.
    pub max_items: Option<u64>,
    /// Items must differ.
    pub unique_items: bool,
    /// In properties.
    pub min_properties: Option<u64>,
    /// In properties.
    pub max_properties: Option<u64>,
    /// Each must hold.
    pub all_of: Box<[Child]>,
    /// At least one must hold.
    pub any_of: Box<[Child]>,
    /// Exactly one must hold.
    pub one_of: Box<[Child]>,
    /// Must not hold.
    pub not: Option<Child>,
    /// `x-kubernetes-validations`: kept for reading back, not evaluated.
    pub expressions: Option<Value>,
}

/// What is known about the value at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// The full type name of a built-in type, such as `io.k8s.api.core.v1.Container`.
    pub name: Option<Str>,
    /// The JSON type.
    pub ty: Type,
    /// `null` is allowed and kept.
    pub nullable: bool,
    /// Fields that the schema does not name are kept (`x-kubernetes-preserve-unknown-fields`).
    pub preserve_unknown: bool,
    /// The object is a resource of its own (`x-kubernetes-embedded-resource`).
    pub embedded: bool,
    /// The object is replaced as a whole by server-side apply (`x-kubernetes-map-type: atomic`).
    pub atomic: bool,
    /// The properties, sorted by name.
    pub fields: Box<[Field]>,
    /// The value of every other key.
    pub additional: Option<Child>,
    /// The items of an array.
    pub items: Option<Child>,
    /// The properties that must be present.
    pub required: Box<[Str]>,
    /// How the array's items relate.
    pub list: ListType,
    /// For people.
    pub description: Option<Str>,
    /// Everything rarer.
    pub rules: Option<Box<Rules>>,
}

impl Node {
    /// The property called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| (*field.name).cmp(name)).ok().map(|at| &self.fields[at])
    }

    /// The schema of the value under `key`: the property's, else that of additional properties.
    pub fn child(&self, key: &str) -> Option<&Node> {
        match self.field(key) {
            Some(field) => Some(field.schema.node()),
            None => self.additional.as_ref().map(Child::node),
        }
    }

    /// The schema of the array's items.
    pub fn item(&self) -> Option<&Node> {
        self.items.as_ref().map(Child::node)
    }

    /// The OpenAPI `format`, or the empty string.
    pub fn format(&self) -> &str {
        self.rules.as_ref().and_then(|rules| rules.format.as_deref()).unwrap_or("")
    }

    /// The last part of the type name (`Container`), or the empty string.
    pub fn short_name(&self) -> &str {
        self.name.as_deref().and_then(|name| name.rsplit('.').next()).unwrap_or("")
    }
}

/// The node that allows everything.
pub fn anything() -> &'static Arc<Node> {
    static ANYTHING: OnceLock<Arc<Node>> = OnceLock::new();
    ANYTHING.get_or_init(|| Arc::new(Node { preserve_unknown: true, nullable: true, ..Node::default() }))
}

/// A built-in type that nodes refer to by name; filled in once, after everything it refers to is known, so that types
/// may refer to themselves.
#[derive(Debug)]
pub struct Named {
    /// The full type name.
    pub name: Str,
    pub(crate) node: OnceLock<Arc<Node>>,
}

/// A node, in place or by name.
#[derive(Clone, Debug)]
pub enum Child {
    /// Written out where it is used.
    Here(Arc<Node>),
    /// A shared built-in type.
    Named(Arc<Named>),
}

impl Child {
    /// The node itself.
    pub fn node(&self) -> &Node {
        match self {
            Self::Here(node) => node,
            Self::Named(named) => named.node.get().unwrap_or_else(|| anything()),
        }
    }

    fn address(&self) -> usize {
        match self {
            Self::Here(node) => Arc::as_ptr(node).addr(),
            Self::Named(named) => Arc::as_ptr(named).addr(),
        }
    }
}

/// Children are interned before their parents, so the same child is the same address.
impl PartialEq for Child {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Child {}

impl Hash for Child {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

/// Makes equal strings and equal subtrees one allocation while a schema is built.
#[derive(Default)]
pub struct Interner {
    strings: HashSet<Str>,
    nodes: HashSet<Arc<Node>>,
}

impl Interner {
    /// The one copy of `text`.
    pub fn text(&mut self, text: &str) -> Str {
        if let Some(known) = self.strings.get(text) {
            return known.clone();
        }
        let text: Str = text.into();
        self.strings.insert(text.clone());
        text
    }

    /// The one copy of `node`.
    pub fn node(&mut self, node: Node) -> Child {
        if let Some(known) = self.nodes.get(&node) {
            return Child::Here(known.clone());
        }
        let node = Arc::new(node);
        self.nodes.insert(node.clone());
        Child::Here(node)
    }
}
