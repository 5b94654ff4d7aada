//! What is shared by an execution and those that functions start within it.

use std::collections::HashMap;

use super::State;
use crate::parse::{Settings, Template};
use crate::set::Options;
use crate::value::{Str, Value};
use crate::{Error, TemplateSet};

/// What may still be spent.
pub(crate) struct Budget {
    pub(crate) level: usize,
    pub(crate) steps: u64,
    /// How many renderings have started one another.
    pub(crate) renderings: usize,
}

/// The templates that can be seen: a set's, and above them what a text that was rendered on the way defines for itself.
pub(crate) struct Scope<'s> {
    pub(crate) set: &'s TemplateSet,
    pub(crate) outer: Option<&'s Scope<'s>>,
    pub(crate) own: HashMap<Str, Template>,
}

impl<'s> Scope<'s> {
    pub(crate) fn find(&self, name: &[u8]) -> Option<&Template> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Some(template) = current.own.get(name) {
                return Some(template);
            }
            scope = current.outer;
        }
        self.set.find(name)
    }

    pub(crate) fn options(&self) -> &'s Options {
        self.set.options()
    }
}

/// What a function can reach: the templates of the running execution.
pub struct Context<'c> {
    scope: &'c Scope<'c>,
    budget: &'c mut Budget,
}

impl<'c> Context<'c> {
    pub(crate) fn new(scope: &'c Scope<'c>, budget: &'c mut Budget) -> Self {
        Self { scope, budget }
    }

    /// Whether there is a template of this name.
    pub fn has(&self, name: impl AsRef<[u8]>) -> bool {
        self.scope.find(name.as_ref()).is_some()
    }

    /// Renders a template of the running set.
    ///
    /// # Errors
    /// If there is none of that name, or it fails.
    pub fn render(&mut self, name: impl AsRef<[u8]>, data: &Value) -> Result<Vec<u8>, Error> {
        let name = name.as_ref();
        let Some(template) = self.scope.find(name) else { return Err(self.scope.set.missing(name)) };
        State::run(self.scope, self.budget, template, data).map_err(Error::Exec)
    }

    /// Parses a text under this name and renders it. It can use the templates of the running set; those that it defines exist
    /// for as long as it is rendered.
    ///
    /// # Errors
    /// If it cannot be parsed, or fails.
    pub fn render_text(&mut self, name: &str, text: &[u8], data: &Value) -> Result<Vec<u8>, Error> {
        let set = self.scope.set;
        let (left, right) = set.delimiters();
        let is_function = |name: &str| set.has_function(name);
        let parsed = crate::parse::parse(name, text, &Settings { left, right, is_function: &is_function })?;
        let mut own = HashMap::new();
        for template in parsed {
            // An empty one does not hide another of its name, unless it is the text itself.
            let empty = template.source.nodes.is_empty_tree(template.root);
            if !empty || template.name == name || self.scope.find(&template.name).is_none() {
                own.insert(template.name.clone(), template);
            }
        }
        let Some(template) = own.get(name.as_bytes()).cloned() else { return Err(set.missing(name.as_bytes())) };
        let scope = Scope { set, outer: Some(self.scope), own };
        State::run(&scope, self.budget, &template, data).map_err(Error::Exec)
    }
}
