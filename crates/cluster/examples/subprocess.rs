//! Stands in for the `serin` binary in this crate's tests: the hidden subcommands, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    serin_cluster::subprocess::dispatch(std::env::args_os().skip(1)).unwrap_or(ExitCode::FAILURE)
}
