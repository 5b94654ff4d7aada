//! `-f`: manifests from files, directories and standard input, each object with where it stands.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::resource::{Catalogue, Resource};
use super::session::Session;
use crate::failure::{Failure, Outcome, While};

/// Flags that name manifests.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Files {
    /// A file, a directory, or - for standard input; may be given several times
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Read directories within directories too
    #[arg(short = 'R', long)]
    pub(super) recursive: bool,
}

/// An object of a manifest.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) value: Value,
    /// The file it is from, as it was named.
    pub(super) file: String,
}

impl Manifest {
    fn text(&self, path: &str) -> &str {
        self.value.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The kind that the API has for it.
    pub(super) fn resource<'a>(&self, catalogue: &'a Catalogue) -> Outcome<&'a Resource> {
        let (version, kind) = (self.text("/apiVersion"), self.text("/kind"));
        catalogue.of_manifest(version, kind).ok_or_else(|| {
            Failure::new(format!(
                "resource mapping not found for name: {:?} namespace: {:?} from {:?}: no matches for kind {kind:?} in version \
                 {version:?}\nensure CRDs are installed first",
                self.name(),
                self.text("/metadata/namespace"),
                self.file
            ))
        })
    }

    /// The namespace it goes to; written into it where it names none.
    pub(super) fn settle_namespace(&mut self, resource: &Resource, session: &Session) -> Outcome<String> {
        let own = self.text("/metadata/namespace").to_owned();
        if !resource.namespaced {
            return Ok(String::new());
        }
        if own.is_empty() {
            let namespace = session.namespace().to_owned();
            if let Some(metadata) = self.value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
                metadata.insert("namespace".to_owned(), Value::from(namespace.as_str()));
            }
            return Ok(namespace);
        }
        if session.namespace_is_asked && own != session.namespace() {
            return Err(Failure::new(format!(
                "the namespace from the provided object {own:?} does not match the namespace {:?}. You must pass \
                 '--namespace={own}' to perform this operation.",
                session.namespace()
            )));
        }
        Ok(own)
    }
}

/// Reads every object, in order; lists are taken apart.
pub(super) fn read(files: &Files) -> Outcome<Vec<Manifest>> {
    if files.files.is_empty() {
        return Err(Failure::new("must specify --filename (-f)"));
    }
    let mut manifests = Vec::new();
    for file in &files.files {
        if file.starts_with("http://") || file.starts_with("https://") {
            let failure = Failure::new(format!("{file:?} is a URL, which `serin kubectl` does not fetch"));
            return Err(failure.hint(format!("curl -s {file} | serin kubectl apply -f -")));
        }
        if file == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).or_fail(|| "standard input cannot be read".to_owned())?;
            parse(&text, "STDIN", &mut manifests)?;
            continue;
        }
        for path in expand(Path::new(file), files.recursive)? {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).or_fail(|| format!("{name} cannot be read"))?;
            parse(&text, &name, &mut manifests)?;
        }
    }
    if manifests.is_empty() {
        return Err(Failure::new("no objects passed to apply"));
    }
    Ok(manifests)
}

/// The file itself, or the manifests of a directory in the order of their names.
fn expand(path: &Path, recursive: bool) -> Outcome<Vec<PathBuf>> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(format!("the path {:?} does not exist", path.display().to_string()))
        }
        _ => Failure::new(format!("{} cannot be read", path.display())).because(error),
    })?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = || format!("{} cannot be read", path.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).or_fail(unreadable)? {
        entries.push(entry.or_fail(unreadable)?.path());
    }
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            if recursive {
                found.extend(expand(&entry, true)?);
            }
        } else if entry.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json") {
            found.push(entry);
        }
    }
    Ok(found)
}

fn parse(text: &str, file: &str, into: &mut Vec<Manifest>) -> Outcome {
    let documents = serin_yaml::parse(text).map_err(|error| {
        Failure::new(format!("error parsing {file}: line {}, column {}: {}", error.line, error.column, error.message))
    })?;
    for document in documents {
        let line = document.line;
        take(document.value, file, line, into)?;
    }
    Ok(())
}

fn take(value: Value, file: &str, line: usize, into: &mut Vec<Manifest>) -> Outcome {
    let refuse = |what: &str| Err(Failure::new(format!("error validating {file:?}: line {line}: {what}")));
    if !value.is_object() {
        return refuse("this is not an object with apiVersion, kind and metadata");
    }
    let Some(kind) = value["kind"].as_str() else { return refuse("kind not set") };
    if value["apiVersion"].as_str().is_none() {
        return refuse("apiVersion not set");
    }
    if kind.ends_with("List") && value["items"].is_array() {
        if let Value::Object(mut list) = value
            && let Some(Value::Array(items)) = list.remove("items")
        {
            for item in items {
                take(item, file, line, into)?;
            }
        }
        return Ok(());
    }
    if !value["metadata"].is_object() {
        return refuse("metadata not set");
    }
    into.push(Manifest { value, file: file.to_owned() });
    Ok(())
}
