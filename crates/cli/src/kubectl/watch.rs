//! Watching: the events of a list or of one object, as the API sends them.

use std::pin::Pin;

use futures::{AsyncBufReadExt, Stream, StreamExt};
use hyper::Request;
use hyper::header::ACCEPT;
use serde_json::Value;

use super::session::Session;
use crate::failure::{Failure, Outcome, While};

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    /// ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
    pub(super) kind: String,
    pub(super) object: Value,
}

/// Events as they come.
pub(super) type Events = Pin<Box<dyn Stream<Item = Outcome<Event>>>>;

/// Watches `path`, whose query already says what and from where.
pub(super) async fn open(session: &Session, path: &str, accept: &str) -> Outcome<Events> {
    let request =
        Request::get(path).header(ACCEPT, accept).body(Vec::new()).or_fail(|| format!("{path:?} is no path"))?;
    let lines = session.client().request_stream(request).await.or_fail(|| "the watch was refused".to_owned())?;
    let lines = Box::pin(lines);
    let events = lines.lines().map(|line| {
        let line = line.or_fail(|| "the watch broke off".to_owned())?;
        let mut event: Value = serde_json::from_str(&line).or_fail(|| "an event cannot be read".to_owned())?;
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        let object = event["object"].take();
        if kind == "ERROR" {
            let message = object["message"].as_str().unwrap_or("unknown");
            return Err(Failure::new(format!("the watch ended: {message}")));
        }
        Ok(Event { kind, object })
    });
    Ok(Box::pin(events))
}
