//! The data plane: serves traffic from a compiled [`ProxySpec`](serin_api::proxy::ProxySpec).
//!
//! A [`DataPlane`] runs one worker thread per core. Each has a runtime, listening sockets, connections to upstreams and
//! counters of its own, so that requests share nothing but the configuration, which is handed to the workers whole. A
//! new configuration changes what the next request on a connection is matched against, and touches no connection.
//!
//! ```no_run
//! # fn spec() -> std::sync::Arc<serin_api::proxy::ProxySpec> { Default::default() }
//! use serin_proxy::{DataPlane, DataPlaneOptions};
//!
//! let data_plane = DataPlane::start(DataPlaneOptions::default())?;
//! data_plane.apply(spec())?;
//! for listener in data_plane.listeners() {
//!     tracing::info!("{} is served on {}", listener.name, listener.address);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access_log;
mod action;
mod balance;
mod compile;
mod cookie;
mod data_plane;
mod destinations;
mod dial;
mod error;
mod forward;
mod front;
mod health;
pub mod http1;
mod known;
mod limits;
mod listener;
mod metrics;
mod options;
mod policy;
mod resolve;
pub mod router;
mod substitution;
mod tls;
mod worker;

pub use data_plane::{BoundListener, DataPlane};
pub use error::{ApplyError, CompileError, ListenerError, RouteError, StartError};
pub use forward::{HostError, authority};
pub use front::{ResolvedPath, resolve_path};
pub use health::{BadEndpoint, UnresolvedHost, UpstreamHealth, has_all, says_serving};
pub use limits::Limits;
pub use options::DataPlaneOptions;
pub use tls::{Credential, CredentialError, CredentialMap, Pem};
