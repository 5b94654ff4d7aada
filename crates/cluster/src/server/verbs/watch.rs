//! Watching a collection: its changes as a stream of events.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::Stream;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;
use tokio::time::Instant;

use super::Call;
use super::selection::Selection;
use crate::rest::ApiError;
use crate::server::negotiate::{Accepted, Form};
use crate::server::table;
use crate::store::{Event, EventKind, Object};

/// How often a quiet watch is told the current revision.
const BOOKMARK_EVERY: Duration = Duration::from_secs(50);
/// A watch that named no time limit ends after this long, plus up to as much again, as with kube-apiserver.
const MOST_SECONDS: u64 = 1800;

/// One watch.
struct Watch {
    call: Call,
    selection: Selection,
    form: Form,
    bookmarks: bool,
    /// Everything up to here has been sent.
    revision: u64,
    changed: tokio::sync::watch::Receiver<u64>,
    ready: VecDeque<Bytes>,
    ends: Instant,
    next_bookmark: Instant,
    columns_sent: bool,
    done: bool,
}

pub(super) async fn start(call: Call, name: Option<&str>, accepted: Accepted) -> Result<Response<Body>, ApiError> {
    let selection = Selection::new(&call.resource, call.namespace.as_deref(), name, &call.query)?;
    let store = call.server.api.store.clone();
    let bookmarks = call.query.flag("allowWatchBookmarks");
    let initial = call.query.get("sendInitialEvents").map(|text| text != "false");
    let how = call.query.get("resourceVersionMatch");
    let version: Option<u64> = call.query.number("resourceVersion")?;
    match (initial, how) {
        (Some(_), Some("NotOlderThan")) | (None, None) => {}
        (Some(_), _) => {
            return Err(invalid_options(
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        (None, Some(_)) => {
            return Err(invalid_options(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
    }
    if initial == Some(true) && !bookmarks {
        return Err(invalid_options(
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless allowWatchBookmarks is true",
        ));
    }
    let seconds = call.query.number::<u64>("timeoutSeconds")?.filter(|seconds| *seconds > 0);
    let seconds = seconds.unwrap_or_else(|| MOST_SECONDS + fastrand::u64(..MOST_SECONDS));
    let now = Instant::now();
    let changed = store.subscribe(&call.resource.storage);
    let mut watch = Watch {
        selection,
        form: accepted.form,
        bookmarks,
        revision: version.unwrap_or(0),
        changed,
        ready: VecDeque::new(),
        ends: now + Duration::from_secs(seconds),
        next_bookmark: now + BOOKMARK_EVERY,
        columns_sent: false,
        done: false,
        call,
    };
    let from_scratch = version.unwrap_or(0) == 0 && initial != Some(false);
    if version.is_some_and(|version| version > store.revision()) {
        super::list::wait_for(&watch.call, version.unwrap_or(0)).await?;
    }
    if from_scratch || initial == Some(true) {
        let listing = store.list(&watch.call.resource.storage, watch.selection.namespace.as_deref());
        watch.revision = listing.revision;
        for object in &listing.objects {
            if watch.selection.matches(object) {
                let frame = watch.frame("ADDED", object);
                watch.ready.push_back(frame);
            }
        }
        if initial == Some(true) {
            let bookmark = watch.bookmark(true);
            watch.ready.push_back(bookmark);
        }
    } else if version.unwrap_or(0) == 0 {
        watch.revision = store.revision();
    } else if let Err(old) = store.events_since(&watch.call.resource.storage, watch.revision) {
        // The answer is 200 all the same: the error comes as the stream's only event.
        watch.ready.push_back(error_frame(&ApiError::from(old)));
        watch.done = true;
    }
    let mut response = Response::new(Body::from_stream(watch.stream()));
    let content_type = match accepted.form {
        Form::Object => "application/json",
        Form::Table => "application/json;as=Table;v=v1;g=meta.k8s.io;stream=watch",
        Form::Metadata => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io;stream=watch",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

fn invalid_options(message: &str) -> ApiError {
    ApiError::new(422, "Invalid", format!("ListOptions.meta.k8s.io \"\" is invalid: {message}"))
}

impl Watch {
    fn stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        futures::stream::unfold(self, |mut watch| async move { watch.next().await.map(|frame| (Ok(frame), watch)) })
    }

    /// The next piece of the stream: all that is ready at once.
    async fn next(&mut self) -> Option<Bytes> {
        let stopping = self.call.server.stopping.clone();
        loop {
            if let Some(first) = self.ready.pop_front() {
                let mut piece = Vec::from(first);
                while piece.len() < 64 << 10
                    && let Some(frame) = self.ready.pop_front()
                {
                    piece.extend_from_slice(&frame);
                }
                return Some(piece.into());
            }
            if self.done {
                return None;
            }
            // Marked as seen before looking, so that what comes between is not slept through.
            self.changed.borrow_and_update();
            self.collect();
            if !self.ready.is_empty() || self.done {
                continue;
            }
            let bookmark_due = self.next_bookmark;
            tokio::select! {
                changed = self.changed.changed() => if changed.is_err() { return None },
                () = tokio::time::sleep_until(bookmark_due), if self.bookmarks => {
                    self.next_bookmark = Instant::now() + BOOKMARK_EVERY;
                    self.collect();
                    let bookmark = self.bookmark(false);
                    self.ready.push_back(bookmark);
                }
                () = tokio::time::sleep_until(self.ends) => return None,
                () = stopping.cancelled() => return None,
            }
        }
    }

    fn collect(&mut self) {
        match self.call.server.api.store.events_since(&self.call.resource.storage, self.revision) {
            Ok((events, revision)) => {
                for event in events {
                    if let Some(frame) = self.event(&event) {
                        self.ready.push_back(frame);
                    }
                }
                self.revision = revision.max(self.revision);
            }
            Err(old) => {
                self.ready.push_back(error_frame(&ApiError::from(old)));
                self.done = true;
            }
        }
    }

    /// What an event is to this watch: something that begins to match was added, what ceases to was deleted.
    fn event(&mut self, event: &Event) -> Option<Bytes> {
        let before = event.previous.as_deref().is_some_and(|previous| self.selection.matches(previous));
        let after = event.kind != EventKind::Deleted && self.selection.matches(&event.object);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(self.frame("ADDED", &event.object)),
            (true, true) => Some(self.frame("MODIFIED", &event.object)),
            (true, false) if event.kind == EventKind::Deleted => Some(self.frame("DELETED", &event.object)),
            (true, false) => {
                // Its last matching state, at the revision at which it ceased to match.
                let previous = event.previous.as_deref()?;
                let mut value = previous.value();
                value["metadata"]["resourceVersion"] = event.revision.to_string().into();
                let key = crate::rest::key(&self.call.resource, &previous.namespace, &previous.name);
                let object = Object::unstored(&key, value);
                Some(self.frame("DELETED", &object))
            }
        }
    }

    fn frame(&mut self, kind: &str, object: &Object) -> Bytes {
        let body = match self.form {
            Form::Table => {
                let body = table::watch_row(&self.call, object, !self.columns_sent);
                self.columns_sent = true;
                body
            }
            form => table::present(&self.call, object, form),
        };
        let mut frame = Vec::with_capacity(body.len() + 32);
        frame.extend_from_slice(b"{\"type\":\"");
        frame.extend_from_slice(kind.as_bytes());
        frame.extend_from_slice(b"\",\"object\":");
        frame.extend_from_slice(&body);
        frame.extend_from_slice(b"}\n");
        frame.into()
    }

    fn bookmark(&self, initial_end: bool) -> Bytes {
        let resource = &self.call.resource;
        let mut metadata = json!({"resourceVersion": self.revision.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            Form::Table => table::bookmark(&metadata),
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Object => {
                json!({"kind": &*resource.kind, "apiVersion": resource.api_version(), "metadata": metadata})
            }
        };
        format!("{}\n", json!({"type": "BOOKMARK", "object": object})).into()
    }
}

fn error_frame(error: &ApiError) -> Bytes {
    format!("{}\n", json!({"type": "ERROR", "object": error.status()})).into()
}
