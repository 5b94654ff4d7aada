//! The cluster IPs of services: chosen here, kept on updates, never given twice.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::ApiError;
use crate::registry::Resource;
use crate::schema::FieldError;
use crate::store::Store;

/// Cluster IPs are 10.96.0.0/16, as kubeadm chooses.
const FIRST: u32 = u32::from_be_bytes([10, 96, 0, 1]);
const LAST: u32 = u32::from_be_bytes([10, 96, 255, 254]);

/// Keeps the cluster IP of a service whose new version does not name one.
pub(super) fn keep(old: &Value, new: &mut Value) {
    if new["spec"]["type"] == "ExternalName" {
        return;
    }
    for field in ["clusterIP", "clusterIPs"] {
        let empty = match &new["spec"][field] {
            Value::String(text) => text.is_empty(),
            other => other.is_null(),
        };
        if empty && !old["spec"][field].is_null() {
            new["spec"][field] = old["spec"][field].clone();
        }
    }
}

/// Gives a service without one a free cluster IP, and refuses one that is taken or changed to nonsense.
pub(super) fn assign(store: &Store, resource: &Resource, value: &mut Value) -> Result<(), ApiError> {
    let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let uid = value["metadata"]["uid"].clone();
    if value["spec"]["type"] == "ExternalName" || !value["spec"].is_object() {
        return Ok(());
    }
    let wanted = value["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned();
    if wanted != "None" {
        let others = store.list("/services", None).objects.into_iter().map(|object| object.value());
        let taken: HashSet<Ipv4Addr> = others
            .filter(|other| other["metadata"]["uid"] != uid)
            .filter_map(|other| other["spec"]["clusterIP"].as_str()?.parse().ok())
            .collect();
        let invalid = |detail: &str| {
            ApiError::invalid(resource, &name, &[FieldError::invalid("spec.clusterIPs", &json!([wanted]), detail)])
        };
        let address = if wanted.is_empty() {
            let start = fastrand::u32(FIRST..=LAST);
            let candidates = (start..=LAST).chain(FIRST..start).map(Ipv4Addr::from);
            candidates
                .into_iter()
                .find(|address| !taken.contains(address))
                .ok_or_else(|| ApiError::internal("failed to allocate a serviceIP: range is full"))?
        } else {
            let address: Ipv4Addr = wanted.parse().map_err(|_| invalid("must be a valid IP address"))?;
            if !(FIRST..=LAST).contains(&address.into()) {
                return Err(invalid(
                    "failed to allocate IP: the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16",
                ));
            }
            if taken.contains(&address) {
                return Err(invalid("failed to allocate IP: provided IP is already allocated"));
            }
            address
        };
        value["spec"]["clusterIP"] = address.to_string().into();
    }
    let address = value["spec"]["clusterIP"].clone();
    value["spec"]["clusterIPs"] = json!([address]);
    Ok(())
}
