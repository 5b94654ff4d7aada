//! Schemas: what our types say of themselves, laid over what the catalogue knows.

mod definition;
mod kinds;
mod typed;
mod unimplemented;

pub use definition::{crd_stream, crds};
pub use unimplemented::unimplemented;
