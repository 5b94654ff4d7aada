//! Fields: keys of maps, fields and methods of objects.

use super::{Eval, Operand, State};
use crate::parse::{NodeId, Source};
use crate::quote::quoted;
use crate::set::MissingKey;
use crate::value::{Map, Shape, Str, Type, Value};

impl State<'_> {
    /// What a name means to a value.
    #[expect(clippy::too_many_arguments, reason = "what a method call needs")]
    pub(super) fn field(
        &mut self,
        source: &Source,
        dot: &Operand,
        name: &Str,
        node: NodeId,
        args: &[NodeId],
        last: Option<Operand>,
        receiver: &Operand,
    ) -> Eval<Operand> {
        if receiver.is_none() {
            if self.scope.options().missing_key == MissingKey::Error {
                return self.fail(format!("nil data; no entry for key {}", quoted(name)));
            }
            return Ok(Operand::NONE);
        }
        let has_args = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Nil => return self.fail(format!("nil pointer evaluating {}.{name}", Type::Any)),
            Value::Map(map) => return self.key(map, name, has_args),
            Value::Object(object) => {
                if let Some(method) = std::str::from_utf8(name).ok().and_then(|name| object.method(name)) {
                    let called = String::from_utf8_lossy(name).into_owned();
                    return self.call(source, dot, &super::call::Callee::Function(method), node, &called, args, last);
                }
                if let Some(value) = object.field(name) {
                    if object.is_nil() {
                        return self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name()));
                    }
                    if has_args {
                        return self.fail(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    let boxed = matches!(value, Value::Nil);
                    return Ok(Operand { value, boxed });
                }
                if let Shape::Map(map) = object.shape() {
                    return self.key(&map, name, has_args);
                }
            }
            _ => {}
        }
        self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }

    fn key(&self, map: &Map, name: &Str, has_args: bool) -> Eval<Operand> {
        if has_args {
            return self.fail(format!("{name} is not a method but has arguments"));
        }
        if let Some(value) = map.get(name) {
            return Ok(Operand::of(value, map.element()));
        }
        match self.scope.options().missing_key {
            MissingKey::Default => Ok(Operand::NONE),
            MissingKey::Zero => Ok(Operand::of(map.element().zero(), map.element())),
            MissingKey::Error => self.fail(format!("map has no entry for key {}", quoted(name))),
        }
    }
}
