//! The discovery servers of a gateway: one for the Envoy beside it, one for those elsewhere, and who may ask them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serin_cluster::authority::{Authority, Identity};
use serin_xds::bootstrap::{NodeIdentity, SERVER_NAME};
use serin_xds::{DiscoveryServer, ServerIdentity};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::failure::{Outcome, While};
use crate::home::Home;

/// The authority's name in its certificate.
const AUTHORITY: &str = "serin-envoys";

/// Where the authority is kept.
pub(crate) fn directory(home: &Home) -> PathBuf {
    home.path().join("envoy/pki")
}

/// The authority for Envoys in `directory`; made if there is none.
fn authority(directory: &Path) -> Outcome<Authority> {
    Authority::load(directory, AUTHORITY).or_fail(|| "there are no certificates for Envoys".to_owned())
}

/// What the Envoy `node` shows, and whom it trusts.
pub(crate) fn node_identity(home: &Home, node: &str) -> Outcome<NodeIdentity> {
    let authority = authority(&directory(home))?;
    let issued = authority.client(node).or_fail(|| format!("{node:?} cannot be the id of an Envoy"))?;
    let Identity { certificate, key } = issued;
    Ok(NodeIdentity { certificate, key, authority: authority.certificate().to_owned() })
}

/// Serves discovery on `address` in one of `tasks`; returns where.
pub(crate) async fn serve(
    home: &Home,
    server: DiscoveryServer,
    address: SocketAddr,
    tasks: &mut JoinSet<()>,
) -> Outcome<SocketAddr> {
    let authority = authority(&directory(home))?;
    let issued = authority.server(SERVER_NAME).or_fail(|| "the discovery server has no certificate".to_owned())?;
    let Identity { certificate, key } = issued;
    let identity = ServerIdentity { certificate, key, authority: authority.certificate().to_owned() };
    let failed = || format!("the discovery server for Envoys cannot listen on {address}");
    let listener = TcpListener::bind(address).await.or_fail(failed)?;
    let bound = listener.local_addr().or_fail(failed)?;
    tasks.spawn(async move {
        if let Err(error) = server.serve_tls(listener, &identity).await {
            tracing::error!("the discovery server for Envoys has ended: {error}");
        }
    });
    Ok(bound)
}
