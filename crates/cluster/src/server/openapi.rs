//! OpenAPI documents: what clients read to explain kinds and to learn which parameters the server knows.

use axum::body::Body;
use http::Response;
use serde_json::{Map, Value, json};

use super::respond;
use crate::registry::Served;
use crate::rest::ApiError;

/// `/openapi/v3`: a document for each group version.
pub(super) fn index(served: &Served) -> Response<Body> {
    let mut paths = Map::new();
    for resource in served.iter() {
        let path = root(&resource.group, &resource.version);
        paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}")}));
    }
    respond::json(200, json!({"paths": paths}).to_string())
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// The document of one group version.
pub(super) fn document(served: &Served, group: &str, version: &str) -> Result<Response<Body>, ApiError> {
    if !served.has_version(group, version) {
        return Err(ApiError::no_such_path());
    }
    let mut paths = Map::new();
    for resource in served.iter().filter(|r| &*r.group == group && &*r.version == version) {
        let namespace = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let path = format!("/{}{namespace}/{}/{{name}}", root(group, version), resource.plural);
        let kind = json!({"group": group, "version": version, "kind": &*resource.kind});
        let parameters: Vec<_> = ["dryRun", "fieldManager", "fieldValidation", "force"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
        let patch = json!({"parameters": parameters, "x-kubernetes-group-version-kind": kind, "responses": {}});
        paths.insert(path, json!({"patch": patch}));
    }
    let document: Value = json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1"}, "paths": paths, "components": {"schemas": {}}});
    Ok(respond::json(200, document.to_string()))
}
