//! The two ways to speak of resources: all of a type each time (state of the world), or what changed (delta).

use std::collections::HashMap;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse, Resource as DeltaResource,
};
use envoy_types::pb::google::rpc;

use crate::{Resource, ResourceType};

/// What an Envoy says.
#[derive(Debug, Default)]
pub(super) struct Ask {
    pub(super) node: Option<String>,
    pub(super) type_url: String,
    /// The response that it answers; empty in the first request for a type.
    pub(super) nonce: String,
    /// Why it refuses that response.
    pub(super) error: Option<String>,
    pub(super) names: Names,
}

/// Which resources are asked for.
#[derive(Debug)]
pub(super) enum Names {
    /// These and no others.
    Exactly(Vec<String>),
    /// A change to what was asked for before.
    Change { subscribe: Vec<String>, unsubscribe: Vec<String>, known: HashMap<String, String> },
}

impl Default for Names {
    fn default() -> Self {
        Self::Exactly(Vec::new())
    }
}

/// What an Envoy is told.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) kind: ResourceType,
    pub(super) nonce: String,
    /// The version of all of it.
    pub(super) version: String,
    pub(super) resources: Vec<Arc<Resource>>,
    pub(super) removed: Vec<String>,
}

/// A way to speak of resources.
pub(super) trait Wire: Send + 'static {
    type Request: Send + 'static;
    type Response: Send + 'static;
    /// Whether resources that did not change are left out, for types that are asked for as a list.
    const CHANGES_ONLY: bool;
    fn read(request: Self::Request) -> Ask;
    fn write(update: Update) -> Self::Response;
}

/// State of the world.
#[derive(Debug)]
pub(super) enum Whole {}

/// Only what changed.
#[derive(Debug)]
pub(super) enum Delta {}

impl Wire for Whole {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;
    const CHANGES_ONLY: bool = false;

    fn read(request: DiscoveryRequest) -> Ask {
        Ask {
            node: request.node.map(id),
            type_url: request.type_url,
            nonce: request.response_nonce,
            error: request.error_detail.map(message),
            names: Names::Exactly(request.resource_names),
        }
    }

    fn write(update: Update) -> DiscoveryResponse {
        DiscoveryResponse {
            version_info: update.version,
            resources: update.resources.iter().map(|resource| resource.body.clone()).collect(),
            type_url: update.kind.type_url(),
            nonce: update.nonce,
            ..DiscoveryResponse::default()
        }
    }
}

impl Wire for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;
    const CHANGES_ONLY: bool = true;

    fn read(request: DeltaDiscoveryRequest) -> Ask {
        Ask {
            node: request.node.map(id),
            type_url: request.type_url,
            nonce: request.response_nonce,
            error: request.error_detail.map(message),
            names: Names::Change {
                subscribe: request.resource_names_subscribe,
                unsubscribe: request.resource_names_unsubscribe,
                known: request.initial_resource_versions,
            },
        }
    }

    fn write(update: Update) -> DeltaDiscoveryResponse {
        let resource = |resource: &Arc<Resource>| DeltaResource {
            name: resource.name.clone(),
            version: resource.version.clone(),
            resource: Some(resource.body.clone()),
            ..DeltaResource::default()
        };
        DeltaDiscoveryResponse {
            system_version_info: update.version,
            resources: update.resources.iter().map(resource).collect(),
            type_url: update.kind.type_url(),
            removed_resources: update.removed,
            nonce: update.nonce,
            ..DeltaDiscoveryResponse::default()
        }
    }
}

fn id(node: Node) -> String {
    node.id
}

fn message(status: rpc::Status) -> String {
    status.message
}
