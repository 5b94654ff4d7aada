//! DNS for endpoints that are names: looked up on a thread of its own, again and again, never while a request waits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

/// How often names are looked up again (Envoy's default for `STRICT_DNS`).
const REFRESH: Duration = Duration::from_secs(5);

/// What the names stand for. A name that could not be looked up keeps what it had.
pub(crate) type Addresses = BTreeMap<String, Vec<IpAddr>>;

/// What the resolver said of the names whose last look-up failed.
pub(crate) type Failures = BTreeMap<String, String>;

/// Looks names up.
#[derive(Debug)]
pub(crate) struct Resolver {
    names: watch::Sender<BTreeSet<String>>,
    failures: Arc<Mutex<Failures>>,
}

impl Resolver {
    /// Starts the thread. `changed` is called from it with all addresses whenever one changed, and stops it by
    /// returning false.
    pub(crate) fn start(changed: impl Fn(&Arc<Addresses>) -> bool + Send + 'static) -> std::io::Result<Self> {
        let (names, watched) = watch::channel(BTreeSet::new());
        let failures = Arc::default();
        let work = keep_resolving(watched, Arc::clone(&failures), changed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("serin-resolver".to_owned()).spawn(move || runtime.block_on(work))?;
        Ok(Self { names, failures })
    }

    /// The names whose last look-up failed, and why.
    pub(crate) fn failures(&self) -> Failures {
        self.failures.lock().clone()
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

async fn keep_resolving(
    mut names: watch::Receiver<BTreeSet<String>>,
    failures: Arc<Mutex<Failures>>,
    changed: impl Fn(&Arc<Addresses>) -> bool,
) {
    let mut addresses = Arc::new(Addresses::new());
    loop {
        let wanted = names.borrow_and_update().clone();
        let found = futures::future::join_all(wanted.iter().map(|name| look_up(name))).await;
        let (mut now, mut failed) = (Addresses::new(), Failures::new());
        for (name, found) in wanted.into_iter().zip(found) {
            let found = found.map_err(|reason| failed.insert(name.clone(), reason)).ok();
            let found = found.or_else(|| addresses.get(&name).cloned());
            now.extend(found.map(|found| (name, found)));
        }
        let before = std::mem::replace(&mut *failures.lock(), failed.clone());
        for (name, reason) in failed.iter().filter(|(name, _)| !before.contains_key(*name)) {
            tracing::warn!("the host name {name} of an Upstream cannot be looked up: {reason}");
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
async fn look_up(name: &str) -> Result<Vec<IpAddr>, String> {
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|error| error.to_string())?;
    let found: BTreeSet<IpAddr> = found.map(|address| address.ip()).collect();
    let (v4, v6): (Vec<_>, Vec<_>) = found.into_iter().partition(IpAddr::is_ipv4);
    Ok(if v4.is_empty() { v6 } else { v4 })
}
