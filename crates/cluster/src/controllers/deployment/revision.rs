//! Which ReplicaSet is a Deployment's present one, how a new one is named, and its place in the history.

use super::super::ownership::controlled_by;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(super) const POD_TEMPLATE_HASH: &str = "pod-template-hash";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 5] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS];
/// Letters and digits that make no words and look like no others: Kubernetes' alphabet for generated names.
const SAFE_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Whether two templates make the same pods, whatever hash they are labelled with.
pub(super) fn same_template(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    a.spec == b.spec && labels(a) == labels(b) && annotations(a) == annotations(b)
}

fn labels(template: &PodTemplateSpec) -> BTreeMap<&str, &str> {
    let labels = template.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
    let labels = labels.into_iter().flatten().filter(|(key, _)| *key != POD_TEMPLATE_HASH);
    labels.map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn annotations(template: &PodTemplateSpec) -> BTreeMap<&str, &str> {
    let annotations = template.metadata.as_ref().and_then(|meta| meta.annotations.as_ref());
    annotations.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// A short name for a template; `collisions` makes another one when the first belongs to something else.
pub(super) fn template_hash(template: &PodTemplateSpec, collisions: i32) -> String {
    let mut hash = Sha256::new();
    // A pod template has string keys only, so it always serialises.
    hash.update(serde_json::to_vec(template).unwrap_or_default());
    if collisions > 0 {
        hash.update(collisions.to_be_bytes());
    }
    let digest = hash.finalize();
    let number = digest.iter().take(4).fold(0u32, |number, &byte| number << 8 | u32::from(byte));
    number.to_string().bytes().map(|byte| char::from(SAFE_ALPHABET[usize::from(byte) % SAFE_ALPHABET.len()])).collect()
}

/// A new ReplicaSet for the Deployment's present template, with no pods yet.
pub(super) fn new_replica_set(deployment: &Deployment) -> Option<ReplicaSet> {
    let spec = deployment.spec.as_ref()?;
    let collisions = deployment.status.as_ref().and_then(|status| status.collision_count).unwrap_or(0);
    let hash = template_hash(&spec.template, collisions);
    let mut template = spec.template.clone();
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(POD_TEMPLATE_HASH.to_owned(), hash.clone());
    let labels = labels.clone();
    let mut selector = spec.selector.clone();
    selector.match_labels.get_or_insert_default().insert(POD_TEMPLATE_HASH.to_owned(), hash.clone());
    Some(ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", deployment.name_any())),
            namespace: deployment.namespace(),
            labels: Some(labels),
            owner_references: Some(vec![controlled_by("apps/v1", "Deployment", &deployment.metadata)]),
            ..Default::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(0),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    })
}

/// The revision an object is annotated with; 0 when it has none.
pub(super) fn revision(meta: &ObjectMeta) -> i64 {
    annotation(meta, REVISION)
}

/// How many replicas the Deployment wanted when this set got its size.
pub(super) fn desired_replicas(set: &ReplicaSet) -> Option<i32> {
    set.annotations().get(DESIRED_REPLICAS)?.parse().ok()
}

/// How many pods there could be at most when this set got its size; 0 when that is not known.
pub(super) fn max_replicas(set: &ReplicaSet) -> i32 {
    i32::try_from(annotation(&set.metadata, MAX_REPLICAS)).unwrap_or(0)
}

fn annotation(meta: &ObjectMeta, name: &str) -> i64 {
    let value = meta.annotations.as_ref().and_then(|annotations| annotations.get(name));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Notes in a set what its size follows from.
pub(super) fn note_size(set: &mut ReplicaSet, desired: i32, max: i32) {
    let annotations = set.annotations_mut();
    annotations.insert(DESIRED_REPLICAS.to_owned(), desired.to_string());
    annotations.insert(MAX_REPLICAS.to_owned(), max.to_string());
}

/// Makes `new` the latest revision: one more than any of `old`. The revisions it had before are kept in its history.
pub(super) fn make_latest(new: &mut ReplicaSet, deployment: &Deployment, old: &[ReplicaSet]) {
    for (key, value) in deployment.annotations() {
        if !NOT_COPIED.contains(&key.as_str()) {
            new.annotations_mut().insert(key.clone(), value.clone());
        }
    }
    let latest = old.iter().map(|set| revision(&set.metadata)).max().unwrap_or(0) + 1;
    let former = revision(&new.metadata);
    if former >= latest {
        return;
    }
    if former > 0 {
        let history = new.annotations_mut().entry(REVISION_HISTORY.to_owned()).or_default();
        if !history.is_empty() {
            history.push(',');
        }
        history.push_str(&former.to_string());
    }
    new.annotations_mut().insert(REVISION.to_owned(), latest.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(label: &str) -> PodTemplateSpec {
        let labels = BTreeMap::from([("app".to_owned(), label.to_owned())]);
        PodTemplateSpec { metadata: Some(ObjectMeta { labels: Some(labels), ..Default::default() }), spec: None }
    }

    #[test]
    fn the_hash_follows_the_template_and_is_safe_in_names() {
        let hash = template_hash(&template("a"), 0);
        assert_eq!(hash, template_hash(&template("a"), 0));
        assert_ne!(hash, template_hash(&template("b"), 0));
        assert_ne!(hash, template_hash(&template("a"), 1));
        assert!(hash.bytes().all(|byte| SAFE_ALPHABET.contains(&byte)), "{hash}");
    }

    #[test]
    fn the_hash_label_makes_no_difference() {
        let mut labelled = template("a");
        labelled.metadata.as_mut().unwrap().labels.as_mut().unwrap().insert(POD_TEMPLATE_HASH.into(), "x".into());
        assert!(same_template(&template("a"), &labelled));
        assert!(!same_template(&template("b"), &labelled));
    }

    #[test]
    fn a_set_that_comes_back_gets_a_new_revision_and_a_history() {
        let with = |revision: &str| {
            let mut set = ReplicaSet::default();
            set.annotations_mut().insert(REVISION.into(), revision.into());
            set
        };
        let mut back = with("1");
        make_latest(&mut back, &Deployment::default(), &[with("2"), with("3")]);
        assert_eq!(revision(&back.metadata), 4);
        assert_eq!(back.annotations()[REVISION_HISTORY], "1");
        make_latest(&mut back, &Deployment::default(), &[with("2"), with("3")]);
        assert_eq!(revision(&back.metadata), 4);
    }
}
