//! DNS for endpoints that are names: looked up on a thread of its own, again and again, never while a request waits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How often names are looked up again (Envoy's default for `STRICT_DNS`).
const REFRESH: Duration = Duration::from_secs(5);

/// What the names stand for. A name that could not be looked up keeps what it had.
pub(crate) type Addresses = BTreeMap<String, Vec<IpAddr>>;

/// Looks names up.
#[derive(Debug)]
pub(crate) struct Resolver {
    names: watch::Sender<BTreeSet<String>>,
}

impl Resolver {
    /// Starts the thread. `changed` is called from it with all addresses whenever one changed, and stops it by
    /// returning false.
    pub(crate) fn start(changed: impl Fn(&Arc<Addresses>) -> bool + Send + 'static) -> std::io::Result<Self> {
        let (names, watched) = watch::channel(BTreeSet::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("serin-resolver".to_owned())
            .spawn(move || runtime.block_on(keep_resolving(watched, changed)))?;
        Ok(Self { names })
    }

    /// The names to look up from now on.
    pub(crate) fn set_names(&self, names: BTreeSet<String>) {
        self.names.send_if_modified(|current| {
            let differs = *current != names;
            *current = names;
            differs
        });
    }
}

async fn keep_resolving(mut names: watch::Receiver<BTreeSet<String>>, changed: impl Fn(&Arc<Addresses>) -> bool) {
    let mut addresses = Arc::new(Addresses::new());
    loop {
        let wanted = names.borrow_and_update().clone();
        let found = futures::future::join_all(wanted.iter().map(|name| look_up(name))).await;
        let mut now = Addresses::new();
        for (name, found) in wanted.into_iter().zip(found) {
            let found = found.or_else(|| addresses.get(&name).cloned());
            now.extend(found.map(|found| (name, found)));
        }
        if now != *addresses {
            addresses = Arc::new(now);
            if !changed(&addresses) {
                return;
            }
        }
        let next = tokio::time::timeout(REFRESH, names.changed()).await;
        if matches!(next, Ok(Err(_))) {
            return;
        }
    }
}

/// The name's addresses: those of IPv4 if there are any (Gloo's `dnsLookupFamily` default), else those of IPv6.
async fn look_up(name: &str) -> Option<Vec<IpAddr>> {
    let found: BTreeSet<IpAddr> = match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            tracing::debug!(name, %error, "cannot look up an endpoint's name");
            return None;
        }
    };
    let (v4, v6): (Vec<_>, Vec<_>) = found.into_iter().partition(IpAddr::is_ipv4);
    Some(if v4.is_empty() { v6 } else { v4 })
}
