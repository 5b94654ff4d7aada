//! What can go wrong outside of a request: at start, and when a configuration is applied.

use std::io;
use std::net::SocketAddr;

use serin_api::ResourceId;

use crate::router::MatcherError;

/// Why a data plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A worker's thread or its runtime could not be created.
    #[error("cannot start a worker of the data plane: {0}")]
    Worker(#[source] io::Error),
}

/// Why a configuration was not applied, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A route cannot be compiled. What was served before is served still.
    #[error(transparent)]
    Route(Box<RouteError>),
    /// Some listeners could not be opened. Everything else was applied; the next `apply` tries these again.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Listeners(Vec<ListenerError>),
}

/// A route that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("{source_id}: route {route} (served for {virtual_host}): {error}")]
pub struct RouteError {
    /// The virtual host it is on.
    pub virtual_host: String,
    /// The route's name.
    pub route: String,
    /// The resource that holds the route.
    pub source_id: ResourceId,
    /// What is wrong with it.
    #[source]
    pub error: CompileError,
}

/// Why a route cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A matcher is at fault.
    #[error("matchers[{index}].{error}")]
    Matcher {
        /// Its place in the route's list.
        index: usize,
        /// What is wrong with it.
        #[source]
        error: MatcherError,
    },
    /// The name of a header to hash.
    #[error("{0:?} is not the name of a header")]
    HashHeader(String),
    /// A status code outside 200 to 599.
    #[error("status {0} is not one a response can have; use 200 to 599")]
    Status(u16),
    /// A rewrite's pattern is not a regular expression we accept.
    #[error("rewrite pattern {pattern:?}: {error}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        error: crate::router::PatternError,
    },
    /// A substitution names a group that the pattern does not have.
    #[error("substitution {substitution:?} names group \\{group}, but the pattern has {groups}")]
    Substitution {
        /// The substitution.
        substitution: String,
        /// The group it names.
        group: usize,
        /// How many groups there are.
        groups: usize,
    },
    /// A redirect's host or path cannot be part of a `location` header.
    #[error("redirect {0:?} cannot be sent in a location header")]
    Location(String),
    /// A name of a header to change, or to take the host from, is not one.
    #[error("{0:?} is not a header name")]
    HeaderName(String),
    /// A value cannot be sent in a header.
    #[error("{0:?} cannot be sent in a header")]
    HeaderValue(String),
    /// The name in `clusterHeader` is not a header name.
    #[error("clusterHeader {0:?} is not a header name")]
    ClusterHeader(String),
    /// The weights of a weighted destination add up to 0.
    #[error("the weights of the destinations add up to 0")]
    NoWeight,
}

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// Somebody else has the port.
    #[error("{source_id}: {address} is taken by another program; free it, or map port {requested} to another one")]
    Taken {
        /// The Gateway.
        source_id: ResourceId,
        /// The address that was to be bound.
        address: SocketAddr,
        /// The port that the Gateway asks for.
        requested: u16,
    },
    /// Two listeners ask for one address.
    #[error("{source_id}: {address} is already that of listener {other}")]
    Conflict {
        /// The Gateway.
        source_id: ResourceId,
        /// The address.
        address: SocketAddr,
        /// The listener that has it.
        other: String,
    },
    /// The system refused.
    #[error("{source_id}: cannot listen on {address}: {error}")]
    Io {
        /// The Gateway.
        source_id: ResourceId,
        /// The address that was to be bound.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}
