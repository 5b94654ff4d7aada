//! Which kinds the API has, and what the words on a command line mean among them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::session::{Session, escape};
use crate::failure::{Failure, Outcome, While};

/// A kind, as the API serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) short_names: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) namespaced: bool,
    pub(super) verbs: Vec<String>,
}

impl Resource {
    /// The path of the collection in a namespace, or of all namespaces.
    pub(super) fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) if self.namespaced => format!("{root}/namespaces/{}/{}", escape(namespace), self.plural),
            _ => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub(super) fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(Some(namespace)), escape(name))
    }

    /// `deployment.apps`, as kubectl begins a line about an object.
    pub(super) fn singular_in_group(&self) -> String {
        in_group(if self.singular.is_empty() { &self.plural } else { &self.singular }, &self.group)
    }

    /// `deployments.apps`, as the API names a kind in messages.
    pub(super) fn plural_in_group(&self) -> String {
        in_group(&self.plural, &self.group)
    }

    /// `deployment.apps/echo-v1`.
    pub(super) fn display(&self, name: &str) -> String {
        format!("{}/{name}", self.singular_in_group())
    }

    /// `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn answers_to(&self, word: &str) -> bool {
        self.plural == word || self.singular == word || self.short_names.iter().any(|short| short == word)
    }
}

fn in_group(word: &str, group: &str) -> String {
    if group.is_empty() { word.to_owned() } else { format!("{word}.{group}") }
}

/// Every kind, the preferred version of each group first.
pub(super) struct Catalogue {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupList {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
    #[serde(default)]
    resources: Vec<Discovered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered {
    resource: String,
    response_kind: Option<BTreeMap<String, String>>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

/// Aggregated discovery, which answers for all groups at once (Kubernetes 1.27).
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

impl Catalogue {
    /// Asks the API what it serves.
    pub(super) async fn fetch(session: &Session) -> Outcome<Self> {
        let mut resources = Vec::new();
        for root in ["/api", "/apis"] {
            let ask = session.ask(hyper::Method::GET, root, super::session::Content::Json, None, Some(AGGREGATED));
            let answer = ask.await??;
            if answer["kind"] == "APIGroupDiscoveryList" {
                let list: GroupList =
                    serde_json::from_value(answer).or_fail(|| "the API's discovery cannot be read".to_owned())?;
                resources.extend(list.items.into_iter().flat_map(of_group));
            } else {
                resources.extend(plain(session, root, &answer).await?);
            }
        }
        Ok(Self { resources })
    }

    /// The kind that a manifest's `apiVersion` and `kind` mean.
    pub(super) fn of_manifest(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }

    /// The kind that a word means: a plural, a singular, a short name, with or without group or version.
    pub(super) fn of_word(&self, word: &str) -> Outcome<&Resource> {
        let lower = word.to_lowercase();
        let (name, group) = lower.split_once('.').unwrap_or((&lower, ""));
        // `deployments.v1.apps` names the version too.
        let versioned = group.split_once('.');
        let matches = |resource: &&Resource| {
            resource.answers_to(name)
                && (group.is_empty()
                    || resource.group == group
                    || (resource.group.starts_with(group) && resource.group[group.len()..].starts_with('.'))
                    || versioned.is_some_and(|(version, group)| resource.version == version && resource.group == group))
        };
        self.resources
            .iter()
            .find(matches)
            .ok_or_else(|| Failure::new(format!("the server doesn't have a resource type \"{word}\"")))
    }

    /// The kinds that a comma-separated list of words means; a category stands for all of its kinds.
    pub(super) fn of_words(&self, words: &str) -> Outcome<Vec<&Resource>> {
        let mut found: Vec<&Resource> = Vec::new();
        for word in words.split(',').filter(|word| !word.is_empty()) {
            let category: Vec<&Resource> =
                self.resources.iter().filter(|resource| resource.categories.iter().any(|it| it == word)).collect();
            let meant = if category.is_empty() { vec![self.of_word(word)?] } else { category };
            for resource in meant {
                if !found.contains(&resource) {
                    found.push(resource);
                }
            }
        }
        Ok(found)
    }
}

fn of_group(group: Group) -> Vec<Resource> {
    let name = group.metadata.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut resources = Vec::new();
    for version in group.versions {
        for it in version.resources {
            let kind = it.response_kind.and_then(|mut kind| kind.remove("kind")).unwrap_or_default();
            resources.push(Resource {
                group: name.clone(),
                version: version.version.clone(),
                kind,
                plural: it.resource,
                singular: it.singular_resource,
                short_names: it.short_names,
                categories: it.categories,
                namespaced: it.scope == "Namespaced",
                verbs: it.verbs,
            });
        }
    }
    resources
}

/// Plain discovery, a request for each group and version: for servers older than Kubernetes 1.27.
async fn plain(session: &Session, root: &str, answer: &Value) -> Outcome<Vec<Resource>> {
    let mut versions: Vec<(String, String)> = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if root == "/api" {
        let listed = answer["versions"].as_array().into_iter().flatten();
        versions.extend(listed.map(|version| (String::new(), text(version))));
    }
    for group in answer["groups"].as_array().into_iter().flatten() {
        let listed = group["versions"].as_array().into_iter().flatten();
        versions.extend(listed.map(|version| (text(&group["name"]), text(&version["version"]))));
    }
    let mut resources = Vec::new();
    for (group, version) in versions {
        let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let Some(list) = session.find(&path).await? else { continue };
        for it in list["resources"].as_array().into_iter().flatten() {
            if text(&it["name"]).contains('/') {
                continue;
            }
            let texts = |field: &str| it[field].as_array().into_iter().flatten().map(text).collect();
            resources.push(Resource {
                group: group.clone(),
                version: version.clone(),
                kind: text(&it["kind"]),
                plural: text(&it["name"]),
                singular: text(&it["singularName"]),
                short_names: texts("shortNames"),
                categories: texts("categories"),
                namespaced: it["namespaced"] == true,
                verbs: texts("verbs"),
            });
        }
    }
    Ok(resources)
}

/// Kinds and names as they stand on a command line: `TYPE [NAME…]`, `TYPE/NAME…`, `TYPE,TYPE`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words<'a> {
    /// All of some kinds.
    Kinds(&'a str),
    /// Objects, each as kind and name.
    Objects(Vec<(&'a str, &'a str)>),
}

/// Reads the words.
pub(super) fn read_words(words: &[String]) -> Outcome<Words<'_>> {
    let Some((first, rest)) = words.split_first() else {
        return Err(Failure::new("You must specify the type of resource, such as `pods`"));
    };
    if first.contains('/') {
        let objects = words.iter().map(|word| {
            let parts = word.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty() && !name.contains('/'));
            parts.ok_or_else(|| Failure::new("there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"))
        });
        return Ok(Words::Objects(objects.collect::<Outcome<_>>()?));
    }
    if rest.is_empty() {
        return Ok(Words::Kinds(first));
    }
    if let Some(mixed) = rest.iter().find(|word| word.contains('/')) {
        return Err(Failure::new(format!("{mixed:?} names a type again; give TYPE NAME, or TYPE/NAME")));
    }
    Ok(Words::Objects(rest.iter().map(|name| (first.as_str(), name.as_str())).collect()))
}
