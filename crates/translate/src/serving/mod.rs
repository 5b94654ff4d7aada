//! What is served, given what was served and what a snapshot comes to: the policy for invalid configuration.

mod guard;
mod prune;
mod reuse;

use std::collections::BTreeMap;
use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::proxy::ProxySpec;

use crate::translation::Translation;

/// What is served, proxy by proxy.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// By the proxy's name, such as `gateway-proxy`.
    pub proxies: BTreeMap<String, ServedProxy>,
}

/// What one proxy serves.
#[derive(Clone, Debug)]
pub struct ServedProxy {
    /// The configuration.
    pub spec: Arc<ProxySpec>,
    /// How it came about.
    pub standing: Standing,
    /// Resources whose latest generation is not served, because the last good configuration is kept.
    pub waiting: Vec<ResourceId>,
}

/// How a served configuration came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is all that the resources say.
    Current,
    /// It is all that the resources say, with invalid parts replaced, as the Settings ask.
    Replaced,
    /// Parts are invalid and replaced because there is no last good configuration to keep.
    Provisional,
    /// It is the last good one, kept because what the resources say now is invalid.
    Frozen,
}

impl Standing {
    /// Whether it is kept when the next translation is invalid.
    fn is_good(self) -> bool {
        self != Self::Provisional
    }
}

/// Chooses what to serve.
///
/// Where the Settings ask to replace invalid routes, that is the translation as it is. By default a proxy that
/// something invalid reaches keeps its last good configuration, whole, except that what was deleted goes, what now asks
/// for authentication is closed, and what now asks for TLS is no longer served in plain text. Without a last good
/// configuration, invalid parts are replaced.
pub fn choose(previous: Option<&Served>, translation: &Translation) -> Served {
    let mut proxies = BTreeMap::new();
    for (name, spec) in &translation.proxies {
        let before = previous.and_then(|served| served.proxies.get(name));
        let invalid = translation.invalid.contains(name);
        let last_good = before.filter(|before| before.standing.is_good());
        let chosen = match last_good {
            Some(last_good) if invalid && !translation.policy.replace => freeze(&last_good.spec, spec, translation),
            _ => {
                let standing = match (invalid, translation.policy.replace) {
                    (false, _) => Standing::Current,
                    (true, true) => Standing::Replaced,
                    (true, false) => Standing::Provisional,
                };
                let spec = before.map_or_else(|| spec.clone(), |before| reuse::unchanged(&before.spec, spec));
                ServedProxy { spec, standing, waiting: Vec::new() }
            }
        };
        proxies.insert(name.clone(), chosen);
    }
    Served { proxies }
}

fn freeze(last_good: &Arc<ProxySpec>, current: &Arc<ProxySpec>, translation: &Translation) -> ServedProxy {
    let pruned = prune::without_deleted(last_good, translation);
    let guarded = guard::close(pruned, current, translation);
    let spec = reuse::unchanged(last_good, &Arc::new(guarded));
    let waiting = current
        .sources
        .iter()
        .filter(|(id, generation)| spec.sources.get(*id) != Some(generation))
        .map(|(id, _)| id.clone())
        .collect();
    ServedProxy { spec, standing: Standing::Frozen, waiting }
}
