//! What is found of one resource.

use serde::Serialize;
use serde_json::Value;
use serin_api::{CONTROL_PLANE_NAMESPACE, NamespacedStatuses, ResourceStatus, StatusState};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grade {
    /// Refused, or something in it is not served.
    Problem,
    /// Served as written; worth knowing.
    Advice,
}

/// What is found of one resource.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) grade: Grade,
    /// `rejected`, `with warnings`, `not ready`, …: the words after or before the kind.
    pub(super) how: How,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) reason: String,
}

/// What is the matter, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum How {
    /// The control plane refused it.
    Rejected,
    /// The control plane does not serve all of it.
    Warnings,
    /// The control plane has not looked at it.
    Pending,
    /// It does not run as it should.
    Unready,
    /// It is served, and none of its endpoints is fit to answer.
    Unhealthy,
    /// It has not taken over the newest configuration.
    Behind,
    /// Envoys do not take it.
    Refused,
    /// It is served, and something is worth knowing.
    Advice,
}

/// Judges a resource by the status that the control plane wrote on it.
pub(super) fn of_status(namespace: &str, name: &str, object: &Value) -> Option<Finding> {
    let statuses =
        object.get("status").and_then(|status| serde_json::from_value::<NamespacedStatuses>(status.clone()).ok());
    let status = statuses.and_then(|statuses| statuses.statuses.get(CONTROL_PLANE_NAMESPACE).cloned());
    let ResourceStatus { state, mut reason, .. } = status.unwrap_or_default();
    let (grade, how) = match state {
        StatusState::Accepted if reason.is_empty() => return None,
        StatusState::Accepted => (Grade::Advice, How::Advice),
        StatusState::Warning => (Grade::Problem, How::Warnings),
        StatusState::Rejected => (Grade::Problem, How::Rejected),
        StatusState::Pending => {
            reason = "no control plane has looked at it; is the gateway running?".to_owned();
            (Grade::Problem, How::Pending)
        }
    };
    Some(Finding { grade, how, namespace: namespace.to_owned(), name: name.to_owned(), reason })
}
