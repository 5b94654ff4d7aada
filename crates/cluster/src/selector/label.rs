//! Label selectors: `app=echo,version in (v1,v2),!legacy`, with the grammar of Kubernetes' `labels.Parse`.

use std::fmt;

use serde_json::Value;

use crate::schema::builtin::rules::names;

/// A conjunction of requirements; the empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

/// Why a selector does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse requirement: {0}")]
pub struct LabelSelectorError(String);

fn wrong<T>(message: impl Into<String>) -> Result<T, LabelSelectorError> {
    Err(LabelSelectorError(message.into()))
}

impl LabelSelector {
    /// Parses the text of a `labelSelector` parameter.
    ///
    /// # Errors
    /// Names the token that was not expected.
    pub fn parse(text: &str) -> Result<LabelSelector, LabelSelectorError> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let mut requirements = Vec::new();
        while parser.peek().is_some() {
            requirements.push(parser.requirement()?);
            match parser.next() {
                None => break,
                Some(Token::Symbol(",")) if parser.peek().is_some() => {}
                Some(token) => return wrong(format!("found '{}', expected: ',' or 'end of string'", token.text())),
            }
        }
        Ok(LabelSelector { requirements })
    }

    /// The selector that a `metav1.LabelSelector` object means; an absent one selects nothing in most of its uses, which is
    /// for the caller to decide.
    ///
    /// # Errors
    /// Names an operator that does not exist.
    pub fn from_object(object: &Value) -> Result<LabelSelector, LabelSelectorError> {
        let mut requirements = Vec::new();
        for (key, value) in object["matchLabels"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement { key: key.clone(), operator: Operator::In(vec![value]) });
        }
        for expression in object["matchExpressions"].as_array().into_iter().flatten() {
            let key = expression["key"].as_str().unwrap_or_default().to_owned();
            let values = expression["values"].as_array().into_iter().flatten();
            let values: Vec<_> = values.filter_map(Value::as_str).map(str::to_owned).collect();
            let operator = match expression["operator"].as_str().unwrap_or_default() {
                "In" => Operator::In(values),
                "NotIn" => Operator::NotIn(values),
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::Absent,
                other => return wrong(format!("\"{other}\" is not a valid label selector operator")),
            };
            requirements.push(Requirement { key, operator });
        }
        Ok(LabelSelector { requirements })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels, given by `lookup`, are selected.
    pub fn matches<'a>(&self, lookup: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = lookup(&requirement.key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match &requirement.operator {
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
                Operator::In(values) => value.is_some_and(|value| values.iter().any(|v| v == value)),
                Operator::NotIn(values) => value.is_none_or(|value| values.iter().all(|v| v != value)),
                Operator::Greater(bound) => number().is_some_and(|n| n > *bound),
                Operator::Less(bound) => number().is_some_and(|n| n < *bound),
            }
        })
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Requirement { key, operator }) in self.requirements.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match operator {
                Operator::Exists => write!(f, "{comma}{key}")?,
                Operator::Absent => write!(f, "{comma}!{key}")?,
                Operator::In(values) if values.len() == 1 => write!(f, "{comma}{key}={}", values[0])?,
                Operator::NotIn(values) if values.len() == 1 => write!(f, "{comma}{key}!={}", values[0])?,
                Operator::In(values) => write!(f, "{comma}{key} in ({})", values.join(","))?,
                Operator::NotIn(values) => write!(f, "{comma}{key} notin ({})", values.join(","))?,
                Operator::Greater(bound) => write!(f, "{comma}{key}>{bound}")?,
                Operator::Less(bound) => write!(f, "{comma}{key}<{bound}")?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Token {
    Word(String),
    Symbol(&'static str),
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::Word(word) => word,
            Token::Symbol(symbol) => symbol,
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, LabelSelectorError> {
    const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            tokens.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "=!(),<>".contains(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            if let Some(c) = word.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_./".contains(*c)) {
                return wrong(format!("invalid character '{c}' in '{word}'"));
            }
            tokens.push(Token::Word(word.to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn next_is(&mut self, symbol: &str) -> bool {
        let yes = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.at += usize::from(yes);
        yes
    }

    fn key(&mut self) -> Result<String, LabelSelectorError> {
        match self.next() {
            Some(Token::Word(word)) => match names::qualified_name(&word).into_iter().next() {
                None => Ok(word),
                Some(error) => wrong(format!("key: Invalid value: \"{word}\": {error}")),
            },
            Some(token) => wrong(format!("found '{}', expected: identifier", token.text())),
            None => wrong("found '', expected: identifier"),
        }
    }

    /// A value; an absent one is the empty string.
    fn value(&mut self) -> Result<String, LabelSelectorError> {
        let Some(Token::Word(word)) = self.peek().cloned() else { return Ok(String::new()) };
        self.at += 1;
        match names::label_value(&word).into_iter().next() {
            None => Ok(word),
            Some(error) => wrong(format!("values[0]: Invalid value: \"{word}\": {error}")),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, LabelSelectorError> {
        if self.next_is("!") {
            return Ok(Requirement { key: self.key()?, operator: Operator::Absent });
        }
        let key = self.key()?;
        let operator = match self.peek().cloned() {
            None | Some(Token::Symbol(",")) => Operator::Exists,
            Some(Token::Symbol("=" | "==")) => {
                self.at += 1;
                Operator::In(vec![self.value()?])
            }
            Some(Token::Symbol("!=")) => {
                self.at += 1;
                Operator::NotIn(vec![self.value()?])
            }
            Some(Token::Symbol(sign @ (">" | "<"))) => {
                self.at += 1;
                let text = self.value()?;
                let Ok(bound) = text.parse() else {
                    return wrong(format!(
                        "values[0]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, the value must be an integer"
                    ));
                };
                if sign == ">" { Operator::Greater(bound) } else { Operator::Less(bound) }
            }
            Some(Token::Word(word)) if word == "in" || word == "notin" => {
                self.at += 1;
                let values = self.values()?;
                if word == "in" { Operator::In(values) } else { Operator::NotIn(values) }
            }
            Some(token) => {
                return wrong(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", token.text()));
            }
        };
        Ok(Requirement { key, operator })
    }

    fn values(&mut self) -> Result<Vec<String>, LabelSelectorError> {
        if !self.next_is("(") {
            let found = self.peek().map_or("", Token::text);
            return wrong(format!("found '{found}' expected: '('"));
        }
        let mut values = vec![self.value()?];
        while self.next_is(",") {
            values.push(self.value()?);
        }
        if !self.next_is(")") {
            let found = self.peek().map_or("", Token::text);
            return wrong(format!("found '{found}', expected: ',' or ')'"));
        }
        values.sort();
        values.dedup();
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let lookup = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        LabelSelector::parse(selector).unwrap().matches(lookup)
    }

    #[test]
    fn every_operator_selects_what_it_says() {
        let labels = &[("app", "echo"), ("tier", "2")];
        for yes in [
            "",
            "app",
            "app=echo",
            "app == echo",
            "app!=x",
            "!gone",
            "app in (x, echo)",
            "gone notin (a)",
            "tier>1",
            "tier < 3",
        ] {
            assert!(selects(yes, labels), "{yes}");
        }
        for no in [
            "gone",
            "app=x",
            "app=",
            "app!=echo",
            "!app",
            "app in (x)",
            "app notin (echo,x)",
            "tier>2",
            "app>1",
            "app=echo,gone",
        ] {
            assert!(!selects(no, labels), "{no}");
        }
    }

    #[test]
    fn what_it_prints_means_the_same() {
        for text in ["a=b", "!a", "a", "a in (b,c)", "a notin (b,c),d!=e", "x>1,y<2"] {
            let selector = LabelSelector::parse(text).unwrap();
            assert_eq!(selector.to_string(), text);
            assert_eq!(LabelSelector::parse(&selector.to_string()).unwrap(), selector);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["=", "a in", "a in (b", "a b", "a=b,,c", "a=b,", "(a)", "a>b", "a=ü", "-a=b", "a=-b"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
