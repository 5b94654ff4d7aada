//! Field selectors: `metadata.name=x,status.phase!=Running`, over the fields that each kind offers.

use serde_json::Value;

use crate::registry::Resource;

/// A conjunction of comparisons; the empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    equal: bool,
    value: String,
}

/// Why a selector does not parse or cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldSelectorError {
    /// It is not `field=value`, `field==value` or `field!=value`.
    #[error("invalid selector: '{0}'; can't understand '{1}'")]
    Syntax(String, String),
    /// A backslash escapes something other than `\`, `,` or `=`.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// The kind does not offer this field.
    #[error("field label not supported: {0}")]
    Unsupported(String),
}

impl FieldSelector {
    /// Parses the text of a `fieldSelector` parameter.
    ///
    /// # Errors
    /// [`FieldSelectorError::Syntax`] or [`FieldSelectorError::Escape`].
    pub fn parse(text: &str) -> Result<FieldSelector, FieldSelectorError> {
        let mut terms = Vec::new();
        for part in split(text).filter(|part| !part.is_empty()) {
            let syntax = || FieldSelectorError::Syntax(text.to_owned(), part.to_owned());
            let at = operator(part).ok_or_else(syntax)?;
            let (field, rest) = part.split_at(at);
            let (equal, value) = match (rest.strip_prefix("!="), rest.strip_prefix("==")) {
                (Some(value), _) => (false, value),
                (_, Some(value)) => (true, value),
                _ => (true, &rest[1..]),
            };
            terms.push(Term { field: field.to_owned(), equal, value: unescape(value)? });
        }
        Ok(FieldSelector { terms })
    }

    /// The same, for the object `name` only.
    #[must_use]
    pub fn and_name(mut self, name: &str) -> FieldSelector {
        self.terms.push(Term { field: "metadata.name".into(), equal: true, value: name.into() });
        self
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value that a field must have, when the selector demands one.
    pub fn required(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| term.equal && term.field == field).map(|term| term.value.as_str())
    }

    /// Whether nothing but metadata needs to be looked at.
    pub fn only_metadata(&self) -> bool {
        self.terms.iter().all(|term| matches!(&*term.field, "metadata.name" | "metadata.namespace"))
    }

    /// Fails on the first field that `resource` does not offer.
    ///
    /// # Errors
    /// [`FieldSelectorError::Unsupported`].
    pub fn check(&self, resource: &Resource) -> Result<(), FieldSelectorError> {
        for Term { field, .. } in &self.terms {
            if !matches!(&**field, "metadata.name" | "metadata.namespace") && path(resource, field).is_none() {
                return Err(FieldSelectorError::Unsupported(field.clone()));
            }
        }
        Ok(())
    }

    /// Whether an object is selected; `value` gives its JSON, and is asked only when metadata does not decide.
    pub fn matches(&self, resource: &Resource, namespace: &str, name: &str, value: impl FnOnce() -> Value) -> bool {
        let decided = |term: &Term| match &*term.field {
            "metadata.name" => Some((term.value == name) == term.equal),
            "metadata.namespace" => Some((term.value == namespace) == term.equal),
            _ => None,
        };
        if self.terms.iter().any(|term| decided(term) == Some(false)) {
            return false;
        }
        if self.only_metadata() {
            return true;
        }
        let value = value();
        self.terms.iter().filter(|term| decided(term).is_none()).all(|term| {
            let Some(pointer) = path(resource, &term.field) else { return false };
            let found = match value.pointer(&pointer) {
                None | Some(Value::Null) => default_of(resource, &term.field).to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            (found == term.value) == term.equal
        })
    }
}

/// What an absent field counts as.
fn default_of(resource: &Resource, field: &str) -> &'static str {
    match (&*resource.plural, field) {
        ("nodes", "spec.unschedulable") | ("pods", "spec.hostNetwork") => "false",
        ("replicasets", "status.replicas") => "0",
        _ => "",
    }
}

/// The JSON pointer of a field that `resource` lets one select by.
fn path(resource: &Resource, field: &str) -> Option<String> {
    if let Some(custom) = resource.custom() {
        let offered = custom.selectable.iter().any(|path| path.trim_start_matches('.') == field);
        return offered.then(|| pointer(field));
    }
    let fields: &[&str] = match (&*resource.group, &*resource.plural) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("events.k8s.io", "events") => &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "reason",
            "reportingController",
            "type",
        ],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("", "nodes") => &["spec.unschedulable"],
        ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        _ => &[],
    };
    fields.contains(&field).then(|| match (&*resource.plural, field) {
        // Events are stored as v1.
        ("events", "reportingController") => pointer("reportingComponent"),
        ("events", "source") => pointer("source.component"),
        ("events", field) => pointer(&field.replacen("regarding.", "involvedObject.", 1)),
        ("jobs", _) => pointer("status.succeeded"),
        (_, field) => pointer(field),
    })
}

fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}

/// The parts between commas that are not escaped.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |c| {
        let cut = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        cut
    })
}

/// Where the operator of a term begins.
fn operator(part: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in part.char_indices() {
        if !escaped && (c == '=' || part[i..].starts_with("!=")) {
            return Some(i);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn unescape(value: &str) -> Result<String, FieldSelectorError> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                other => {
                    let rest: String = other.into_iter().collect();
                    return Err(FieldSelectorError::Escape(format!("\\{rest}")));
                }
            },
            '=' => return Err(FieldSelectorError::Escape("=".into())),
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn pods() -> std::sync::Arc<Resource> {
        Registry::new().served().find("", "v1", "pods").unwrap()
    }

    #[test]
    fn fields_are_compared() {
        let pod = serde_json::json!({"spec": {"nodeName": "a"}, "status": {"phase": "Running"}});
        let selects = |text: &str| FieldSelector::parse(text).unwrap().matches(&pods(), "ns", "x", || pod.clone());
        for yes in [
            "",
            "metadata.name=x",
            "metadata.namespace==ns,spec.nodeName=a",
            "status.phase!=Failed",
            "spec.hostNetwork=false",
        ] {
            assert!(selects(yes), "{yes}");
        }
        for no in ["metadata.name!=x", "status.phase=Failed", "status.podIP=1", "metadata.name=x,spec.nodeName=b"] {
            assert!(!selects(no), "{no}");
        }
    }

    #[test]
    fn what_a_kind_does_not_offer_is_named() {
        let selector = FieldSelector::parse("spec.color=red").unwrap();
        assert_eq!(selector.check(&pods()).unwrap_err().to_string(), "field label not supported: spec.color");
    }

    #[test]
    fn escapes_are_undone_and_nonsense_refused() {
        let selector = FieldSelector::parse(r"metadata.name=a\,b\=c\\d").unwrap();
        assert_eq!(selector.required("metadata.name"), Some(r"a,b=c\d"));
        for text in ["x", "a=b=c", r"a=\x", "a,b=c"] {
            assert!(FieldSelector::parse(text).is_err(), "{text}");
        }
    }
}
