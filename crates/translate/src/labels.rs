//! Conditions on labels, as Kubernetes' label selectors have them.

use std::collections::BTreeMap;

use serin_api::gateway::{Expression, Operator};

/// A condition that is known to be well-formed.
#[derive(Clone, Debug)]
pub(crate) struct Requirement<'a> {
    key: &'a str,
    test: Test<'a>,
}

#[derive(Clone, Debug)]
enum Test<'a> {
    In(&'a [String]),
    NotIn(&'a [String]),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl<'a> Requirement<'a> {
    /// Checks the conditions of a selector, all of which must hold.
    pub(crate) fn all(expressions: &'a [Expression]) -> Result<Vec<Self>, String> {
        let each = |expression: &'a Expression| Self::new(&expression.key, expression.operator, &expression.values);
        expressions.iter().map(each).collect()
    }

    /// Checks a condition as Kubernetes does; the error says what is wrong with it.
    pub(crate) fn new(key: &'a str, operator: Operator, values: &'a [String]) -> Result<Self, String> {
        check_key(key)?;
        for value in values {
            check_value(key, value)?;
        }
        let count = values.len();
        let name = format!("{operator:?}");
        let test = match operator {
            Operator::In | Operator::NotIn if count == 0 => {
                return Err(format!("label {key:?}: operator {name} needs at least one value"));
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if count != 1 => {
                return Err(format!("label {key:?}: operator {name} needs exactly one value, not {count}"));
            }
            Operator::Exists | Operator::DoesNotExist if count != 0 => {
                return Err(format!("label {key:?}: operator {name} takes no values"));
            }
            Operator::Equals | Operator::DoubleEquals | Operator::In => Test::In(values),
            Operator::NotEquals | Operator::NotIn => Test::NotIn(values),
            Operator::Exists => Test::Exists,
            Operator::DoesNotExist => Test::Absent,
            Operator::GreaterThan | Operator::LessThan => {
                let number = match values {
                    [one] => one.parse().ok(),
                    _ => None,
                };
                let Some(number) = number else {
                    return Err(format!("label {key:?}: operator {name} needs exactly one value, an integer"));
                };
                if operator == Operator::GreaterThan { Test::Greater(number) } else { Test::Less(number) }
            }
        };
        Ok(Self { key, test })
    }

    /// Whether it holds for a resource with these labels.
    pub(crate) fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(self.key);
        match self.test {
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Greater(number) => integer(value).is_some_and(|value| value > number),
            Test::Less(number) => integer(value).is_some_and(|value| value < number),
        }
    }
}

fn integer(value: Option<&String>) -> Option<i64> {
    value?.parse().ok()
}

/// Whether a resource has all of `wanted`, with the same values.
pub(crate) fn has_all(labels: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// A label's name: at most 63 letters, digits, `-`, `_`, `.`, optionally after a DNS name and a slash.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let prefix_is_fine = prefix.is_none_or(|prefix| {
        !prefix.is_empty()
            && prefix.len() <= 253
            && prefix.split('.').all(|part| {
                is_name(part)
                    && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            })
    });
    if prefix_is_fine && is_name(name) { Ok(()) } else { Err(format!("{key:?} is not a label's name")) }
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) {
        Ok(())
    } else {
        Err(format!("label {key:?}: {value:?} is not a label's value"))
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn holds(operator: Operator, values: &[&str], of: &[(&str, &str)]) -> Result<bool, String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Requirement::new("team", operator, &values).map(|requirement| requirement.holds(&labels(of)))
    }

    #[test]
    fn every_operator_holds_when_kubernetes_says_so() {
        use Operator::*;
        let echo: &[(&str, &str)] = &[("team", "echo")];
        let seven: &[(&str, &str)] = &[("team", "7")];
        for (operator, values, of, expected) in [
            (Equals, &["echo"][..], echo, true),
            (Equals, &["foxtrot"], echo, false),
            (Equals, &["echo"], &[], false),
            (DoubleEquals, &["echo"], echo, true),
            (NotEquals, &["echo"], echo, false),
            (NotEquals, &["foxtrot"], echo, true),
            (NotEquals, &["echo"], &[], true),
            (In, &["a", "echo"], echo, true),
            (In, &["a"], echo, false),
            (NotIn, &["a"], echo, true),
            (NotIn, &["a", "echo"], echo, false),
            (NotIn, &["echo"], &[], true),
            (Exists, &[], echo, true),
            (Exists, &[], &[], false),
            (DoesNotExist, &[], echo, false),
            (DoesNotExist, &[], &[], true),
            (GreaterThan, &["6"], seven, true),
            (GreaterThan, &["7"], seven, false),
            (GreaterThan, &["6"], echo, false),
            (LessThan, &["8"], seven, true),
            (LessThan, &["8"], &[], false),
        ] {
            assert_eq!(holds(operator, values, of), Ok(expected), "{operator:?} {values:?} on {of:?}");
        }
    }

    #[test]
    fn malformed_conditions_are_refused() {
        use Operator::*;
        for (operator, values) in [
            (In, &[][..]),
            (NotIn, &[]),
            (Equals, &[]),
            (Equals, &["a", "b"]),
            (NotEquals, &["a", "b"]),
            (Exists, &["a"]),
            (DoesNotExist, &["a"]),
            (GreaterThan, &["many"]),
            (LessThan, &["1", "2"]),
            (Equals, &["not a value"]),
        ] {
            assert!(holds(operator, values, &[]).is_err(), "{operator:?} {values:?}");
        }
        for key in ["", "/x", "a b", "-a", "Upper.example/x", "a/b/c"] {
            assert!(Requirement::new(key, Exists, &[]).is_err(), "{key:?}");
        }
        assert!(Requirement::new("serin.dev/team", Exists, &[]).is_ok());
    }
}
