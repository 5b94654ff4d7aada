//! The columns of namespaces, nodes, configuration, events, leases, storage, roles and webhooks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::columns::{Cells, Column, NAME_AND_CREATION, age, integer, items, name, number, or, or_none, text, wide};
use crate::registry::Resource;

fn count(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

pub(super) fn layout(resource: &Resource) -> Option<(&'static [Column], Cells)> {
    let layout: (&'static [Column], Cells) = match &*resource.storage {
        "/namespaces" => (const { &[text("Name"), text("Status"), text("Age")] }, |o, now| {
            vec![name(o), o["status"]["phase"].clone(), age(o, now)]
        }),
        "/configmaps" => (const { &[text("Name"), integer("Data"), text("Age")] }, |o, now| {
            vec![name(o), json!(count(&o["data"]) + count(&o["binaryData"])), age(o, now)]
        }),
        "/secrets" => (const { &[text("Name"), text("Type"), integer("Data"), text("Age")] }, |o, now| {
            vec![name(o), o["type"].clone(), json!(count(&o["data"])), age(o, now)]
        }),
        "/serviceaccounts" => (const { &[text("Name"), integer("Secrets"), text("Age")] }, |o, now| {
            vec![name(o), json!(items(&o["secrets"]).len()), age(o, now)]
        }),
        "/events" => (
            const {
                &[
                    text("Last Seen"),
                    text("Type"),
                    text("Reason"),
                    text("Object"),
                    wide("Subobject"),
                    wide("Source"),
                    text("Message"),
                    wide("First Seen"),
                    wide("Count"),
                    wide("Name"),
                ]
            },
            event,
        ),
        "/nodes" => (
            const {
                &[
                    text("Name"),
                    text("Status"),
                    text("Roles"),
                    text("Age"),
                    text("Version"),
                    wide("Internal-IP"),
                    wide("External-IP"),
                    wide("OS-Image"),
                    wide("Kernel-Version"),
                    wide("Container-Runtime"),
                ]
            },
            node,
        ),
        "/persistentvolumeclaims" => (
            const {
                &[
                    text("Name"),
                    text("Status"),
                    text("Volume"),
                    text("Capacity"),
                    text("Access Modes"),
                    text("StorageClass"),
                    text("Age"),
                    wide("VolumeMode"),
                ]
            },
            claim,
        ),
        "coordination.k8s.io/leases" => (const { &[text("Name"), text("Holder"), text("Age")] }, |o, now| {
            vec![name(o), or(&o["spec"]["holderIdentity"], ""), age(o, now)]
        }),
        "storage.k8s.io/storageclasses" => (
            const { &[text("Name"), text("Provisioner"), text("ReclaimPolicy"), text("VolumeBindingMode"), text("Age")] },
            |o, now| {
                vec![
                    name(o),
                    o["provisioner"].clone(),
                    or(&o["reclaimPolicy"], "Delete"),
                    or(&o["volumeBindingMode"], "Immediate"),
                    age(o, now),
                ]
            },
        ),
        "scheduling.k8s.io/priorityclasses" => {
            (const { &[text("Name"), integer("Value"), text("Global-Default"), text("Age")] }, |o, now| {
                vec![name(o), json!(number(&o["value"])), json!(o["globalDefault"] == true), age(o, now)]
            })
        }
        "rbac.authorization.k8s.io/rolebindings" | "rbac.authorization.k8s.io/clusterrolebindings" => (
            const { &[text("Name"), text("Role"), text("Age"), wide("Users"), wide("Groups"), wide("ServiceAccounts")] },
            binding,
        ),
        "admissionregistration.k8s.io/validatingwebhookconfigurations"
        | "admissionregistration.k8s.io/mutatingwebhookconfigurations" => {
            (const { &[text("Name"), integer("Webhooks"), text("Age")] }, |o, now| {
                vec![name(o), json!(items(&o["webhooks"]).len()), age(o, now)]
            })
        }
        "rbac.authorization.k8s.io/roles"
        | "rbac.authorization.k8s.io/clusterroles"
        | "apiextensions.k8s.io/customresourcedefinitions" => {
            (NAME_AND_CREATION, |o, _| vec![name(o), o["metadata"]["creationTimestamp"].clone()])
        }
        _ => return None,
    };
    Some(layout)
}

/// An event in either of its forms.
fn event(o: &Value, now: Timestamp) -> Vec<Value> {
    let either = |old: &str, new: &str| if o[old].is_null() { o[new].clone() } else { o[old].clone() };
    let about = either("involvedObject", "regarding");
    let first = either("firstTimestamp", "deprecatedFirstTimestamp");
    let first = if first.is_null() { o["eventTime"].clone() } else { first };
    let last = match either("lastTimestamp", "deprecatedLastTimestamp") {
        Value::Null if !o["series"]["lastObservedTime"].is_null() => o["series"]["lastObservedTime"].clone(),
        Value::Null => first.clone(),
        last => last,
    };
    let source = either("source", "deprecatedSource");
    let component = source["component"].as_str().filter(|c| !c.is_empty()).map_or_else(
        || either("reportingComponent", "reportingController").as_str().unwrap_or_default().to_owned(),
        |component| match source["host"].as_str().filter(|host| !host.is_empty()) {
            Some(host) => format!("{component}, {host}"),
            None => component.to_owned(),
        },
    );
    let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
    let object = if kind.is_empty() {
        about["name"].as_str().unwrap_or_default().to_owned()
    } else {
        format!("{kind}/{}", about["name"].as_str().unwrap_or_default())
    };
    let times = either("count", "deprecatedCount").as_i64().or(o["series"]["count"].as_i64()).unwrap_or(1);
    vec![
        age::since(&last, now).into(),
        or(&o["type"], ""),
        or(&o["reason"], ""),
        object.into(),
        or(&about["fieldPath"], ""),
        component.into(),
        either("message", "note").as_str().unwrap_or_default().trim().into(),
        age::since(&first, now).into(),
        times.to_string().into(),
        name(o),
    ]
}

fn node(o: &Value, now: Timestamp) -> Vec<Value> {
    let ready = items(&o["status"]["conditions"]).iter().find(|c| c["type"] == "Ready");
    let mut status = match ready.map(|c| c["status"] == "True") {
        Some(true) => "Ready".to_owned(),
        Some(false) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if o["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let labels = o["metadata"]["labels"].as_object().into_iter().flatten();
    let roles: Vec<_> = labels.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/")).collect();
    let address = |kind: &str| {
        let found = items(&o["status"]["addresses"]).iter().find(|a| a["type"] == kind);
        or_none(found.map_or(&Value::Null, |a| &a["address"]))
    };
    let info = &o["status"]["nodeInfo"];
    vec![
        name(o),
        status.into(),
        if roles.is_empty() { "<none>".into() } else { roles.join(",").into() },
        age(o, now),
        or(&info["kubeletVersion"], ""),
        address("InternalIP"),
        address("ExternalIP"),
        or(&info["osImage"], "<unknown>"),
        or(&info["kernelVersion"], "<unknown>"),
        or(&info["containerRuntimeVersion"], "<unknown>"),
    ]
}

fn claim(o: &Value, now: Timestamp) -> Vec<Value> {
    let modes: Vec<_> = items(&o["status"]["accessModes"])
        .iter()
        .filter_map(|mode| match mode.as_str()? {
            "ReadWriteOnce" => Some("RWO"),
            "ReadOnlyMany" => Some("ROX"),
            "ReadWriteMany" => Some("RWX"),
            "ReadWriteOncePod" => Some("RWOP"),
            _ => None,
        })
        .collect();
    let phase =
        if o["metadata"]["deletionTimestamp"].is_null() { or(&o["status"]["phase"], "") } else { "Terminating".into() };
    vec![
        name(o),
        phase,
        or(&o["spec"]["volumeName"], ""),
        or(&o["status"]["capacity"]["storage"], ""),
        modes.join(",").into(),
        or(&o["spec"]["storageClassName"], ""),
        age(o, now),
        or(&o["spec"]["volumeMode"], "Filesystem"),
    ]
}

fn binding(o: &Value, now: Timestamp) -> Vec<Value> {
    let role = &o["roleRef"];
    let role = format!("{}/{}", role["kind"].as_str().unwrap_or_default(), role["name"].as_str().unwrap_or_default());
    let subjects = |kind: &str| -> Value {
        let of_kind = items(&o["subjects"]).iter().filter(|s| s["kind"] == kind);
        let names: Vec<_> = of_kind
            .map(|s| match s["namespace"].as_str() {
                Some(namespace) if kind == "ServiceAccount" => {
                    format!("{namespace}/{}", s["name"].as_str().unwrap_or_default())
                }
                _ => s["name"].as_str().unwrap_or_default().to_owned(),
            })
            .collect();
        names.join(", ").into()
    };
    vec![name(o), role.into(), age(o, now), subjects("User"), subjects("Group"), subjects("ServiceAccount")]
}
