//! Sets of templates that can call one another, with the functions and options that they share.

use std::collections::HashMap;
use std::rc::Rc;

use crate::Error;
use crate::builtins;
use crate::exec::{Budget, Scope, State};
use crate::parse::{self, Settings, Template};
use crate::value::{Function, Str, Value};

/// What a key means that a map does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, which prints as `<no value>` and whose fields are no values either.
    #[default]
    Default,
    /// The zero value of the map's elements; of an `interface {}` that is nil, which prints as `<no value>` too.
    Zero,
    /// An error.
    Error,
}

/// How templates are rendered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What a key means that a map does not have.
    pub missing_key: MissingKey,
    /// How deep `{{template}}` may call `{{template}}`.
    pub max_depth: usize,
    /// How many actions, texts and rounds of ranges may be executed.
    pub max_steps: u64,
    /// How many bytes a template may give, at which the next step is refused.
    pub max_output: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { missing_key: MissingKey::Default, max_depth: 100_000, max_steps: u64::MAX, max_output: usize::MAX }
    }
}

/// Templates by name.
#[derive(Clone, Debug)]
pub struct TemplateSet {
    name: String,
    templates: HashMap<Str, Template>,
    functions: Rc<HashMap<String, Rc<Function>>>,
    options: Options,
    left: String,
    right: String,
}

impl Default for TemplateSet {
    fn default() -> Self {
        Self::new()
    }
}

impl TemplateSet {
    /// A set without templates, with the functions of the language alone.
    pub fn new() -> Self {
        Self {
            name: String::new(),
            templates: HashMap::new(),
            functions: Rc::default(),
            options: Options::default(),
            left: "{{".to_owned(),
            right: "}}".to_owned(),
        }
    }

    /// Names the set itself. Only the message that a template is missing shows it.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Adds functions. One of a name that is taken takes its place, the language's own too.
    #[must_use]
    pub fn funcs(mut self, functions: impl IntoIterator<Item = Function>) -> Self {
        let known = Rc::make_mut(&mut self.functions);
        known.extend(functions.into_iter().map(|function| (function.name().to_owned(), Rc::new(function))));
        self
    }

    /// Says what a key means that a map does not have.
    #[must_use]
    pub fn missing_key(mut self, meaning: MissingKey) -> Self {
        self.options.missing_key = meaning;
        self
    }

    /// Bounds how deep `{{template}}` may call `{{template}}`. Go has 100000.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.options.max_depth = depth;
        self
    }

    /// Bounds how many actions, texts and rounds of ranges one rendering may execute.
    #[must_use]
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.options.max_steps = steps;
        self
    }

    /// Bounds the output in bytes: once it is longer, rendering stops with an error.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Self {
        self.options.max_output = bytes;
        self
    }

    /// Sets the delimiters of actions in what is parsed from now on. An empty one stands for the usual one.
    #[must_use]
    pub fn delims(mut self, left: &str, right: &str) -> Self {
        (if left.is_empty() { "{{" } else { left }).clone_into(&mut self.left);
        (if right.is_empty() { "}}" } else { right }).clone_into(&mut self.right);
        self
    }

    /// Parses a source under a name and adds what it defines. A template takes the place of another of its name, unless it is
    /// empty.
    ///
    /// # Errors
    /// If the source is not a template. The set is then as it was.
    pub fn parse(&mut self, name: &str, source: impl AsRef<[u8]>) -> Result<(), Error> {
        let is_function = |name: &str| self.has_function(name);
        let settings = Settings { left: &self.left, right: &self.right, is_function: &is_function };
        let templates = parse::parse(name, source.as_ref(), &settings)?;
        for template in templates {
            let empty = template.source.nodes.is_empty_tree(template.root);
            if !empty || !self.templates.contains_key(&template.name) {
                self.templates.insert(template.name.clone(), template);
            }
        }
        Ok(())
    }

    /// Renders a template.
    ///
    /// # Errors
    /// If there is none of that name, or it fails.
    pub fn render(&self, name: &str, data: &Value) -> Result<Vec<u8>, Error> {
        let Some(template) = self.find(name.as_bytes()) else { return Err(self.missing(name.as_bytes())) };
        let scope = Scope { set: self, outer: None, own: HashMap::new() };
        let mut budget = Budget { level: 0, steps: self.options.max_steps, renderings: 0 };
        State::run(&scope, &mut budget, template, data).map_err(Error::Exec)
    }

    /// The names of the templates, in order.
    pub fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.templates.keys().cloned().collect();
        names.sort();
        names
    }

    /// Whether there is a template of this name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name.as_bytes()).is_some()
    }

    /// How templates are rendered.
    pub fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<&Template> {
        self.templates.get(name)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Rc<Function>> {
        self.functions.get(name)
    }

    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(name) || builtins::find(name).is_some()
    }

    pub(crate) fn delimiters(&self) -> (&str, &str) {
        (&self.left, &self.right)
    }

    pub(crate) fn missing(&self, name: &[u8]) -> Error {
        Error::Missing { name: String::from_utf8_lossy(name).into_owned(), set: self.name.clone() }
    }
}
