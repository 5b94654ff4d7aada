//! A client of the API in the same process: what it asks goes through the server as any request does, but over no network.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use http::header::HOST;
use http::{HeaderValue, Request};
use kube::Client;

use super::{Server, answer};

/// A client with the administrator's rights.
pub fn in_process_client(server: Arc<Server>) -> Client {
    let host = HeaderValue::from_str(&server.address.to_string()).ok();
    let service = tower::service_fn(move |mut request: Request<kube::client::Body>| {
        let server = server.clone();
        if let Some(host) = &host {
            request.headers_mut().insert(HOST, host.clone());
        }
        async move { Ok::<_, Infallible>(answer(server, true, request.map(Body::new)).await) }
    });
    Client::new(service, "default")
}
