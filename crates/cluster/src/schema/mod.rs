//! What a kind's objects may look like: types, defaults, limits and merge behaviour, for built-in and custom kinds.
//!
//! A [`Schema`] is a compact tree ([`node`]). Built-in kinds are derived on first use from the descriptions that
//! `k8s-openapi` carries, with Kubernetes' own merge keys, defaults and validation added from tables in [`builtin`].
//! Custom kinds come from their CustomResourceDefinition ([`crd`]), which must be structural.
//!
//! The order in which a server uses this is kube-apiserver's: [`Schema::decode_error`] (400),
//! [`Schema::unknown_fields`] and [`duplicate_fields`] (strict or warnings), [`Schema::prune`],
//! [`Schema::apply_defaults`], then [`Schema::validate`] or [`Schema::validate_update`] (422).
//!
//! `x-kubernetes-validations` (CEL) is kept and published, but not evaluated.

pub mod builtin;
mod crd;
mod decode;
mod defaulting;
mod duplicates;
mod error;
pub mod node;
mod pruning;
mod quantity;
mod strfmt;
mod structural;
mod uniqueness;
mod validation;

pub use duplicates::duplicate_fields;
pub use error::{FieldError, Reason, SchemaError};
pub use quantity::is_quantity;
pub use structural::structural_errors;

pub(crate) use error::quote;

use node::{Child, Node};

/// Whether a kind is compiled in or came with a CustomResourceDefinition; the two are decoded and defaulted differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A kind of Kubernetes itself.
    BuiltIn,
    /// A kind of a CustomResourceDefinition.
    Custom,
}

/// The schema of one kind.
#[derive(Debug)]
pub struct Schema {
    group: String,
    version: String,
    kind: String,
    origin: Origin,
    root: Child,
    /// What a custom kind asks of `metadata.name` and `metadata.generateName` beyond Kubernetes' own rules.
    name_rules: Option<Child>,
}

impl Schema {
    /// The group, empty for core kinds.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether the kind is built in.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The schema of the whole object.
    pub fn root(&self) -> &Node {
        self.root.node()
    }

    /// The same, as something that can be shared.
    pub fn root_child(&self) -> &Child {
        &self.root
    }
}

#[cfg(test)]
mod tests;
