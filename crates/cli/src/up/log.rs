//! Where the running parts write what they have to say: standard error, which --detach points at a file.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. SERIN_LOG chooses what, in the form of RUST_LOG: `SERIN_LOG=serin_control=debug`.
pub(super) fn start(to_file: bool) {
    // The client reports each failed connection once more than those who asked for it do.
    let default = if to_file { "info,kube_client=off" } else { "warn,kube_client=off" };
    let filter = std::env::var("SERIN_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that logging was started before: the demo starts a gateway in its own process.
    let _ = subscriber.with_ansi(std::io::stderr().is_terminal()).try_init();
}
