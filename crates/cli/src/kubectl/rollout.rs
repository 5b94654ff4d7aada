//! `kubectl rollout`: follows a Deployment's rollout, or starts one anew.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use futures::StreamExt;
use serde_json::{Value, json};

use super::duration;
use super::resource::{Catalogue, Resource, Words, read_words};
use super::session::{Content, Session, query};
use super::watch;
use crate::failure::{Failure, Outcome};
use crate::out;

/// Flags of `rollout`.
#[derive(Args, Debug)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

/// What is done with a rollout.
#[derive(Subcommand, Debug)]
enum Verb {
    /// Follow a rollout until it is done
    #[command(after_help = "Example:\n  serin kubectl rollout status deployment/echo-v1 -n echo --timeout=30s")]
    Status {
        /// deployment NAME, or deployment/NAME
        words: Vec<String>,
        /// How long to wait; 0 means without end
        #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
        timeout: Duration,
        /// Wait until it is done
        #[arg(short, long, default_value_t = true, default_missing_value = "true", num_args = 0..=1, action = clap::ArgAction::Set)]
        watch: bool,
    },
    /// Replace the pods of a Deployment one after another
    Restart {
        /// deployment NAME, or deployment/NAME
        words: Vec<String>,
    },
}

/// Longer than anybody waits.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let catalogue = Catalogue::fetch(session).await?;
    match &options.verb {
        Verb::Status { words, timeout, watch } => {
            let (resource, name) = one(&catalogue, words)?;
            let limit = if timeout.is_zero() { NO_LIMIT } else { *timeout };
            status(session, resource, name, limit, *watch).await
        }
        Verb::Restart { words } => {
            let (resource, name) = one(&catalogue, words)?;
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let annotations = json!({ "kubectl.kubernetes.io/restartedAt": now });
            let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
            let path = format!("{}?fieldManager=kubectl-rollout", resource.object(session.namespace(), name));
            session.patch(&path, Content::MergePatch, &patch).await??;
            out::line(format!("{} restarted", resource.display(name)));
            Ok(())
        }
    }
}

fn one<'a, 'w>(catalogue: &'a Catalogue, words: &'w [String]) -> Outcome<(&'a Resource, &'w str)> {
    let Words::Objects(objects) = read_words(words)? else {
        return Err(Failure::new("required resource not specified; give deployment/NAME"));
    };
    let [(kind, name)] = objects.as_slice() else { return Err(Failure::new("give one resource")) };
    let resource = catalogue.of_word(kind)?;
    if resource.kind != "Deployment" {
        return Err(Failure::new(format!("no status viewer has been implemented for {}", resource.kind)));
    }
    Ok((resource, name))
}

async fn status(session: &Session, resource: &Resource, name: &str, limit: Duration, follow: bool) -> Outcome {
    let end = Instant::now() + limit;
    let mut said = String::new();
    let mut say = |text: String| {
        if text != said {
            out::line(&text);
            said = text;
        }
    };
    loop {
        let object = session.get(&resource.object(session.namespace(), name)).await??;
        let (text, done) = progress(&object, name)?;
        say(text);
        if done || !follow {
            return Ok(());
        }
        let left = end.saturating_duration_since(Instant::now());
        let field = format!("metadata.name={name}");
        let version = object["metadata"]["resourceVersion"].as_str();
        let watch = query(&[("fieldSelector", Some(&field)), ("watch", Some("true")), ("resourceVersion", version)]);
        let path = format!("{}{watch}", resource.collection(Some(session.namespace())));
        let watched = async {
            let mut events = watch::open(session, &path, "application/json").await?;
            while let Some(event) = events.next().await {
                let event = event?;
                match event.kind.as_str() {
                    "ADDED" | "MODIFIED" => {
                        let (text, done) = progress(&event.object, name)?;
                        say(text);
                        if done {
                            return Ok(true);
                        }
                    }
                    "DELETED" => return Err(Failure::new("object has been deleted")),
                    _ => {}
                }
            }
            Outcome::Ok(false)
        };
        match tokio::time::timeout(left, watched).await {
            Ok(done) => {
                if done? {
                    return Ok(());
                }
            }
            Err(_) => return Err(Failure::new("timed out waiting for the condition")),
        }
    }
}

/// Where a Deployment's rollout is, in kubectl's words, and whether it is done.
fn progress(object: &Value, name: &str) -> Outcome<(String, bool)> {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    if number("/metadata/generation") > number("/status/observedGeneration") {
        return Ok(("Waiting for deployment spec update to be observed...".to_owned(), false));
    }
    let conditions = object["status"]["conditions"].as_array();
    let progressing = conditions.into_iter().flatten().find(|it| it["type"] == "Progressing");
    if progressing.is_some_and(|it| it["reason"] == "ProgressDeadlineExceeded") {
        return Err(Failure::new(format!("deployment {name:?} exceeded its progress deadline")));
    }
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let (updated, all) = (number("/status/updatedReplicas"), number("/status/replicas"));
    let available = number("/status/availableReplicas");
    let waiting = format!("Waiting for deployment {name:?} rollout to finish: ");
    Ok(if updated < wanted {
        (format!("{waiting}{updated} out of {wanted} new replicas have been updated..."), false)
    } else if all > updated {
        (format!("{waiting}{} old replicas are pending termination...", all - updated), false)
    } else if available < updated {
        (format!("{waiting}{available} of {updated} updated replicas are available..."), false)
    } else {
        (format!("deployment {name:?} successfully rolled out"), true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_kubectls_words() {
        let mut object =
            json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 1}});
        let tell = |object: &Value| progress(object, "a").unwrap();
        assert_eq!(tell(&object), ("Waiting for deployment spec update to be observed...".to_owned(), false));
        object["status"] = json!({"observedGeneration": 2, "updatedReplicas": 1, "replicas": 3});
        assert!(tell(&object).0.ends_with("1 out of 2 new replicas have been updated..."));
        object["status"] = json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 3});
        assert!(tell(&object).0.ends_with("1 old replicas are pending termination..."));
        object["status"] =
            json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1});
        assert!(tell(&object).0.ends_with("1 of 2 updated replicas are available..."));
        object["status"]["availableReplicas"] = json!(2);
        assert_eq!(tell(&object), ("deployment \"a\" successfully rolled out".to_owned(), true));
    }
}
