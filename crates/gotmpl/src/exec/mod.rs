//! Renders parsed templates.

mod call;
mod context;
mod eval;
mod field;
mod range;

use crate::error::ExecError;
use crate::parse::{NodeId, NodeKind, Source, Template};
use crate::value::{Str, Type, Value};
pub use context::Context;
pub(crate) use context::{Budget, Scope};

/// How much stack must be left to go on, and how much is added if there is less.
const STACK_LEFT: usize = 128 << 10;
const STACK_ADDED: usize = 2 << 20;

/// How many levels of lists, parentheses and templates may lie within one another, all together.
const MAX_LEVELS: usize = 400_000;

/// How many renderings may start one another through functions. Each adds its text to the error of the one that it started.
const MAX_RENDERINGS: usize = 1200;

/// Runs what may recurse, on a stack that has room for it.
pub(crate) fn grow_stack<T>(inner: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_LEFT, STACK_ADDED, inner)
}

pub(crate) type Fault = Box<ExecError>;
pub(crate) type Eval<T> = Result<T, Fault>;

/// A value under evaluation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    /// It is still held in an `interface {}`: a nil there is a nil interface, and elsewhere no value at all.
    pub(crate) boxed: bool,
}

impl Operand {
    /// No value.
    pub(crate) const NONE: Self = Self { value: Value::Nil, boxed: false };

    /// A value whose type is known.
    pub(crate) fn plain(value: Value) -> Self {
        Self { value, boxed: false }
    }

    /// A value out of something whose elements have this type.
    pub(crate) fn of(value: Value, element: &Type) -> Self {
        Self { value, boxed: *element == Type::Any }
    }

    pub(crate) fn is_none(&self) -> bool {
        !self.boxed && matches!(self.value, Value::Nil)
    }

    /// The type as messages name it.
    fn type_name(&self) -> String {
        if self.boxed { Type::Any.to_string() } else { self.value.type_name().into_owned() }
    }
}

/// How a list of nodes was left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
}

/// One execution.
pub(crate) struct State<'s> {
    scope: &'s Scope<'s>,
    budget: &'s mut Budget,
    template: Template,
    /// The node that errors are told to be at.
    at: NodeId,
    variables: Vec<(Str, Operand)>,
    /// Where the variables of the template begin. Those before it are its callers'.
    base: usize,
    /// How many templates have called one another.
    depth: usize,
    out: Vec<u8>,
}

impl<'s> State<'s> {
    /// Renders a template.
    pub(crate) fn run(
        scope: &'s Scope<'s>,
        budget: &'s mut Budget,
        template: &Template,
        data: &Value,
    ) -> Eval<Vec<u8>> {
        let dot = Operand::plain(data.clone());
        let mut state = State {
            scope,
            budget,
            template: template.clone(),
            at: template.root,
            variables: vec![("$".into(), dot.clone())],
            base: 0,
            depth: 0,
            out: Vec::new(),
        };
        if state.budget.renderings >= MAX_RENDERINGS {
            return state.fail(format!("exceeded maximum template depth ({MAX_RENDERINGS})"));
        }
        state.budget.renderings += 1;
        let source = std::rc::Rc::clone(&template.source);
        let result = state.deeper(|state| state.list(&source, &dot, template.root));
        state.budget.renderings -= 1;
        result.map(|_| state.out)
    }

    pub(crate) fn fault(&self, message: impl Into<String>) -> Fault {
        let source = &self.template.source;
        let pos = source.nodes.get(self.at).pos;
        let before = &source.text[..pos];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        Box::new(ExecError {
            template: self.template.name.to_string(),
            name: source.name.clone(),
            line: 1 + crate::lex::newlines(before),
            column: pos - line_start,
            context: source.nodes.text(self.at),
            message: message.into(),
            cause: None,
        })
    }

    pub(crate) fn fail<T>(&self, message: impl Into<String>) -> Eval<T> {
        Err(self.fault(message))
    }

    /// Goes one level deeper, on a stack that has room for it.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        if self.budget.level >= MAX_LEVELS {
            return self.fail(format!("exceeded maximum template depth ({})", self.scope.options().max_depth));
        }
        self.budget.level += 1;
        let result = grow_stack(|| inner(self));
        self.budget.level -= 1;
        result
    }

    /// Counts a step, of which there may be a limited number.
    fn step(&mut self) -> Eval<()> {
        match self.budget.steps.checked_sub(1) {
            Some(left) => self.budget.steps = left,
            None => return self.fail(format!("exceeded maximum number of steps ({})", self.scope.options().max_steps)),
        }
        let limit = self.scope.options().max_output;
        if self.out.len() > limit {
            return self.fail(format!("exceeded maximum size of output ({limit})"));
        }
        Ok(())
    }

    fn list(&mut self, source: &Source, dot: &Operand, id: NodeId) -> Eval<Flow> {
        let NodeKind::List(nodes) = source.nodes.kind(id) else { return Ok(Flow::Next) };
        for node in nodes {
            let flow = self.node(source, dot, *node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, source: &Source, dot: &Operand, id: NodeId) -> Eval<Flow> {
        self.at = id;
        self.step()?;
        match source.nodes.kind(id) {
            NodeKind::Text(text) => self.out.extend_from_slice(text),
            NodeKind::Action(pipe) => {
                let value = self.pipeline(source, dot, *pipe)?;
                if matches!(source.nodes.kind(*pipe), NodeKind::Pipe(pipe) if pipe.variables.is_empty()) {
                    self.at = id;
                    self.print(&value.value)?;
                }
            }
            NodeKind::If(branch) | NodeKind::With(branch) => {
                let with = matches!(source.nodes.kind(id), NodeKind::With(_));
                let mark = self.variables.len();
                let value = self.pipeline(source, dot, branch.pipe)?;
                let (dot, list) = match (value.value.truth(), branch.otherwise) {
                    (true, _) => (if with { &value } else { dot }, branch.list),
                    (false, Some(otherwise)) => (dot, otherwise),
                    (false, None) => {
                        self.variables.truncate(mark);
                        return Ok(Flow::Next);
                    }
                };
                let flow = self.deeper(|state| state.list(source, dot, list))?;
                self.variables.truncate(mark);
                return Ok(flow);
            }
            NodeKind::Range(branch) => return self.range(source, dot, branch),
            NodeKind::Template { name, pipe } => self.template(source, dot, name, *pipe)?,
            NodeKind::Break => return Ok(Flow::Break),
            NodeKind::Continue => return Ok(Flow::Continue),
            _ => {}
        }
        Ok(Flow::Next)
    }

    /// Renders another template in place.
    fn template(&mut self, source: &Source, dot: &Operand, name: &Str, pipe: Option<NodeId>) -> Eval<()> {
        let Some(template) = self.scope.find(name).cloned() else {
            return self.fail(format!("template {} not defined", crate::quote::quoted(name)));
        };
        let max_depth = self.scope.options().max_depth;
        if self.depth >= max_depth {
            return self.fail(format!("exceeded maximum template depth ({max_depth})"));
        }
        let dot = match pipe {
            Some(pipe) => self.pipeline(source, dot, pipe)?,
            None => Operand::NONE,
        };
        let (at, base, mark) = (self.at, self.base, self.variables.len());
        let root = template.root;
        let source = std::rc::Rc::clone(&template.source);
        let caller = std::mem::replace(&mut self.template, template);
        self.base = mark;
        self.depth += 1;
        self.at = root;
        self.variables.push(("$".into(), dot.clone()));
        self.deeper(|state| state.list(&source, &dot, root))?;
        self.variables.truncate(mark);
        self.depth -= 1;
        (self.at, self.base, self.template) = (at, base, caller);
        Ok(())
    }

    fn print(&mut self, value: &Value) -> Eval<()> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"<no value>"),
            Value::Func(function) => {
                let node = self.template.source.nodes.text(self.at);
                return self.fail(format!("can't print {node} of type {}", function.type_name()));
            }
            _ => {
                if let Err(error) = crate::print::print_to(&mut self.out, value) {
                    return self.fail(error.to_string());
                }
            }
        }
        Ok(())
    }
}
