//! Several things done at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::DifferentialError;

/// Does `work` for each number below `count`, so many `at_a_time`.
///
/// # Errors
/// The first that comes of it.
pub(crate) fn each(
    count: usize,
    at_a_time: usize,
    work: impl Fn(usize) -> Result<(), DifferentialError> + Sync,
) -> Result<(), DifferentialError> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<(), DifferentialError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            work(number)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
