//! Reading collections, whole or page by page.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Call;
use super::selection::Selection;
use crate::registry;
use crate::rest::ApiError;
use crate::server::negotiate::{Accepted, Form};
use crate::server::{respond, table};
use crate::store::{Listing, Object};

/// How long to wait for a revision that is not there yet.
const FUTURE: Duration = Duration::from_secs(3);

/// Where the next page begins: after this object, as things stood at this revision.
#[derive(Serialize, Deserialize)]
struct Continue {
    rv: u64,
    namespace: String,
    name: String,
}

impl Continue {
    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn parse(token: &str) -> Result<Continue, ApiError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| ApiError::bad_request("continue key is not valid: it was not made by this server"))
    }
}

/// What a page says about itself.
pub(in crate::server) struct ListMeta {
    pub(in crate::server) revision: u64,
    pub(in crate::server) next: Option<String>,
    pub(in crate::server) remaining: Option<usize>,
}

impl ListMeta {
    pub(in crate::server) fn value(&self) -> serde_json::Value {
        let mut meta = json!({"resourceVersion": self.revision.to_string()});
        if let Some(next) = &self.next {
            meta["continue"] = next.as_str().into();
        }
        if let Some(remaining) = self.remaining {
            meta["remainingItemCount"] = remaining.into();
        }
        meta
    }
}

pub(super) async fn list(call: &Call, accepted: Accepted) -> Result<Response<Body>, ApiError> {
    let selection = Selection::new(&call.resource, call.namespace.as_deref(), None, &call.query)?;
    let limit: usize = call.query.number("limit")?.unwrap_or(0);
    let (mut listing, after) = read(call, &selection).await?;
    if let Some(after) = &after {
        listing.objects.retain(|o| (&*o.namespace, &*o.name) > (after.namespace.as_str(), after.name.as_str()));
    }
    let mut objects: Vec<Arc<Object>> = Vec::new();
    let mut meta = ListMeta { revision: listing.revision, next: None, remaining: None };
    for (i, object) in listing.objects.iter().enumerate() {
        if !selection.matches(object) {
            continue;
        }
        if limit > 0 && objects.len() == limit {
            if let Some(last) = objects.last() {
                let (namespace, name) = (last.namespace.to_string(), last.name.to_string());
                meta.next = Some(Continue { rv: listing.revision, namespace, name }.token());
            }
            // As kube-apiserver: the count is not known without looking when there are selectors.
            meta.remaining = (!selection.selects()).then(|| listing.objects.len() - i);
            break;
        }
        objects.push(object.clone());
    }
    let body = match accepted.form {
        Form::Object => items(call, &meta, &objects),
        Form::Table => table::table(call, &meta, &objects).into(),
        Form::Metadata => table::metadata_list(&meta, &objects).into(),
    };
    Ok(respond::encoded(200, accepted.encoding, body))
}

/// The candidates, as of the revision that was asked for, and where to go on.
async fn read(call: &Call, selection: &Selection) -> Result<(Listing, Option<Continue>), ApiError> {
    let store = &call.server.api.store;
    let (resource, namespace) = (&*call.resource.storage, selection.namespace.as_deref());
    let version: Option<u64> = call.query.number("resourceVersion")?;
    let how = call.query.get("resourceVersionMatch");
    if let Some(token) = call.query.get("continue") {
        if how.is_some() {
            return Err(ApiError::bad_request("resourceVersionMatch is forbidden when continue is provided"));
        }
        let after = Continue::parse(token)?;
        let listing = store.list_at(resource, namespace, after.rv).map_err(|_| {
            let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
            ApiError::new(410, "Expired", message)
        })?;
        return Ok((listing, Some(after)));
    }
    match (version, how) {
        (None, Some(_)) => {
            return Err(ApiError::bad_request("resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        (Some(_), Some(how)) if !matches!(how, "Exact" | "NotOlderThan") => {
            return Err(ApiError::bad_request(format!("resourceVersionMatch: Unsupported value: \"{how}\"")));
        }
        (Some(version), how) if version > 0 => {
            wait_for(call, version).await?;
            if how == Some("Exact") {
                return Ok((store.list_at(resource, namespace, version)?, None));
            }
        }
        (Some(0), Some("Exact")) => {
            return Err(ApiError::bad_request("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""));
        }
        _ => {}
    }
    Ok((store.list(resource, namespace), None))
}

/// Waits a little for a revision in the future.
pub(super) async fn wait_for(call: &Call, version: u64) -> Result<(), ApiError> {
    let store = &call.server.api.store;
    let deadline = tokio::time::Instant::now() + FUTURE;
    while store.revision() < version {
        if tokio::time::Instant::now() > deadline {
            return Err(ApiError::too_large_version(version, store.revision()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A list of objects; their JSON is copied as it is stored.
fn items(call: &Call, meta: &ListMeta, objects: &[Arc<Object>]) -> Bytes {
    let resource = &call.resource;
    let head = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{},\"items\":[",
        json!(&*resource.list_kind),
        json!(resource.api_version()),
        meta.value()
    );
    let mut body = Vec::with_capacity(head.len() + objects.iter().map(|o| o.json.len() + 1).sum::<usize>() + 2);
    body.extend_from_slice(head.as_bytes());
    for (i, object) in objects.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&registry::json(resource, object));
    }
    body.extend_from_slice(b"]}");
    body.into()
}
