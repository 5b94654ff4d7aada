//! `kubectl create`: from manifests, and namespaces and Secrets by name.

use clap::{Args, Subcommand};
use serde_json::json;

use super::apply::Validate;
use super::manifest::{self, Files};
use super::print::{self, DryRun, Output};
use super::resource::Catalogue;
use super::secret::Secret;
use super::session::{Session, query};
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `create`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  serin kubectl create -f app.yaml\n  serin kubectl create ns echo\n  \
                        serin kubectl create secret tls shop-tls --cert cert.pem --key key.pem")]
pub(super) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    how: How,
}

/// Flags of everything that is created.
#[derive(Args, Debug)]
struct How {
    /// Do everything but the change itself
    #[arg(long, value_name = "WHERE", default_value = "none", default_missing_value = "client", num_args = 0..=1, global = true)]
    dry_run: DryRun,
    /// How strictly fields are checked
    #[arg(long, value_name = "HOW", default_value = "strict", default_missing_value = "strict", num_args = 0..=1, global = true)]
    validate: Validate,
    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT", global = true)]
    output: Option<String>,
}

/// What can be created by name.
#[derive(Subcommand, Debug)]
enum What {
    /// Create a namespace
    #[command(alias = "ns")]
    Namespace {
        /// Its name
        name: String,
    },
    /// Create a Secret
    #[command(subcommand)]
    Secret(Secret),
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let catalogue = Catalogue::fetch(session).await?;
    let manifests = match &options.what {
        Some(What::Namespace { name }) => {
            let value = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            vec![manifest::Manifest { value, file: String::new() }]
        }
        Some(What::Secret(secret)) => vec![manifest::Manifest { value: secret.manifest()?, file: String::new() }],
        None => manifest::read(&options.files)?,
    };
    let output = options.how.output.as_deref().map(Output::parse).transpose()?;
    let mut failed = false;
    for mut manifest in manifests {
        if let Err(failure) = create(session, &options.how, output.as_ref(), &catalogue, &mut manifest).await {
            out::failure(&failure.to_string());
            failed = true;
        }
    }
    if failed { Err(Failure::reported()) } else { Ok(()) }
}

async fn create(
    session: &Session,
    how: &How,
    output: Option<&Output>,
    catalogue: &Catalogue,
    manifest: &mut manifest::Manifest,
) -> Outcome {
    let resource = manifest.resource(catalogue)?;
    let namespace = manifest.settle_namespace(resource, session)?;
    if how.dry_run == DryRun::Client {
        return print::object(resource, &manifest.value, "created", how.dry_run, output);
    }
    let query = query(&[
        ("dryRun", (how.dry_run == DryRun::Server).then_some("All")),
        ("fieldManager", Some("kubectl-create")),
        ("fieldValidation", Some(how.validate.as_str())),
    ]);
    let collection = resource.collection(Some(&namespace));
    let object = match session.post(&format!("{collection}{query}"), &manifest.value).await? {
        Ok(object) => object,
        Err(refusal) if manifest.file.is_empty() => return Err(refusal.into()),
        Err(refusal) => {
            let super::session::Refusal { reason, message, .. } = refusal;
            let file = &manifest.file;
            return Err(Failure::new(format!("Error from server ({reason}): error when creating {file:?}: {message}")));
        }
    };
    print::object(resource, &object, "created", how.dry_run, output)
}
