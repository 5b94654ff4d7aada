//! Endpoints: where a cluster's requests can go right now.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ClusterName;

/// The endpoints of every cluster. A cluster that is missing here has none.
pub type EndpointMap = BTreeMap<ClusterName, Arc<Vec<Endpoint>>>;

/// One address that serves a cluster's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// An IP address, or a name that the data plane resolves by DNS.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The pod's labels, for subsets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its share, relative to the others'; at least 1.
    pub weight: u32,
}
