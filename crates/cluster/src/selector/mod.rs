//! Selectors: which objects of a list or watch are wanted.

pub mod field;
pub mod label;

pub use field::FieldSelector;
pub use label::LabelSelector;
