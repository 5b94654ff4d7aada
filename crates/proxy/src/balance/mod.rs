//! Load balancing: which endpoint gets the next request.

mod destination;
mod sequence;

pub(crate) use destination::{ActiveRequest, Candidate, Destination, EndpointState, ResolvedEndpoint};
