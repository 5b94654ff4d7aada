//! `serin version`.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::failure::Outcome;
use crate::out;

/// Flags of `serin version`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How to print it
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    Json,
}

/// The version of this binary.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(options: &Options) -> Outcome {
    match options.output {
        Some(Format::Json) => {
            let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
            out::line(json!({ "version": VERSION, "platform": platform }).to_string());
        }
        None => out::line(format!("serin {VERSION}")),
    }
    Ok(())
}
