//! The tokio runtime of the verbs that talk to something.

use std::future::Future;

use crate::failure::{Outcome, While};

/// Runs a client's work: one thread is enough.
pub(crate) fn client<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.or_fail(|| "no runtime can be started".to_owned())?.block_on(work)
}

/// Runs a server's work. The data plane has threads of its own; these serve the API, the control plane and the node.
pub(crate) fn server<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("serin")
        .enable_all()
        .build()
        .or_fail(|| "no runtime can be started".to_owned())?;
    let result = runtime.block_on(work);
    // What is left is clean-up that must not hold up the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}
