//! The command line: verbs, and where the flags of each are defined.

use clap::{Parser, Subcommand};

/// An API gateway that speaks Gloo's routing API
#[derive(Parser, Debug)]
#[command(
    name = "serin",
    version,
    about,
    long_about = "An API gateway that speaks Gloo's routing API, and everything a team needs to roll a new version \
                  out through it: first to requests that carry a header, then by weight.",
    after_help = "Begin with `serin demo`, or:\n  \
                  serin up --detach\n  \
                  export KUBECONFIG=$(serin kubeconfig)\n  \
                  kubectl apply -f app.yaml          # or: serin kubectl apply -f app.yaml\n  \
                  curl $(serin proxy url)/\n  \
                  serin check",
    arg_required_else_help = true,
    propagate_version = false,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What can be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Start the gateway, and a small Kubernetes-style API beside it
    Up(crate::up::Options),
    /// Stop the gateway that `serin up` started
    Down(crate::down::Options),
    /// Show whether the gateway runs, and where it listens
    Status(crate::status::Options),
    /// Print the path of the kubeconfig of the running gateway
    #[command(after_help = "Example:\n  export KUBECONFIG=$(serin kubeconfig)")]
    Kubeconfig,
    /// Play two teams' rollouts side by side, each step explained
    Demo(crate::demo::Options),
    /// Check the health of the gateway and of its configuration
    Check(crate::check::Options),
    /// Show where the gateway listens, and what it serves
    Proxy(crate::proxy::Options),
    /// kubectl's verbs, for a machine without kubectl
    Kubectl(Box<crate::kubectl::Options>),
    /// Charts and releases; they come with a later version
    #[command(hide = true)]
    Helm(crate::helm::Options),
    /// Run the gateway alone, for a cluster that exists already
    Gateway(crate::gateway::Options),
    /// Print the version
    Version(crate::version::Options),
    /// Print a completion script for a shell
    Completion(crate::completion::Options),
}
