//! `serin`: an API gateway that speaks Gloo's routing API, and a small cluster to try it in.
//!
//! This crate is the verbs and nothing else: it reads flags, calls the crates that do the work, and prints.

mod arguments;
mod check;
mod completion;
mod demo;
mod down;
mod envoy;
mod failure;
mod gateway;
mod helm;
mod home;
mod http_client;
mod invocation;
mod kubectl;
mod out;
mod proxy;
mod runtime;
mod status;
mod target;
mod tls;
mod up;
mod version;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Verb};
use crate::failure::Outcome;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(status) = invocation::hidden(&words) {
        return status;
    }
    let arguments = match Arguments::try_parse_from(invocation::translate(words)) {
        Ok(arguments) => arguments,
        Err(error) => return invocation::explain(&error),
    };
    match run(arguments.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.render(),
    }
}

fn run(verb: Verb) -> Outcome {
    match verb {
        Verb::Up(options) => up::run(options),
        Verb::Down(options) => down::run(&options),
        Verb::Status(options) => status::run(&options),
        Verb::Kubeconfig => status::kubeconfig(),
        Verb::Demo(options) => demo::run(&options),
        Verb::Check(options) => check::run(options),
        Verb::Proxy(options) => proxy::run(options),
        Verb::Kubectl(options) => kubectl::run(*options),
        Verb::Helm(_) => helm::run(),
        Verb::Gateway(options) => gateway::run(options),
        Verb::Version(options) => version::run(&options),
        Verb::Completion(options) => completion::run(&options),
    }
}
