//! Which objects of a collection a request is about.

use std::sync::Arc;

use crate::registry::{self, Resource};
use crate::rest::ApiError;
use crate::selector::{FieldSelector, LabelSelector};
use crate::server::request::Query;
use crate::store::Object;

/// Namespace, labels and fields that are wanted.
pub(super) struct Selection {
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// The selection of a request; of one name when given.
    pub(super) fn new(
        resource: &Arc<Resource>,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &Query,
    ) -> Result<Selection, ApiError> {
        let labels = query.get("labelSelector").unwrap_or_default();
        let field_text = query.get("fieldSelector").unwrap_or_default();
        let parsed = LabelSelector::parse(labels).map_err(|error| ApiError::bad_request(error.to_string()))?;
        let mut fields = FieldSelector::parse(field_text).map_err(|error| ApiError::bad_request(error.to_string()))?;
        fields.check(resource).map_err(|error| {
            ApiError::bad_request(format!(
                "Unable to find \"{}, Resource={}\" that match label selector \"{labels}\", field selector \"{field_text}\": {error}",
                if resource.group.is_empty() { format!("/{}", resource.version) } else { resource.api_version() },
                resource.plural
            ))
        })?;
        if let Some(name) = name {
            fields = fields.and_name(name);
        }
        let namespace = match namespace {
            Some(namespace) if resource.namespaced => Some(namespace.to_owned()),
            Some(_) => None,
            None => fields.required("metadata.namespace").map(str::to_owned),
        };
        Ok(Selection { resource: resource.clone(), namespace, labels: parsed, fields })
    }

    /// Whether labels or fields restrict it.
    pub(super) fn selects(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether an object is wanted.
    pub(super) fn matches(&self, object: &Object) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| namespace == &*object.namespace)
            && self.labels.matches(|key| object.label(key))
            && (self.fields.is_empty()
                || self.fields.matches(&self.resource, &object.namespace, &object.name, || {
                    // Fields are looked up in the stored form.
                    registry::to_stored(&self.resource, object.value())
                }))
    }
}
