//! DNS for endpoints that are names: looked up on a thread of its own, again and again, never while a request waits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

/// How often names are looked up again, unless an Upstream says so (Envoy's default for `STRICT_DNS`).
pub(crate) const REFRESH: Duration = Duration::from_secs(5);

/// What the names stand for. A name that could not be looked up keeps what it had.
pub(crate) type Addresses = BTreeMap<String, Vec<IpAddr>>;

/// The names to look up, and how often each.
pub(crate) type Names = BTreeMap<String, Duration>;

/// What the resolver said of the names whose last look-up failed.
pub(crate) type Failures = BTreeMap<String, String>;

/// Looks names up.
#[derive(Debug)]
pub(crate) struct Resolver {
    names: watch::Sender<Names>,
    failures: Arc<Mutex<Failures>>,
}

impl Resolver {
    /// Starts the thread. `changed` is called from it with all addresses whenever one changed, and stops it by
    /// returning false.
    pub(crate) fn start(changed: impl Fn(&Arc<Addresses>) -> bool + Send + 'static) -> std::io::Result<Self> {
        let (names, watched) = watch::channel(Names::new());
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
    pub(crate) fn set_names(&self, names: Names) {
        self.names.send_if_modified(|current| {
            let differs = *current != names;
            *current = names;
            differs
        });
    }
}

async fn keep_resolving(
    mut names: watch::Receiver<Names>,
    failures: Arc<Mutex<Failures>>,
    changed: impl Fn(&Arc<Addresses>) -> bool,
) {
    let mut addresses = Arc::new(Addresses::new());
    // When each is looked up again.
    let mut due: BTreeMap<String, Instant> = BTreeMap::new();
    loop {
        let wanted = names.borrow_and_update().clone();
        due.retain(|name, _| wanted.contains_key(name));
        let begun = Instant::now();
        let asked = wanted.keys().filter(|name| due.get(*name).is_none_or(|due| *due <= begun));
        let answers = asked.map(|name| async move { (name.clone(), look_up(name).await) });
        let answers = futures::future::join_all(answers).await;
        let over = Instant::now();
        let mut now = Addresses::clone(&addresses);
        now.retain(|name, _| wanted.contains_key(name));
        let before = failures.lock().clone();
        let mut failed = before.clone();
        failed.retain(|name, _| wanted.contains_key(name));
        for (name, answer) in answers {
            failed.remove(&name);
            due.remove(&name);
            match answer {
                Ok(found) => drop(now.insert(name, found)),
                Err(reason) => drop(failed.insert(name, reason)),
            }
        }
        for (name, rate) in &wanted {
            // One that is wanted more often than before does not wait for the old time.
            let next = over + *rate;
            due.entry(name.clone()).and_modify(|due| *due = next.min(*due)).or_insert(next);
        }
        for (name, reason) in failed.iter().filter(|(name, _)| !before.contains_key(*name)) {
            tracing::warn!("the host name {name} of an Upstream cannot be looked up: {reason}");
        }
        *failures.lock() = failed;
        if now != *addresses {
            addresses = Arc::new(now);
            if !changed(&addresses) {
                return;
            }
        }
        let next = due.values().min().copied().unwrap_or(over + REFRESH);
        if matches!(tokio::time::timeout_at(next.into(), names.changed()).await, Ok(Err(_))) {
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
