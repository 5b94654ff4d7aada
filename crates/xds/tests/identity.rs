//! Who gets nothing from a discovery server: those without a certificate of its authority, and those with another's name.
#![allow(clippy::unwrap_used)]

mod stage;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_xds::bootstrap::{NodeIdentity, SERVER_NAME};
use serin_xds::{DiscoveryServer, ListenerAddresses, ResourceType, Snapshot};
use stage::identities::Identities;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

/// Asks for clusters as `node`; the first answer.
async fn ask(channel: Channel, node: &str) -> Result<DiscoveryResponse, String> {
    let node = Node { id: node.to_owned(), ..Node::default() };
    let type_url = ResourceType::Cluster.type_url();
    let request = DiscoveryRequest { node: Some(node), type_url, ..DiscoveryRequest::default() };
    // The stream stays open until there is an answer.
    let requests = futures::StreamExt::chain(futures::stream::iter([request]), futures::stream::pending());
    let mut client = AggregatedDiscoveryServiceClient::new(channel);
    let answer = client.stream_aggregated_resources(requests).await.map_err(|status| format!("{status:?}"))?;
    match answer.into_inner().message().await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err("it ended".to_owned()),
        Err(status) => Err(format!("{status:?}")),
    }
}

async fn connect(address: SocketAddr, identity: Option<&NodeIdentity>, authority: &str) -> Result<Channel, String> {
    let mut tls = ClientTlsConfig::new().domain_name(SERVER_NAME).ca_certificate(Certificate::from_pem(authority));
    if let Some(NodeIdentity { certificate, key, .. }) = identity {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    let endpoint = Channel::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap();
    endpoint.connect().await.map_err(|error| format!("{error:?}"))
}

async fn asked(
    address: SocketAddr,
    identity: Option<&NodeIdentity>,
    authority: &str,
    node: &str,
) -> Result<DiscoveryResponse, String> {
    ask(connect(address, identity, authority).await?, node).await
}

#[tokio::test]
async fn only_a_node_with_a_certificate_for_its_name_is_served() {
    let (ours, others) = (Identities::new("a"), Identities::new("a"));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = DiscoveryServer::new();
    let snapshot =
        Snapshot::new(Arc::new(ProxySpec::default()), EndpointMap::new(), ListenerAddresses::default(), None);
    server.publish(Arc::new(snapshot));
    let identity = ours.server.clone();
    tokio::spawn(async move { server.serve_tls(listener, &identity).await });

    let authority = &ours.node.authority;
    assert!(asked(address, Some(&ours.node), authority, "a").await.is_ok());
    let other_name = asked(address, Some(&ours.node), authority, "b").await.unwrap_err();
    assert!(other_name.contains("needs a bootstrap of its own"), "{other_name}");
    for (who, identity, authority) in [
        ("nobody", None, authority),
        ("another authority's", Some(&others.node), authority),
        ("who trusts another authority", Some(&ours.node), &others.node.authority),
    ] {
        assert!(asked(address, identity, authority, "a").await.is_err(), "{who}");
    }
    let plain = Channel::from_shared(format!("http://{address}")).unwrap().connect().await;
    if let Ok(plain) = plain {
        assert!(ask(plain, "a").await.is_err(), "plain text");
    }
}
