//! Reads the catalogue's notation.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{Catalogue, Message, Scalar, Shape, Type};

/// A text that is not in the catalogue's notation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct ParseError {
    pub line: usize,
    pub message: String,
}

/// Reads messages from several texts, and checks that every type that is named exists.
pub(crate) fn parse(sources: &[&'static str]) -> Result<Catalogue, ParseError> {
    let mut catalogue = Catalogue::default();
    for source in sources {
        let mut reader = Reader { tokens: Tokens { text: source, characters: source.char_indices().peekable() } };
        while let Some(token) = reader.tokens.next() {
            if token != "message" {
                return Err(reader.error(format!("expected `message`, found `{token}`")));
            }
            let name = reader.name()?;
            let message = reader.message()?;
            if catalogue.messages.insert(name, message).is_some() {
                return Err(reader.error(format!("message {name} is there twice")));
            }
        }
    }
    for (name, message) in &catalogue.messages {
        for (field, field_type) in &message.fields {
            let missing = dangling(&catalogue, field_type);
            if let Some(missing) = missing {
                return Err(ParseError {
                    line: 0,
                    message: format!("{name}.{field} is a {missing}, which is nowhere"),
                });
            }
        }
    }
    Ok(catalogue)
}

/// The message that a type names and that does not exist.
fn dangling(catalogue: &Catalogue, field_type: &Type) -> Option<&'static str> {
    match &field_type.shape {
        Shape::Scalar(_) => None,
        Shape::Message(name) => (!catalogue.messages.contains_key(name)).then_some(*name),
        Shape::List(inner) | Shape::Map(inner) => dangling(catalogue, inner),
    }
}

/// Words and single signs, without blanks and comments.
struct Tokens {
    text: &'static str,
    characters: Peekable<CharIndices<'static>>,
}

impl Iterator for Tokens {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        loop {
            let (start, first) = self.characters.next()?;
            if first == '#' {
                while self.characters.next_if(|(_, c)| *c != '\n').is_some() {}
            } else if word(first) {
                while self.characters.next_if(|(_, c)| word(*c)).is_some() {}
                return Some(&self.text[start..self.offset()]);
            } else if !first.is_whitespace() {
                return Some(&self.text[start..self.offset()]);
            }
        }
    }
}

impl Tokens {
    fn offset(&mut self) -> usize {
        self.characters.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn accept(&mut self, sign: char) -> bool {
        while self.characters.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.characters.next_if(|(_, c)| *c == sign).is_some()
    }
}

struct Reader {
    tokens: Tokens,
}

impl Reader {
    fn error(&mut self, message: String) -> ParseError {
        let offset = self.tokens.offset();
        ParseError { line: self.tokens.text[..offset].matches('\n').count() + 1, message }
    }

    fn expect(&mut self, sign: char) -> Result<(), ParseError> {
        if self.tokens.accept(sign) { Ok(()) } else { Err(self.error(format!("expected `{sign}`"))) }
    }

    fn name(&mut self) -> Result<&'static str, ParseError> {
        match self.tokens.next() {
            Some(token) if token.starts_with(|c: char| c.is_ascii_alphabetic()) => Ok(token),
            _ => Err(self.error("expected a name".to_owned())),
        }
    }

    fn message(&mut self) -> Result<Message, ParseError> {
        self.expect('{')?;
        let mut fields = Vec::new();
        while !self.tokens.accept('}') {
            let name = self.name()?;
            self.expect(':')?;
            fields.push((name, self.field_type()?));
            if !self.tokens.accept(',') {
                self.expect('}')?;
                break;
            }
        }
        fields.sort_unstable_by_key(|(name, _)| *name);
        if let Some(twice) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let name = twice[0].0;
            return Err(self.error(format!("field {name} is there twice")));
        }
        Ok(Message { fields })
    }

    fn field_type(&mut self) -> Result<Type, ParseError> {
        let shape = if self.tokens.accept('[') {
            let inner = self.field_type()?;
            self.expect(']')?;
            Shape::List(Box::new(inner))
        } else if self.tokens.accept('{') {
            let inner = self.field_type()?;
            self.expect('}')?;
            Shape::Map(Box::new(inner))
        } else {
            let name = self.name()?;
            match scalar(name) {
                Some(scalar) => Shape::Scalar(scalar),
                None if name.starts_with(|c: char| c.is_ascii_uppercase()) => Shape::Message(name),
                None => return Err(self.error(format!("`{name}` is not a type"))),
            }
        };
        Ok(Type { shape, nullable: self.tokens.accept('?') })
    }
}

fn scalar(name: &str) -> Option<Scalar> {
    Some(match name {
        "string" => Scalar::String,
        "bytes" => Scalar::Bytes,
        "bool" => Scalar::Bool,
        "int32" => Scalar::Int32,
        "uint32" => Scalar::Uint32,
        "int64" => Scalar::Int64,
        "number" => Scalar::Number,
        "enum" => Scalar::Enum,
        "empty" => Scalar::Empty,
        "object" => Scalar::Object,
        "any" => Scalar::Any,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &'static str) -> String {
        parse(&[source]).unwrap_err().to_string()
    }

    #[test]
    fn the_notation_reads() {
        let catalogue = parse(&["# c\nmessage A { b: [B]?, a: {uint32} }", "message B {}"]).unwrap();
        let a = catalogue.message("A").unwrap();
        let list = Shape::List(Box::new(Type { shape: Shape::Message("B"), nullable: false }));
        assert_eq!(a.field("b"), Some(&Type { shape: list, nullable: true }));
        assert_eq!(a.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(refused("message A { a: strin }"), "line 1: `strin` is not a type");
        assert_eq!(refused("message A {\n a: bool\n b: bool }"), "line 3: expected `}`");
        assert_eq!(refused("message A { a: bool, a: bool }"), "line 1: field a is there twice");
        assert_eq!(refused("message A {}\nmessage A {}"), "line 2: message A is there twice");
        assert_eq!(refused("message A { a: [Nowhere] }"), "line 0: A.a is a Nowhere, which is nowhere");
        assert_eq!(refused("kind A {}"), "line 1: expected `message`, found `kind`");
    }
}
