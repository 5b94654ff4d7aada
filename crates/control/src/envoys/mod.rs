//! Envoys are given what the data plane is given: the same configuration and the same endpoints, after it.

mod ports;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_proxy::{CredentialMap, Pem};
use serin_translate::InvalidPolicy;
use serin_xds::{Complaint, DiscoveryServer, Feed, ListenerAddresses, SecretText};

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
    feed: Feed,
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
            feed: Feed::new(feed.server),
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

    /// Takes over certificates, keys and roots, for what is fed next.
    pub(crate) fn set_credentials(&mut self, credentials: &CredentialMap) {
        let text = |pem: Pem<'_>| SecretText {
            certificate: pem.certificate.to_vec(),
            key: pem.key.to_vec(),
            authority: pem.authority.to_vec(),
        };
        for fed in &mut self.feeds {
            let secrets = credentials.iter().map(|(source, found)| (source.clone(), Arc::new(text(found.pem()))));
            fed.feed.set_secrets(secrets.collect());
        }
    }

    /// Hands out a configuration and its endpoints. What did not change is not sent again.
    pub(crate) fn feed(&mut self, spec: &Arc<ProxySpec>, endpoints: &EndpointMap, policy: &InvalidPolicy) {
        for Fed { feed, ports } in &mut self.feeds {
            let addresses = match ports {
                None => ListenerAddresses::default(),
                Some(ports) => ports.addresses(spec),
            };
            let replacement = policy.replace.then(|| (policy.status, policy.body.clone()));
            feed.publish(spec.clone(), endpoints.clone(), addresses, replacement);
        }
    }

    /// Returns when an Envoy has answered; never where there is none.
    pub(crate) async fn changed(&mut self) {
        if self.feeds.is_empty() {
            std::future::pending::<()>().await;
        }
        futures::future::select_all(self.feeds.iter_mut().map(|fed| Box::pin(fed.feed.changed()))).await;
    }

    /// Deals with what they refuse. Returns whether there is something else to complain of.
    pub(crate) fn look(&mut self) -> bool {
        let mut news = false;
        for fed in &mut self.feeds {
            news |= fed.feed.look();
        }
        news
    }

    /// What they do not take. Two feeds have the same to say of the same.
    pub(crate) fn complaints(&self) -> BTreeSet<&Complaint> {
        self.feeds.iter().flat_map(|fed| fed.feed.complaints()).collect()
    }
}
