//! The kinds of tokens.

use std::borrow::Cow;

use crate::quote::quoted;
use crate::unicode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Bool,
    /// A character that stands for itself, such as a comma.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    pub(super) fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"nil" => Self::Nil,
            b"range" => Self::Range,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block | Self::Break | Self::Continue | Self::Dot | Self::Define | Self::Else | Self::End | Self::If
        ) || matches!(self, Self::Nil | Self::Range | Self::Template | Self::With)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind,
    /// Where it starts in the source, in bytes.
    pub(crate) pos: usize,
    /// Its text, or of an error the message.
    pub(crate) text: Cow<'s, [u8]>,
    /// The line where it starts, from 1.
    pub(crate) line: usize,
}

/// As error messages show it.
impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Eof => return f.write_str("EOF"),
            Kind::Error => return f.write_str(&String::from_utf8_lossy(&self.text)),
            kind if kind.is_keyword() => return write!(f, "<{}>", String::from_utf8_lossy(&self.text)),
            _ => {}
        }
        if self.text.len() <= 10 {
            return f.write_str(&quoted(&self.text));
        }
        let cut = unicode::characters(&self.text).nth(10).map_or(self.text.len(), |(at, ..)| at);
        write!(f, "{}...", quoted(&self.text[..cut]))
    }
}
