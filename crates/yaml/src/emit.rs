//! Writes a value, with the line breaks and the spaces that go-yaml's emitter puts.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::key_order;
use crate::number;
use crate::quoting::{self, Analysis, Style};

/// Text is folded at the first space after this column.
const WIDTH: usize = 80;

/// A key longer than this, in bytes, is written after a question mark.
const MAX_SIMPLE_KEY: usize = 128;

const INDENT: usize = 2;

/// The value as a document.
pub(crate) fn document(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, after_white: true, at_indent: true };
    emitter.node(value, None, false);
    emitter.indent(0);
    emitter.out
}

struct Emitter {
    out: String,
    /// In characters, from 0.
    column: usize,
    /// Nothing, a space or a line break stands before.
    after_white: bool,
    /// Nothing but indentation and indicators stands on this line.
    at_indent: bool,
}

impl Emitter {
    /// Writes a value inside a collection that is indented by `parent` (none around the document's own value).
    fn node(&mut self, value: &Value, parent: Option<usize>, in_mapping: bool) {
        match value {
            Value::Null => self.plain("null", scalar_indent(parent), true),
            Value::Bool(bool) => self.plain(if *bool { "true" } else { "false" }, scalar_indent(parent), true),
            Value::Number(number) => self.plain(&number::to_text(number), scalar_indent(parent), true),
            Value::String(text) => self.text(text, scalar_indent(parent), false),
            Value::Array(items) if items.is_empty() => self.empty("[", "]"),
            Value::Array(items) => self.sequence(items, parent, in_mapping),
            Value::Object(entries) if entries.is_empty() => self.empty("{", "}"),
            Value::Object(entries) => self.mapping(entries, parent),
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, true, false);
        self.indicator(close, false, false);
    }

    fn sequence(&mut self, items: &[Value], parent: Option<usize>, in_mapping: bool) {
        // Below a key on its own line, items stand in the key's own column.
        let inner = if in_mapping && !self.at_indent { parent.unwrap_or(0) } else { inner_indent(parent) };
        for item in items {
            self.indent(inner);
            self.indicator("-", true, true);
            self.node(item, Some(inner), false);
        }
    }

    fn mapping(&mut self, entries: &Map<String, Value>, parent: Option<usize>) {
        let inner = inner_indent(parent);
        for key in key_order::sort(entries.keys().collect()) {
            self.indent(inner);
            if key.len() <= MAX_SIMPLE_KEY && !Analysis::new(key).multiline {
                self.text(key, scalar_indent(Some(inner)), true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.text(key, scalar_indent(Some(inner)), false);
                self.indent(inner);
                self.indicator(":", true, true);
            }
            self.node(&entries[key.as_str()], Some(inner), true);
        }
    }

    fn text(&mut self, text: &str, indent: usize, simple_key: bool) {
        let folds = !simple_key;
        match Analysis::new(text).style(text, simple_key) {
            Style::Plain => self.plain(text, indent, folds),
            Style::Single => self.single_quoted(text, indent, folds),
            Style::Double => self.double_quoted(text, indent, folds),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        if !self.at_indent || self.column > indent || (self.column == indent && !self.after_white) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_white = true;
        self.at_indent = true;
    }

    fn indicator(&mut self, indicator: &str, separate: bool, keeps_indent: bool) {
        if separate && !self.after_white {
            self.put(' ');
        }
        for c in indicator.chars() {
            self.put(c);
        }
        self.after_white = false;
        self.at_indent &= keeps_indent;
    }

    fn end_scalar(&mut self) {
        self.after_white = false;
        self.at_indent = false;
    }

    fn plain(&mut self, text: &str, indent: usize, folds: bool) {
        if !self.after_white {
            self.put(' ');
        }
        let mut after_space = false;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let space = c == ' ';
            if space && folds && !after_space && self.column > WIDTH && characters.peek() != Some(&' ') {
                self.indent(indent);
            } else {
                self.put(c);
                self.at_indent = false;
            }
            after_space = space;
        }
        self.end_scalar();
    }

    fn single_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.indicator("'", true, false);
        let mut after_space = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if c == ' ' {
                let inside = at > 0 && next.is_some_and(|next| next != ' ');
                if folds && !after_space && self.column > WIDTH && inside {
                    self.indent(indent);
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.at_indent = false;
                after_space = false;
            }
        }
        self.indicator("'", false, false);
        self.end_scalar();
    }

    fn double_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.indicator("\"", true, false);
        // go-yaml looks for a byte order mark at the start of the text each time.
        let escape_all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if escape_all || !quoting::is_printable(c) || quoting::is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
                after_space = false;
            } else if c == ' ' {
                if folds && !after_space && self.column > WIDTH && at > 0 && next.is_some() {
                    self.indent(indent);
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
        }
        self.indicator("\"", false, false);
        self.end_scalar();
    }

    fn escape(&mut self, c: char) {
        let mut escaped = String::from("\\");
        // Writing to a string cannot fail.
        let _ = match c {
            '\0' => escaped.write_char('0'),
            '\u{7}' => escaped.write_char('a'),
            '\u{8}' => escaped.write_char('b'),
            '\t' => escaped.write_char('t'),
            '\n' => escaped.write_char('n'),
            '\u{b}' => escaped.write_char('v'),
            '\u{c}' => escaped.write_char('f'),
            '\r' => escaped.write_char('r'),
            '\u{1b}' => escaped.write_char('e'),
            '"' | '\\' => escaped.write_char(c),
            '\u{85}' => escaped.write_char('N'),
            '\u{a0}' => escaped.write_char('_'),
            '\u{2028}' => escaped.write_char('L'),
            '\u{2029}' => escaped.write_char('P'),
            _ => match u32::from(c) {
                code @ 0..=0xff => write!(escaped, "x{code:02X}"),
                code @ 0x100..=0xffff => write!(escaped, "u{code:04X}"),
                code => write!(escaped, "U{code:08X}"),
            },
        };
        for c in escaped.chars() {
            self.put(c);
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false);
        if text.starts_with([' ', '\n']) {
            self.indicator(&INDENT.to_string(), false, false);
        }
        match text.strip_suffix('\n') {
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.indicator("+", false, false),
            Some(_) => {}
            None => self.indicator("-", false, false),
        }
        self.put_break();
        self.at_indent = true;
        self.after_white = true;
        let mut after_break = true;
        for c in text.chars() {
            if c == '\n' {
                self.put_break();
                self.at_indent = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent(indent);
                }
                self.put(c);
                self.at_indent = false;
                after_break = false;
            }
        }
    }
}

fn inner_indent(parent: Option<usize>) -> usize {
    parent.map_or(0, |parent| parent + INDENT)
}

fn scalar_indent(parent: Option<usize>) -> usize {
    parent.map_or(INDENT, |parent| parent + INDENT)
}
