//! Whether endpoints are fit to serve: what they answer is counted, and one judge for the whole process decides. What it
//! decides reaches requests by way of destinations that are made anew, so that a request never asks.

mod board;
mod course;
mod judge;
mod keeper;
mod mark;
mod metrics;
mod probe;
mod rates;
mod session;
mod tally;

pub(crate) use board::Board;
pub use board::{BadEndpoint, UnresolvedHost, UpstreamHealth};
pub(crate) use keeper::Keeper;
pub(crate) use mark::{EndpointHealth, Mark, PANIC_PERCENT, in_service};
pub use probe::{has_all, says_serving};
pub(crate) use tally::{Happened, Tally};
