//! `kubectl apply`: client-side with the annotation of the last applied manifest, or server-side.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::manifest::{self, Files, Manifest};
use super::merge;
use super::print::{self, DryRun, Output};
use super::resource::{Catalogue, Resource};
use super::session::{Content, Session, query};
use crate::failure::{Failure, Outcome, While};
use crate::out;

/// Where kubectl keeps what was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How often a change that met another one is tried again.
const ATTEMPTS: usize = 5;

/// Flags of `apply`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  serin kubectl apply -f app.yaml\n  serin kubectl apply -f manifests/ --server-side\n  \
                        cat app.yaml | serin kubectl apply -f -"
)]
pub(super) struct Options {
    #[command(flatten)]
    files: Files,
    /// Let the server merge, by field managers
    #[arg(long)]
    server_side: bool,
    /// Take over fields that another manager holds; with --server-side
    #[arg(long, requires = "server_side")]
    force_conflicts: bool,
    /// Who manages the fields [default: kubectl-client-side-apply, or kubectl with --server-side]
    #[arg(long, value_name = "NAME")]
    field_manager: Option<String>,
    /// Do everything but the change itself
    #[arg(long, value_name = "WHERE", default_value = "none", default_missing_value = "client", num_args = 0..=1)]
    dry_run: DryRun,
    /// How strictly fields are checked
    #[arg(long, value_name = "HOW", default_value = "strict", default_missing_value = "strict", num_args = 0..=1)]
    validate: Validate,
    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
}

/// How strictly fields are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Validate {
    /// Refuse unknown and duplicate fields
    #[value(alias = "true")]
    Strict,
    /// Warn of them
    Warn,
    /// Drop them
    #[value(alias = "false")]
    Ignore,
}

impl Validate {
    /// The API's word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Warn => "Warn",
            Self::Ignore => "Ignore",
        }
    }
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let manifests = manifest::read(&options.files)?;
    let output = options.output.as_deref().map(Output::parse).transpose()?;
    let mut catalogue = Catalogue::fetch(session).await?;
    let mut failed = false;
    for mut manifest in manifests {
        if manifest.resource(&catalogue).is_err() {
            // A CustomResourceDefinition earlier in the same files may have brought it.
            catalogue = Catalogue::fetch(session).await?;
        }
        if let Err(failure) = apply(session, options, output.as_ref(), &catalogue, &mut manifest).await {
            // One object's fault does not keep the others from being applied.
            out::failure(&failure.to_string());
            failed = true;
        }
    }
    if failed { Err(Failure::reported()) } else { Ok(()) }
}

async fn apply(
    session: &Session,
    options: &Options,
    output: Option<&Output>,
    catalogue: &Catalogue,
    manifest: &mut Manifest,
) -> Outcome {
    let resource = manifest.resource(catalogue)?;
    let namespace = manifest.settle_namespace(resource, session)?;
    let name = manifest.name().to_owned();
    if name.is_empty() {
        return Err(Failure::new(format!("error when retrieving {:?}: resource name may not be empty", manifest.file)));
    }
    let path = resource.object(&namespace, &name);
    let applied = if options.server_side {
        server_side(session, options, &path, manifest).await?
    } else {
        client_side(session, options, resource, &namespace, &path, manifest).await?
    };
    print::object(resource, &applied.0, applied.1, options.dry_run, output)
}

/// `fieldManager`, `fieldValidation`, `dryRun` and what else is given, as a query.
fn parameters(options: &Options, manager: &str, force: Option<&str>) -> String {
    let manager = options.field_manager.as_deref().unwrap_or(manager);
    query(&[
        ("dryRun", (options.dry_run == DryRun::Server).then_some("All")),
        ("fieldManager", Some(manager)),
        ("fieldValidation", Some(options.validate.as_str())),
        ("force", force),
    ])
}

async fn server_side(
    session: &Session,
    options: &Options,
    path: &str,
    manifest: &Manifest,
) -> Outcome<(Value, &'static str)> {
    if options.dry_run == DryRun::Client {
        return Err(Failure::new(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    let force = if options.force_conflicts { "true" } else { "false" };
    let path = format!("{path}{}", parameters(options, "kubectl", Some(force)));
    match session.patch(&path, Content::Apply, &manifest.value).await? {
        Ok(object) => Ok((object, "serverside-applied")),
        Err(refusal) if refusal.code == 409 && refusal.message.contains("conflict") => {
            let failure = Failure::new(refusal.message);
            Err(failure.hint("Remove the fields from the manifest, take them over with --force-conflicts, or give the value that they have"))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn client_side(
    session: &Session,
    options: &Options,
    resource: &Resource,
    namespace: &str,
    path: &str,
    manifest: &Manifest,
) -> Outcome<(Value, &'static str)> {
    let modified = with_last_applied(&manifest.value)?;
    let query = parameters(options, "kubectl-client-side-apply", None);
    for _ in 0..ATTEMPTS {
        let Some(live) = session.find(path).await? else {
            if options.dry_run == DryRun::Client {
                return Ok((modified, "created"));
            }
            let collection = resource.collection(Some(namespace));
            return match session.post(&format!("{collection}{query}"), &modified).await? {
                Ok(object) => Ok((object, "created")),
                Err(refusal) => Err(in_file(refusal, "creating", manifest)),
            };
        };
        let annotation = live["metadata"]["annotations"][LAST_APPLIED].as_str();
        let last: Value = annotation.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        if annotation.is_none() && options.dry_run != DryRun::Client {
            let kind = resource.plural_in_group();
            out::warning(format!(
                "resource {kind}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply \
                 should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. \
                 The missing annotation will be patched automatically.",
                manifest.name()
            ));
        }
        let built_in = !resource.group.contains('.') || resource.group.ends_with(".k8s.io");
        let merged = merge::three_way(&last, &modified, &live, built_in);
        let Some(mut patch) = merge::difference(&live, &merged) else { return Ok((live, "unchanged")) };
        if options.dry_run == DryRun::Client {
            return Ok((merged, "configured"));
        }
        // The merge is right for this version of the object only.
        patch["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        match session.patch(&format!("{path}{query}"), Content::MergePatch, &patch).await? {
            Ok(object) => {
                let same = object["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"];
                return Ok((object, if same { "unchanged" } else { "configured" }));
            }
            Err(refusal) if refusal.code == 409 => {}
            Err(refusal) => return Err(in_file(refusal, "applying patch", manifest)),
        }
    }
    Err(Failure::new(format!("{} is changed by others all the time; try again", resource.display(manifest.name()))))
}

/// A refusal, with the file that it is about.
fn in_file(refusal: super::session::Refusal, doing: &str, manifest: &Manifest) -> Failure {
    let super::session::Refusal { reason, message, .. } = refusal;
    Failure::new(format!("Error from server ({reason}): error when {doing} {:?}: {message}", manifest.file))
}

/// The object with its own text as an annotation, as kubectl writes it, so that the two can take turns.
fn with_last_applied(object: &Value) -> Outcome<Value> {
    let mut bare = object.clone();
    if let Some(annotations) = bare.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    if !bare["metadata"]["annotations"].is_object() {
        bare["metadata"]["annotations"] = json!({});
    }
    let text = serde_json::to_string(&bare).or_fail(|| "the manifest cannot be written as JSON".to_owned())?;
    bare["metadata"]["annotations"][LAST_APPLIED] = Value::from(format!("{text}\n"));
    Ok(bare)
}
