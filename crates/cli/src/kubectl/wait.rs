//! `kubectl wait`: for a condition, a value, or an end.

use std::time::{Duration, Instant};

use clap::Args;
use futures::StreamExt;
use serde_json::Value;

use super::duration;
use super::jsonpath::JsonPath;
use super::manifest::{self, Files};
use super::resource::{Catalogue, Resource, Words, read_words};
use super::session::{Session, query};
use super::watch;
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `wait`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  serin kubectl wait --for=condition=Available deployment/echo-v1 -n echo --timeout=30s\n  \
                        serin kubectl wait --for=delete pod/busy\n  \
                        serin kubectl wait --for=jsonpath='{.status.phase}'=Running pod -l app=echo"
)]
pub(super) struct Options {
    /// TYPE, TYPE NAME…, or TYPE/NAME…
    words: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// What to wait for: condition=NAME[=VALUE], delete, create, or jsonpath=PATH[=VALUE]
    #[arg(long = "for", value_name = "WHAT")]
    what: String,
    /// How long to wait; 0 looks once
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    timeout: Duration,
    /// Every object of the kind
    #[arg(long)]
    all: bool,
    /// Of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Only objects with these fields
    #[arg(long, value_name = "FIELDS")]
    field_selector: Option<String>,
}

/// What is waited for.
enum Goal {
    Condition(String, String),
    Deleted,
    Created,
    Value(JsonPath, Option<String>),
}

impl Goal {
    fn parse(text: &str) -> Outcome<Self> {
        let lower = text.to_lowercase();
        if lower == "delete" {
            return Ok(Self::Deleted);
        }
        if lower == "create" {
            return Ok(Self::Created);
        }
        if let Some(condition) = text.strip_prefix("condition=") {
            let (name, value) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Self::Condition(name.to_lowercase(), value.to_lowercase()));
        }
        if let Some(path) = text.strip_prefix("jsonpath=") {
            // The path itself may hold `=` in a filter; the value comes after the closing brace.
            let close = path.rfind('}').map_or(0, |at| at + 1);
            let (path, value) = match path[close..].split_once('=') {
                Some((rest, value)) => (&path[..close + rest.len()], Some(value.trim_matches(['"', '\'']).to_owned())),
                None => (path, None),
            };
            return Ok(Self::Value(JsonPath::parse(path)?, value));
        }
        Err(Failure::new(format!(
            "unrecognized condition: {text:?}; use condition=NAME, delete, create or jsonpath=PATH"
        )))
    }

    /// Whether an object (`None`: it is not there) is what is waited for.
    fn is_met(&self, object: Option<&Value>) -> bool {
        let Some(object) = object else { return matches!(self, Self::Deleted) };
        match self {
            Self::Deleted => false,
            Self::Created => true,
            Self::Condition(name, value) => condition(object, name).is_some_and(|status| status == *value),
            Self::Value(path, value) => {
                let found = path.find(object);
                match value {
                    Some(value) => {
                        found.iter().any(|it| it.as_str().map_or_else(|| it.to_string() == *value, |it| it == value))
                    }
                    None => !found.is_empty(),
                }
            }
        }
    }
}

/// A condition's status, in lower case, if the controller has seen the object's latest generation.
fn condition(object: &Value, name: &str) -> Option<String> {
    let generation = object["metadata"]["generation"].as_i64();
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|it| it["type"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))?;
    let observed = found["observedGeneration"].as_i64().or_else(|| object["status"]["observedGeneration"].as_i64());
    if observed.zip(generation).is_some_and(|(observed, generation)| observed < generation) {
        return None;
    }
    found["status"].as_str().map(str::to_lowercase)
}

/// One object that is waited for.
struct Awaited<'a> {
    resource: &'a Resource,
    namespace: String,
    name: String,
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let goal = Goal::parse(&options.what)?;
    let catalogue = Catalogue::fetch(session).await?;
    let awaited = awaited(session, options, &catalogue, &goal).await?;
    let end = Instant::now() + options.timeout;
    for one in &awaited {
        wait_for(session, &goal, one, end).await?;
        out::line(format!("{} condition met", one.resource.display(&one.name)));
    }
    Ok(())
}

async fn awaited<'a>(
    session: &Session,
    options: &Options,
    catalogue: &'a Catalogue,
    goal: &Goal,
) -> Outcome<Vec<Awaited<'a>>> {
    let named = |resource, namespace: &str, name: &str| Awaited {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    if !options.files.files.is_empty() {
        let manifests = manifest::read(&options.files)?.into_iter().map(|mut manifest| {
            let resource = manifest.resource(catalogue)?;
            let namespace = manifest.settle_namespace(resource, session)?;
            Ok(named(resource, &namespace, manifest.name()))
        });
        return manifests.collect();
    }
    let kinds = match read_words(&options.words)? {
        Words::Objects(objects) => {
            let objects = objects.into_iter();
            return objects
                .map(|(kind, name)| Ok(named(catalogue.of_word(kind)?, session.namespace(), name)))
                .collect();
        }
        Words::Kinds(kinds) => kinds,
    };
    if options.selector.is_none() && options.field_selector.is_none() && !options.all {
        return Err(Failure::new("resource(s) were provided, but no name was specified"));
    }
    let selected =
        query(&[("labelSelector", options.selector.as_deref()), ("fieldSelector", options.field_selector.as_deref())]);
    let mut found = Vec::new();
    for resource in catalogue.of_words(kinds)? {
        let namespace = (!options.all_namespaces).then(|| session.namespace());
        let list = session.get(&format!("{}{selected}", resource.collection(namespace))).await??;
        for item in list["items"].as_array().into_iter().flatten() {
            let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default();
            found.push(named(resource, text("namespace"), text("name")));
        }
    }
    if found.is_empty() && !matches!(goal, Goal::Deleted) {
        return Err(Failure::new("no matching resources found"));
    }
    Ok(found)
}

async fn wait_for(session: &Session, goal: &Goal, one: &Awaited<'_>, end: Instant) -> Outcome {
    let name = format!("metadata.name={}", one.name);
    let collection = one.resource.collection(Some(&one.namespace));
    let late = || {
        let kind = one.resource.plural_in_group();
        let kind = kind.split('.').next().unwrap_or_default();
        Failure::new(format!("timed out waiting for the condition on {kind}/{}", one.name))
    };
    loop {
        let list = session.get(&format!("{collection}{}", query(&[("fieldSelector", Some(&name))]))).await??;
        let object = list["items"].as_array().and_then(|items| items.first());
        if goal.is_met(object) {
            return Ok(());
        }
        if object.is_none() && !matches!(goal, Goal::Created) {
            let kind = one.resource.plural_in_group();
            return Err(Failure::new(format!("Error from server (NotFound): {kind} {:?} not found", one.name)));
        }
        let version = list["metadata"]["resourceVersion"].as_str();
        let watch = query(&[("fieldSelector", Some(&name)), ("watch", Some("true")), ("resourceVersion", version)]);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        let watched = async {
            let mut events = watch::open(session, &format!("{collection}{watch}"), "application/json").await?;
            while let Some(event) = events.next().await {
                let event = event?;
                let object = match event.kind.as_str() {
                    "ADDED" | "MODIFIED" => Some(&event.object),
                    "DELETED" => None,
                    _ => continue,
                };
                if goal.is_met(object) {
                    return Outcome::Ok(true);
                }
            }
            // The server ends a watch now and then; the list is taken anew.
            Ok(false)
        };
        match tokio::time::timeout(left, watched).await {
            Ok(met) => {
                if met? {
                    return Ok(());
                }
            }
            Err(_) => return Err(late()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_counts_once_its_controller_has_seen_the_change() {
        let goal = Goal::parse("condition=available").unwrap();
        let mut object = json!({
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}]},
        });
        assert!(!goal.is_met(Some(&object)));
        object["status"]["observedGeneration"] = json!(2);
        assert!(goal.is_met(Some(&object)));
        assert!(!Goal::parse("condition=Available=false").unwrap().is_met(Some(&object)));
        assert!(!goal.is_met(None));
    }

    #[test]
    fn values_are_compared_as_they_print() {
        let object = json!({"status": {"phase": "Running", "replicas": 2, "c": [{"type": "A", "status": "x"}]}});
        for (goal, met) in [
            ("jsonpath={.status.phase}=Running", true),
            ("jsonpath={.status.phase}=Pending", false),
            ("jsonpath={.status.replicas}=2", true),
            ("jsonpath={.status.phase}", true),
            ("jsonpath={.status.nope}", false),
            ("jsonpath={.status.c[?(@.type==\"A\")].status}=x", true),
            ("create", true),
            ("delete", false),
        ] {
            assert_eq!(Goal::parse(goal).unwrap().is_met(Some(&object)), met, "{goal}");
        }
        assert!(Goal::parse("delete").unwrap().is_met(None));
        assert!(Goal::parse("ready").is_err());
    }
}
