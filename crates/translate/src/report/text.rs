//! The words of a status, in the form Gloo's own statuses have.

use std::fmt::Write as _;
use std::sync::Arc;

use serin_api::{ResourceId, ResourceKind, StatusState};

use super::{Finding, Grade};

/// How many lines of one kind a reason holds, so that a status stays small however much is wrong.
const MAX_LINES: usize = 50;

/// Gloo's sentence for a destination that cannot be used.
pub(super) fn invalid_destination(reason: impl std::fmt::Display) -> String {
    format!("Route Warning: InvalidDestinationWarning. Reason: {reason}")
}

/// The reason for the state of `owner`: errors as Gloo's multierror prints them, then warnings, then advice.
pub(super) fn reason(owner: &ResourceId, findings: &[Arc<Finding>]) -> String {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut advice = Vec::new();
    for finding in findings {
        let lines = match (finding.grade, finding.state()) {
            (Grade::Advice, _) => &mut advice,
            (_, StatusState::Rejected) => &mut errors,
            _ => &mut warnings,
        };
        let line = line(owner, finding);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut blocks = Vec::new();
    if !errors.is_empty() {
        let count = errors.len();
        let plural = if count == 1 { "" } else { "s" };
        blocks.push(format!("{count} error{plural} occurred:\n\t* {}", join(&errors, "\n\t* ")));
    }
    // No space at the end of a line: `kubectl get -o yaml` would quote the text and fold its sentences.
    if !warnings.is_empty() {
        blocks.push(format!("warning:\n  {}", join(&warnings, "\n")));
    }
    if !advice.is_empty() {
        blocks.push(format!("advice:\n  {}", join(&advice, "\n")));
    }
    blocks.join("\n")
}

fn join(lines: &[String], separator: &str) -> String {
    let mut text = lines[..lines.len().min(MAX_LINES)].join(separator);
    if lines.len() > MAX_LINES {
        let _ = write!(text, "{separator}… and {} more like these", lines.len() - MAX_LINES);
    }
    text
}

/// A finding as it reads on `owner`: on another resource than the one at fault, that one is named, except where
/// Gloo's sentence stands for itself.
fn line(owner: &ResourceId, finding: &Finding) -> String {
    let source = &finding.source;
    if source == owner || finding.message.starts_with("Route Warning: ") {
        return finding.message.clone();
    }
    let what = match source.kind {
        ResourceKind::RouteTable => "sub route table",
        other => other.as_str(),
    };
    format!("on {what} {}.{}: {}", source.namespace, source.name, finding.message)
}
