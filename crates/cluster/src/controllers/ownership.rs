//! Owner references and selectors: which objects a controller has, adopts and lets go.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use kube::core::{Selector, SelectorExt};
use std::collections::BTreeMap;

/// Labels of an object.
pub(crate) type Labels = BTreeMap<String, String>;

/// The owner that controls the object, if one does.
pub(crate) fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.as_deref().unwrap_or_default().iter().find(|owner| owner.controller == Some(true))
}

/// A reference that makes `owner` the object's controller.
pub(crate) fn controlled_by(api_version: &str, kind: &str, owner: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: owner.name.clone().unwrap_or_default(),
        uid: owner.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// What is to be done with an object that may belong to an owner.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Claim {
    /// It is the owner's, and stays so.
    Owned,
    /// It is nobody's and the selector matches: the owner takes it.
    Adopt,
    /// It is the owner's, but the selector does not match any more: the owner lets it go.
    Release,
    /// It is none of the owner's business.
    Foreign,
}

/// Decides on one object, as Kubernetes' controllers do: an owner that is being deleted adopts and releases nothing.
pub(crate) fn claim(owner: &ObjectMeta, selector: &LabelMatcher, object: &ObjectMeta) -> Claim {
    let matches = selector.matches(object.labels.as_ref());
    let going = owner.deletion_timestamp.is_some();
    match controller_of(object) {
        Some(controller) if Some(&controller.uid) != owner.uid.as_ref() => Claim::Foreign,
        Some(_) if matches => Claim::Owned,
        Some(_) if going => Claim::Foreign,
        Some(_) => Claim::Release,
        None if matches && !going && object.deletion_timestamp.is_none() => Claim::Adopt,
        None => Claim::Foreign,
    }
}

/// A label selector, ready to use.
pub(crate) struct LabelMatcher(Option<Selector>);

impl LabelMatcher {
    /// A selector that is empty, or that cannot be read, matches nothing: no controller may take every pod for its own.
    pub(crate) fn new(selector: &LabelSelector) -> Self {
        let empty = selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
            && selector.match_expressions.as_ref().is_none_or(Vec::is_empty);
        LabelMatcher(if empty { None } else { Selector::try_from(selector.clone()).ok() })
    }

    pub(crate) fn matches(&self, labels: Option<&Labels>) -> bool {
        let none = Labels::new();
        self.0.as_ref().is_some_and(|selector| selector.matches(labels.unwrap_or(&none)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(labels: &[(&str, &str)], owner: Option<&str>) -> ObjectMeta {
        let owner = owner.map(|uid| {
            let owner = ObjectMeta { uid: Some(uid.to_owned()), name: Some("o".to_owned()), ..Default::default() };
            vec![controlled_by("apps/v1", "ReplicaSet", &owner)]
        });
        ObjectMeta {
            labels: Some(labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
            owner_references: owner,
            ..Default::default()
        }
    }

    #[test]
    fn claims() {
        let owner = ObjectMeta { uid: Some("me".to_owned()), ..Default::default() };
        let labels = Labels::from([("app".to_owned(), "a".to_owned())]);
        let selector = LabelMatcher::new(&LabelSelector { match_labels: Some(labels), ..Default::default() });
        let claim = |labels: &[(&str, &str)], by| claim(&owner, &selector, &meta(labels, by));
        assert_eq!(claim(&[("app", "a")], Some("me")), Claim::Owned);
        assert_eq!(claim(&[("app", "a")], None), Claim::Adopt);
        assert_eq!(claim(&[("app", "b")], Some("me")), Claim::Release);
        assert_eq!(claim(&[("app", "b")], None), Claim::Foreign);
        assert_eq!(claim(&[("app", "a")], Some("other")), Claim::Foreign);
    }

    #[test]
    fn an_empty_selector_matches_nothing() {
        assert!(!LabelMatcher::new(&LabelSelector::default()).matches(None));
    }
}
