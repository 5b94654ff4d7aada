//! The verbs of `serin`.
#![allow(clippy::print_stdout)]
fn main() {
    println!("serin");
}
