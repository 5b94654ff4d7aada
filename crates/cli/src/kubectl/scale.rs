//! `kubectl scale`.

use clap::Args;
use serde_json::{Value, json};

use super::resource::{Catalogue, Words, read_words};
use super::session::{Content, Session};
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `scale`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  serin kubectl scale deployment/echo-v1 --replicas=3 -n echo")]
pub(super) struct Options {
    /// TYPE NAME…, or TYPE/NAME…
    words: Vec<String>,
    /// How many there shall be
    #[arg(long, value_name = "COUNT")]
    replicas: u32,
    /// Only if there are this many now
    #[arg(long, value_name = "COUNT")]
    current_replicas: Option<i64>,
}

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let catalogue = Catalogue::fetch(session).await?;
    let Words::Objects(objects) = read_words(&options.words)? else {
        return Err(Failure::new("resource(s) were provided, but no name was specified"));
    };
    for (kind, name) in objects {
        let resource = catalogue.of_word(kind)?;
        let path = format!("{}/scale", resource.object(session.namespace(), name));
        let mut patch = json!({ "spec": { "replicas": options.replicas } });
        if let Some(expected) = options.current_replicas {
            let scale = session.get(&path).await??;
            let current = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
            if current != expected {
                return Err(Failure::new(format!("Expected replicas to be {expected}, was {current}")));
            }
            patch["metadata"]["resourceVersion"] = scale["metadata"]["resourceVersion"].clone();
        }
        session.patch(&path, Content::MergePatch, &patch).await??;
        out::line(format!("{} scaled", resource.display(name)));
    }
    Ok(())
}
