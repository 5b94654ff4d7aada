//! `serin demo`: two teams' rollouts side by side, each step explained and checked.

use clap::Args;

use crate::failure::{Failure, Outcome};

/// Flags of `serin demo`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Leave everything running at the end
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(_options: &Options) -> Outcome {
    Err(Failure::new("the demo is not there yet"))
}
