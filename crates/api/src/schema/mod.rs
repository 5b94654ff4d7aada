//! Schemas: what our types say of themselves, laid over what the catalogue knows.

mod definition;
mod field_tree;
mod kinds;
mod typed;
mod unimplemented;

pub use definition::{crd_stream, crds};
pub use field_tree::{KindFields, KnownField, known_fields};
pub use unimplemented::unimplemented;
