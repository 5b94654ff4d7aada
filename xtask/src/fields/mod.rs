//! `cargo xtask fields`: the page that lists every field of every kind, made from the code.

mod page;
mod shared;

use std::io;
use std::path::Path;

/// Where the page is, from here.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fields.md");

/// Writes the page.
pub(crate) fn run() -> io::Result<()> {
    std::fs::write(Path::new(PAGE), page::page(&serin_api::known_fields(), serin_xds::UNTRANSLATED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_command_writes() {
        let written = page::page(&serin_api::known_fields(), serin_xds::UNTRANSLATED);
        let there = std::fs::read_to_string(PAGE).unwrap_or_default();
        let differs = written.lines().zip(there.lines()).find(|(new, old)| new != old);
        assert!(
            written == there,
            "docs/fields.md is out of date: run `cargo xtask fields`. The first line: {differs:?}"
        );
    }
}
