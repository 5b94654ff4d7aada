//! The lines of access logs, as our own data plane and a real Envoy write them.

use std::path::Path;

use serde_json::{Map, Value, json};
use serin_api::proxy::ProxySpec;

use super::eventually;

/// The files of one data plane.
pub struct Logs {
    files: tempfile::TempDir,
}

impl Logs {
    pub fn new() -> Self {
        Self { files: tempfile::tempdir().unwrap() }
    }

    /// `spec` with a log in each of its listeners for each of `formats`.
    pub fn of(&self, spec: &ProxySpec, formats: &[Value]) -> ProxySpec {
        let log = |(at, format): (usize, &Value)| {
            let mut log = format.as_object().cloned().unwrap_or_default();
            log.insert("path".to_owned(), json!(self.files.path().join(at.to_string())));
            log
        };
        let logs: Vec<_> = formats.iter().enumerate().map(log).collect();
        let mut spec = serde_json::to_value(spec).unwrap();
        for listener in spec["listeners"].as_array_mut().unwrap() {
            listener["accessLogs"] = json!(logs);
        }
        serde_json::from_value(spec).unwrap()
    }

    /// The lines of log number `at`, once there are so many.
    pub fn lines(&self, at: usize, count: usize) -> Vec<String> {
        lines(&self.files.path().join(at.to_string()), count)
    }
}

fn lines(path: &Path, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    eventually(&format!("{count} lines"), || {
        lines = std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect();
        lines.len() >= count
    });
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

/// A line in terms that both data planes can share: without times, ids, ports and addresses.
pub fn normal(line: &str) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").unwrap();
    let id = regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    let port = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    let line = time.replace_all(line, "TIME");
    let line = id.replace_all(&line, "ID");
    port.replace_all(&line, "127.0.0.1:PORT").into_owned()
}

/// A line of JSON, the same way; of the fields that are `vague`, only what kind of value they have is kept.
pub fn normal_object(line: &str, vague: &[&str]) -> Map<String, Value> {
    let mut object: Map<String, Value> = serde_json::from_str(&normal(line)).unwrap();
    for (name, value) in &mut object {
        if vague.contains(&name.as_str()) {
            *value = match &*value {
                Value::Number(_) => json!("NUMBER"),
                Value::String(_) => json!("TEXT"),
                other => other.clone(),
            };
        }
    }
    object
}
