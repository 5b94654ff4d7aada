//! Makes [`Dial`]s, each once, for as long as something uses it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;
use rustls::pki_types::ServerName;
use serin_api::proxy::{Endpoint, Http2, Transport};
use tokio_rustls::TlsConnector;

use super::{Dial, Tls};
use crate::forward::Http2Settings;
use crate::tls::{Credential, CredentialMap, client_config};

/// What is spoken inside of TLS.
const HTTP_11: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

/// Makes them, and knows those that are in use.
#[derive(Debug, Default)]
pub(crate) struct DialBuilder {
    credentials: CredentialMap,
    /// By what they are for and the name that is asked for.
    made: FxHashMap<(Transport, String), Made>,
}

#[derive(Debug)]
struct Made {
    dial: Weak<Dial>,
    credential: Option<Arc<Credential>>,
}

impl DialBuilder {
    pub(crate) fn set_credentials(&mut self, credentials: CredentialMap) {
        self.credentials = credentials;
    }

    /// The credential that a cluster's endpoints are spoken to with, as it is now.
    pub(crate) fn credential(&self, transport: &Transport) -> Option<Arc<Credential>> {
        let source = transport.tls.as_ref()?.credential.as_ref()?;
        self.credentials.get(source).cloned()
    }

    /// How to reach an endpoint; `None`: plainly.
    pub(crate) fn dial(&mut self, transport: &Transport, endpoint: &Endpoint) -> Option<Arc<Dial>> {
        if transport.is_plain() {
            return None;
        }
        let credential = self.credential(transport);
        let sni = transport.tls.as_ref().map_or("", |tls| tls.sni_for(endpoint));
        let key = (transport.clone(), sni.to_owned());
        if let Some(made) = self.made.get(&key)
            && same(made.credential.as_ref(), credential.as_ref())
            && let Some(dial) = made.dial.upgrade()
        {
            return Some(dial);
        }
        let connections = transport.connections.clone();
        let dial = Arc::new(Dial {
            connections,
            tls: tls(transport, sni, credential.as_deref()),
            http2: transport.http2.as_ref().map(|asked| http2(asked, transport.connections.max_requests)),
        });
        self.made.insert(key, Made { dial: Arc::downgrade(&dial), credential });
        Some(dial)
    }

    /// Forgets those that nothing uses.
    pub(crate) fn forget_unused(&mut self) {
        self.made.retain(|_, made| made.dial.strong_count() > 0);
    }
}

/// Whether two credentials are one: each is read once.
pub(super) fn same(a: Option<&Arc<Credential>>, b: Option<&Arc<Credential>>) -> bool {
    a.map(Arc::as_ptr) == b.map(Arc::as_ptr)
}

fn http2(asked: &Http2, requests: Option<u32>) -> Http2Settings {
    let Http2 { stream_window, connection_window, concurrent_streams } = *asked;
    Http2Settings { stream_window, connection_window, concurrent_streams, requests }
}

fn tls(transport: &Transport, sni: &str, credential: Option<&Credential>) -> Option<Tls> {
    let tls = transport.tls.as_ref()?;
    let Some(mut config) = client_config(tls, credential, if transport.http2.is_some() { HTTP_2 } else { HTTP_11 })
    else {
        return Some(Tls::Missing);
    };
    let name = match ServerName::try_from(sni.to_owned()) {
        Ok(name @ ServerName::DnsName(_)) => name,
        _ => {
            // An address stands for no name: nothing is asked for.
            config.enable_sni = false;
            ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
    };
    Some(Tls::Ready { connector: TlsConnector::from(Arc::new(config)), name })
}
