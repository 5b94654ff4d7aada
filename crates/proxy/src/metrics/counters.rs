//! What one worker counts. Only that worker writes; a scrape reads from another thread, so the cells are relaxed
//! atomics that are stored to and never fought over.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the latency histogram, in microseconds.
pub(crate) const BUCKETS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// Names of the classes of status codes, by index.
pub(crate) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Series in one block, which is allocated when the first of them is used.
const BLOCK: usize = 64;

/// A counter that one thread writes.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owning worker may call it.
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Ordering::Relaxed);
    }

    /// Takes `n` away. Only the owning worker may call it.
    pub(crate) fn sub(&self, n: u64) {
        self.0.store(self.get().wrapping_sub(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one label set. What a quick, successful request changes lies on two lines of the cache.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct SeriesCounters {
    pub(crate) sum_micros: Counter,
    pub(crate) classes: [Counter; CLASSES.len()],
    /// Observations by bucket, not cumulative; the last is for everything longer.
    pub(crate) buckets: [Counter; BUCKETS.len() + 1],
}

/// Everything one worker counts.
#[derive(Debug)]
pub(crate) struct WorkerCounters {
    blocks: Box<[OnceLock<Box<[SeriesCounters; BLOCK]>>]>,
    pub(crate) connections: Counter,
    pub(crate) connections_total: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) tls_handshake_failures: Counter,
    pub(crate) upstream_connections_total: Counter,
    pub(crate) upstream_connect_failures: Counter,
    pub(crate) upstream_retries: Counter,
    pub(crate) upstream_retries_refused: Counter,
    pub(crate) upstream_overflows: Counter,
    pub(crate) upstream_timeouts: Counter,
    pub(crate) shadows_sent: Counter,
    pub(crate) shadows_dropped: Counter,
    pub(crate) access_log_dropped: Counter,
    pub(crate) panics: Counter,
}

impl WorkerCounters {
    /// Counters for `series` label sets at most.
    pub(crate) fn new(series: usize) -> Self {
        Self {
            blocks: (0..series.div_ceil(BLOCK).max(1)).map(|_| OnceLock::new()).collect(),
            connections: Counter::default(),
            connections_total: Counter::default(),
            connections_refused: Counter::default(),
            tls_handshake_failures: Counter::default(),
            upstream_connections_total: Counter::default(),
            upstream_connect_failures: Counter::default(),
            upstream_retries: Counter::default(),
            upstream_retries_refused: Counter::default(),
            upstream_overflows: Counter::default(),
            upstream_timeouts: Counter::default(),
            shadows_sent: Counter::default(),
            shadows_dropped: Counter::default(),
            access_log_dropped: Counter::default(),
            panics: Counter::default(),
        }
    }

    /// Counts a finished request.
    pub(crate) fn observe(&self, series: u32, status: u16, took: Duration) {
        let series = series as usize;
        let Some(block) = self.blocks.get(series / BLOCK) else { return };
        let counters =
            &block.get_or_init(|| Box::new(std::array::from_fn(|_| SeriesCounters::default())))[series % BLOCK];
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counters.classes[usize::from(status / 100).min(CLASSES.len() - 1)].add(1);
        counters.buckets[BUCKETS.partition_point(|bound| *bound < micros)].add(1);
        counters.sum_micros.add(micros);
    }

    /// The counters of a label set, if it was ever counted.
    pub(crate) fn series(&self, series: u32) -> Option<&SeriesCounters> {
        let series = series as usize;
        self.blocks.get(series / BLOCK)?.get().map(|block| &block[series % BLOCK])
    }
}
