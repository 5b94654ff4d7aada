//! `kubectl delete`.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::duration;
use super::manifest::{self, Files};
use super::print::DryRun;
use super::resource::{Catalogue, Resource, Words, read_words};
use super::session::{Session, query};
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `delete`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  serin kubectl delete -f app.yaml\n  serin kubectl delete pod echo-1 --now\n  \
                        serin kubectl delete routetables --all -n echo")]
pub(super) struct Options {
    /// TYPE NAME…, TYPE/NAME…, or TYPE with --all or -l
    words: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// Every object of the kind in the namespace
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
    /// Succeed where an object is not there
    #[arg(long)]
    ignore_not_found: bool,
    /// Wait until the objects are gone
    #[arg(long, default_value_t = true, default_missing_value = "true", num_args = 0..=1, action = clap::ArgAction::Set)]
    wait: bool,
    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    timeout: Duration,
    /// Seconds that a pod gets to end by itself
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    grace_period: Option<i64>,
    /// As --grace-period=1
    #[arg(long)]
    now: bool,
    /// Do not wait for a pod's end at all; with --grace-period=0
    #[arg(long)]
    force: bool,
    /// What becomes of the objects that it owns
    #[arg(long, value_name = "HOW", default_value = "background", default_missing_value = "background", num_args = 0..=1)]
    cascade: Cascade,
    /// Do everything but the change itself
    #[arg(long, value_name = "WHERE", default_value = "none", default_missing_value = "client", num_args = 0..=1)]
    dry_run: DryRun,
    /// `name` prints names only
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
}

/// What becomes of owned objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Cascade {
    /// They are deleted afterwards
    Background,
    /// They are deleted before
    Foreground,
    /// They stay
    Orphan,
}

/// One object to delete.
struct Doomed<'a> {
    resource: &'a Resource,
    namespace: String,
    name: String,
}

/// Longer than anybody waits.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often it is asked whether an object is gone.
const ASK_AGAIN: Duration = Duration::from_millis(20);

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let catalogue = Catalogue::fetch(session).await?;
    let doomed = doomed(session, options, &catalogue).await?;
    if doomed.is_empty() {
        out::line("No resources found");
        return Ok(());
    }
    let mut leaving = Vec::new();
    let mut failed = false;
    for one in &doomed {
        match delete(session, options, one).await {
            Ok(Some(uid)) => leaving.push((one, uid)),
            Ok(None) => {}
            Err(failure) => {
                out::failure(&failure.to_string());
                failed = true;
            }
        }
    }
    if options.wait && options.dry_run == DryRun::None {
        let limit = if options.timeout.is_zero() { NO_LIMIT } else { options.timeout };
        let end = Instant::now() + limit;
        for (one, uid) in leaving {
            until_gone(session, one, &uid, end).await?;
        }
    }
    if failed { Err(Failure::reported()) } else { Ok(()) }
}

async fn doomed<'a>(session: &Session, options: &Options, catalogue: &'a Catalogue) -> Outcome<Vec<Doomed<'a>>> {
    if !options.files.files.is_empty() {
        let manifests = manifest::read(&options.files)?.into_iter().map(|mut manifest| {
            let resource = manifest.resource(catalogue)?;
            let namespace = manifest.settle_namespace(resource, session)?;
            Ok(Doomed { resource, namespace, name: manifest.name().to_owned() })
        });
        return manifests.collect();
    }
    let kinds = match read_words(&options.words)? {
        Words::Objects(objects) => {
            let doomed = objects.into_iter().map(|(kind, name)| {
                let resource = catalogue.of_word(kind)?;
                Ok(Doomed { resource, namespace: session.namespace().to_owned(), name: name.to_owned() })
            });
            return doomed.collect();
        }
        Words::Kinds(kinds) => kinds,
    };
    if !options.all && options.selector.is_none() && options.field_selector.is_none() {
        return Err(Failure::new("resource(s) were provided, but no name was specified"));
    }
    let selected =
        query(&[("labelSelector", options.selector.as_deref()), ("fieldSelector", options.field_selector.as_deref())]);
    let mut found = Vec::new();
    for resource in catalogue.of_words(kinds)?.into_iter().filter(|it| it.verbs.iter().any(|verb| verb == "delete")) {
        let namespace = (!options.all_namespaces).then(|| session.namespace());
        let list = session.get(&format!("{}{selected}", resource.collection(namespace))).await??;
        for item in list["items"].as_array().into_iter().flatten() {
            let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
            found.push(Doomed { resource, namespace: text("namespace"), name: text("name") });
        }
    }
    Ok(found)
}

/// Deletes one; its uid when it may take a while until it is gone.
async fn delete(session: &Session, options: &Options, one: &Doomed<'_>) -> Outcome<Option<String>> {
    let path = one.resource.object(&one.namespace, &one.name);
    let policy = match options.cascade {
        Cascade::Background => "Background",
        Cascade::Foreground => "Foreground",
        Cascade::Orphan => "Orphan",
    };
    let mut body = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy });
    let grace = if options.now { Some(1) } else { options.grace_period.or(options.force.then_some(0)) };
    if let Some(grace) = grace.filter(|grace| *grace >= 0) {
        body["gracePeriodSeconds"] = Value::from(grace);
    }
    if options.dry_run == DryRun::Server {
        body["dryRun"] = json!(["All"]);
    }
    let answer = if options.dry_run == DryRun::Client {
        session.get(&path).await?
    } else {
        session.delete(&path, &body).await?
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(refusal) if refusal.code == 404 && options.ignore_not_found => return Ok(None),
        Err(refusal) => return Err(refusal.into()),
    };
    if options.output.as_deref() == Some("name") {
        out::line(one.resource.display(&one.name));
    } else {
        let forced = if options.force { "force deleted" } else { "deleted" };
        let place = if one.resource.namespaced { format!(" from {} namespace", one.namespace) } else { String::new() };
        let kind = one.resource.singular_in_group();
        out::line(format!("{kind} {:?} {forced}{place}{}", one.name, options.dry_run.suffix()));
    }
    let uid = answer["metadata"]["uid"].as_str().or_else(|| answer["details"]["uid"].as_str());
    Ok(uid.map(str::to_owned))
}

/// Waits until the object of this uid is gone; one of the same name may have taken its place.
async fn until_gone(session: &Session, one: &Doomed<'_>, uid: &str, end: Instant) -> Outcome {
    let path = one.resource.object(&one.namespace, &one.name);
    while session.find(&path).await?.is_some_and(|object| object["metadata"]["uid"] == uid) {
        if Instant::now() > end {
            let kind = one.resource.plural_in_group();
            return Err(Failure::new(format!("timed out waiting for the condition on {kind}/{}", one.name)));
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Ok(())
}
