//! Versions: an object is stored in one form and served in the version it is asked in.
//!
//! Custom kinds convert by name only (conversion strategy `None`). Of the built-in kinds only events have two forms.

use bytes::Bytes;
use serde_json::{Value, json};

use super::resource::Resource;
use crate::store::Object;

/// Old name (core/v1) and new name (events.k8s.io/v1) of each field of an event that differs.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// A stored object in the version of `resource`.
pub fn convert(resource: &Resource, mut value: Value) -> Value {
    if &*resource.group == "events.k8s.io" && value["apiVersion"] == "v1" {
        rename(&mut value, |(old, new)| (old, new));
    }
    value["apiVersion"] = resource.api_version().into();
    value
}

/// An object in the version of `resource` as it is stored.
pub fn to_stored(resource: &Resource, mut value: Value) -> Value {
    if &*resource.group == "events.k8s.io" {
        rename(&mut value, |(old, new)| (new, old));
        value["apiVersion"] = json!("v1");
    }
    value
}

fn rename(value: &mut Value, direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str)) {
    let Some(map) = value.as_object_mut() else { return };
    for field in EVENT_FIELDS {
        let (from, to) = direction(field);
        if let Some(value) = map.remove(from) {
            map.insert(to.into(), value);
        }
    }
}

/// The JSON of a stored object in the version of `resource`; without parsing it when that is the stored one.
pub fn json(resource: &Resource, object: &Object) -> Bytes {
    // Stored JSON has its members sorted, so nearly always `apiVersion` comes first.
    let prefix = b"{\"apiVersion\":\"";
    let rest = object.json.strip_prefix(prefix.as_slice());
    let as_stored = rest.is_some_and(|rest| {
        let (group, version) = (resource.group.as_bytes(), resource.version.as_bytes());
        let rest =
            if group.is_empty() { Some(rest) } else { rest.strip_prefix(group).and_then(|r| r.strip_prefix(b"/")) };
        rest.and_then(|rest| rest.strip_prefix(version)).is_some_and(|rest| rest.starts_with(b"\""))
    });
    if as_stored { object.json.clone() } else { convert(resource, object.value()).to_string().into() }
}
