//! The project's own chores: `cargo xtask bench` measures Serin beside other proxies, `cargo xtask differential` compares
//! what it does with what Envoy does, `cargo xtask fields` writes the page that lists every field of the API.

mod bench;
mod differential;
mod fields;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Puts Serin, nginx, HAProxy and Envoy before the same upstream with the same routes and measures what each costs
    Bench(bench::BenchOptions),
    /// Gives Serin's data plane and an Envoy the same configurations and requests, and shows where they differ
    Differential(differential::DifferentialOptions),
    /// Writes docs/fields.md: every field of every kind, and what becomes of it in Serin and in Envoy
    Fields,
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn std::error::Error>> = match Arguments::parse().task {
        Task::Bench(options) => bench::run(&options).map_err(Into::into),
        Task::Differential(options) => differential::run(&options).map_err(Into::into),
        Task::Fields => fields::run().map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&*error);
            ExitCode::FAILURE
        }
    }
}

/// An error and what caused it, on one line.
fn report_error(error: &dyn std::error::Error) {
    use std::io::Write;

    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    // Nobody is left to tell when the terminal itself is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
