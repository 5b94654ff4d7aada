//! The text before it is parsed: characters that YAML does not allow, and a tab that the parser does not take.

use std::borrow::Cow;

use saphyr_parser::Parser;

use crate::Error;

/// How many bytes the search for tabs may go over, all together.
const TAB_BUDGET: usize = 64 * 1024 * 1024;

/// Refuses control characters, as go-yaml does.
pub(crate) fn check_characters(text: &str) -> Result<(), Error> {
    let forbidden = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    let Some(at) = text.find(forbidden) else { return Ok(()) };
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Err(Error {
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
        message: "control characters are not allowed".to_owned(),
    })
}

/// Puts spaces for tabs that alone separate a key's colon from its value: go-yaml reads `key:<tab>value`, the parser does not.
///
/// Whether a colon ends a key is for the parser to say, so each tab is found by its complaint.
pub(crate) fn soften_tabs(text: &str) -> Cow<'_, str> {
    let mut softened = Cow::Borrowed(text);
    if !text.contains(":\t") {
        return softened;
    }
    let mut budget = TAB_BUDGET;
    while let Some(left) = budget.checked_sub(text.len()) {
        budget = left;
        let Some(tabs) = complaint(&softened) else { break };
        softened.to_mut().replace_range(tabs.clone(), &" ".repeat(tabs.len()));
    }
    softened
}

/// The bytes of the tabs at which the parser stops first.
fn complaint(text: &str) -> Option<std::ops::Range<usize>> {
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_event()? {
            Ok(_) => {}
            Err(error) if error.info().starts_with("':' must be followed by") => {
                let end = text.char_indices().nth(error.marker().index())?.0;
                let start = text[..end].trim_end_matches('\t').len();
                return (start < end && text[..start].ends_with(':')).then_some(start..end);
            }
            Err(_) => return None,
        }
    }
}
