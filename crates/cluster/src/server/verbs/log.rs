//! `pods/log`: what a container printed.

use axum::body::Body;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::Call;
use crate::logs::{LogError, LogQuery};
use crate::rest::ApiError;

pub(super) async fn log(call: &Call, name: &str) -> Result<Response<Body>, ApiError> {
    let pod = call.server.api.get(&call.resource, call.namespace(), name)?.value();
    let names = |field: &str| -> Vec<String> {
        let containers = pod["spec"][field].as_array().into_iter().flatten();
        containers.filter_map(|c| c["name"].as_str()).map(str::to_owned).collect()
    };
    let (containers, init) = (names("containers"), names("initContainers"));
    let query = &call.query;
    let container = match query.get("container") {
        Some(wanted) if containers.iter().chain(&init).any(|name| name == wanted) => wanted.to_owned(),
        Some(wanted) => {
            return Err(ApiError::bad_request(format!("container {wanted} is not valid for pod {name}")));
        }
        None if containers.len() == 1 => containers[0].clone(),
        None => {
            let choices = if init.is_empty() {
                format!("choose one of: [{}]", containers.join(" "))
            } else {
                format!("choose one of: [{}] or one of the init containers: [{}]", containers.join(" "), init.join(" "))
            };
            return Err(ApiError::bad_request(format!("a container name must be specified for pod {name}, {choices}")));
        }
    };
    let query = LogQuery {
        namespace: call.namespace().to_owned(),
        pod: name.to_owned(),
        uid: pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        container,
        follow: query.flag("follow"),
        previous: query.flag("previous"),
        timestamps: query.flag("timestamps"),
        tail_lines: query.number("tailLines")?,
        since_seconds: query.number("sinceSeconds")?,
        since_time: query.get("sinceTime").map(str::to_owned),
        limit_bytes: query.number("limitBytes")?,
    };
    let stream = call.server.logs.open(query).await.map_err(|error| match error {
        LogError::NotThere(message) => ApiError::bad_request(message),
        LogError::Failed(message) => ApiError::internal(message),
    })?;
    let stopping = call.server.stopping.clone().cancelled_owned();
    let mut response = Response::new(Body::from_stream(futures::StreamExt::take_until(stream, stopping)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}
