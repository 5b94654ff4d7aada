//! Everything the verbs print goes through here: standard output for results, standard error for the rest. Colours
//! are used on a terminal alone.

mod columns;

use std::io::Write;

use anstyle::{AnsiColor, Style};

pub(crate) use columns::Columns;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CAUTION: Style = AnsiColor::Yellow.on_default();
const COMMAND: Style = AnsiColor::Cyan.on_default();

/// Writes a line of a result. A reader that went away (`| head`) ends the process quietly.
pub(crate) fn line(text: impl AsRef<str>) {
    let mut out = anstream::stdout().lock();
    if writeln!(out, "{}", text.as_ref()).is_err() {
        std::process::exit(0);
    }
}

/// Writes part of a result as it is.
pub(crate) fn raw(text: &str) {
    let mut out = anstream::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Writes a remark to standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{}", text.as_ref());
}

/// Writes a warning to standard error.
pub(crate) fn warning(text: impl AsRef<str>) {
    note(format!("{CAUTION}Warning:{CAUTION:#} {}", text.as_ref()));
}

/// Writes why a verb failed.
pub(crate) fn failure(text: &str) {
    // kubectl's own wording of an API error has its own beginning.
    if text.starts_with("Error from server") || text.starts_with("Unable to connect") {
        note(text);
    } else {
        note(format!("{BAD}error:{BAD:#} {text}"));
    }
}

/// `text` as something that went well.
pub(crate) fn good(text: &str) -> String {
    format!("{GOOD}{text}{GOOD:#}")
}

/// `text` as something that is wrong.
pub(crate) fn bad(text: &str) -> String {
    format!("{BAD}{text}{BAD:#}")
}

/// `text` as something to look at.
pub(crate) fn caution(text: &str) -> String {
    format!("{CAUTION}{text}{CAUTION:#}")
}

/// `text` as a heading.
pub(crate) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// `text` as an aside.
pub(crate) fn faint(text: &str) -> String {
    format!("{FAINT}{text}{FAINT:#}")
}

/// `text` as something to type.
pub(crate) fn command(text: &str) -> String {
    format!("{COMMAND}{text}{COMMAND:#}")
}
