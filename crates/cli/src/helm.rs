//! `serin helm`, and a link called helm: not there yet, and saying so.

use clap::Args;

use crate::failure::{Failure, Outcome};

/// Whatever helm is asked.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// helm's own words
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

pub(crate) fn run() -> Outcome {
    Err(Failure::new("charts come with a later version of serin")
        .hint("until then use Helm itself, with KUBECONFIG=$(serin kubeconfig)"))
}
