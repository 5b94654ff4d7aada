//! A real Envoy to hold Serin against: found, started with a bootstrap, asked where it listens, and ended.
//!
//! Tests begin with [`program_or_skip`], so that on a machine without an Envoy they say so aloud instead of passing
//! unnoticed; where `CI` is `true` they fail. An [`Envoy`] lives in a folder of its own, picks the ports that its
//! bootstrap leaves open (port 0), and ends when it is dropped. It is no part of the product: the Envoy of
//! `serin up --envoy` is kept running by `serin` itself.

mod admin;
mod process;
mod program;

pub use process::Envoy;
pub use program::{program, program_or_skip};
