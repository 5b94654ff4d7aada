//! Ranges: over integers, slices, maps and iterators.

use super::{Eval, Flow, Operand, State};
use crate::parse::{Branch, NodeKind, Pipe, Source};
use crate::value::{Function, Type, Value};

/// What each round needs.
struct Loop<'l> {
    source: &'l Source,
    branch: &'l Branch,
    pipe: &'l Pipe,
    /// How many variables there are before the body declares some.
    mark: usize,
}

impl State<'_> {
    pub(super) fn range(&mut self, source: &Source, dot: &Operand, branch: &Branch) -> Eval<Flow> {
        let NodeKind::Pipe(pipe) = source.nodes.kind(branch.pipe) else { return Ok(Flow::Next) };
        let outer = self.variables.len();
        let value = self.pipeline(source, dot, branch.pipe)?.value;
        let rounds = Loop { source, branch, pipe, mark: self.variables.len() };
        let ran = self.rounds(&rounds, &value)?;
        let mut flow = Flow::Next;
        if let (false, Some(otherwise)) = (ran, branch.otherwise) {
            flow = self.deeper(|state| state.list(source, dot, otherwise))?;
        }
        self.variables.truncate(outer);
        // A break or continue in the else part belongs to this range too: there is nothing to go on with.
        Ok(if flow == Flow::Break { Flow::Next } else { flow })
    }

    /// All rounds. False if there was none.
    fn rounds(&mut self, rounds: &Loop<'_>, value: &Value) -> Eval<bool> {
        match &*value.bare() {
            Value::Nil => Ok(false),
            Value::Int(number, kind) => {
                self.single(rounds, value, " to")?;
                self.count(rounds, u64::try_from(*number).unwrap_or(0), |at| Value::Int(at as i64, *kind))
            }
            Value::Uint(number, kind) => {
                self.single(rounds, value, " to")?;
                self.count(rounds, *number, |at| Value::Uint(at, *kind))
            }
            Value::Slice(slice) => {
                for at in 0..slice.len() {
                    let element = Operand::of(slice.get(at).unwrap_or_default(), slice.element());
                    if !self.round(rounds, Operand::plain(Value::int(at as i64)), element)? {
                        break;
                    }
                }
                Ok(!slice.is_empty())
            }
            Value::Map(map) => {
                let entries: Vec<_> = map.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
                let ran = !entries.is_empty();
                for (key, value) in entries {
                    let element = Operand::of(value, map.element());
                    if !self.round(rounds, Operand::plain(Value::Str(key)), element)? {
                        break;
                    }
                }
                Ok(ran)
            }
            Value::Func(function) if function.is_iterator() => self.iterate(rounds, value, function),
            other => {
                let mut text = Vec::new();
                // What cannot be printed to its end is shown as far as it can.
                let _ = crate::print::print_to(&mut text, other);
                self.fail(format!("range can't iterate over {}", String::from_utf8_lossy(&text)))
            }
        }
    }

    /// Fails if there are two variables, which some things have no use for.
    fn single(&self, rounds: &Loop<'_>, value: &Value, to: &str) -> Eval<()> {
        if rounds.pipe.variables.len() < 2 {
            return Ok(());
        }
        self.fail(format!("can't use {value}{to} iterate over more than one variable"))
    }

    fn count(&mut self, rounds: &Loop<'_>, count: u64, value: impl Fn(u64) -> Value) -> Eval<bool> {
        for at in 0..count {
            if !self.round(rounds, Operand::NONE, Operand::plain(value(at)))? {
                break;
            }
        }
        Ok(count > 0)
    }

    fn iterate(&mut self, rounds: &Loop<'_>, value: &Value, function: &Function) -> Eval<bool> {
        let mut ran = false;
        let mut result = Ok(true);
        if let Some(each) = function.as_each() {
            self.single(rounds, value, "")?;
            let element = function.params().first().unwrap_or(&Type::Any);
            each(&mut |value| {
                ran = true;
                // An iterator that goes on after it was told to stop gets no further.
                if matches!(result, Ok(true)) {
                    result = self.round(rounds, Operand::NONE, Operand::of(value, element));
                }
                matches!(result, Ok(true))
            });
        } else if let (Some(each), [key_type, element]) = (function.as_each_pair(), function.params()) {
            each(&mut |key, value| {
                ran = true;
                if matches!(result, Ok(true)) {
                    let (key, value) = (Operand::of(key, key_type), Operand::of(value, element));
                    let two = rounds.pipe.variables.len() > 1;
                    result = if two { self.round(rounds, key, value) } else { self.round(rounds, Operand::NONE, key) };
                }
                matches!(result, Ok(true))
            });
        }
        result.map(|_| ran)
    }

    /// One round. False if it was the last because the body says so.
    fn round(&mut self, rounds: &Loop<'_>, index: Operand, element: Operand) -> Eval<bool> {
        self.step()?;
        let Pipe { assign, variables, .. } = rounds.pipe;
        match (&**variables, assign) {
            ([], _) => {}
            ([name], true) => self.assign(name, element.clone())?,
            ([first, second, ..], true) => {
                self.assign(first, index)?;
                self.assign(second, element.clone())?;
            }
            ([_], false) => self.variables[rounds.mark - 1].1 = element.clone(),
            ([_, _, ..], false) => {
                self.variables[rounds.mark - 1].1 = element.clone();
                self.variables[rounds.mark - 2].1 = index;
            }
        }
        let flow = self.deeper(|state| state.list(rounds.source, &element, rounds.branch.list))?;
        self.variables.truncate(rounds.mark);
        Ok(flow != Flow::Break)
    }
}
