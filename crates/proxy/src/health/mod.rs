//! Whether endpoints are fit to serve: what they answer is counted, and one judge for the whole process decides. What it
//! decides reaches requests by way of destinations that are made anew, so that a request never asks.

mod board;
mod judge;
mod keeper;
mod mark;
mod metrics;
mod rates;
mod tally;

pub(crate) use board::Board;
pub use board::{BadEndpoint, UpstreamHealth};
pub(crate) use keeper::Keeper;
#[cfg(test)]
pub(crate) use mark::Mark;
pub(crate) use mark::{EndpointHealth, PANIC_PERCENT, in_service};
pub(crate) use tally::{Happened, Tally};
