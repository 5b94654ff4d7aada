//! Cases as files hold them: a name, the reason, bytes with escapes, what is expected.
//!
//! A block begins with `== name`, then `-- reason`, then lines whose bytes are sent one after another (a line's own end
//! is not sent; `\r`, `\n`, `\t`, `\\`, `\x7f` are bytes, `{a*500}` is `a` 500 times), then `=> expectation`. `#` begins a
//! remark between blocks.
#![allow(dead_code, unreachable_pub)]

pub mod frames;
pub mod recorder;
pub mod verdict;

use std::path::Path;

/// One case.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub lines: Vec<String>,
    pub expectation: String,
}

impl Case {
    /// The bytes to send.
    pub fn bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| unescape(line)).collect()
    }
}

/// The cases of a file beside this one.
pub fn read(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let text = std::fs::read_to_string(&path).expect("a corpus");
    let mut cases = Vec::new();
    let mut current: Option<Case> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            assert!(current.is_none(), "{file}: {name} begins inside another");
            current = Some(Case { name: format!("{file}: {name}"), lines: Vec::new(), expectation: String::new() });
        } else if let Some(expectation) = line.strip_prefix("=> ") {
            let mut case = current.take().expect("an expectation belongs to a case");
            case.expectation = expectation.to_owned();
            cases.push(case);
        } else if let Some(case) = &mut current
            && !line.starts_with("-- ")
        {
            case.lines.push(line.to_owned());
        }
    }
    assert!(current.is_none(), "{file}: the last case has no expectation");
    cases
}

/// The bytes that a line stands for.
pub fn unescape(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (piece, left) = match byte {
            b'\\' => escape(after),
            b'{' => repetition(after).unwrap_or((vec![b'{'], after)),
            _ => (vec![byte], after),
        };
        out.extend(piece);
        rest = left;
    }
    out
}

fn escape(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (&kind, rest) = text.split_first().expect("an escape has a letter");
    match kind {
        b'r' => (vec![b'\r'], rest),
        b'n' => (vec![b'\n'], rest),
        b't' => (vec![b'\t'], rest),
        b'x' => {
            let digits = std::str::from_utf8(&rest[..2]).expect("two digits");
            (vec![u8::from_str_radix(digits, 16).expect("two digits")], &rest[2..])
        }
        other => (vec![other], rest),
    }
}

/// `a*500}`, after its opening brace.
fn repetition(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = text.iter().position(|byte| *byte == b'}')?;
    let inside = std::str::from_utf8(&text[..end]).ok()?;
    let (what, count) = inside.rsplit_once('*')?;
    Some((unescape(what).repeat(count.parse().ok()?), &text[end + 1..]))
}
