//! What a cluster begins with: its namespaces, the definitions of its own kinds, and the objects it was given.

use std::sync::Arc;

use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::cluster::{ClusterOptions, StartError};
use crate::registry::{CRDS, crd};
use crate::rest::{self, Api, ApiError, WriteOptions};
use crate::store::{Change, Expect, Key, Object};

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Sees to it that all of this is there.
pub(crate) async fn prepare(api: &Api, options: &ClusterOptions) -> Result<(), StartError> {
    let namespace = |name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    try_join_all(NAMESPACES.map(|name| ensure(api, namespace(name)))).await?;
    for text in &options.crds {
        define(api, text).await?;
    }
    for object in &options.objects {
        ensure(api, object.clone()).await?;
    }
    Ok(())
}

/// Creates an object unless it is there.
async fn ensure(api: &Api, object: Value) -> Result<(), StartError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    let failed = |message: String| StartError::Object { object: format!("{kind} \"{name}\""), message };
    let resource = api
        .registry
        .served()
        .of_kind(&text(&object["apiVersion"]), &kind)
        .ok_or_else(|| failed("there is no such kind".into()))?;
    let namespace = match text(&object["metadata"]["namespace"]) {
        namespace if namespace.is_empty() && resource.namespaced => "default".to_owned(),
        namespace => namespace,
    };
    if api.get(&resource, &namespace, &name).is_ok() {
        return Ok(());
    }
    let write = WriteOptions { manager: "serin".into(), ..WriteOptions::default() };
    let outcome = rest::create(api, &resource, &namespace, object, &write).await;
    outcome.map(drop).map_err(|ApiError { message, .. }| failed(message))
}

/// Stores a definition, or its new spec when it differs from the stored one.
///
/// These definitions are our own, and large: they are stored as they are, without what a client's would go through,
/// which would cost megabytes for each.
async fn define(api: &Api, text: &str) -> Result<(), StartError> {
    let failed = |name: &str, message: String| StartError::Object {
        object: format!("CustomResourceDefinition \"{name}\""),
        message,
    };
    let mut definition: Value = serde_json::from_str(text).map_err(|error| failed("", error.to_string()))?;
    let now = rest::now();
    crd::complete(&mut definition, &now);
    let name = definition["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let key = Key::new(CRDS, "", &name);
    let old = api.store.get(&key);
    let expect = match &old {
        None => {
            definition["metadata"]["uid"] = uuid::Uuid::new_v4().to_string().into();
            definition["metadata"]["creationTimestamp"] = now.into();
            definition["metadata"]["generation"] = 1.into();
            definition["metadata"]["finalizers"] = json!([crd::CLEANUP_FINALIZER]);
            Expect::Absent
        }
        Some(old) if has_spec(old, &definition["spec"]) => return Ok(()),
        Some(old) => {
            let before = old.value();
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
            definition["metadata"] = before["metadata"].clone();
            definition["metadata"]["generation"] = generation.into();
            Expect::Revision(old.revision)
        }
    };
    let change = Change::Put { value: definition, expect, in_live_namespace: false };
    api.store.write(key, change).await.map(drop).map_err(|error| failed(&name, error.to_string()))
}

/// Whether a stored object has this spec; stored JSON has its members sorted, so its text can be compared.
fn has_spec(object: &Arc<Object>, spec: &Value) -> bool {
    let wanted = format!("\"spec\":{spec},\"status\":");
    object.json.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}
