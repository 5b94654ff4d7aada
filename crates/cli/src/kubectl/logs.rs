//! `kubectl logs`.

use std::time::Duration;

use clap::Args;
use futures::AsyncReadExt;
use hyper::Request;
use serde_json::Value;

use super::duration;
use super::resource::Catalogue;
use super::session::{Session, escape, query};
use crate::failure::{Failure, Outcome, While};
use crate::out;

/// Flags of `logs`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  serin kubectl logs echo-v1-5d4f8-x7k2p -n echo\n  \
                        serin kubectl logs deployment/echo-v1 -n echo -f --tail 10\n  serin kubectl logs -l app=echo -n echo")]
pub(super) struct Options {
    /// POD, or TYPE/NAME of what owns pods
    pod: Option<String>,
    /// The container; needed where the pod has several
    container_name: Option<String>,
    /// The container
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Of the run before the last restart
    #[arg(short, long)]
    previous: bool,
    /// Only the last so many lines; -1 means all
    #[arg(long, value_name = "LINES", allow_hyphen_values = true)]
    tail: Option<i64>,
    /// Only what is newer than this
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    since: Option<Duration>,
    /// Begin each line with its time
    #[arg(long)]
    timestamps: bool,
    /// Of all pods with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Of all containers of the pod
    #[arg(long)]
    all_containers: bool,
    /// Begin each line with the pod and the container
    #[arg(long)]
    prefix: bool,
}

/// Lines per pod where pods are chosen by label, as in kubectl.
const TAIL_OF_MANY: i64 = 10;

pub(super) async fn run(session: &Session, options: &Options) -> Outcome {
    let pods = match (&options.pod, &options.selector) {
        (Some(_), Some(_)) => return Err(Failure::new("only a selector (-l) or a POD name is allowed")),
        (None, None) => return Err(Failure::new("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'")),
        (Some(word), None) => vec![pod_of_word(session, word).await?],
        (None, Some(selector)) => pods_by_label(session, selector).await?,
    };
    let mut streams = Vec::new();
    for pod in &pods {
        for container in containers(options, pod)? {
            streams.push(print_log(session, options, pod, container));
        }
    }
    // Several logs that are followed are read side by side.
    if options.follow {
        futures::future::try_join_all(streams).await?;
    } else {
        for stream in streams {
            stream.await?;
        }
    }
    Ok(())
}

async fn pod_of_word(session: &Session, word: &str) -> Outcome<Value> {
    let namespace = escape(session.namespace());
    let Some((kind, name)) = word.split_once('/').filter(|(kind, _)| !matches!(*kind, "pod" | "pods" | "po")) else {
        let name = word.split_once('/').map_or(word, |(_, name)| name);
        return Ok(session.get(&format!("/api/v1/namespaces/{namespace}/pods/{}", escape(name))).await??);
    };
    let catalogue = Catalogue::fetch(session).await?;
    let resource = catalogue.of_word(kind)?;
    let owner = session.get(&resource.object(session.namespace(), name)).await??;
    let labels = owner.pointer("/spec/selector/matchLabels").or_else(|| owner.pointer("/spec/selector"));
    let labels = labels.and_then(Value::as_object).filter(|labels| !labels.is_empty());
    let labels = labels.ok_or_else(|| Failure::new(format!("{word} selects no pods")))?;
    let selector: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    let mut pods = pods_by_label(session, &selector.join(",")).await?;
    if pods.is_empty() {
        return Err(Failure::new(format!("{word} has no pods")));
    }
    if pods.len() > 1 {
        let name = pods[0]["metadata"]["name"].as_str().unwrap_or_default();
        out::note(format!("Found {} pods, using pod/{name}", pods.len()));
    }
    Ok(pods.swap_remove(0))
}

async fn pods_by_label(session: &Session, selector: &str) -> Outcome<Vec<Value>> {
    let namespace = escape(session.namespace());
    let path = format!("/api/v1/namespaces/{namespace}/pods{}", query(&[("labelSelector", Some(selector))]));
    let mut list = session.get(&path).await??;
    Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

fn containers<'a>(options: &'a Options, pod: &'a Value) -> Outcome<Vec<&'a str>> {
    let names: Vec<&str> =
        pod["spec"]["containers"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    if options.all_containers {
        return Ok(names);
    }
    if let Some(name) = options.container.as_deref().or(options.container_name.as_deref()) {
        return Ok(vec![name]);
    }
    match names.as_slice() {
        [first, _, ..] => {
            out::note(format!("Defaulted container {first:?} out of: {}", names.join(", ")));
            Ok(vec![first])
        }
        _ => Ok(names),
    }
}

async fn print_log(session: &Session, options: &Options, pod: &Value, container: &str) -> Outcome {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    let tail = options.tail.or(options.selector.as_ref().map(|_| TAIL_OF_MANY)).filter(|tail| *tail >= 0);
    let (tail, since) = (tail.map(|it| it.to_string()), options.since.map(|it| it.as_secs().max(1).to_string()));
    let flag = |set: bool| set.then_some("true");
    let query = query(&[
        ("container", Some(container)),
        ("follow", flag(options.follow)),
        ("previous", flag(options.previous)),
        ("tailLines", tail.as_deref()),
        ("sinceSeconds", since.as_deref()),
        ("timestamps", flag(options.timestamps)),
    ]);
    let (namespace, name) = (text("namespace"), text("name"));
    let path = format!("/api/v1/namespaces/{}/pods/{}/log{query}", escape(namespace), escape(name));
    let request = Request::get(path).body(Vec::new()).or_fail(|| format!("{name:?} is no name"))?;
    let stream = session.client().request_stream(request).await.map_err(|error| match error {
        kube::Error::Api(status) => Failure::new(format!("Error from server ({}): {}", status.reason, status.message)),
        error => Failure::new("the log cannot be read").because(error),
    })?;
    let prefix = options.prefix.then(|| format!("[pod/{name}/{container}] "));
    let mut stream = Box::pin(stream);
    let mut buffer = vec![0; 16 * 1024];
    let mut pending = Vec::new();
    loop {
        let length = stream.read(&mut buffer).await.or_fail(|| "the log broke off".to_owned())?;
        if length == 0 {
            break;
        }
        pending.extend_from_slice(&buffer[..length]);
        // Whole lines only: the lines of several containers must not run into each other.
        let end = pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        print_lines(&pending[..end], prefix.as_deref());
        pending.drain(..end);
    }
    print_lines(&pending, prefix.as_deref());
    Ok(())
}

fn print_lines(bytes: &[u8], prefix: Option<&str>) {
    let text = String::from_utf8_lossy(bytes);
    match prefix {
        None => out::raw(&text),
        Some(prefix) => text.lines().for_each(|line| out::line(format!("{prefix}{line}"))),
    }
}
