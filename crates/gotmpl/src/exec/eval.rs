//! Evaluates pipelines, commands and the operands in them.

use super::{Eval, Operand, State};
use crate::parse::{NodeId, NodeKind, Number, Source};
use crate::value::{Str, Type, Value};

impl State<'_> {
    /// A pipeline's value, out of its interface. Variables that it declares stay.
    pub(super) fn pipeline(&mut self, source: &Source, dot: &Operand, id: NodeId) -> Eval<Operand> {
        let NodeKind::Pipe(pipe) = source.nodes.kind(id) else { return Ok(Operand::NONE) };
        self.at = id;
        let mut last = None;
        for command in &pipe.commands {
            let mut value = self.command(source, dot, *command, last)?;
            value.boxed = false;
            last = Some(value);
        }
        let value = last.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.assign {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    /// A pipeline within another.
    fn inner_pipeline(&mut self, source: &Source, dot: &Operand, id: NodeId) -> Eval<Operand> {
        self.deeper(|state| state.pipeline(source, dot, id))
    }

    /// Sets the variable of that name that was declared last.
    pub(super) fn assign(&mut self, name: &Str, value: Operand) -> Eval<()> {
        let base = self.base;
        match self.variables[base..].iter_mut().rev().find(|(other, _)| other == name) {
            Some((_, place)) => {
                *place = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn variable(&self, name: &Str) -> Eval<Operand> {
        match self.variables[self.base..].iter().rev().find(|(other, _)| other == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    /// A command. The last value of the pipeline is its last argument.
    fn command(&mut self, source: &Source, dot: &Operand, id: NodeId, last: Option<Operand>) -> Eval<Operand> {
        let NodeKind::Command(args) = source.nodes.kind(id) else { return Ok(Operand::NONE) };
        let [first, rest @ ..] = &**args else { return Ok(Operand::NONE) };
        let kind = source.nodes.kind(*first);
        match kind {
            NodeKind::Field(_) | NodeKind::Chain(..) => return self.fields(source, dot, *first, rest, last),
            NodeKind::Variable(names) if names.len() > 1 => return self.fields(source, dot, *first, rest, last),
            NodeKind::Identifier(name) => {
                self.at = *first;
                return self.function(source, dot, name, id, rest, last);
            }
            NodeKind::Pipe(_) => {
                self.takes_no_arguments(source, *first, rest, &last)?;
                return self.inner_pipeline(source, dot, *first);
            }
            _ => {}
        }
        self.at = *first;
        if let NodeKind::Variable(names) = kind {
            let value = self.variable(&names[0])?;
            self.takes_no_arguments(source, *first, rest, &last)?;
            return Ok(value);
        }
        self.takes_no_arguments(source, *first, rest, &last)?;
        match kind {
            NodeKind::Bool(value) => Ok(Operand::plain(Value::Bool(*value))),
            NodeKind::Dot => Ok(dot.clone()),
            NodeKind::Nil => self.fail("nil is not a command"),
            NodeKind::Number(number) => self.ideal(number),
            NodeKind::Quoted { text, .. } => Ok(Operand::plain(Value::Str(text.clone()))),
            _ => self.fail(format!("can't evaluate command {}", source.nodes.text(*first))),
        }
    }

    fn takes_no_arguments(&self, source: &Source, first: NodeId, rest: &[NodeId], last: &Option<Operand>) -> Eval<()> {
        if rest.is_empty() && last.is_none() {
            return Ok(());
        }
        self.fail(format!("can't give argument to non-function {}", source.nodes.text(first)))
    }

    /// Fields of the dot, of a variable or of whatever they are chained to. The last can be a method with arguments.
    fn fields(
        &mut self,
        source: &Source,
        dot: &Operand,
        id: NodeId,
        args: &[NodeId],
        last: Option<Operand>,
    ) -> Eval<Operand> {
        self.at = id;
        let (start, names) = match source.nodes.kind(id) {
            NodeKind::Field(names) => (None, &names[..]),
            NodeKind::Variable(names) => (Some(self.variable(&names[0])?), &names[1..]),
            NodeKind::Chain(node, names) => (Some(self.argument(source, dot, None, *node)?), &names[..]),
            _ => (None, &[][..]),
        };
        let [between @ .., name] = names else { return Ok(start.unwrap_or_else(|| dot.clone())) };
        let mut current = start;
        for name in between {
            current = Some(self.field(source, dot, name, id, &[], None, current.as_ref().unwrap_or(dot))?);
        }
        self.field(source, dot, name, id, args, last, current.as_ref().unwrap_or(dot))
    }

    /// An operand as an argument of this type; none means whatever type.
    pub(super) fn argument(
        &mut self,
        source: &Source,
        dot: &Operand,
        wanted: Option<&Type>,
        id: NodeId,
    ) -> Eval<Operand> {
        self.at = id;
        let kind = source.nodes.kind(id);
        let value = match kind {
            NodeKind::Dot => dot.clone(),
            NodeKind::Nil => {
                return match wanted {
                    Some(wanted) if wanted.can_be_nil() => Ok(Operand::of(wanted.zero(), wanted)),
                    Some(wanted) => self.fail(format!("cannot assign nil to {wanted}")),
                    None => Ok(Operand::NONE),
                };
            }
            NodeKind::Variable(names) if names.len() == 1 => self.variable(&names[0])?,
            NodeKind::Field(_) | NodeKind::Variable(_) | NodeKind::Chain(..) => {
                self.fields(source, dot, id, &[], None)?
            }
            NodeKind::Pipe(_) => self.inner_pipeline(source, dot, id)?,
            NodeKind::Identifier(name) => self.function(source, dot, name, id, &[], None)?,
            _ => return self.literal(source, wanted.unwrap_or(&Type::Any), id),
        };
        match wanted {
            Some(wanted) => self.validate(value, wanted),
            None => Ok(value),
        }
    }

    /// A constant as a value of this type.
    fn literal(&self, source: &Source, wanted: &Type, id: NodeId) -> Eval<Operand> {
        let kind = source.nodes.kind(id);
        let number = if let NodeKind::Number(number) = kind { Some(number) } else { None };
        let expected = match wanted {
            Type::Any | Type::Reflect => {
                return match kind {
                    NodeKind::Bool(value) => Ok(Operand::plain(Value::Bool(*value))),
                    NodeKind::Number(number) => self.ideal(number),
                    NodeKind::Quoted { text, .. } => Ok(Operand::plain(Value::Str(text.clone()))),
                    _ => {
                        let text = source.nodes.text(id);
                        self.fail(format!("can't handle assignment of {text} to empty interface argument"))
                    }
                };
            }
            Type::Bool => {
                if let NodeKind::Bool(value) = kind {
                    return Ok(Operand::plain(Value::Bool(*value)));
                }
                "bool"
            }
            Type::String => {
                if let NodeKind::Quoted { text, .. } = kind {
                    return Ok(Operand::plain(Value::Str(text.clone())));
                }
                "string"
            }
            Type::Int(int) => {
                if let Some(number) = number.and_then(|number| number.int) {
                    return Ok(Operand::plain(Value::Int(int.wrap(number), *int)));
                }
                "integer"
            }
            Type::Uint(uint) => {
                if let Some(number) = number.and_then(|number| number.uint) {
                    return Ok(Operand::plain(Value::Uint(uint.wrap(number), *uint)));
                }
                "unsigned integer"
            }
            Type::Float(float) => {
                if let Some(number) = number.and_then(|number| number.float) {
                    return Ok(Operand::plain(Value::Float(float.round(number), *float)));
                }
                "float"
            }
            Type::Complex => {
                if let Some((real, imaginary)) = number.and_then(|number| number.complex) {
                    return Ok(Operand::plain(Value::Complex(real, imaginary)));
                }
                "complex"
            }
            _ => return self.fail(format!("can't handle {} for arg of type {wanted}", source.nodes.text(id))),
        };
        self.fail(format!("expected {expected}; found {}", source.nodes.text(id)))
    }

    /// A number where nothing says its type: how it is written does.
    fn ideal(&self, number: &Number) -> Eval<Operand> {
        let text = number.text.as_bytes();
        let hexadecimal = matches!(text, [b'0', b'x' | b'X', _, ..]) && !text.iter().any(|byte| b"pP".contains(byte));
        let written_as_float =
            !hexadecimal && !text.starts_with(b"'") && text.iter().any(|byte| b".eEpP".contains(byte));
        Ok(Operand::plain(match number {
            Number { complex: Some((real, imaginary)), .. } => Value::Complex(*real, *imaginary),
            Number { float: Some(float), .. } if written_as_float => Value::float(*float),
            Number { int: Some(int), .. } => Value::int(*int),
            Number { uint: Some(_), text, .. } => return self.fail(format!("{text} overflows int")),
            _ => Value::Nil,
        }))
    }
}
