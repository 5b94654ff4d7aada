//! How a string is written: plain, in single or double quotes, or as a block of lines.
//!
//! The rules are go-yaml's, but for U+2028 and U+2029: they are always escaped, because only YAML 1.1 ends a line there.

use crate::scalar::{self, Scalar};

/// The ways to write a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// A character that ends a line, by YAML 1.1.
pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml leaves as it is. Its test stops at three bytes, so everything beyond U+FFFF counts as unprintable.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Which ways of writing a string are open, and whether it has several lines.
pub(crate) struct Analysis {
    /// Whether the string holds a line break of any kind.
    pub multiline: bool,
    plain: bool,
    single: bool,
    literal: bool,
}

impl Analysis {
    pub(crate) fn new(text: &str) -> Analysis {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let mut multiline = false;
        let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break, mut after_white) = (false, false, true);
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let (space, line_break) = (c == ' ', is_break(c));
            let before_white = next.is_none_or(is_blank);
            indicators |= match c {
                '#' if at > 0 => after_white,
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    at == 0
                }
                '?' | '-' => at == 0 && before_white,
                ':' => before_white,
                _ => false,
            };
            special |= !is_printable(c) || (line_break && c != '\n');
            leading |= at == 0 && (space || line_break);
            if next.is_none() {
                (trailing_space, trailing_break) = (space, line_break);
            }
            multiline |= line_break;
            break_space |= space && after_break;
            space_break |= line_break && after_space;
            (after_space, after_break) = (space, line_break);
            after_white = is_blank(c) || line_break || c == '\0';
        }
        let quotable = !space_break && !special;
        Analysis {
            multiline,
            plain: quotable && !(leading || trailing_space || trailing_break || break_space || multiline || indicators),
            single: quotable && !break_space,
            literal: quotable && !trailing_space && !text.is_empty(),
        }
    }

    /// The way to write the string; `simple_key` when it is a key on one line. (go-yaml writes the key `<<` plain, and reads it as
    /// a merge.)
    pub(crate) fn style(&self, text: &str, simple_key: bool) -> Style {
        if text.contains('\n') {
            return if self.literal && !simple_key { Style::Literal } else { Style::Double };
        }
        if scalar::resolve(text) != Scalar::Text || is_base_60(text) || (simple_key && (self.multiline || text == "<<"))
        {
            return Style::Double;
        }
        match (self.plain, self.single) {
            (true, _) => Style::Plain,
            (false, true) => Style::Single,
            (false, false) => Style::Double,
        }
    }
}

/// Whether other readers could take text for a number in base 60, such as `190:20:30.15`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut groups = whole.split(':');
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let first = groups.next().unwrap_or("");
    let mut rest = groups.peekable();
    first.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && digits(first)
        && digits(fraction)
        && rest.peek().is_some()
        && rest.all(|group| match group.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [b'0'..=b'5', digit] => digit.is_ascii_digit(),
            _ => false,
        })
}
