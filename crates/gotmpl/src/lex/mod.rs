//! Cuts a template's source into tokens: text, and what stands between the delimiters.

mod token;

use std::borrow::Cow;

use crate::quote::{quote_character, quoted};
use crate::unicode;
pub(crate) use token::{Kind, Token};

/// What the words `break` and `continue` are: functions of that name take their meaning away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keywords {
    pub(crate) break_: bool,
    pub(crate) continue_: bool,
}

pub(crate) struct Lexer<'s> {
    source: &'s [u8],
    left: &'s [u8],
    right: &'s [u8],
    keywords: Keywords,
    pos: usize,
    start: usize,
    /// The line at `start`.
    line: usize,
    parens: usize,
    inside: bool,
    failed: bool,
}

type Step<'s> = Result<Token<'s>, String>;

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s [u8], left: &'s [u8], right: &'s [u8], keywords: Keywords) -> Self {
        Self { source, left, right, keywords, pos: 0, start: 0, line: 1, parens: 0, inside: false, failed: false }
    }

    /// The next token. After an error there is only the end.
    pub(crate) fn next_token(&mut self) -> Token<'s> {
        if self.failed {
            return Token { kind: Kind::Eof, pos: 0, text: Cow::Borrowed(b"EOF"), line: self.line };
        }
        let step = if self.inside { self.action() } else { self.text() };
        step.unwrap_or_else(|message| {
            self.failed = true;
            Token { kind: Kind::Error, pos: self.start, text: Cow::Owned(message.into_bytes()), line: self.line }
        })
    }

    fn rest(&self) -> &'s [u8] {
        &self.source[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        let (character, length) = unicode::decode(self.rest());
        (length > 0).then_some(character)
    }

    fn bump(&mut self) -> Option<char> {
        let (character, length) = unicode::decode(self.rest());
        self.pos += length;
        (length > 0).then_some(character)
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| set.contains(byte));
        self.pos += usize::from(found);
        found
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    /// Forgets what lies between the last token and here.
    fn skip(&mut self) {
        self.line += newlines(&self.source[self.start..self.pos]);
        self.start = self.pos;
    }

    fn emit(&mut self, kind: Kind) -> Token<'s> {
        let text = &self.source[self.start..self.pos];
        let token = Token { kind, pos: self.start, text: Cow::Borrowed(text), line: self.line };
        self.skip();
        token
    }

    fn text(&mut self) -> Step<'s> {
        loop {
            let Some(length) = find(self.rest(), self.left) else {
                self.pos = self.source.len();
                let end = self.pos == self.start;
                return Ok(if end { self.end() } else { self.emit(Kind::Text) });
            };
            let delim = self.pos + length;
            let trim = starts_trim(&self.source[delim + self.left.len()..]);
            let text = &self.source[self.pos..delim];
            self.pos += if trim { trim_end(text) } else { length };
            let text = self.emit(Kind::Text);
            self.pos = delim;
            self.skip();
            if !text.text.is_empty() {
                return Ok(text);
            }
            let after = delim + self.left.len() + if trim { 2 } else { 0 };
            if !self.source[after..].starts_with(b"/*") {
                self.pos += self.left.len();
                let token = self.emit(Kind::LeftDelim);
                self.pos = after;
                self.skip();
                (self.inside, self.parens) = (true, 0);
                return Ok(token);
            }
            self.pos = after;
            self.skip();
            self.comment()?;
        }
    }

    fn end(&mut self) -> Token<'s> {
        Token { kind: Kind::Eof, pos: self.start, text: Cow::Borrowed(b"EOF"), line: self.line }
    }

    fn comment(&mut self) -> Result<(), String> {
        self.pos += 2;
        let length = find(self.rest(), b"*/").ok_or("unclosed comment")?;
        self.pos += length + 2;
        let trim = self.at_right_delim().ok_or("comment ends before closing delimiter")?;
        self.pos += self.right.len() + if trim { 2 } else { 0 };
        if trim {
            self.pos += trim_start(self.rest());
        }
        self.skip();
        Ok(())
    }

    /// Whether the action ends here, and if so whether the space that follows is trimmed.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if ends_trim(rest) && rest[2..].starts_with(self.right) {
            return Some(true);
        }
        rest.starts_with(self.right).then_some(false)
    }

    fn right_delim(&mut self, trim: bool) -> Token<'s> {
        if trim {
            self.pos += 2;
            self.skip();
        }
        self.pos += self.right.len();
        let token = self.emit(Kind::RightDelim);
        if trim {
            self.pos += trim_start(self.rest());
            self.skip();
        }
        self.inside = false;
        token
    }

    fn action(&mut self) -> Step<'s> {
        if let Some(trim) = self.at_right_delim() {
            return if self.parens == 0 { Ok(self.right_delim(trim)) } else { Err("unclosed left paren".to_owned()) };
        }
        let Some(first) = self.bump() else { return Err("unclosed action".to_owned()) };
        Ok(match first {
            ' ' | '\t' | '\r' | '\n' => return Ok(self.space()),
            '=' => self.emit(Kind::Assign),
            ':' if self.bump() == Some('=') => self.emit(Kind::Declare),
            ':' => return Err("expected :=".to_owned()),
            '|' => self.emit(Kind::Pipe),
            '"' => {
                self.quoted('"', "unterminated quoted string")?;
                self.emit(Kind::String)
            }
            '`' => {
                let length = find(self.rest(), b"`").ok_or("unterminated raw quoted string")?;
                self.pos += length + 1;
                self.emit(Kind::RawString)
            }
            '\'' => {
                self.quoted('\'', "unterminated character constant")?;
                self.emit(Kind::CharConstant)
            }
            '$' => return self.name(Kind::Variable),
            '.' if self.rest().first().is_some_and(|byte| !byte.is_ascii_digit()) => return self.name(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                return self.number();
            }
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                self.emit(Kind::RightParen)
            }
            letter if unicode::is_alphanumeric(letter) => return self.word(),
            ' '..='~' => self.emit(Kind::Char),
            _ => return Err(format!("unrecognized character in action: {}", code_point(Some(first)))),
        })
    }

    /// A run of space, short of one that belongs to the closing delimiter.
    fn space(&mut self) -> Token<'s> {
        while self.rest().first().is_some_and(|byte| is_space(*byte)) {
            self.pos += 1;
        }
        let last = &self.source[self.pos - 1..];
        if ends_trim(last) && last[2..].starts_with(self.right) {
            self.pos -= 1;
            if self.pos == self.start {
                return self.right_delim(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn word(&mut self) -> Step<'s> {
        while self.peek().is_some_and(unicode::is_alphanumeric) {
            self.bump();
        }
        self.check_terminator()?;
        let kind = match &self.source[self.start..self.pos] {
            b"break" if !self.keywords.break_ => Kind::Identifier,
            b"continue" if !self.keywords.continue_ => Kind::Identifier,
            b"true" | b"false" => Kind::Bool,
            word => Kind::keyword(word).unwrap_or(Kind::Identifier),
        };
        Ok(self.emit(kind))
    }

    /// What follows a dot or a dollar sign.
    fn name(&mut self, kind: Kind) -> Step<'s> {
        if self.at_terminator() {
            return Ok(self.emit(if kind == Kind::Field { Kind::Dot } else { kind }));
        }
        while self.peek().is_some_and(unicode::is_alphanumeric) {
            self.bump();
        }
        self.check_terminator()?;
        Ok(self.emit(kind))
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(self.right),
        }
    }

    fn check_terminator(&self) -> Result<(), String> {
        if self.at_terminator() { Ok(()) } else { Err(format!("bad character {}", code_point(self.peek()))) }
    }

    /// The rest of a string or character constant, up to its closing quote.
    fn quoted(&mut self, quote: char, unterminated: &str) -> Result<(), String> {
        loop {
            match self.bump() {
                Some('\\') if self.peek().is_some_and(|next| next != '\n') => {
                    self.bump();
                }
                None | Some('\n' | '\\') => return Err(unterminated.to_owned()),
                Some(character) if character == quote => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Step<'s> {
        let bad = |lexer: &Self| Err(format!("bad number syntax: {}", quoted(&lexer.source[lexer.start..lexer.pos])));
        if !self.scan_number() {
            return bad(self);
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return Ok(self.emit(Kind::Number));
        }
        if !self.scan_number() || self.source[self.pos - 1] != b'i' {
            return bad(self);
        }
        Ok(self.emit(Kind::Complex))
    }

    /// Whatever looks like a number; whether it is one shows when it is read.
    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        let mut exponent: &[u8] = b"eE";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                (digits, exponent) = (b"0123456789abcdefABCDEF_", b"pP");
            } else if self.accept(b"oO") {
                (digits, exponent) = (b"01234567_", b"");
            } else if self.accept(b"bB") {
                (digits, exponent) = (b"01_", b"");
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self.peek().is_some_and(unicode::is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }
}

/// As `%#U` prints a character.
fn code_point(character: Option<char>) -> String {
    let Some(character) = character else { return "U+FFFFFFFFFFFFFFFF".to_owned() };
    let code = format!("U+{:04X}", u32::from(character));
    if !unicode::is_printable(character) {
        return code;
    }
    let shown = if character == '\'' { b"'''".to_vec() } else { quote_character(character, false) };
    let shown = if character == '\\' { b"'\\'".to_vec() } else { shown };
    format!("{code} {}", String::from_utf8_lossy(&shown))
}

pub(crate) fn newlines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether what follows a left delimiter says to trim the space before it.
fn starts_trim(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

/// Whether here, before a right delimiter, it says to trim the space after it.
fn ends_trim(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(*space))
}

/// How long the text is without the space at its end.
fn trim_end(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1)
}

/// How much space there is at its start.
fn trim_start(text: &[u8]) -> usize {
    text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(|byte| *byte == first) {
        at += next;
        if text[at..].starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
    None
}
