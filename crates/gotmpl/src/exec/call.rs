//! Calls of functions and methods: finds them, checks their arguments, runs them.

use std::rc::Rc;

use super::{Context, Eval, Operand, State};
use crate::CallError;
use crate::builtins::{self, Body, Builtin};
use crate::parse::{NodeId, Source};
use crate::quote::quoted;
use crate::value::{Function, Type, Value};

/// What is called.
pub(super) enum Callee {
    Builtin(&'static Builtin),
    Function(Rc<Function>),
}

impl Callee {
    fn params(&self) -> &[Type] {
        match self {
            Self::Builtin(builtin) => builtin.params,
            Self::Function(function) => function.params(),
        }
    }

    fn rest(&self) -> Option<&Type> {
        match self {
            Self::Builtin(builtin) => builtin.rest.as_ref(),
            Self::Function(function) => function.rest(),
        }
    }

    /// The type of an argument.
    fn param(&self, at: usize) -> &Type {
        self.params().get(at).or(self.rest()).unwrap_or(&Type::Any)
    }
}

impl State<'_> {
    /// Calls a function by its name.
    pub(super) fn function(
        &mut self,
        source: &Source,
        dot: &Operand,
        name: &str,
        node: NodeId,
        args: &[NodeId],
        last: Option<Operand>,
    ) -> Eval<Operand> {
        let callee = match self.scope.set.function(name) {
            Some(function) => Callee::Function(Rc::clone(function)),
            None => match builtins::find(name) {
                Some(builtin) => Callee::Builtin(builtin),
                None => return self.fail(format!("{} is not a defined function", quoted(name.as_bytes()))),
            },
        };
        self.call(source, dot, &callee, node, name, args, last)
    }

    #[expect(clippy::too_many_arguments, reason = "what a call consists of")]
    pub(super) fn call(
        &mut self,
        source: &Source,
        dot: &Operand,
        callee: &Callee,
        node: NodeId,
        name: &str,
        args: &[NodeId],
        last: Option<Operand>,
    ) -> Eval<Operand> {
        let (want, given, got) = (callee.params().len(), args.len(), args.len() + usize::from(last.is_some()));
        if callee.rest().is_some() {
            if got < want {
                return self.fail(format!("wrong number of args for {name}: want at least {want} got {given}"));
            }
        } else if got != want {
            return self.fail(format!("wrong number of args for {name}: want {want} got {got}"));
        }
        if let Callee::Builtin(Builtin { body: Body::Short(stop), .. }) = callee {
            return self.short_circuit(source, dot, *stop, args, last);
        }
        let mut values = Vec::with_capacity(got);
        for (at, arg) in args.iter().enumerate() {
            values.push(self.argument(source, dot, Some(callee.param(at)), *arg)?);
        }
        if let Some(last) = last {
            values.push(self.validate(last, callee.param(given))?);
        }
        let result = match callee {
            Callee::Function(function) => {
                let args: Vec<Value> = values.into_iter().map(|operand| operand.value).collect();
                let result = function.run(&mut Context::new(self.scope, self.budget), &args);
                result.map(|value| Operand::of(value, function.result()))
            }
            Callee::Builtin(Builtin { body: Body::Plain(body), .. }) => body(&values).map(Operand::plain),
            Callee::Builtin(_) => {
                let name = match (args.first(), values.first().map(|operand| &operand.value)) {
                    (Some(arg), _) => source.nodes.text(*arg),
                    (None, Some(Value::Str(text))) => text.to_string(),
                    (None, None | Some(Value::Nil)) => "<invalid Value>".to_owned(),
                    (None, Some(value)) => format!("<{} Value>", value.type_name()),
                };
                self.indirect_call(&name, values).map(|value| Operand { value, boxed: true })
            }
        };
        result.map_err(|error| {
            self.at = node;
            let mut fault = self.fault(format!("error calling {name}: {}", error.message));
            fault.cause = error.cause;
            fault
        })
    }

    /// `and` and `or`: the first argument that decides, or the last. Those after it are not evaluated.
    fn short_circuit(
        &mut self,
        source: &Source,
        dot: &Operand,
        stop: bool,
        args: &[NodeId],
        last: Option<Operand>,
    ) -> Eval<Operand> {
        let mut value = Operand::NONE;
        for arg in args {
            value = self.argument(source, dot, Some(&Type::Reflect), *arg)?;
            if value.value.truth() == stop {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// The builtin `call`: runs the function that is its first argument.
    fn indirect_call(&mut self, name: &str, values: Vec<Operand>) -> Result<Value, CallError> {
        let mut values = values.into_iter().map(|operand| operand.value);
        let function = match values.next() {
            None | Some(Value::Nil) => return Err("call of nil".into()),
            Some(Value::Func(function)) => function,
            Some(other) => return Err(format!("non-function {name} of type {}", other.type_name()).into()),
        };
        let (want, got) = (function.params().len(), values.len());
        if function.rest().is_some() {
            if got < want {
                return Err(format!("wrong number of args for {name}: got {got} want at least {want}").into());
            }
        } else if got != want {
            return Err(format!("wrong number of args for {name}: got {got} want {want}").into());
        }
        let callee = Callee::Function(Rc::clone(&function));
        let mut args = Vec::with_capacity(got);
        for (at, value) in values.enumerate() {
            let prepared = builtins::prepare(value, callee.param(at));
            args.push(prepared.map_err(|why| CallError::new(format!("arg {at}: {why}")))?);
        }
        function.run(&mut Context::new(self.scope, self.budget), &args)
    }

    /// Makes sure that a value can stand for the type.
    pub(super) fn validate(&self, operand: Operand, wanted: &Type) -> Eval<Operand> {
        if operand.is_none() {
            if wanted.can_be_nil() {
                return Ok(Operand::of(wanted.zero(), wanted));
            }
            return self.fail(format!("invalid value; expected {wanted}"));
        }
        if matches!(wanted, Type::Any | Type::Reflect) {
            return Ok(operand);
        }
        if !matches!(operand.value, Value::Nil) && wanted.takes(&operand.value) {
            return Ok(Operand::plain(operand.value));
        }
        // A nil interface has no type but its own.
        let got = match operand.value {
            Value::Nil => Type::Any.to_string(),
            value => value.type_name().into_owned(),
        };
        self.fail(format!("wrong type for value; expected {wanted}; got {got}"))
    }
}
