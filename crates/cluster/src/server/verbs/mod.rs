//! The verbs: from a request about objects to its answer.

mod delete;
mod get;
mod list;
mod log;
mod review;
mod selection;
mod watch;
mod write;

pub(super) use list::ListMeta;

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, Response};

use super::negotiate::accepted;
use super::request::{Query, Target};
use super::{Server, respond};
use crate::registry::Resource;
use crate::rest::ApiError;

/// A request whose kind is known.
pub(in crate::server) struct Call {
    pub(in crate::server) server: Arc<Server>,
    pub(in crate::server) resource: Arc<Resource>,
    /// Empty for cluster scope; `None` for all namespaces.
    pub(in crate::server) namespace: Option<String>,
    pub(in crate::server) query: Query,
}

impl Call {
    /// The namespace as a key has it.
    fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

/// Answers a request about objects.
pub(super) async fn handle(
    server: &Arc<Server>,
    target: Target,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let served = server.api.registry.served();
    let resource = served.find(&target.group, &target.version, &target.plural).ok_or_else(ApiError::no_such_path)?;
    let Target { namespace, name, subresource, watch, .. } = target;
    if namespace.is_some() && !resource.namespaced {
        return Err(ApiError::no_such_path());
    }
    let namespace = if resource.namespaced { namespace } else { Some(String::new()) };
    if name.is_some() && namespace.is_none() {
        return Err(ApiError::no_such_path());
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let deprecation = resource.custom().and_then(|custom| custom.deprecation.clone());
    let call = Call { server: server.clone(), resource, namespace, query };
    let mut response = match name {
        None => collection(call, watch, request).await,
        Some(name) => match subresource.as_deref() {
            None => object(call, &name, watch, request).await,
            Some(subresource) => self::subresource(call, &name, subresource, request).await,
        },
    }?;
    if let Some(deprecation) = deprecation {
        respond::warn(&mut response, &[deprecation.into()]);
    }
    Ok(response)
}

async fn collection(call: Call, watch: bool, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    if !call.resource.stored() {
        return match *request.method() {
            Method::POST => review::create(&call, request).await,
            _ => Err(ApiError::method_not_allowed()),
        };
    }
    match *request.method() {
        Method::GET if watch || call.query.flag("watch") => {
            watch::start(call, None, accepted(request.headers())?).await
        }
        Method::GET => list::list(&call, accepted(request.headers())?).await,
        Method::POST if call.namespace.is_some() => write::create(&call, request).await,
        Method::DELETE if call.namespace.is_some() => delete::collection(&call, request).await,
        _ => Err(ApiError::method_not_allowed()),
    }
}

async fn object(call: Call, name: &str, watch: bool, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    if !call.resource.stored() {
        return Err(ApiError::no_such_path());
    }
    match *request.method() {
        Method::GET if watch || call.query.flag("watch") => {
            watch::start(call, Some(name), accepted(request.headers())?).await
        }
        Method::GET => get::get(&call, name, accepted(request.headers())?),
        Method::PUT => write::replace(&call, name, None, request).await,
        Method::PATCH => write::patch(&call, name, None, request).await,
        Method::DELETE => delete::one(&call, name, request).await,
        _ => Err(ApiError::method_not_allowed()),
    }
}

async fn subresource(
    call: Call,
    name: &str,
    subresource: &str,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let resource = &call.resource;
    match (subresource, request.method()) {
        ("status", &Method::GET) if resource.status => get::get(&call, name, accepted(request.headers())?),
        ("status", &Method::PUT) if resource.status => write::replace(&call, name, Some("status"), request).await,
        ("status", &Method::PATCH) if resource.status => write::patch(&call, name, Some("status"), request).await,
        ("finalize", &Method::PUT) if &*resource.storage == "/namespaces" => {
            write::replace(&call, name, Some("finalize"), request).await
        }
        ("scale", &Method::GET) if resource.scale.is_some() => get::scale(&call, name),
        ("scale", &Method::PUT | &Method::PATCH) if resource.scale.is_some() => {
            write::scale(&call, name, request).await
        }
        ("log", &Method::GET) if &*resource.storage == "/pods" => log::log(&call, name).await,
        ("status", _) if resource.status => Err(ApiError::method_not_allowed()),
        ("scale", _) if resource.scale.is_some() => Err(ApiError::method_not_allowed()),
        _ => Err(ApiError::no_such_path()),
    }
}
