//! Regular expressions, in Go's syntax and with Go's answers.

use regex::bytes::Regex;
use regex_syntax::ast::ErrorKind;
use regex_syntax::ast::parse::Parser;

use super::lists::string_slice;
use super::{CallError, Called, INT, STR, function, int, text};
use crate::quote::{can_backquote, quoted};
use crate::{Function, Str, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    let strings = || Type::slice(STR);
    let mut all = vec![
        function("regexMatch", &[STR, STR], Type::Bool, |args| {
            Ok(compile(text(args, 0)).is_ok_and(|regex| regex.is_match(text(args, 1))).into())
        }),
        function("mustRegexMatch", &[STR, STR], Type::Bool, |args| {
            Ok(compile(text(args, 0))?.is_match(text(args, 1)).into())
        }),
        function("regexQuoteMeta", &[STR], STR, |args| Ok(quote_meta(text(args, 0)).into())),
    ];
    // Those with "must" in front tell the error alone, the others as Go's MustCompile panics.
    for must in [false, true] {
        let name = |name: &str| if must { format!("mustR{}", &name[1..]) } else { name.to_owned() };
        let add = |all: &mut Vec<Function>, called: &str, params: &[Type], result: Type, body: Body| {
            let body = move |args: &[Value]| match compile(text(args, 0)) {
                Ok(regex) => Ok(body(&regex, args)),
                Err(error) if must => Err(error),
                Err(error) => Err(format!("regexp: Compile({}): {error}", in_quotes(text(args, 0))).into()),
            };
            let function = Function::new(&name(called), params, move |_, args| -> Called { body(args) });
            all.push(function.returning(result));
        };
        add(&mut all, "regexFind", &[STR, STR], STR, |regex, args| {
            regex.find(text(args, 1)).map_or_else(|| "".into(), |found| found.as_bytes().to_vec().into())
        });
        add(&mut all, "regexFindAll", &[STR, STR, INT], strings(), |regex, args| {
            let found = regex.find_iter(text(args, 1)).take(limit(int(args, 2)));
            texts(found.map(|found| Str::from(found.as_bytes())).collect())
        });
        add(&mut all, "regexReplaceAll", &[STR, STR, STR], STR, |regex, args| {
            regex.replace_all(text(args, 1), text(args, 2)).into_owned().into()
        });
        add(&mut all, "regexReplaceAllLiteral", &[STR, STR, STR], STR, |regex, args| {
            regex.replace_all(text(args, 1), regex::bytes::NoExpand(text(args, 2))).into_owned().into()
        });
        add(&mut all, "regexSplit", &[STR, STR, INT], strings(), split);
    }
    all
}

type Body = fn(&Regex, &[Value]) -> Value;

fn limit(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Texts as a slice; none are a nil one, as Go has it here.
fn texts(texts: Vec<Str>) -> Value {
    if texts.is_empty() { Type::slice(STR).zero() } else { string_slice(texts) }
}

fn split(regex: &Regex, args: &[Value]) -> Value {
    let (text, most) = (text(args, 1), limit(int(args, 2)));
    if most == 0 {
        return texts(Vec::new());
    }
    if text.is_empty() && !super::text(args, 0).is_empty() {
        return string_slice(vec!["".into()]);
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(text).take(most) {
        if parts.len() + 1 == most {
            break;
        }
        end = found.start();
        // A match of nothing at the very start separates nothing.
        if found.end() != 0 {
            parts.push(Str::from(&text[begin..end]));
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(text[begin..].into());
    }
    texts(parts)
}

fn in_quotes(pattern: &[u8]) -> String {
    if can_backquote(pattern) { format!("`{}`", String::from_utf8_lossy(pattern)) } else { quoted(pattern) }
}

fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

fn compile(pattern: &[u8]) -> Result<Regex, CallError> {
    let wrong = |what: &str, at: &str| CallError::new(format!("error parsing regexp: {what}: `{at}`"));
    let Ok(pattern) = std::str::from_utf8(pattern) else {
        return Err(wrong("invalid UTF-8", &String::from_utf8_lossy(pattern)));
    };
    let translated = translate(pattern);
    let error = match Regex::new(&translated) {
        Ok(regex) => return Ok(regex),
        Err(error) => error,
    };
    let Err(fault) = Parser::new().parse(pattern) else { return Err(format!("error parsing regexp: {error}").into()) };
    let (start, end) = (fault.span().start.offset, fault.span().end.offset);
    Err(match fault.kind() {
        ErrorKind::GroupUnclosed => wrong("missing closing )", pattern),
        ErrorKind::GroupUnopened => wrong("unexpected )", pattern),
        ErrorKind::ClassUnclosed => wrong("missing closing ]", &pattern[start..]),
        ErrorKind::RepetitionMissing => wrong("missing argument to repetition operator", &pattern[start..=start]),
        ErrorKind::EscapeUnexpectedEof => wrong("trailing backslash at end of expression", ""),
        ErrorKind::EscapeUnrecognized => wrong("invalid escape sequence", &pattern[start..end]),
        ErrorKind::ClassRangeInvalid => wrong("invalid character class range", &pattern[start..end]),
        _ => format!("error parsing regexp: {error}").into(),
    })
}

/// The same expression where Go's syntax means something else: its classes are of ASCII, and sets have no operators.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut class = false;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        match (next, after.chars().next()) {
            ('\\', Some('Q')) if !class => {
                let literal = &after[1..];
                let length = literal.find("\\E").unwrap_or(literal.len());
                out.push_str(&regex_syntax::escape(&literal[..length]));
                rest = literal[length..].strip_prefix("\\E").unwrap_or("");
                continue;
            }
            ('\\', Some(escaped)) => {
                match escaped {
                    'd' => out.push_str("[0-9]"),
                    'D' => out.push_str("[^0-9]"),
                    'w' => out.push_str("[0-9A-Za-z_]"),
                    'W' => out.push_str("[^0-9A-Za-z_]"),
                    's' => out.push_str("[\\t\\n\\f\\r ]"),
                    'S' => out.push_str("[^\\t\\n\\f\\r ]"),
                    'b' | 'B' if !class => {
                        out.push_str("(?-u:\\");
                        out.push(escaped);
                        out.push(')');
                    }
                    _ => {
                        out.push('\\');
                        out.push(escaped);
                    }
                }
                rest = &after[escaped.len_utf8()..];
                continue;
            }
            ('[', Some(':')) if class && after.contains(":]") => {
                let length = after.find(":]").map_or(0, |end| end + 2);
                out.push('[');
                out.push_str(&after[..length]);
                rest = &after[length..];
                continue;
            }
            ('[' | '&' | '~', _) if class => {
                out.push('\\');
                out.push(next);
            }
            ('[', _) => {
                class = true;
                out.push('[');
                // A bracket that stands first is an element.
                let negated = after.strip_prefix('^');
                out.push_str(if negated.is_some() { "^" } else { "" });
                let inner = negated.unwrap_or(after);
                rest = inner.strip_prefix(']').unwrap_or(inner);
                out.push_str(if rest.len() < inner.len() { "\\]" } else { "" });
                continue;
            }
            (']', _) if class => {
                class = false;
                out.push(']');
            }
            _ => out.push(next),
        }
        rest = after;
    }
    out
}
