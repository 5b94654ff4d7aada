//! Which certificate a listener serves to whom, by the name that the client asks for.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serin_api::ResourceId;
use serin_api::proxy::{Listener, ServerTls};

use super::{Chain, CredentialMap};

/// The certificates of one listener.
#[derive(Debug, Default)]
pub(crate) struct TlsTable {
    exact: FxHashMap<Box<str>, Arc<Chain>>,
    /// By what follows the star, such as `.example.com`.
    suffixes: FxHashMap<Box<str>, Arc<Chain>>,
    default: Option<Arc<Chain>>,
    /// VirtualServices whose clients have to show a certificate.
    guarded: FxHashSet<ResourceId>,
}

impl TlsTable {
    /// The chain for clients that ask for `name`: an exact one, else that of the longest suffix, else the default.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<&Arc<Chain>> {
        let named = name.and_then(|name| {
            self.exact.get(name).or_else(|| {
                let dots = name.match_indices('.').map(|(at, _)| at).filter(|at| *at > 0);
                dots.into_iter().find_map(|at| self.suffixes.get(&name[at..]))
            })
        });
        named.or(self.default.as_ref())
    }

    /// Whether a client that came by `chain` may reach the routes of `source`: where they ask for a certificate, only
    /// if it has shown the one that they ask for.
    pub(crate) fn admits(&self, chain: &Chain, source: &ResourceId) -> bool {
        self.guarded.is_empty() || !self.guarded.contains(source) || chain.vouches_for(source)
    }
}

/// Makes tables, keeping the chains that did not change: sessions that were begun with them can be resumed.
#[derive(Debug, Default)]
pub(crate) struct TlsBuilder {
    chains: FxHashMap<Arc<ServerTls>, Arc<Chain>>,
}

impl TlsBuilder {
    /// The table of a listener.
    pub(crate) fn table(&mut self, listener: &Listener, credentials: &CredentialMap) -> TlsTable {
        let mut table = TlsTable::default();
        for spec in &listener.tls {
            let chain = credentials.get(&spec.credential).and_then(|credential| {
                let kept = self.chains.get(spec).filter(|chain| Arc::ptr_eq(&chain.credential, credential));
                kept.cloned().or_else(|| Chain::new(spec, credential).map(Arc::new))
            });
            // What a missing credential would ask of clients is not known.
            if chain.as_ref().map_or(spec.verify_clients, |chain| chain.verifies()) {
                table.guarded.extend(spec.sources.iter().cloned());
            }
            let Some(chain) = chain else {
                self.chains.remove(spec);
                continue;
            };
            for name in &spec.names {
                match name.strip_prefix('*') {
                    Some(suffix) => table.suffixes.insert(suffix.into(), Arc::clone(&chain)),
                    None => table.exact.insert(name.as_str().into(), Arc::clone(&chain)),
                };
            }
            if spec.default {
                table.default = Some(Arc::clone(&chain));
            }
            self.chains.insert(Arc::clone(spec), chain);
        }
        table
    }

    /// Forgets the chains that only this holds: no table does any more.
    pub(crate) fn forget_unused(&mut self) {
        self.chains.retain(|_, chain| Arc::strong_count(chain) > 1);
    }
}
