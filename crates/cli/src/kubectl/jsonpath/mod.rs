//! The JSONPath templates of `-o jsonpath=` and `--for=jsonpath=`: paths, wildcards, slices, filters, recursive descent,
//! `range`, and quoted text, as kubectl's documentation describes them.

mod parser;

use serde_json::Value;

use self::parser::Parser;
use crate::failure::{Failure, Outcome};

/// A template: text and paths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Part>),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Wildcard,
    Descend,
    Index(i64),
    Slice(Option<i64>, Option<i64>, i64),
    Filter(Filter),
    Union(Vec<Step>),
}

#[derive(Clone, Debug, PartialEq)]
struct Filter {
    left: Operand,
    comparison: Option<(Comparison, Operand)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Vec<Step>),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a template: `{.metadata.name}`, `.metadata.name`, `{range .items[*]}{.metadata.name}{"\n"}{end}`.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let template = if text.contains('{') { text.to_owned() } else { format!("{{{}}}", text.trim()) };
        let mut parser = Parser { rest: &template, whole: text };
        let (parts, ended) = parser.parts()?;
        if ended {
            return Err(parser.error("{end} without {range}"));
        }
        Ok(Self(parts))
    }

    /// The template with what its paths find in `root`.
    pub(super) fn print(&self, root: &Value) -> Outcome<String> {
        let mut text = String::new();
        print_parts(&self.0, root, &mut text)?;
        Ok(text)
    }

    /// The values that the first path finds; nothing where a field is missing.
    pub(super) fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let path = self.0.iter().find_map(|part| if let Part::Path(steps) = part { Some(steps) } else { None });
        path.map(|steps| walk(steps, root).unwrap_or_default()).unwrap_or_default()
    }
}

fn print_parts(parts: &[Part], here: &Value, text: &mut String) -> Outcome {
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Path(steps) => {
                let found = walk(steps, here).map_err(|missing| Failure::new(format!("{missing} is not found")))?;
                let shown: Vec<String> = found.into_iter().map(show).collect();
                text.push_str(&shown.join(" "));
            }
            Part::Range(steps, body) => {
                for element in walk(steps, here).unwrap_or_default() {
                    print_parts(body, element, text)?;
                }
            }
        }
    }
    Ok(())
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The values that a path leads to; an error names the field that is missing.
fn walk<'a>(steps: &[Step], root: &'a Value) -> Result<Vec<&'a Value>, String> {
    let mut here = vec![root];
    for (index, step) in steps.iter().enumerate() {
        let mut next = Vec::new();
        for value in &here {
            take(step, value, &mut next);
        }
        if next.is_empty()
            && let Step::Field(name) = step
            && !steps[..index].iter().any(|it| matches!(it, Step::Wildcard | Step::Filter(_) | Step::Descend))
        {
            return Err(name.clone());
        }
        here = next;
    }
    Ok(here)
}

fn take<'a>(step: &Step, value: &'a Value, next: &mut Vec<&'a Value>) {
    match step {
        Step::Field(name) => next.extend(value.get(name)),
        Step::Wildcard => match value {
            Value::Array(list) => next.extend(list),
            Value::Object(map) => next.extend(map.values()),
            _ => {}
        },
        Step::Descend => {
            next.push(value);
            match value {
                Value::Array(list) => list.iter().for_each(|it| take(step, it, next)),
                Value::Object(map) => map.values().for_each(|it| take(step, it, next)),
                _ => {}
            }
        }
        Step::Index(index) => {
            if let Value::Array(list) = value {
                next.extend(position(*index, list.len()).and_then(|index| list.get(index)));
            }
        }
        Step::Slice(from, to, by) => {
            if let Value::Array(list) = value {
                let bound = |index: &Option<i64>, default: usize| {
                    index.map_or(default, |index| position(index, list.len()).unwrap_or(0).min(list.len()))
                };
                let (from, to) = (bound(from, 0), bound(to, list.len()));
                let by = usize::try_from(*by).unwrap_or(1).max(1);
                next.extend(list.iter().take(to).skip(from).step_by(by));
            }
        }
        Step::Filter(filter) => {
            if let Value::Array(list) = value {
                next.extend(list.iter().filter(|element| filter.holds(element)));
            }
        }
        Step::Union(steps) => steps.iter().for_each(|step| take(step, value, next)),
    }
}

/// A list's index, counted from its end when negative.
fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 { usize::try_from(index).ok() } else { length.checked_sub(usize::try_from(-index).ok()?) }
}

impl Filter {
    fn holds(&self, element: &Value) -> bool {
        let left = self.left.value(element);
        let Some((comparison, right)) = &self.comparison else { return left.is_some() };
        let (Some(left), Some(right)) = (left, right.value(element)) else { return false };
        let order = match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(show(&left).cmp(&show(&right))),
        };
        match comparison {
            Comparison::Equal => left == right || order.is_some_and(|it| it.is_eq()),
            Comparison::NotEqual => left != right && order.is_some_and(|it| it.is_ne()),
            Comparison::Less => order.is_some_and(|it| it.is_lt()),
            Comparison::LessOrEqual => order.is_some_and(|it| it.is_le()),
            Comparison::Greater => order.is_some_and(|it| it.is_gt()),
            Comparison::GreaterOrEqual => order.is_some_and(|it| it.is_ge()),
        }
    }
}

impl Operand {
    fn value(&self, element: &Value) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Path(steps) => walk(steps, element).ok()?.first().map(|value| (*value).clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn print(template: &str) -> String {
        let root = json!({
            "items": [
                {"metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "x"}}, "n": 1, "ports": [80, 443]},
                {"metadata": {"name": "b"}, "n": 2, "conditions": [{"type": "Ready", "status": "True"}]},
            ],
            "flag": false,
        });
        JsonPath::parse(template).unwrap().print(&root).unwrap()
    }

    #[test]
    fn templates_print_as_in_kubectl() {
        for (template, expected) in [
            ("{.items[0].metadata.name}", "a"),
            (".items[1].n", "2"),
            ("items[-1].metadata.name", "b"),
            ("{.items[*].metadata.name}", "a b"),
            ("{.items[*]['metadata']['name']}", "a b"),
            ("{range .items[*]}{.metadata.name}={.n}{\"\\n\"}{end}", "a=1\nb=2\n"),
            ("{.items[?(@.n>1)].metadata.name}", "b"),
            ("{.items[?(@.metadata.name==\"a\")].ports[0:1]}", "80"),
            ("{.items[1].conditions[?(@.type=='Ready')].status}", "True"),
            ("{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x"),
            ("{.items[?(@.ports)].n}", "1"),
            ("name: {.flag}!", "name: false!"),
            ("{..name}", "a b"),
            ("{.items[0,1].n}", "1 2"),
            ("{.items[0].ports}", "[80,443]"),
        ] {
            assert_eq!(print(template), expected, "{template}");
        }
    }

    #[test]
    fn broken_templates_are_refused() {
        for template in ["{.a", "{.a[}", "{.a[x]}", "{range .a}", "{end}", "{.a[?(@.b==}", "{\"a}", "{.a[?(@.b)}"] {
            assert!(JsonPath::parse(template).is_err(), "{template}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = JsonPath::parse("{.spec.nope}").unwrap().print(&json!({"spec": {}})).unwrap_err();
        assert_eq!(error.to_string(), "nope is not found");
    }
}
