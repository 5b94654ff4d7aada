//! Load balancing: which endpoint gets the next request.

mod destination;
mod retry_budget;
mod sequence;

pub(crate) use destination::{ActiveRequest, Candidate, Destination, EndpointState, ResolvedEndpoint};
pub(crate) use retry_budget::{RetryBudget, RetryPermit};
