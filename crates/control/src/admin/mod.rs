//! The admin port: for this machine only, and not for web pages.

mod config;
mod envoys;
mod health;
mod host;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serin_proxy::DataPlane;
use serin_xds::DiscoveryServer;
use tokio::net::TcpListener;

use crate::error::StartError;
use crate::metrics::Metrics;
use crate::state::State;

/// What the handlers read.
pub(crate) struct Admin {
    pub(crate) state: Arc<State>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) data_plane: Arc<DataPlane>,
    /// Who feeds Envoys, if there are to be any.
    pub(crate) envoys: Vec<DiscoveryServer>,
}

/// Binds the admin port. Its address must be a loopback one.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| StartError::Admin { address, source })
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, admin: Admin) {
    let routes = Router::new()
        .route("/", get(index))
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/config", get(config::show))
        .layer(middleware::from_fn(host::refuse_foreign))
        .with_state(Arc::new(admin));
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!("the admin port stopped: {error}");
    }
}

async fn index() -> Html<&'static str> {
    Html(
        "<!doctype html><title>Serin</title><h1>Serin</h1><ul>\
         <li><a href=\"/ready\">/ready</a>: whether everything was read and is served\
         <li><a href=\"/live\">/live</a>: whether the process answers\
         <li><a href=\"/metrics\">/metrics</a>: counters and histograms, for Prometheus\
         <li><a href=\"/config\">/config</a>: what is served, and which generation of what it was made of; which endpoints are not well, and why; which Envoys are connected</ul>",
    )
}

async fn ready(Shared(admin): Shared<Arc<Admin>>) -> Response {
    if *admin.state.sequence().borrow() > 0 {
        return "ready\n".into_response();
    }
    let mut text = String::from("not ready\n");
    for kind in admin.state.awaited().iter() {
        text.push_str(&format!("waiting for the list of {}\n", kind.definition()));
    }
    for (kind, reason) in admin.state.failing() {
        text.push_str(&format!("{} cannot be watched: {reason}\n", kind.definition()));
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn metrics(Shared(admin): Shared<Arc<Admin>>) -> Response {
    let mut text = String::new();
    admin.metrics.write(&mut text);
    admin.data_plane.render_metrics(&mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
