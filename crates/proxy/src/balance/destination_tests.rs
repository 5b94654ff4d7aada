//! Who gets the next request.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serin_api::proxy::{EndpointSource, Subsets};
use serin_api::{ResourceId, ResourceKind};

use super::*;
use crate::health::Mark;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn endpoint(port: u16, version: &str, weight: u32) -> ResolvedEndpoint {
    ResolvedEndpoint {
        address: ([127, 0, 0, 1], port).into(),
        labels: labels(&[("version", version)]),
        weight,
        hostname: None,
        dial: None,
    }
}

fn cluster(fallback: SubsetFallback, load_balancing: LoadBalancing) -> Cluster {
    let source = ResourceId::new(ResourceKind::Upstream, "ns", "a");
    Cluster {
        subsets: Some(Subsets { selectors: vec![BTreeSet::from(["version".to_owned()])], fallback }),
        load_balancing,
        ..Cluster::new("a_ns", source, EndpointSource::Fixed(Vec::new()))
    }
}

fn ports(fallback: SubsetFallback, subset: &[(&str, &str)]) -> Vec<u16> {
    let endpoints = [endpoint(1, "v1", 1), endpoint(2, "v2", 1), endpoint(3, "v1", 1)];
    let cluster = cluster(fallback, LoadBalancing::RoundRobin);
    let made = Destination::new(
        &cluster,
        &labels(subset),
        &endpoints,
        |address| Arc::new(EndpointState::new(address)),
        |_| 0,
        Arc::default(),
    );
    made.candidates.iter().map(|candidate| candidate.state.address.port()).collect()
}

#[test]
fn a_subset_falls_back_only_when_it_is_empty() {
    assert_eq!(ports(SubsetFallback::None, &[("version", "v1")]), [1, 3]);
    assert_eq!(ports(SubsetFallback::AnyEndpoint, &[("version", "v2")]), [2]);
    assert_eq!(ports(SubsetFallback::AnyEndpoint, &[("version", "v3")]), [1, 2, 3]);
    assert_eq!(ports(SubsetFallback::None, &[("version", "v3")]), [0_u16; 0]);
    assert_eq!(ports(SubsetFallback::DefaultSubset(labels(&[("version", "v2")])), &[("version", "v3")]), [2]);
    assert_eq!(ports(SubsetFallback::DefaultSubset(labels(&[("version", "v9")])), &[("version", "v3")]), [0_u16; 0]);
    assert_eq!(ports(SubsetFallback::AnyEndpoint, &[]), [1, 2, 3]);
    assert_eq!(ports(SubsetFallback::DefaultSubset(labels(&[("version", "v2")])), &[]), [2]);
    assert_eq!(ports(SubsetFallback::None, &[]), [0_u16; 0]);
}

fn counts(load_balancing: LoadBalancing, weights: &[u32], picks: usize) -> Vec<usize> {
    let endpoints: Vec<_> = weights.iter().enumerate().map(|(i, w)| endpoint(i as u16 + 1, "v", *w)).collect();
    let made = Destination::new(
        &cluster(SubsetFallback::AnyEndpoint, load_balancing),
        &BTreeMap::new(),
        &endpoints,
        |address| Arc::new(EndpointState::new(address)),
        |_| 0,
        Arc::default(),
    );
    let (mut cursor, mut random) = (7, fastrand::Rng::with_seed(1));
    let mut counts = vec![0; weights.len()];
    for _ in 0..picks {
        counts[made.pick(Aim::default(), &mut cursor, &mut random).unwrap()] += 1;
    }
    counts
}

#[test]
fn round_robin_keeps_weights_exactly() {
    assert_eq!(counts(LoadBalancing::RoundRobin, &[1, 1, 1], 300), [100, 100, 100]);
    assert_eq!(counts(LoadBalancing::RoundRobin, &[1, 2, 7], 1000), [100, 200, 700]);
}

#[test]
fn random_keeps_weights_roughly() {
    let drawn = counts(LoadBalancing::Random, &[1, 3], 40_000);
    assert!((9_000..11_000).contains(&drawn[0]), "{drawn:?}");
}

#[test]
fn one_that_is_healthy_again_gets_few_requests_at_first() {
    let window = Duration::from_secs(30);
    let slow_start =
        serin_api::proxy::SlowStart { window: serin_api::GoDuration(window), aggression: 1.0, least_percent: 25.0 };
    let begun = Instant::now().checked_sub(window * 2).expect("the machine has been up for a minute");
    let endpoints = [endpoint(1, "v", 1), endpoint(2, "v", 1)];
    for (policy, ports) in [
        (LoadBalancing::RoundRobin, [4_000, 1_000]),
        (LoadBalancing::LeastRequest { choices: 2 }, [4_000, 1_000]),
        (LoadBalancing::Random, [2_500, 2_500]),
    ] {
        let cluster = Cluster { slow_start: Some(slow_start), ..cluster(SubsetFallback::AnyEndpoint, policy) };
        let state = |address: SocketAddr| {
            let state = EndpointState::new(address);
            state.health.begin(begun);
            if address.port() == 2 {
                state.health.set(Mark::Unhealthy, true);
                state.health.set(Mark::Unhealthy, false);
            }
            Arc::new(state)
        };
        let made = Destination::new(&cluster, &BTreeMap::new(), &endpoints, state, |_| 0, Arc::default());
        let (mut cursor, mut random) = (0, fastrand::Rng::with_seed(1));
        let mut counts = [0_usize; 2];
        for _ in 0..5_000 {
            counts[made.pick(Aim::default(), &mut cursor, &mut random).unwrap()] += 1;
        }
        assert!(counts[0].abs_diff(ports[0]) < 250, "{policy:?}: {counts:?} in place of {ports:?}");
    }
}

#[test]
fn least_request_avoids_the_busy() {
    let endpoints = [endpoint(1, "v", 1), endpoint(2, "v", 1)];
    let cluster = cluster(SubsetFallback::AnyEndpoint, LoadBalancing::LeastRequest { choices: 8 });
    let made = Destination::new(
        &cluster,
        &BTreeMap::new(),
        &endpoints,
        |address| Arc::new(EndpointState::new(address)),
        |_| 0,
        Arc::default(),
    );
    let busy: Vec<_> = (0..5).map(|_| made.candidates[0].state.begin()).collect();
    let (mut cursor, mut random) = (0, fastrand::Rng::with_seed(1));
    let picks = (0..1000).filter(|_| made.pick(Aim::default(), &mut cursor, &mut random) == Some(1)).count();
    assert!(picks > 950, "{picks}");
    drop(busy);
    assert_eq!(made.candidates[0].state.active(), 0);
}
