//! `serin demo`: two teams roll out side by side on a gateway of their own, each step explained, done and checked.

mod manifests;
mod script;
mod stage;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::runtime;
use crate::up::until_told;

/// Flags of `serin demo`.
#[derive(Args, Debug)]
#[command(
    after_help = "It starts a gateway of its own on free ports, in a directory of its own, and removes both at the end. \
                        Nothing else on this machine is touched. Exits 1 when an answer is not the one expected."
)]
pub(crate) struct Options {
    /// Leave everything running at the end, and say how to go on
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(options: &Options) -> Outcome {
    runtime::client(async {
        let mut stage = stage::Stage::build()?;
        let play = async {
            stage.start().await?;
            script::play(&stage).await
        };
        let played = tokio::select! {
            played = play => played,
            result = until_told() => result.and(Err(interrupted())),
        };
        match played {
            Ok(()) if options.keep => {
                stage.leave_open();
                Ok(())
            }
            played => {
                stage.take_down().await;
                played
            }
        }
    })
}

fn interrupted() -> Failure {
    Failure::new("interrupted; everything that the demo started is stopped and removed")
}
