//! `kubectl get`.

use clap::Args;
use futures::StreamExt;
use hyper::Method;
use serde_json::{Value, json};

use super::manifest::{self, Files};
use super::print::{self, Output};
use super::resource::{Catalogue, Resource, Words, read_words};
use super::session::{Content, Session, query};
use super::table::{self, Look};
use super::watch;
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `get`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  serin kubectl get pods -A\n  serin kubectl get virtualservice/app -n gloo-system -o yaml\n  \
                        serin kubectl get pods -l app=echo -w"
)]
pub(super) struct Options {
    /// TYPE, TYPE NAME…, or TYPE/NAME…
    words: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// Of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Only objects with these fields
    #[arg(long, value_name = "FIELDS")]
    field_selector: Option<String>,
    /// json, yaml, wide, name, or jsonpath=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
    /// Go on and show every change
    #[arg(short, long)]
    watch: bool,
    /// Show changes only, without what is there at first
    #[arg(long)]
    watch_only: bool,
    /// No heading
    #[arg(long)]
    no_headers: bool,
    /// A column with the labels
    #[arg(long)]
    show_labels: bool,
    /// Say nothing and succeed where a named object is not there
    #[arg(long)]
    ignore_not_found: bool,
}

/// One request: a kind, and all of it or one object.
struct Wanted<'a> {
    resource: &'a Resource,
    namespace: Option<String>,
    name: Option<String>,
}

impl Wanted<'_> {
    fn path(&self) -> String {
        match &self.name {
            Some(name) => self.resource.object(self.namespace.as_deref().unwrap_or_default(), name),
            None => self.resource.collection(self.namespace.as_deref()),
        }
    }
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let output = options.output.as_deref().map(Output::parse).transpose()?;
    let catalogue = Catalogue::fetch(session).await?;
    let wanted = wanted(session, options, &catalogue)?;
    if options.watch || options.watch_only {
        let [one] = wanted.as_slice() else {
            return Err(Failure::new("you may only specify a single resource type to watch"));
        };
        return follow(session, options, output.as_ref(), one).await;
    }
    match &output {
        None | Some(Output::Wide) => tables(session, options, &wanted).await,
        Some(output) => documents(session, options, output, &wanted).await,
    }
}

fn wanted<'a>(session: &Session, options: &Options, catalogue: &'a Catalogue) -> Outcome<Vec<Wanted<'a>>> {
    if !options.files.files.is_empty() {
        let manifests = manifest::read(&options.files)?.into_iter().map(|mut manifest| {
            let resource = manifest.resource(catalogue)?;
            let namespace = manifest.settle_namespace(resource, session)?;
            Ok(Wanted { resource, namespace: Some(namespace), name: Some(manifest.name().to_owned()) })
        });
        return manifests.collect();
    }
    let namespace = (!options.all_namespaces).then(|| session.namespace().to_owned());
    match read_words(&options.words)? {
        Words::Kinds(kinds) => {
            let resources = catalogue.of_words(kinds)?.into_iter();
            Ok(resources.map(|resource| Wanted { resource, namespace: namespace.clone(), name: None }).collect())
        }
        Words::Objects(_) if options.all_namespaces => {
            Err(Failure::new("a resource cannot be retrieved by name across all namespaces"))
        }
        Words::Objects(_) if options.selector.is_some() => {
            Err(Failure::new("name cannot be provided when a selector is specified"))
        }
        Words::Objects(objects) => {
            let wanted = objects.into_iter().map(|(kind, name)| {
                let resource = catalogue.of_word(kind)?;
                Ok(Wanted { resource, namespace: namespace.clone(), name: Some(name.to_owned()) })
            });
            wanted.collect()
        }
    }
}

fn selection(options: &Options) -> String {
    query(&[("labelSelector", options.selector.as_deref()), ("fieldSelector", options.field_selector.as_deref())])
}

/// One table per kind; named objects of one kind share one.
async fn tables(session: &Session, options: &Options, wanted: &[Wanted<'_>]) -> Outcome {
    let several = wanted.iter().any(|it| it.resource != wanted[0].resource);
    let mut printed = false;
    let mut failed = false;
    let mut index = 0;
    while index < wanted.len() {
        let first = &wanted[index];
        let alike =
            wanted[index..].iter().take_while(|it| it.name.is_some() && it.resource == first.resource).count().max(1);
        let mut joined = Value::Null;
        for one in &wanted[index..index + alike] {
            let path = if one.name.is_some() { one.path() } else { format!("{}{}", one.path(), selection(options)) };
            match session.ask(Method::GET, &path, Content::Json, None, Some(table::ACCEPT)).await? {
                Ok(answer) if joined.is_null() => joined = answer,
                Ok(mut answer) => {
                    if let (Some(rows), Some(more)) = (joined["rows"].as_array_mut(), answer["rows"].as_array_mut()) {
                        rows.append(more);
                    }
                }
                Err(refusal) if refusal.code == 404 && one.name.is_some() && options.ignore_not_found => {}
                Err(refusal) => {
                    out::failure(&Failure::from(refusal).to_string());
                    failed = true;
                }
            }
        }
        index += alike;
        if joined["rows"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        if printed {
            out::line("");
        }
        let prefix = if several { format!("{}/", first.resource.singular_in_group()) } else { String::new() };
        out::raw(&table::render(&joined, look(options, first), &prefix, None));
        printed = true;
    }
    if failed {
        return Err(Failure::reported());
    }
    if !printed && !options.ignore_not_found {
        nothing_found(session, options, wanted);
    }
    Ok(())
}

fn look(options: &Options, wanted: &Wanted<'_>) -> Look {
    Look {
        wide: options.output.as_deref() == Some("wide"),
        namespaces: options.all_namespaces && wanted.resource.namespaced,
        no_headers: options.no_headers,
        labels: options.show_labels,
    }
}

fn nothing_found(session: &Session, options: &Options, wanted: &[Wanted<'_>]) {
    if options.all_namespaces || wanted.iter().any(|it| !it.resource.namespaced) {
        out::note("No resources found");
    } else {
        out::note(format!("No resources found in {} namespace.", session.namespace()));
    }
}

async fn documents(session: &Session, options: &Options, output: &Output, wanted: &[Wanted<'_>]) -> Outcome {
    let mut items = Vec::new();
    let single = wanted.len() == 1 && wanted[0].name.is_some();
    let mut failed = false;
    for one in wanted {
        let path = if one.name.is_some() { one.path() } else { format!("{}{}", one.path(), selection(options)) };
        match session.get(&path).await? {
            Ok(mut object) if one.name.is_none() => {
                let listed = object["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
                items.extend(listed.into_iter().map(|item| (one.resource, with_kind(item, one.resource))));
            }
            Ok(object) => items.push((one.resource, object)),
            Err(refusal) if refusal.code == 404 && one.name.is_some() && options.ignore_not_found => {}
            Err(refusal) => {
                out::failure(&Failure::from(refusal).to_string());
                failed = true;
            }
        }
    }
    if let Output::Name = output {
        for (resource, item) in &items {
            out::line(resource.display(item["metadata"]["name"].as_str().unwrap_or_default()));
        }
    } else if single {
        if let Some((_, object)) = items.first() {
            print::document(object, output)?;
        }
    } else if !failed || !items.is_empty() {
        let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" }, "items": items });
        print::document(&list, output)?;
    }
    if failed { Err(Failure::reported()) } else { Ok(()) }
}

/// An item of a list with the kind that the list stands for.
fn with_kind(mut item: Value, resource: &Resource) -> Value {
    if let Some(map) = item.as_object_mut() {
        map.entry("apiVersion").or_insert_with(|| Value::from(resource.api_version()));
        map.entry("kind").or_insert_with(|| Value::from(resource.kind.as_str()));
    }
    item
}

/// Shows what is there, and then every change.
async fn follow(session: &Session, options: &Options, output: Option<&Output>, wanted: &Wanted<'_>) -> Outcome {
    let as_table = matches!(output, None | Some(Output::Wide));
    let accept = if as_table { table::ACCEPT } else { "application/json" };
    let collection = wanted.resource.collection(wanted.namespace.as_deref());
    let by_name = wanted.name.as_ref().map(|name| format!("metadata.name={name}"));
    let fields: Vec<&str> = by_name.as_deref().into_iter().chain(options.field_selector.as_deref()).collect();
    let fields = (!fields.is_empty()).then(|| fields.join(","));
    let selected = |version: Option<&str>| {
        query(&[
            ("labelSelector", options.selector.as_deref()),
            ("fieldSelector", fields.as_deref()),
            ("watch", version.map(|_| "true")),
            ("resourceVersion", version),
        ])
    };
    let list = format!("{collection}{}", selected(None));
    let list = session.ask(Method::GET, &list, Content::Json, None, Some(accept)).await??;
    let mut look = look(options, wanted);
    let columns = list["columnDefinitions"].as_array().cloned().unwrap_or_default();
    let show = |part: &Value, look: Look| -> Outcome {
        if as_table {
            out::raw(&table::render(part, look, "", Some(&columns)));
        } else if let Some(output) = output {
            if let Output::Name = output {
                out::line(wanted.resource.display(part["metadata"]["name"].as_str().unwrap_or_default()));
            }
            print::document(part, output)?;
        }
        Ok(())
    };
    if !options.watch_only {
        if as_table && list["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
            show(&list, look)?;
            look.no_headers = true;
        }
        for item in list["items"].as_array().into_iter().flatten() {
            show(&with_kind(item.clone(), wanted.resource), look)?;
        }
    }
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let mut events = watch::open(session, &format!("{collection}{}", selected(Some(&version))), accept).await?;
    while let Some(event) = events.next().await {
        let event = event?;
        if event.kind != "BOOKMARK" {
            show(&event.object, look)?;
            look.no_headers = true;
        }
    }
    Ok(())
}
