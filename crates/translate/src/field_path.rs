//! Paths of fields, built only when something is to be said of one.

use std::fmt;

/// A field inside a resource, such as `spec.routes[0].matchers[1].regex`. A chain of borrowed parts, so that walking
/// down costs nothing.
#[derive(Clone, Copy)]
pub(crate) struct FieldPath<'a> {
    parent: Option<&'a FieldPath<'a>>,
    part: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Field(&'static str),
    Element(&'static str, usize),
}

impl<'a> FieldPath<'a> {
    /// A field at the root.
    pub(crate) const fn root(name: &'static str) -> Self {
        Self { parent: None, part: Part::Field(name) }
    }

    /// A field of this one.
    pub(crate) const fn field(&'a self, name: &'static str) -> FieldPath<'a> {
        FieldPath { parent: Some(self), part: Part::Field(name) }
    }

    /// An element of a list that is a field of this one.
    pub(crate) const fn element(&'a self, list: &'static str, index: usize) -> FieldPath<'a> {
        FieldPath { parent: Some(self), part: Part::Element(list, index) }
    }
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        match self.part {
            Part::Field(name) => f.write_str(name),
            Part::Element(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_written() {
        let spec = FieldPath::root("spec");
        let route = spec.element("routes", 3);
        assert_eq!(route.field("routeAction").field("single").to_string(), "spec.routes[3].routeAction.single");
    }
}
