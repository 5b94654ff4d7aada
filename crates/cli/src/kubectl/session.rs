//! Requests to the API: JSON out, JSON in, errors in kubectl's words, warnings to standard error.

use std::collections::BTreeSet;

use http_body_util::BodyExt;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::failure::{Failure, Outcome, While};
use crate::out;
use crate::target::Target;

/// A client and the namespace that is meant where none is named.
pub(super) struct Session {
    client: Client,
    namespace: String,
    /// Whether `--namespace` was given, so that a manifest must agree with it.
    pub(super) namespace_is_asked: bool,
    shown: std::cell::RefCell<BTreeSet<String>>,
}

/// How a body is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A whole object, or none.
    Json,
    /// RFC 7396.
    MergePatch,
    /// RFC 6902.
    JsonPatch,
    /// Kubernetes' own, which knows which lists are keyed.
    StrategicPatch,
    /// Server-side apply.
    Apply,
}

impl Content {
    fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MergePatch => "application/merge-patch+json",
            Self::JsonPatch => "application/json-patch+json",
            Self::StrategicPatch => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

/// What the API said no with.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) message: String,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { reason, message, .. } = refusal;
        if reason.is_empty() || reason == "Unknown" {
            Failure::new(format!("Error from server: {message}"))
        } else {
            Failure::new(format!("Error from server ({reason}): {message}"))
        }
    }
}

/// What came of a request that reached the API.
pub(super) type Answer = Result<Value, Refusal>;

impl Session {
    /// Finds the cluster. Nothing is sent yet.
    pub(super) async fn open(target: &Target, namespace: Option<String>) -> Outcome<Self> {
        let config = target.config().await?;
        let namespace_is_asked = namespace.is_some();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = crate::target::client(config)?;
        Ok(Self { client, namespace, namespace_is_asked, shown: Default::default() })
    }

    /// The namespace that is meant where none is named.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The client itself, for streams.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request; a refusal is a value, for those who expect one.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Content,
        body: Option<&Value>,
        accept: Option<&str>,
    ) -> Outcome<Answer> {
        let bytes = match body {
            Some(body) => serde_json::to_vec(body).or_fail(|| "the request cannot be put together".to_owned())?,
            None => Vec::new(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, accept.unwrap_or("application/json"))
            .header(CONTENT_TYPE, content.as_str())
            .body(Body::from(bytes));
        let request = request.or_fail(|| format!("{path:?} is no path"))?;
        let response = self.client.send(request).await.map_err(|error| unreachable(&error))?;
        for warning in response.headers().get_all("warning") {
            self.show_warning(warning.to_str().unwrap_or_default());
        }
        let status = response.status();
        let body = response.into_body().collect().await.or_fail(|| "the API's answer broke off".to_owned())?.to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body).or_fail(|| "the API's answer is not JSON".to_owned()).map(Ok);
        }
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Ok(Err(match serde_json::from_slice::<Value>(&body) {
            Ok(answer) if answer["kind"] == "Status" => {
                Refusal { code: status.as_u16(), reason: text(&answer, "reason"), message: text(&answer, "message") }
            }
            _ => Refusal {
                code: status.as_u16(),
                reason: String::new(),
                message: format!("{status} {}", String::from_utf8_lossy(&body).trim()),
            },
        }))
    }

    /// `GET`.
    pub(super) async fn get(&self, path: &str) -> Outcome<Answer> {
        self.ask(Method::GET, path, Content::Json, None, None).await
    }

    /// `GET`; `None` where there is nothing.
    pub(super) async fn find(&self, path: &str) -> Outcome<Option<Value>> {
        match self.get(path).await? {
            Ok(object) => Ok(Some(object)),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// `POST`.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Outcome<Answer> {
        self.ask(Method::POST, path, Content::Json, Some(body), None).await
    }

    /// `PATCH`.
    pub(super) async fn patch(&self, path: &str, content: Content, body: &Value) -> Outcome<Answer> {
        self.ask(Method::PATCH, path, content, Some(body), None).await
    }

    /// `DELETE`.
    pub(super) async fn delete(&self, path: &str, body: &Value) -> Outcome<Answer> {
        self.ask(Method::DELETE, path, Content::Json, Some(body), None).await
    }

    /// Shows the text of a Warning header, each only once as kubectl does.
    fn show_warning(&self, header: &str) {
        let text = header.splitn(3, ' ').nth(2).unwrap_or(header);
        let text: String = serde_json::from_str(text).unwrap_or_else(|_| text.to_owned());
        if self.shown.borrow_mut().insert(text.clone()) {
            out::warning(text);
        }
    }
}

/// A cluster that does not answer.
fn unreachable(error: &kube::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Failure::new(format!("Unable to connect to the server: {cause}"))
}

/// A query string of the parameters that are set.
pub(super) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if let Some(value) = value {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.push_str(&escape(value));
        }
    }
    text
}

/// Percent-encodes a query's value or a segment of a path.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
