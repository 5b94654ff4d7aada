//! A set of field paths, as a trie, and the `fieldsV1` form that it is stored in.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path::PathElement;
use crate::schema::node::Node;

/// A set of paths. Paths share their beginnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    entries: BTreeMap<PathElement, Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// The path that ends here is in the set.
    member: bool,
    children: Set,
}

impl Entry {
    fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }
}

impl Set {
    /// Whether no path is in the set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a path; the empty path is not a member of any set.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else { return };
        let entry = self.entries.entry(first.clone()).or_default();
        match rest {
            [] => entry.member = true,
            rest => entry.children.insert(rest),
        }
    }

    /// Whether exactly this path is in the set.
    pub fn contains(&self, path: &[PathElement]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        self.entries.get(first).is_some_and(|entry| match rest {
            [] => entry.member,
            rest => entry.children.contains(rest),
        })
    }

    /// The paths below `element`.
    pub fn below(&self, element: &PathElement) -> Option<&Self> {
        self.entries.get(element).map(|entry| &entry.children).filter(|set| !set.is_empty())
    }

    /// Whether the path of just `element` is in the set.
    pub fn has(&self, element: &PathElement) -> bool {
        self.entries.get(element).is_some_and(|entry| entry.member)
    }

    fn combine(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let nothing = Entry::default();
        let mut entries = BTreeMap::new();
        let others = other.entries.keys().filter(|element| !self.entries.contains_key(*element));
        for element in self.entries.keys().chain(others) {
            let (a, b) =
                (self.entries.get(element).unwrap_or(&nothing), other.entries.get(element).unwrap_or(&nothing));
            let entry = Entry { member: keep(a.member, b.member), children: a.children.combine(&b.children, keep) };
            if !entry.is_empty() {
                entries.insert(element.clone(), entry);
            }
        }
        Self { entries }
    }

    /// The paths in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a || b)
    }

    /// The paths in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && b)
    }

    /// The paths of this that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && !b)
    }

    /// The paths of this that are neither in `other` nor below one of its members.
    #[must_use]
    pub fn recursive_difference(&self, other: &Self) -> Self {
        let mut entries = BTreeMap::new();
        for (element, entry) in &self.entries {
            let kept = match other.entries.get(element) {
                None => entry.clone(),
                Some(other) if other.member => continue,
                Some(other) => {
                    Entry { member: entry.member, children: entry.children.recursive_difference(&other.children) }
                }
            };
            if !kept.is_empty() {
                entries.insert(element.clone(), kept);
            }
        }
        Self { entries }
    }

    /// The same set, and every declared field on the way to a member: `spec` of `spec.replicas`, but not a key of a map.
    #[must_use]
    pub fn with_named_parents(&self, node: Option<&Node>) -> Self {
        let mut entries = BTreeMap::new();
        for (element, entry) in &self.entries {
            let (child, named) = match element {
                PathElement::Field(name) => {
                    (node.and_then(|node| node.child(name)), node.is_some_and(|node| node.field(name).is_some()))
                }
                PathElement::Key(_) => (node.and_then(Node::item), false),
                PathElement::Value(_) | PathElement::Index(_) => (None, false),
            };
            let member = entry.member || (named && !entry.children.is_empty());
            entries.insert(element.clone(), Entry { member, children: entry.children.with_named_parents(child) });
        }
        Self { entries }
    }

    /// Every path, in order.
    pub fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut Vec<PathElement>, paths: &mut Vec<Vec<PathElement>>) {
        // Members first, then what is below: the order in which conflicts are listed.
        for (element, _) in self.entries.iter().filter(|(_, entry)| entry.member) {
            prefix.push(element.clone());
            paths.push(prefix.clone());
            prefix.pop();
        }
        for (element, entry) in &self.entries {
            prefix.push(element.clone());
            entry.children.collect(prefix, paths);
            prefix.pop();
        }
    }

    /// Reads `fieldsV1`; `None` when it is not of that form.
    pub fn from_fields_v1(fields: &Value) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for (key, below) in fields.as_object()? {
            if key == "." {
                continue;
            }
            let children = Self::from_fields_v1(below)?;
            let member = children.is_empty() || below.get(".").is_some();
            entries.insert(PathElement::parse(key)?, Entry { member, children });
        }
        Some(Self { entries })
    }

    /// Writes `fieldsV1`.
    pub fn to_fields_v1(&self) -> Value {
        let mut fields = Map::new();
        for (element, entry) in &self.entries {
            let mut below = entry.children.to_fields_v1();
            if let (true, false, Value::Object(map)) = (entry.member, entry.children.is_empty(), &mut below) {
                map.insert(".".to_owned(), Value::Object(Map::new()));
            }
            fields.insert(element.encode(), below);
        }
        Value::Object(fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Set;

    #[test]
    fn fields_v1_reads_and_writes() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
            "f:spec": {"f:ports": {".": {}, "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:set": {"v:1": {}, "v:\"x\"": {}}},
        });
        let set = Set::from_fields_v1(&fields).unwrap();
        assert_eq!(set.to_fields_v1(), fields);
        assert!(Set::from_fields_v1(&json!({"x:y": {}})).is_none());
        assert!(Set::from_fields_v1(&json!([])).is_none());
    }

    #[test]
    fn set_algebra_works_on_paths() {
        let set = |value| Set::from_fields_v1(&value).unwrap();
        let a = set(json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}}));
        let b = set(json!({"f:a": {"f:b": {}}}));
        assert_eq!(a.difference(&b), set(json!({"f:a": {".": {}, "f:c": {}}})));
        assert_eq!(a.intersection(&b), b);
        assert_eq!(a.union(&b), a);
        assert!(a.recursive_difference(&set(json!({"f:a": {}}))).is_empty());
    }
}
