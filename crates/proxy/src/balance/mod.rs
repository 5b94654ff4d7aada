//! Load balancing: which endpoint gets the next request.

mod destination;
mod maglev;
mod placement;
mod retry_budget;
mod ring;
mod sequence;

pub(crate) use destination::{ActiveRequest, Aim, Candidate, Destination, EndpointState, ResolvedEndpoint};
pub(crate) use retry_budget::{RetryBudget, RetryPermit};
