//! What can go wrong when the control plane starts.

use std::net::SocketAddr;

/// Why the control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The admin port could not be bound.
    #[error("the admin port {address} cannot be used")]
    Admin {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The admin port was asked for on an address that other machines reach.
    #[error("the admin port must be on a loopback address, and {0} is none")]
    NotLoopback(SocketAddr),
}
