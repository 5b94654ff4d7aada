//! Reviews: questions about who one is and what one may do. The one credential there is may do everything.

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Call;
use crate::rest::ApiError;
use crate::server::{body, respond};

pub(super) async fn create(call: &Call, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let (headers, bytes) = body::read(request).await?;
    let mut review = body::object(&headers, &bytes)?;
    review["kind"] = Value::from(&*call.resource.kind);
    review["apiVersion"] = call.resource.api_version().into();
    let me = json!({"username": "serin-admin", "groups": ["system:masters", "system:authenticated"]});
    review["status"] = match &*call.resource.kind {
        "SelfSubjectReview" => json!({"userInfo": me}),
        "SelfSubjectRulesReview" => json!({
            "incomplete": false,
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }),
        "TokenReview" => json!({"authenticated": false, "user": {}, "error": "this server issues no tokens"}),
        _ => json!({"allowed": true, "reason": "this credential may do everything"}),
    };
    Ok(respond::json(201, review.to_string()))
}
