//! Label selectors: their form, and whether they match.

use serde_json::{Value, json};

use super::{Errors, items, metadata, names, text};
use crate::schema::FieldError;

/// Checks a LabelSelector.
pub(super) fn check(selector: &Value, path: &str, errors: &mut Errors) {
    metadata::labels(&selector["matchLabels"], &format!("{path}.matchLabels"), &mut errors.0);
    for (i, expression) in items(&selector["matchExpressions"]).iter().enumerate() {
        let at = format!("{path}.matchExpressions[{i}]");
        let values = items(&expression["values"]);
        match text(&expression["operator"]) {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                format!("{at}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                format!("{at}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let place = format!("{at}.operator");
                errors.push(FieldError::invalid(place, &json!(other), "not a valid selector operator"));
            }
        }
        let key = text(&expression["key"]);
        errors.faults(&format!("{at}.key"), key, names::qualified_name(key));
    }
}

/// Whether a selector selects nothing in particular.
pub(super) fn is_empty(selector: &Value) -> bool {
    selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty)
        && items(&selector["matchExpressions"]).is_empty()
}

/// Whether a selector matches these labels.
pub(super) fn matches(selector: &Value, labels: &Value) -> bool {
    let by_label =
        selector["matchLabels"].as_object().into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    by_label
        && items(&selector["matchExpressions"]).iter().all(|expression| {
            let value = labels.get(text(&expression["key"]));
            let among = value.is_some_and(|value| items(&expression["values"]).contains(value));
            match text(&expression["operator"]) {
                "In" => among,
                "NotIn" => !among,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}
