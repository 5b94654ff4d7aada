//! Which label sets exist, and the number each is counted under. Numbers outlive changes of the configuration.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// The series that requests are counted under once there are too many label sets.
pub(crate) const OVERFLOW: u32 = 0;
/// The version of requests that no endpoint answered, or one without a `version` label.
pub(crate) const NO_VERSION: u32 = 1;
/// What its labels say.
const OVERFLOW_LABEL: &str = "_other";

/// A listener, a route and an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) listener: Arc<str>,
    pub(crate) route: Arc<str>,
    pub(crate) upstream: Arc<str>,
}

/// A scope and the version that answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Labels {
    pub(crate) scope: Scope,
    pub(crate) version: Arc<str>,
}

/// The label sets of a data plane.
#[derive(Debug)]
pub(crate) struct Registry {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    scopes: Vec<Scope>,
    scope_numbers: FxHashMap<Scope, u32>,
    series: Vec<Labels>,
    series_numbers: FxHashMap<Labels, u32>,
    versions: Vec<Arc<str>>,
    version_numbers: FxHashMap<Arc<str>, u32>,
}

impl Registry {
    /// A registry of `limit` label sets at most, the overflow included.
    pub(crate) fn new(limit: usize) -> Self {
        let other: Arc<str> = OVERFLOW_LABEL.into();
        let scope = Scope { listener: other.clone(), route: other.clone(), upstream: other.clone() };
        let inner = Inner {
            scopes: vec![scope.clone()],
            series: vec![Labels { scope, version: other.clone() }],
            ..Inner::default()
        };
        let inner = Inner {
            versions: vec![other, "".into()],
            version_numbers: FxHashMap::from_iter([("".into(), NO_VERSION)]),
            ..inner
        };
        Self { limit: limit.max(1), inner: Mutex::new(inner) }
    }

    /// The number of a scope; that of the overflow when there are too many. Scopes that are never used cost no series,
    /// so there may be more of them.
    pub(crate) fn scope(&self, listener: &Arc<str>, route: &str, upstream: &str) -> u32 {
        let mut inner = self.inner.lock();
        let scope = Scope { listener: Arc::clone(listener), route: route.into(), upstream: upstream.into() };
        if let Some(number) = inner.scope_numbers.get(&scope) {
            return *number;
        }
        if inner.scopes.len() >= self.limit.saturating_mul(16) {
            return OVERFLOW;
        }
        let number = inner.scopes.len() as u32;
        inner.scopes.push(scope.clone());
        inner.scope_numbers.insert(scope, number);
        number
    }

    /// The number of a version; that of `_other` when there are too many.
    pub(crate) fn version(&self, version: &str) -> u32 {
        let mut inner = self.inner.lock();
        if let Some(number) = inner.version_numbers.get(version) {
            return *number;
        }
        if inner.versions.len() >= self.limit {
            return OVERFLOW;
        }
        let number = inner.versions.len() as u32;
        let version: Arc<str> = version.into();
        inner.versions.push(Arc::clone(&version));
        inner.version_numbers.insert(version, number);
        number
    }

    /// The number of the series for a scope and a version; that of the overflow when there are too many.
    pub(crate) fn series(&self, scope: u32, version: u32) -> u32 {
        let mut inner = self.inner.lock();
        let Some(scope) = inner.scopes.get(scope as usize).cloned().filter(|_| scope != OVERFLOW) else {
            return OVERFLOW;
        };
        let Some(version) = inner.versions.get(version as usize).cloned() else { return OVERFLOW };
        let labels = Labels { scope, version };
        if let Some(number) = inner.series_numbers.get(&labels) {
            return *number;
        }
        if inner.series.len() >= self.limit {
            return OVERFLOW;
        }
        let number = inner.series.len() as u32;
        inner.series.push(labels.clone());
        inner.series_numbers.insert(labels, number);
        number
    }

    /// What the number of a scope stands for.
    pub(crate) fn labels_of(&self, scope: u32) -> Option<Scope> {
        self.inner.lock().scopes.get(scope as usize).cloned()
    }

    /// All label sets, by number.
    pub(crate) fn all(&self) -> Vec<Labels> {
        self.inner.lock().series.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{OVERFLOW, Registry};

    #[test]
    fn label_sets_are_bounded_and_stable() {
        let registry = Registry::new(3);
        let listener = "gw".into();
        let numbers: Vec<u32> = (0..5)
            .map(|i| registry.series(registry.scope(&listener, &format!("r{i}"), "u"), registry.version("v1")))
            .collect();
        assert_eq!(numbers, [1, 2, OVERFLOW, OVERFLOW, OVERFLOW]);
        assert_eq!(registry.series(registry.scope(&listener, "r1", "u"), registry.version("v1")), 2);
        assert_eq!(registry.all().len(), 3);
    }
}
