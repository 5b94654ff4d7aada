//! Proxy: the flattened result, kept in the API so that anyone can read what is served.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{NamespacedStatuses, RawOptions};

/// What one data plane serves: every listener, host and route with its references resolved. Written by the control
/// plane, for reading.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gloo.solo.io",
    version = "v1",
    kind = "Proxy",
    plural = "proxies",
    shortname = "px",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(transparent)]
pub struct ProxyDocument(pub RawOptions);
