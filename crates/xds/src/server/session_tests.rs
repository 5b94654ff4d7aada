//! What a session tells, and in which order, without a socket.

use serin_api::proxy::{Cluster, Endpoint, EndpointMap, EndpointSource, Listener, ProxySpec};
use serin_api::{ResourceId, ResourceKind};

use super::*;
use crate::ListenerAddresses;
use ResourceType::{Cluster as Cds, Endpoints as Eds, Listener as Lds, Routes as Rds};

fn spec(clusters: &[&str]) -> ProxySpec {
    let cluster = |name: &str| {
        Cluster::new(name, ResourceId::new(ResourceKind::Upstream, "test", name), EndpointSource::Fixed(Vec::new()))
    };
    let listener = Listener {
        name: "test.gw".to_owned(),
        source: ResourceId::new(ResourceKind::Gateway, "test", "gw"),
        bind_address: "::".to_owned(),
        bind_port: 8080,
        ..proxy_listener()
    };
    ProxySpec {
        listeners: vec![Arc::new(listener)],
        clusters: clusters.iter().map(|name| ((*name).into(), Arc::new(cluster(name)))).collect(),
        sources: BTreeMap::new(),
    }
}

/// A listener as it is in JSON when nothing else is said.
fn proxy_listener() -> Listener {
    serde_json::from_value(serde_json::json!({
        "name": "", "source": {"kind": "Gateway", "namespace": "", "name": ""}, "bindAddress": "", "bindPort": 1,
        "ssl": false, "stripAnyHostPort": false, "virtualHosts": []
    }))
    .unwrap()
}

fn snapshot(clusters: &[&str], endpoints: EndpointMap, previous: Option<&Snapshot>) -> Snapshot {
    Snapshot::new(Arc::new(spec(clusters)), endpoints, ListenerAddresses::default(), previous)
}

fn endpoints(cluster: &str) -> EndpointMap {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: 1, labels: BTreeMap::new(), weight: 1 };
    [(cluster.into(), Arc::new(vec![endpoint]))].into()
}

/// A session and what came of it.
struct Played {
    session: Session,
    refusals: Vec<Refusal>,
    now: Instant,
}

impl Played {
    fn new(changes_only: bool) -> Self {
        Self { session: Session::new(changes_only, true), refusals: Vec::new(), now: Instant::now() }
    }

    fn ask(&mut self, kind: ResourceType, names: &[&str]) {
        self.say(kind, "", None, names);
    }

    fn say(&mut self, kind: ResourceType, nonce: &str, error: Option<&str>, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let names = match self.session.changes_only {
            true => Names::Change { subscribe: names, unsubscribe: Vec::new(), known: Default::default() },
            false => Names::Exactly(names),
        };
        let ask = Ask {
            type_url: kind.type_url(),
            nonce: nonce.to_owned(),
            error: error.map(ToOwned::to_owned),
            names,
            ..Ask::default()
        };
        self.session.hear(ask, &mut self.refusals);
    }

    /// The next update as `type: +sent -removed`, and its nonce.
    fn next(&mut self, snapshot: &Snapshot) -> Option<(ResourceType, String, String)> {
        self.session.next(snapshot, self.now).map(|update| {
            let sent = update.resources.iter().map(|resource| format!("+{}", resource.name));
            let removed = update.removed.iter().map(|name| format!("-{name}"));
            let mut all: Vec<_> = sent.chain(removed).collect();
            all.sort();
            (update.kind, all.join(" "), update.nonce)
        })
    }

    /// The next update, accepted at once.
    fn accept(&mut self, snapshot: &Snapshot, names: &[&str]) -> Option<(ResourceType, String)> {
        let (kind, told, nonce) = self.next(snapshot)?;
        self.say(kind, &nonce, None, names);
        Some((kind, told))
    }
}

fn told(kind: ResourceType, what: &str) -> Option<(ResourceType, String)> {
    Some((kind, what.to_owned()))
}

#[test]
fn routes_wait_until_the_endpoints_of_new_clusters_are_there_and_old_clusters_go_last() {
    let first = snapshot(&["a"], EndpointMap::new(), None);
    let mut played = Played::new(false);
    played.ask(Cds, &[]);
    played.ask(Lds, &[]);
    assert_eq!(played.accept(&first, &[]), told(Cds, "+a"));
    assert_eq!(played.next(&first), None, "the listener waits for the endpoints of a");
    played.ask(Eds, &["a"]);
    assert_eq!(played.accept(&first, &["a"]), told(Eds, "+a"));
    assert_eq!(played.accept(&first, &[]), told(Lds, "+test.gw"));
    played.ask(Rds, &["test.gw"]);
    assert_eq!(played.accept(&first, &["test.gw"]), told(Rds, "+test.gw"));
    assert_eq!(played.next(&first), None);
    assert!(played.session.has_all_of(&first));

    let second = snapshot(&["b"], EndpointMap::new(), Some(&first));
    assert!(!played.session.has_all_of(&second));
    assert_eq!(played.accept(&second, &[]), told(Cds, "+a +b"), "a stays while routes may name it");
    assert_eq!(played.next(&second), None);
    played.ask(Eds, &["a", "b"]);
    assert_eq!(played.accept(&second, &["a", "b"]), told(Eds, "+b"));
    assert_eq!(played.accept(&second, &[]), told(Cds, "+b -a"));
}

/// Envoy acknowledges a changed cluster when it is warm, and it gets warm by its endpoints.
#[test]
fn endpoints_do_not_wait_until_their_cluster_is_acknowledged() {
    let first = snapshot(&["a"], EndpointMap::new(), None);
    let mut played = Played::new(true);
    played.ask(Cds, &[]);
    played.ask(Lds, &[]);
    let (_, _, nonce) = played.next(&first).unwrap();
    assert_eq!(played.next(&first), None, "nobody has asked for endpoints");
    played.ask(Eds, &["a"]);
    assert_eq!(played.accept(&first, &[]), told(Eds, "+a"));
    assert_eq!(played.next(&first), None, "the listener waits for the answer");
    played.say(Cds, &nonce, None, &[]);
    assert_eq!(played.accept(&first, &[]), told(Lds, "+test.gw"));
}

#[test]
fn a_client_that_never_asks_for_endpoints_is_not_kept_waiting_for_ever() {
    let first = snapshot(&["a"], EndpointMap::new(), None);
    let mut played = Played::new(false);
    played.ask(Cds, &[]);
    played.ask(Lds, &[]);
    assert_eq!(played.accept(&first, &[]), told(Cds, "+a"));
    assert_eq!(played.next(&first), None);
    assert_eq!(played.session.wakes_at(played.now), Some(played.now + PATIENCE));
    played.now += PATIENCE;
    assert_eq!(played.accept(&first, &[]), told(Lds, "+test.gw"));
    assert_eq!(played.session.wakes_at(played.now), None);
}

#[test]
fn only_what_changed_is_sent() {
    let first = snapshot(&["a", "b"], EndpointMap::new(), None);
    let mut played = Played::new(true);
    for (kind, names) in [(Cds, &[][..]), (Eds, &["a", "b"]), (Lds, &[]), (Rds, &["test.gw"])] {
        played.ask(kind, names);
    }
    while played.accept(&first, &[]).is_some() {}
    assert!(played.session.has_all_of(&first));

    let second = snapshot(&["a", "b"], endpoints("b"), Some(&first));
    assert_eq!(played.accept(&second, &[]), told(Eds, "+b"));
    assert_eq!(played.next(&second), None);

    let third = snapshot(&["a"], EndpointMap::new(), Some(&second));
    assert_eq!(played.accept(&third, &[]), told(Eds, "-b"));
    assert_eq!(played.accept(&third, &[]), told(Cds, "-b"));
    assert_eq!(played.next(&third), None);
}

#[test]
fn a_refusal_names_the_resource_is_not_repeated_and_ends_with_a_better_version() {
    let first = snapshot(&["good", "bad"], EndpointMap::new(), None);
    let mut played = Played::new(true);
    played.ask(Cds, &[]);
    let (_, _, nonce) = played.next(&first).unwrap();
    played.say(Cds, &nonce, Some("cluster bad: no"), &[]);
    let [refusal] = &played.refusals[..] else { panic!("{:?}", played.refusals) };
    assert_eq!((refusal.resource.as_str(), refusal.source.name.as_str()), ("bad", "bad"));
    assert_eq!(played.next(&first), None);

    let second = snapshot(&["good"], EndpointMap::new(), Some(&first));
    assert_eq!(played.next(&second), None, "nobody asked for endpoints yet");
    played.now += PATIENCE;
    assert_eq!(played.accept(&second, &[]), told(Cds, "-bad"));
    assert_eq!(played.refusals, []);
}

#[test]
fn a_refusal_that_names_nothing_is_of_all_that_was_sent() {
    let first = snapshot(&["x1", "x2"], EndpointMap::new(), None);
    let mut played = Played::new(false);
    played.ask(Cds, &[]);
    let (_, _, nonce) = played.next(&first).unwrap();
    played.say(Cds, "stale", Some("no"), &[]);
    assert_eq!(played.refusals.len(), 0, "an answer to something else");
    played.say(Cds, &nonce, Some("no"), &[]);
    assert_eq!(played.refusals.len(), 2);
}

#[test]
fn an_unknown_type_is_left_alone() {
    let mut played = Played::new(false);
    let ask = Ask { type_url: "type.googleapis.com/what".to_owned(), ..Ask::default() };
    played.session.hear(ask, &mut played.refusals);
    assert_eq!(played.next(&snapshot(&[], EndpointMap::new(), None)), None);
}
