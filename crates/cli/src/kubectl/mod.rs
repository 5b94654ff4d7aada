//! `serin kubectl`: kubectl's verbs over the same client as everything else, for a machine without kubectl.

mod apply;
mod create;
mod delete;
mod duration;
mod get;
mod jsonpath;
mod logs;
mod manifest;
mod merge;
mod patch;
mod print;
mod resource;
mod rollout;
mod scale;
mod secret;
mod session;
mod table;
mod wait;
mod watch;

use clap::{Args, Subcommand};

use crate::failure::Outcome;
use crate::kubectl::session::Session;
use crate::runtime;
use crate::target::Target;

/// Flags of every verb, and the verb.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "Flags and output are kubectl's. Which cluster is meant: --kubeconfig or --context, then $KUBECONFIG, then \
                  the running `serin up`.\n\nCalled through a link named kubectl, serin behaves as `serin kubectl`."
)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// The namespace
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

/// What can be done.
#[derive(Subcommand, Debug)]
enum Verb {
    /// Create or change resources as manifests say
    Apply(apply::Options),
    /// Create resources that do not exist yet
    Create(create::Options),
    /// Show resources
    Get(get::Options),
    /// Delete resources
    Delete(delete::Options),
    /// Change fields of a resource
    Patch(patch::Options),
    /// Wait for something to become true
    Wait(wait::Options),
    /// Print the logs of a container
    Logs(logs::Options),
    /// Follow or repeat a rollout
    Rollout(rollout::Options),
    /// Change the number of replicas
    Scale(scale::Options),
}

pub(crate) fn run(options: Options) -> Outcome {
    runtime::client(async {
        let session = Session::open(&options.target, options.namespace).await?;
        match options.verb {
            Verb::Apply(verb) => apply::run(&session, &verb).await,
            Verb::Create(verb) => create::run(&session, &verb).await,
            Verb::Get(verb) => get::run(&session, &verb).await,
            Verb::Delete(verb) => delete::run(&session, &verb).await,
            Verb::Patch(verb) => patch::run(&session, &verb).await,
            Verb::Wait(verb) => wait::run(&session, &verb).await,
            Verb::Logs(verb) => logs::run(&session, &verb).await,
            Verb::Rollout(verb) => rollout::run(&session, &verb).await,
            Verb::Scale(verb) => scale::run(&session, &verb).await,
        }
    })
}
