//! `kubectl patch`.

use clap::{Args, ValueEnum};
use hyper::Method;
use serde_json::Value;

use super::manifest::{self, Files};
use super::print::{self, DryRun, Output};
use super::resource::{Catalogue, Words, read_words};
use super::session::{Content, Session, query};
use crate::failure::{Failure, Outcome, While};

/// Flags of `patch`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  serin kubectl patch deployment echo-v1 -p '{\"spec\":{\"replicas\":2}}'\n  \
                        serin kubectl patch settings default -n gloo-system --type merge --patch-file patch.yaml")]
pub(super) struct Options {
    /// TYPE NAME, or TYPE/NAME
    words: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// The patch, as JSON or YAML
    #[arg(short, long, value_name = "PATCH", conflicts_with = "patch_file")]
    patch: Option<String>,
    /// A file with the patch
    #[arg(long, value_name = "FILE")]
    patch_file: Option<std::path::PathBuf>,
    /// What kind of patch it is
    #[arg(long = "type", value_name = "TYPE", default_value = "strategic")]
    kind: Kind,
    /// The subresource to patch
    #[arg(long, value_name = "NAME")]
    subresource: Option<String>,
    /// Do everything but the change itself
    #[arg(long, value_name = "WHERE", default_value = "none", default_missing_value = "client", num_args = 0..=1)]
    dry_run: DryRun,
    /// Who manages the fields
    #[arg(long, value_name = "NAME", default_value = "kubectl-patch")]
    field_manager: String,
    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
}

/// The types of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A list of operations (RFC 6902)
    Json,
    /// Fields that replace those there are (RFC 7396)
    Merge,
    /// As merge, with keyed lists; for built-in kinds
    Strategic,
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let output = options.output.as_deref().map(Output::parse).transpose()?;
    let patch = read_patch(options)?;
    let content = match options.kind {
        Kind::Json => Content::JsonPatch,
        Kind::Merge => Content::MergePatch,
        Kind::Strategic => Content::StrategicPatch,
    };
    let catalogue = Catalogue::fetch(session).await?;
    let mut objects = Vec::new();
    if options.files.files.is_empty() {
        let Words::Objects(words) = read_words(&options.words)? else {
            return Err(Failure::new("resource(s) were provided, but no name was specified"));
        };
        for (kind, name) in words {
            objects.push((catalogue.of_word(kind)?, session.namespace().to_owned(), name.to_owned()));
        }
    } else {
        for mut manifest in manifest::read(&options.files)? {
            let resource = manifest.resource(&catalogue)?;
            let namespace = manifest.settle_namespace(resource, session)?;
            objects.push((resource, namespace, manifest.name().to_owned()));
        }
    }
    for (resource, namespace, name) in objects {
        let mut path = resource.object(&namespace, &name);
        if let Some(subresource) = &options.subresource {
            path = format!("{path}/{subresource}");
        }
        let before = session.get(&path).await??;
        let dry = (options.dry_run != DryRun::None).then_some("All");
        let query = query(&[("dryRun", dry), ("fieldManager", Some(&options.field_manager))]);
        let after = session.ask(Method::PATCH, &format!("{path}{query}"), content, Some(&patch), None).await??;
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let same = version(&before) == version(&after) && options.dry_run == DryRun::None;
        let done = if same { "patched (no change)" } else { "patched" };
        print::object(resource, &after, done, options.dry_run, output.as_ref())?;
    }
    Ok(())
}

fn read_patch(options: &Options) -> Outcome<Value> {
    let (text, from) = match (&options.patch, &options.patch_file) {
        (Some(text), _) => (text.clone(), "the patch".to_owned()),
        (None, Some(path)) => {
            let name = path.display().to_string();
            (std::fs::read_to_string(path).or_fail(|| format!("{name} cannot be read"))?, name)
        }
        (None, None) => {
            return Err(Failure::new("must specify --patch or --patch-file containing the contents of the patch"));
        }
    };
    let documents = serin_yaml::parse(&text).map_err(|error| {
        Failure::new(format!("unable to parse {from}: line {}, column {}: {}", error.line, error.column, error.message))
    })?;
    let first = documents.into_iter().next().map(|document| document.value);
    first.ok_or_else(|| Failure::new(format!("{from} is empty")))
}
