//! Reading a JSONPath template.

use serde_json::Value;

use super::{Comparison, Filter, Operand, Part, Step};
use crate::failure::{Failure, Outcome};

/// Reads a template from its beginning.
pub(super) struct Parser<'a> {
    /// What was not read yet.
    pub(super) rest: &'a str,
    /// The template as it was written, for messages.
    pub(super) whole: &'a str,
}

impl Parser<'_> {
    pub(super) fn error(&self, what: &str) -> Failure {
        Failure::new(format!("error parsing jsonpath {:?}, {what}", self.whole))
    }

    /// Parts up to the end, or up to `{end}`; whether it was the latter.
    pub(super) fn parts(&mut self) -> Outcome<(Vec<Part>, bool)> {
        let mut parts = Vec::new();
        loop {
            let Some(open) = self.rest.find('{') else {
                if !self.rest.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut self.rest).to_owned()));
                }
                return Ok((parts, false));
            };
            if open > 0 {
                parts.push(Part::Text(self.rest[..open].to_owned()));
            }
            self.rest = &self.rest[open + 1..];
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix("end}") {
                self.rest = rest;
                return Ok((parts, true));
            }
            if let Some(rest) = self.rest.strip_prefix("range") {
                self.rest = rest;
                self.skip_space();
                let steps = self.path()?;
                self.close()?;
                let (body, ended) = self.parts()?;
                if !ended {
                    return Err(self.error("{range} without {end}"));
                }
                parts.push(Part::Range(steps, body));
            } else if self.rest.starts_with(['"', '\'']) {
                parts.push(Part::Text(self.quoted()?));
                self.close()?;
            } else {
                parts.push(Part::Path(self.path()?));
                self.close()?;
            }
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn close(&mut self) -> Outcome {
        self.skip_space();
        self.rest = self.rest.strip_prefix('}').ok_or_else(|| self.error("unclosed action"))?;
        Ok(())
    }

    fn path(&mut self) -> Outcome<Vec<Step>> {
        let mut steps = Vec::new();
        self.rest = self.rest.strip_prefix(['$', '@']).unwrap_or(self.rest);
        loop {
            if let Some(rest) = self.rest.strip_prefix("..") {
                self.rest = rest;
                steps.push(Step::Descend);
                if !self.rest.starts_with('[') {
                    steps.push(self.field()?);
                }
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                // `{.}` is the whole, and `.[` a bracket as well.
                if !self.rest.is_empty() && !self.rest.starts_with(['}', '[', ' ', ')']) {
                    steps.push(self.field()?);
                }
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                steps.push(self.bracket()?);
            } else if steps.is_empty() && self.rest.starts_with(|it: char| it.is_alphanumeric() || it == '_') {
                steps.push(self.field()?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn field(&mut self) -> Outcome<Step> {
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            return Ok(Step::Wildcard);
        }
        let mut name = String::new();
        let mut characters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
                '.' | '[' | ']' | '}' | ' ' | '=' | '!' | '<' | '>' | ')' | ',' => {
                    end = at;
                    break;
                }
                other => name.push(other),
            }
        }
        if name.is_empty() {
            return Err(self.error("a field's name is missing"));
        }
        self.rest = &self.rest[end..];
        Ok(Step::Field(name))
    }

    fn bracket(&mut self) -> Outcome<Step> {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix("?(") {
            self.rest = rest;
            let filter = self.filter()?;
            self.skip_space();
            self.rest = self.rest.strip_prefix(")]").ok_or_else(|| self.error("unterminated filter"))?;
            return Ok(Step::Filter(filter));
        }
        if self.rest.starts_with(['"', '\'']) {
            let mut names = vec![Step::Field(self.quoted()?)];
            self.skip_space();
            while let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                self.skip_space();
                names.push(Step::Field(self.quoted()?));
                self.skip_space();
            }
            self.rest = self.rest.strip_prefix(']').ok_or_else(|| self.error("unterminated array"))?;
            return Ok(if names.len() == 1 { names.remove(0) } else { Step::Union(names) });
        }
        let end = self.rest.find(']').ok_or_else(|| self.error("unterminated array"))?;
        let inside = self.rest[..end].trim();
        self.rest = &self.rest[end + 1..];
        if inside == "*" {
            return Ok(Step::Wildcard);
        }
        let number = |text: &str| text.trim().parse::<i64>().map_err(|_| self.error(&format!("{text:?} is no index")));
        if inside.contains(':') {
            let mut bounds = Vec::new();
            for bound in inside.split(':') {
                bounds.push(if bound.trim().is_empty() { None } else { Some(number(bound)?) });
            }
            let at = |index: usize| bounds.get(index).copied().flatten();
            return Ok(Step::Slice(at(0), at(1), at(2).unwrap_or(1)));
        }
        let mut steps = inside.split(',').map(|text| number(text).map(Step::Index)).collect::<Outcome<Vec<_>>>()?;
        Ok(if steps.len() == 1 { steps.remove(0) } else { Step::Union(steps) })
    }

    fn filter(&mut self) -> Outcome<Filter> {
        let left = self.operand()?;
        self.skip_space();
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in comparisons {
            if let Some(rest) = self.rest.strip_prefix(sign) {
                self.rest = rest;
                let right = self.operand()?;
                return Ok(Filter { left, comparison: Some((comparison, right)) });
            }
        }
        Ok(Filter { left, comparison: None })
    }

    fn operand(&mut self) -> Outcome<Operand> {
        self.skip_space();
        if self.rest.starts_with('@') {
            return self.path().map(Operand::Path);
        }
        if self.rest.starts_with(['"', '\'']) {
            return self.quoted().map(|text| Operand::Literal(Value::from(text)));
        }
        let end = self.rest.find([')', ' ', '=', '!', '<', '>']).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        serde_json::from_str(word).map(Operand::Literal).map_err(|_| self.error(&format!("{word:?} is no value")))
    }

    fn quoted(&mut self) -> Outcome<String> {
        let mut characters = self.rest.char_indices();
        let quote = characters.next().map(|(_, quote)| quote);
        let mut text = String::new();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if Some(character) == quote => {
                    self.rest = &self.rest[at + character.len_utf8()..];
                    return Ok(text);
                }
                '\\' => match characters.next().map(|(_, escaped)| escaped) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(other) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(self.error("unterminated quoted string"))
    }
}
