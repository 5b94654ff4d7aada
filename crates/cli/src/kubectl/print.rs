//! What a verb prints of an object: a line, its name, JSON, YAML, or a path of it.

use clap::ValueEnum;
use serde_json::Value;

use super::jsonpath::JsonPath;
use super::resource::Resource;
use crate::failure::{Failure, Outcome};
use crate::out;

/// Whether something is done, and where it is only pretended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum DryRun {
    /// It is done
    #[default]
    None,
    /// Nothing is sent
    Client,
    /// The server checks it and does not keep it
    Server,
}

impl DryRun {
    /// What kubectl adds to its line.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// `-o`.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Json,
    Yaml,
    Name,
    Wide,
    Path(JsonPath),
}

impl Output {
    /// Reads what follows `-o`.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let path = text.strip_prefix("jsonpath=").or_else(|| text.strip_prefix("jsonpath-as-json="));
        match (text, path) {
            ("json", _) => Ok(Self::Json),
            ("yaml", _) => Ok(Self::Yaml),
            ("name", _) => Ok(Self::Name),
            ("wide", _) => Ok(Self::Wide),
            (_, Some(path)) => Ok(Self::Path(JsonPath::parse(path)?)),
            _ => Err(Failure::new(format!(
                "unable to match a printer suitable for the output format {text:?}, allowed formats are: json, jsonpath, name, wide, yaml"
            ))),
        }
    }
}

/// Prints one object after something was done to it.
pub(super) fn object(
    resource: &Resource,
    object: &Value,
    done: &str,
    dry_run: DryRun,
    output: Option<&Output>,
) -> Outcome {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    match output {
        None | Some(Output::Wide) => out::line(format!("{} {done}{}", resource.display(name), dry_run.suffix())),
        Some(Output::Name) => out::line(resource.display(name)),
        Some(output) => document(object, output)?,
    }
    Ok(())
}

/// Prints a whole object, or a list of them.
pub(super) fn document(object: &Value, output: &Output) -> Outcome {
    let shown = || without_managed_fields(object);
    match output {
        Output::Json => out::line(indented(&shown())),
        Output::Yaml => out::raw(&serin_yaml::to_string(&shown())),
        Output::Path(path) => out::raw(&path.print(object)?),
        Output::Name | Output::Wide => {}
    }
    Ok(())
}

/// JSON as kubectl indents it.
fn indented(value: &Value) -> String {
    use serde::Serialize;
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // A Value has only keys that are strings, so there is nothing that could fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(bytes).unwrap_or_default()
}

/// kubectl leaves `managedFields` out unless it is asked for them.
fn without_managed_fields(object: &Value) -> Value {
    let mut shown = object.clone();
    let strip = |object: &mut Value| {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    };
    strip(&mut shown);
    if let Some(items) = shown.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(strip);
    }
    shown
}
