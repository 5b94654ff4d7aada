//! Base 64, base 32 and checksums.

use std::fmt::Write as _;

use sha2::{Digest, Sha256, Sha512};

use super::{STR, function, text};
use crate::Function;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("b64enc", &[STR], STR, |args| Ok(BASE64.encode(text(args, 0)).into())),
        function("b64dec", &[STR], STR, |args| Ok(BASE64.decode(text(args, 0)).into())),
        function("b32enc", &[STR], STR, |args| Ok(BASE32.encode(text(args, 0)).into())),
        function("b32dec", &[STR], STR, |args| Ok(BASE32.decode(text(args, 0)).into())),
        function("sha256sum", &[STR], STR, |args| Ok(hexadecimal(&Sha256::digest(text(args, 0))).into())),
        function("sha512sum", &[STR], STR, |args| Ok(hexadecimal(&Sha512::digest(text(args, 0))).into())),
        function("adler32sum", &[STR], STR, |args| Ok(adler32(text(args, 0)).to_string().into())),
    ]
}

/// Bytes in base 64.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    BASE64.encode(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % PRIME;
        (low, (high + low) % PRIME)
    });
    high << 16 | low
}

/// A way of writing bytes as letters.
struct Alphabet {
    name: &'static str,
    letters: &'static [u8],
    /// How many bits a letter stands for.
    bits: usize,
    /// How many letters are written together, the last of them `=` where there is nothing left.
    group: usize,
}

const BASE64: Alphabet = Alphabet {
    name: "base64",
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
};

const BASE32: Alphabet = Alphabet { name: "base32", letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 8 };

impl Alphabet {
    fn encode(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() * 8 / self.bits + self.group);
        for chunk in bytes.chunks(self.bits * self.group / 8) {
            let joined = chunk.iter().fold(0u64, |joined, byte| joined << 8 | u64::from(*byte));
            let used = (chunk.len() * 8).div_ceil(self.bits);
            // The bits of a chunk that is not full stand before zeros.
            let joined = joined << (used * self.bits - chunk.len() * 8);
            for at in (0..used).rev() {
                out.push(self.letters[(joined >> (at * self.bits)) as usize & (self.letters.len() - 1)]);
            }
            out.extend(std::iter::repeat_n(b'=', self.group - used));
        }
        out
    }

    /// The bytes, or the text of Go's error: that is what Sprig gives.
    fn decode(&self, text: &[u8]) -> Vec<u8> {
        self.read(text).unwrap_or_else(|at| format!("illegal {} data at input byte {at}", self.name).into_bytes())
    }

    /// The bytes, or where the text goes wrong. Line ends do not count.
    fn read(&self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let mut out = Vec::with_capacity(text.len() * self.bits / 8);
        let mut letters = text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
        loop {
            let (mut joined, mut used) = (0u64, 0);
            while used < self.group {
                let Some((at, letter)) = letters.next() else {
                    // Text that ends within a group goes wrong where the group began.
                    return if used == 0 { Ok(out) } else { Err(text.len() - used) };
                };
                if letter == b'=' {
                    self.padding(&mut letters, at, used, text.len())?;
                    let whole = used * self.bits / 8;
                    joined >>= used * self.bits - whole * 8;
                    out.extend_from_slice(&joined.to_be_bytes()[8 - whole..]);
                    return Ok(out);
                }
                let value = self.letters.iter().position(|other| *other == letter).ok_or(at)?;
                joined = joined << self.bits | value as u64;
                used += 1;
            }
            out.extend_from_slice(&joined.to_be_bytes()[8 - self.bits * self.group / 8..]);
        }
    }

    /// Makes sure that what follows the first `=` fills the group.
    fn padding(
        &self,
        letters: &mut impl Iterator<Item = (usize, u8)>,
        at: usize,
        used: usize,
        length: usize,
    ) -> Result<(), usize> {
        // So many letters make no whole byte, or more than those before.
        if used * self.bits % 8 >= self.bits || used < 2 {
            return Err(at);
        }
        for _ in used + 1..self.group {
            match letters.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return Err(at - 1),
                None => return Err(length),
            }
        }
        // For base 32, Go does not look at what follows.
        letters.next().filter(|_| self.group == BASE64.group).map_or(Ok(()), |(at, _)| Err(at))
    }
}
