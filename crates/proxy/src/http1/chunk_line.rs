//! The line that a chunk begins with: its size in hexadecimal digits, and extensions, which are passed over.

use memchr::memchr;

use super::ResponseError;

/// Bytes that a chunk's line may have, extensions included.
const MAX_LINE: usize = 4096;

/// The size of the chunk whose line `input` begins with, and the line's length with its end; nothing while the line is
/// not complete.
pub(super) fn parse(input: &[u8]) -> Result<Option<(u64, usize)>, ResponseError> {
    let Some(newline) = memchr(b'\n', &input[..input.len().min(MAX_LINE)]) else {
        return if input.len() >= MAX_LINE { Err(ResponseError::Chunk) } else { Ok(None) };
    };
    let line = input[..newline].strip_suffix(b"\r").ok_or(ResponseError::Chunk)?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    // 15 digits are an exabyte, and no sum with one overflows.
    if digits == 0 || digits > 15 {
        return Err(ResponseError::Chunk);
    }
    let extensions = line[digits..].trim_ascii_start();
    let plain = extensions.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    if !plain || !(extensions.is_empty() || extensions.starts_with(b";")) {
        return Err(ResponseError::Chunk);
    }
    let size = line[..digits].iter().fold(0_u64, |size, digit| (size << 4) | u64::from(hex_value(*digit)));
    Ok(Some((size, newline + 1)))
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_hexadecimal_and_end_with_both_bytes_of_a_line_end() {
        assert_eq!(parse(b"1aF\r\nrest"), Ok(Some((0x1af, 5))));
        assert_eq!(parse(b"0\r\n"), Ok(Some((0, 3))));
        assert_eq!(parse(b"5;a=b\r\n"), Ok(Some((5, 7))));
        assert_eq!(parse(b"5 ; a\r\n"), Ok(Some((5, 7))));
        assert_eq!(parse(b"fffffffffffffff\r\n").unwrap().unwrap().0, 0x0fff_ffff_ffff_ffff);
        for partial in [&b""[..], b"1", b"1\r"] {
            assert_eq!(parse(partial), Ok(None));
        }
        for bad in [&b"\r\n"[..], b"5\n", b"x\r\n", b"-1\r\n", b" 5\r\n", b"0x5\r\n", b"5 5\r\n", b"5;\r\r\n"] {
            assert_eq!(parse(bad), Err(ResponseError::Chunk), "{:?}", bad.escape_ascii().to_string());
        }
        assert_eq!(parse(b"10000000000000000\r\n"), Err(ResponseError::Chunk));
        assert_eq!(parse(&[b'0'; MAX_LINE]), Err(ResponseError::Chunk));
    }
}
