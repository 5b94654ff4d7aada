//! Envoys are given what the data plane is given: the same configuration and the same endpoints, after it.

mod ports;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_xds::{DiscoveryServer, ListenerAddresses, Snapshot};

use self::ports::Ports;

/// A discovery server to feed, and where its Envoys listen.
pub struct EnvoyFeed {
    /// Hands out what it is fed.
    pub server: DiscoveryServer,
    /// Where they bind.
    pub listening: Listening,
}

/// Where Envoys bind their listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Where the Gateways say: each has a machine to itself.
    AsAsked,
    /// On this machine, beside the data plane: no listener has a port of the data plane's.
    Beside {
        /// The address.
        bind: IpAddr,
        /// The port for a Gateway's `bindPort`; what is not here gets a free one.
        ports: BTreeMap<u16, u16>,
    },
}

/// A feed at work.
struct Fed {
    server: DiscoveryServer,
    ports: Option<Ports>,
}

/// All feeds.
#[derive(Default)]
pub(crate) struct Envoys {
    feeds: Vec<Fed>,
}

impl Envoys {
    pub(crate) fn new(feeds: Vec<EnvoyFeed>) -> Self {
        let feeds = feeds.into_iter().map(|feed| Fed {
            server: feed.server,
            ports: match feed.listening {
                Listening::AsAsked => None,
                Listening::Beside { bind, ports } => Some(Ports::new(bind, ports)),
            },
        });
        Self { feeds: feeds.collect() }
    }

    /// Whether there is nobody to feed.
    pub(crate) fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Hands out a configuration and its endpoints. What did not change is not sent again.
    pub(crate) fn feed(&mut self, spec: &Arc<ProxySpec>, endpoints: &EndpointMap) {
        for feed in &mut self.feeds {
            let addresses = match &mut feed.ports {
                None => ListenerAddresses::default(),
                Some(ports) => ports.addresses(spec),
            };
            let previous = feed.server.current();
            let snapshot = Snapshot::new(spec.clone(), endpoints.clone(), addresses, previous.as_deref());
            feed.server.publish(Arc::new(snapshot));
        }
    }
}
