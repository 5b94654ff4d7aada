//! Load balancing: which endpoint gets the next request.

mod destination;
mod health;
mod maglev;
mod placement;
mod retry_budget;
mod ring;
mod sequence;

pub(crate) use destination::{ActiveRequest, Aim, Candidate, Destination, EndpointState, ResolvedEndpoint};
#[cfg(test)]
pub(crate) use health::Mark;
pub(crate) use health::PANIC_PERCENT;
pub(crate) use retry_budget::{RetryBudget, RetryPermit};
