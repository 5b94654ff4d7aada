//! HTTP/2 frames from the lines of a case, written down as they are: nothing here knows what is allowed.

use super::unescape;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MAX_PAYLOAD: usize = 16 * 1024;

/// What a client sends: its preface and settings, then the frames of `lines`.
pub fn connection(lines: &[String]) -> Vec<u8> {
    let mut out = PREFACE.to_vec();
    frame(&mut out, 4, 0, 0, &[]);
    let mut at = 0;
    while at < lines.len() {
        let line = &lines[at];
        at += 1;
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        let number = |at: usize| words.get(at).map_or(0, |word| word.parse::<u32>().expect("a number"));
        let end = line.split(' ').nth(2) == Some("end");
        match words[0] {
            "HEADERS" => {
                let block = block(lines, &mut at);
                let open = line.ends_with(" open");
                let mut pieces: Vec<&[u8]> = block.chunks(MAX_PAYLOAD).collect();
                let last = pieces.pop().unwrap_or_default();
                let mut kind = 1;
                for piece in pieces {
                    frame(&mut out, kind, u8::from(end && kind == 1), number(1), piece);
                    kind = 9;
                }
                frame(&mut out, kind, u8::from(end && kind == 1) | if open { 0 } else { 4 }, number(1), last);
            }
            "CONTINUATION" => {
                let block = block(lines, &mut at);
                frame(&mut out, 9, if line.ends_with(" end-headers") { 4 } else { 0 }, number(1), &block);
            }
            "DATA" => {
                let text = line.splitn(if end { 4 } else { 3 }, ' ').last().unwrap_or_default();
                frame(&mut out, 0, u8::from(end), number(1), &unescape(text));
            }
            "RST" => frame(&mut out, 3, 0, number(1), &8_u32.to_be_bytes()),
            "FRAME" => {
                let text = line.splitn(5, ' ').nth(4).unwrap_or_default();
                frame(&mut out, number(1) as u8, number(2) as u8, number(3), &unescape(text));
            }
            "FLOOD" => {
                let payload = unescape(words.get(5).copied().unwrap_or_default());
                for _ in 0..number(4) {
                    frame(&mut out, number(1) as u8, number(2) as u8, number(3), &payload);
                }
            }
            "RAPID" => {
                let mut headers = Vec::new();
                for (name, value) in [(":method", "GET"), (":scheme", "http"), (":path", "/a"), (":authority", "h")] {
                    literal(&mut headers, name.as_bytes(), value.as_bytes());
                }
                for stream in 0..number(1) {
                    frame(&mut out, 1, 5, stream * 2 + 1, &headers);
                    frame(&mut out, 3, 0, stream * 2 + 1, &8_u32.to_be_bytes());
                }
            }
            other => panic!("{other} is no frame"),
        }
    }
    out
}

/// The header lines from `at` on, as a block in which nothing is indexed or compressed.
fn block(lines: &[String], at: &mut usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = lines.get(*at) {
        let Some((name, value)) = header(line) else { break };
        literal(&mut out, &unescape(name), &unescape(value));
        *at += 1;
    }
    out
}

fn header(line: &str) -> Option<(&str, &str)> {
    const FRAMES: [&str; 7] = ["HEADERS ", "CONTINUATION ", "DATA ", "RST ", "FRAME ", "FLOOD ", "RAPID "];
    if FRAMES.iter().any(|frame| line.starts_with(frame)) {
        return None;
    }
    line.split_once(": ")
}

fn literal(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.push(0);
    for text in [name, value] {
        match text.len() {
            short @ ..127 => out.push(short as u8),
            long => {
                out.push(127);
                let mut left = long - 127;
                while left >= 128 {
                    out.push((left % 128) as u8 | 128);
                    left /= 128;
                }
                out.push(left as u8);
            }
        }
        out.extend_from_slice(text);
    }
}

/// Appends a frame.
pub fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}
