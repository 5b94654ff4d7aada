//! The HTTP side of the API: who may ask, what is asked, and how it is answered.

mod body;
mod discovery;
mod gate;
mod in_process;
mod listener;
mod negotiate;
mod openapi;
pub mod protobuf;
mod request;
mod respond;
mod table;
mod verbs;

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};

pub use in_process::in_process_client;
pub use listener::{Listener, serve};
pub use request::{Query, Route, Target, route};
pub use table::JsonPath;

use crate::logs::LogSource;
use crate::rest::{Api, ApiError};

/// What every request handler needs.
pub struct Server {
    /// Objects and kinds.
    pub api: Arc<Api>,
    /// Who reads the logs of pods.
    pub logs: Arc<dyn LogSource>,
    /// Where the server listens.
    pub address: std::net::SocketAddr,
    /// Ends watches when the server stops.
    pub stopping: tokio_util::sync::CancellationToken,
}

/// Answers one request of an authenticated client (or of none).
pub async fn answer(server: Arc<Server>, authenticated: bool, request: Request<Body>) -> Response<Body> {
    if let Err(error) = gate::admit(server.address, authenticated, &request) {
        return respond::error(&error);
    }
    dispatch(&server, request).await.unwrap_or_else(|error| respond::error(&error))
}

async fn dispatch(server: &Arc<Server>, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    match route(request.uri().path()) {
        Route::Objects(target) => verbs::handle(server, target, request).await,
        Route::Other => discovery::handle(server, &request),
    }
}
