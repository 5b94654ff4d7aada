//! Load balancing: which endpoint gets the next request.

mod breakers;
mod destination;
mod maglev;
mod placement;
mod retry_budget;
mod ring;
mod sequence;
mod warm_up;

pub(crate) use breakers::{Breakers, ClusterLoad, Overflow, Slot};
pub(crate) use destination::{ActiveRequest, Aim, Candidate, Destination, EndpointState, ResolvedEndpoint};
pub(crate) use retry_budget::RetryPermit;
