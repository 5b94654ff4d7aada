//! How many pods each ReplicaSet of a Deployment shall have: the arithmetic of rolling updates.
//!
//! The rules are those of Kubernetes' deployment controller: never more than `replicas + maxSurge` pods, never fewer than
//! `replicas - maxUnavailable` available ones, percentages rounded up for the surge and down for what may be missing.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// What the arithmetic needs to know of a ReplicaSet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// How many pods it shall have.
    pub(super) wanted: i32,
    /// How many of its pods are available.
    pub(super) available: i32,
}

/// The limits of a Deployment's rolling update, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) replicas: i32,
    pub(super) max_surge: i32,
    pub(super) max_unavailable: i32,
}

impl Limits {
    pub(super) fn of(spec: &DeploymentSpec) -> Limits {
        let replicas = spec.replicas.unwrap_or(1);
        if is_recreate(spec) {
            return Limits { replicas, max_surge: 0, max_unavailable: 0 };
        }
        let quarter = IntOrString::String("25%".to_owned());
        let rolling = spec.strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
        let surge = rolling.and_then(|rolling| rolling.max_surge.as_ref()).unwrap_or(&quarter);
        let unavailable = rolling.and_then(|rolling| rolling.max_unavailable.as_ref()).unwrap_or(&quarter);
        let max_surge = resolve(surge, replicas, true);
        let mut max_unavailable = resolve(unavailable, replicas, false);
        if max_surge == 0 && max_unavailable == 0 {
            max_unavailable = 1;
        }
        Limits { replicas, max_surge, max_unavailable: max_unavailable.min(replicas) }
    }

    /// How many pods have to stay available.
    pub(super) fn min_available(self) -> i32 {
        self.replicas - self.max_unavailable
    }

    /// How many pods there may be; none when none are wanted.
    pub(super) fn max_total(self) -> i32 {
        if self.replicas > 0 { self.replicas + self.max_surge } else { 0 }
    }

    /// How many pods the new set shall have, now that there are `total` pods wanted over all sets.
    pub(super) fn new_set(self, new: i32, total: i32) -> i32 {
        if new >= self.replicas {
            return self.replicas;
        }
        let room = (self.replicas + self.max_surge - total).max(0);
        new + room.min(self.replicas - new)
    }

    /// How many pods the old sets (oldest first) shall have: first those that are not available go, then available ones.
    pub(super) fn old_sets(self, new: Set, old: &[Set]) -> Vec<i32> {
        let mut wanted: Vec<i32> = old.iter().map(|set| set.wanted).collect();
        let total = new.wanted + wanted.iter().sum::<i32>();
        let mut may_go = total - self.min_available() - (new.wanted - new.available).max(0);
        if may_go <= 0 {
            return wanted;
        }
        for (wanted, set) in wanted.iter_mut().zip(old) {
            let unhealthy = (*wanted - set.available).clamp(0, may_go);
            *wanted -= unhealthy;
            may_go -= unhealthy;
        }
        let available = new.available + old.iter().map(|set| set.available).sum::<i32>();
        let mut may_go = available - self.min_available();
        for wanted in &mut wanted {
            let gone = (*wanted).clamp(0, may_go.max(0));
            *wanted -= gone;
            may_go -= gone;
        }
        wanted
    }

    /// Shares a change of `replicas` out among sets in the middle of a rollout, in proportion to their sizes (largest first).
    /// `former_total` of a set is how many pods there could be at most when it got its size.
    pub(super) fn proportional(self, sets: &[(i32, i32)]) -> Vec<i32> {
        let total: i32 = sets.iter().map(|&(wanted, _)| wanted).sum();
        let to_add = self.max_total() - total;
        let mut added = 0;
        let mut shares: Vec<i32> = sets
            .iter()
            .map(|&(wanted, former_total)| {
                let share = if wanted == 0 || to_add == 0 || added == to_add {
                    0
                } else {
                    let fraction = self.fraction(wanted, former_total);
                    let left = to_add - added;
                    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
                };
                added += share;
                wanted + share
            })
            .collect();
        if let Some(first) = shares.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        shares
    }

    fn fraction(self, wanted: i32, former_total: i32) -> i32 {
        if self.replicas == 0 {
            return -wanted;
        }
        let former = if former_total > 0 { former_total } else { self.max_total() };
        let size = f64::from(wanted) * f64::from(self.max_total()) / f64::from(former);
        // Both are counts of pods, far inside what an i32 holds.
        #[allow(clippy::cast_possible_truncation)]
        let size = size.round() as i32;
        size - wanted
    }
}

/// Whether old pods have to be gone before new ones start.
pub(super) fn is_recreate(spec: &DeploymentSpec) -> bool {
    spec.strategy.as_ref().and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate")
}

/// How many replicas a Deployment asks for.
pub(super) fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// A number, or a percentage of `total`; what is neither counts as none.
fn resolve(value: &IntOrString, total: i32, round_up: bool) -> i32 {
    match value {
        IntOrString::Int(count) => (*count).max(0),
        IntOrString::String(text) => {
            let percent: i64 = text.strip_suffix('%').and_then(|number| number.parse().ok()).unwrap_or(0).max(0);
            let hundredths = i64::from(total).saturating_mul(percent);
            let count = if round_up { hundredths.saturating_add(99) / 100 } else { hundredths / 100 };
            i32::try_from(count).unwrap_or(i32::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(replicas: i32, max_surge: i32, max_unavailable: i32) -> Limits {
        Limits { replicas, max_surge, max_unavailable }
    }

    fn set(wanted: i32, available: i32) -> Set {
        Set { wanted, available }
    }

    #[test]
    fn percentages_round_as_kubernetes_does() {
        let quarter = IntOrString::String("25%".to_owned());
        for (total, up, down) in [(1, 1, 0), (3, 1, 0), (4, 1, 1), (5, 2, 1), (10, 3, 2), (0, 0, 0)] {
            assert_eq!(resolve(&quarter, total, true), up);
            assert_eq!(resolve(&quarter, total, false), down);
        }
        assert_eq!(resolve(&IntOrString::Int(3), 1, true), 3);
        assert_eq!(resolve(&IntOrString::String("x".to_owned()), 9, true), 0);
    }

    #[test]
    fn a_single_pod_is_replaced_without_a_gap() {
        let limits = limits(1, 1, 0);
        assert_eq!(limits.new_set(0, 1), 1);
        assert_eq!(limits.old_sets(set(1, 0), &[set(1, 1)]), [1]);
        assert_eq!(limits.old_sets(set(1, 1), &[set(1, 1)]), [0]);
    }

    #[test]
    fn without_a_surge_an_old_pod_makes_room() {
        let limits = limits(2, 0, 1);
        assert_eq!(limits.new_set(0, 2), 0);
        assert_eq!(limits.old_sets(set(0, 0), &[set(2, 2)]), [1]);
        assert_eq!(limits.new_set(0, 1), 1);
    }

    #[test]
    fn pods_that_never_worked_go_first() {
        let limits = limits(10, 2, 2);
        assert_eq!(limits.old_sets(set(0, 0), &[set(4, 0), set(8, 8)]), [0, 8]);
    }

    #[test]
    fn scaling_amid_a_rollout_is_shared_out() {
        // 10 replicas with a surge of 3, in the middle: 5 new and 8 old. Scaled to 15: 18 pods at most.
        let limits = limits(15, 3, 2);
        assert_eq!(limits.proportional(&[(8, 13), (5, 13)]), [11, 7]);
        assert_eq!(Limits { replicas: 0, ..limits }.proportional(&[(8, 13), (5, 13)]), [0, 0]);
    }

    proptest::proptest! {
        /// Whatever becomes ready and whatever fails, no step asks for too many pods or gives up too many that serve.
        #[test]
        fn no_step_oversteps_the_limits(
            replicas in 1i32..12, max_surge in 0i32..5, max_unavailable in 0i32..5,
            healthy in proptest::collection::vec(0i32..12, 1..60),
        ) {
            let max_unavailable = if max_surge == 0 { max_unavailable.max(1) } else { max_unavailable }.min(replicas);
            let limits = limits(replicas, max_surge, max_unavailable);
            let mut old = vec![set(0, 0), set(replicas, replicas)];
            let mut new = set(0, 0);
            let step = |new: &mut Set, old: &mut Vec<Set>| {
                let total = new.wanted + old.iter().map(|set| set.wanted).sum::<i32>();
                new.wanted = limits.new_set(new.wanted, total);
                let total = new.wanted + old.iter().map(|set| set.wanted).sum::<i32>();
                assert!(total <= replicas + max_surge);
                let available = new.available + old.iter().map(|set| set.available).sum::<i32>();
                let sizes = limits.old_sets(*new, old);
                for (set, wanted) in old.iter_mut().zip(sizes) {
                    assert!(wanted >= 0 && wanted <= set.wanted);
                    set.wanted = wanted;
                    // The controller may pick any pod: at worst one that serves.
                    set.available = set.available.min(wanted);
                }
                let left = new.available + old.iter().map(|set| set.available).sum::<i32>();
                assert!(left >= limits.min_available().min(available), "{left} left of {available}");
            };
            for ready in healthy {
                new.available = new.available.max(ready.min(new.wanted));
                step(&mut new, &mut old);
            }
            for _ in 0..4 * replicas {
                new.available = new.wanted;
                step(&mut new, &mut old);
            }
            proptest::prop_assert_eq!(new, set(replicas, replicas));
            proptest::prop_assert!(old.iter().all(|set| set.wanted == 0));
        }
    }
}
