//! Numbers as text: reading Go's literals, finding the digits of floating-point numbers.

mod digits;
mod read;

pub(crate) use digits::{Digits, Round, binary, exact, hexadecimal, shortest};
pub(crate) use read::{complex, float, signed, unsigned};
