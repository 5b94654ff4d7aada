//! The discovery server: hands the current snapshot to every Envoy that asks, and knows what each made of it.

mod identity;
mod nodes;
mod session;
mod stream;
mod wire;

use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

pub use identity::ServerIdentity;
pub use nodes::{NodeStatus, Refusal};

use crate::Snapshot;
use nodes::Nodes;
use stream::Responses;
use wire::{Delta, Whole};

/// Bytes of one request: an Envoy names every cluster it knows.
const REQUEST_BYTES: usize = 64 << 20;

/// Hands out snapshots. Clones are the same server.
#[derive(Clone, Debug)]
pub struct DiscoveryServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: watch::Sender<Option<Arc<Snapshot>>>,
    nodes: Nodes,
}

impl Default for DiscoveryServer {
    fn default() -> Self {
        Self::new()
    }
}

impl DiscoveryServer {
    /// A server with nothing to hand out yet: who asks waits for the first snapshot.
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { current: watch::Sender::new(None), nodes: Nodes::default() }) }
    }

    /// Makes `snapshot` the one that is handed out.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.shared.current.send_replace(Some(snapshot));
    }

    /// The snapshot that is handed out.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.shared.current.borrow().clone()
    }

    /// The nodes that are connected, and what each made of what it was sent.
    pub fn nodes(&self) -> Vec<NodeStatus> {
        self.shared.nodes.list()
    }

    /// Tells when [`nodes`](Self::nodes) may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.nodes.changes()
    }

    /// Serves on `listener`, in plain text and to whoever asks, until the future is dropped.
    ///
    /// # Errors
    /// When connections can no longer be accepted.
    pub async fn serve(self, listener: TcpListener) -> Result<(), tonic::transport::Error> {
        self.serve_with(Server::builder(), listener).await
    }

    /// Serves on `listener` over TLS, to those alone who show a certificate of `identity`'s authority, each under the name
    /// in its certificate, until the future is dropped.
    ///
    /// # Errors
    /// When `identity` cannot be used, or connections can no longer be accepted.
    pub async fn serve_tls(
        self,
        listener: TcpListener,
        identity: &ServerIdentity,
    ) -> Result<(), tonic::transport::Error> {
        self.serve_with(Server::builder().tls_config(identity.config())?, listener).await
    }

    async fn serve_with(self, mut server: Server, listener: TcpListener) -> Result<(), tonic::transport::Error> {
        let service = AggregatedDiscoveryServiceServer::new(self).max_decoding_message_size(REQUEST_BYTES);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        server.add_service(service).serve_with_incoming(incoming).await
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for DiscoveryServer {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        let client = identity::client(&request)?;
        Ok(Response::new(stream::start::<Whole>(Arc::clone(&self.shared), client, request.into_inner())))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let client = identity::client(&request)?;
        Ok(Response::new(stream::start::<Delta>(Arc::clone(&self.shared), client, request.into_inner())))
    }
}
