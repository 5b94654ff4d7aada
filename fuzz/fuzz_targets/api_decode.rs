//! The routing resources from any object: decoded, or refused with the path of a field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use serin_api::decode;
use serin_api::gateway::{RouteTableSpec, VirtualServiceSpec};
use serin_api::gloo::{SettingsSpec, UpstreamGroupSpec, UpstreamSpec};
use serin_fuzz::Json;

fn try_as<T: serde::de::DeserializeOwned>(object: &Value) {
    if let Err(error) = decode::<T>(object) {
        assert!(error.path.starts_with("spec") && !error.message.is_empty(), "{error}");
    }
}

fuzz_target!(|input: (Json, Json)| {
    let (spec, routes) = input;
    for object in [json!({"spec": spec.0}), json!({"spec": {"routes": routes.0, "virtualHost": {"routes": routes.0}}})]
    {
        try_as::<VirtualServiceSpec>(&object);
        try_as::<RouteTableSpec>(&object);
        try_as::<UpstreamSpec>(&object);
        try_as::<UpstreamGroupSpec>(&object);
        try_as::<SettingsSpec>(&object);
    }
});
