//! Characters and UTF-8 as Go sees them.

mod tables;

/// What an invalid byte is read as.
pub(crate) const REPLACEMENT: char = '\u{fffd}';

/// The first character and its length in bytes. An invalid byte is U+FFFD of length 1, the end is U+FFFD of length 0.
pub(crate) fn decode(bytes: &[u8]) -> (char, usize) {
    let Some(&first) = bytes.first() else { return (REPLACEMENT, 0) };
    if first < 0x80 {
        return (char::from(first), 1);
    }
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (REPLACEMENT, 1),
    };
    let decoded = bytes.get(..length).and_then(|sequence| std::str::from_utf8(sequence).ok());
    match decoded.and_then(|text| text.chars().next()) {
        Some(character) => (character, length),
        None => (REPLACEMENT, 1),
    }
}

/// How many characters there are, each invalid byte counting as one.
pub(crate) fn count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() { bytes.len() } else { characters(bytes).count() }
}

/// The characters, each with its place and its length in bytes.
pub(crate) fn characters(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (character, length) = decode(&bytes[at..]);
        let place = at;
        at += length;
        (length > 0).then_some((place, character, length))
    })
}

pub(crate) fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

pub(crate) fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { within(tables::LETTERS, character) }
}

pub(crate) fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { within(tables::DIGITS, character) }
}

pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() { matches!(character, ' '..='~') } else { within(tables::PRINTABLE, character) }
}

/// What names are made of.
pub(crate) fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn within(runs: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = runs.partition_point(|&(first, _)| first <= code);
    after > 0 && code <= runs[after - 1].1
}
