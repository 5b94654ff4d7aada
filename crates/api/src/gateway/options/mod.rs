//! The options of routes, hosts and destinations that are implemented. A field that is not here is known from the
//! catalogue alone, and is reported on whoever uses it.

mod route;

pub use route::RouteOptions;
