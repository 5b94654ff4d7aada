//! Metrics: per-worker counters without contention, summed when somebody asks.

mod counters;
mod registry;
mod render;

pub(crate) use counters::WorkerCounters;
pub(crate) use registry::{NO_VERSION, Registry};
pub(crate) use render::render;
