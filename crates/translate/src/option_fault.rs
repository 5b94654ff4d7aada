//! Reads options, and says which of them cannot be served and why.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serin_api::ResourceId;

use crate::field_path::FieldPath;
use crate::options::Options;
use crate::report::Finding;

/// A value that cannot be served: its path below the options, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionFault {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl OptionFault {
    pub(crate) fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }

    /// The finding on the resource whose block of options, at `block`, holds the value.
    pub(crate) fn on(self, id: &ResourceId, block: &FieldPath<'_>) -> Finding {
        let path = format!("{block}.{}", self.field);
        Finding::error(id, path.clone(), format!("{path}: {}", self.reason))
    }
}

/// A policy as it is kept: `None` when it says nothing.
///
/// # Errors
/// The faults, if there are any.
pub(crate) fn kept<P: Default + PartialEq>(
    policy: P,
    faults: Vec<OptionFault>,
) -> Result<Option<Arc<P>>, Vec<OptionFault>> {
    if faults.is_empty() { Ok((policy != P::default()).then(|| Arc::new(policy))) } else { Err(faults) }
}

/// Reads each option by itself, so that every one at fault is named.
pub(crate) fn read<T: DeserializeOwned + Default>(options: &Options, faults: &mut Vec<OptionFault>) -> T {
    let mut good = Options::new();
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let alone = Value::Object(Options::from_iter([(name.clone(), value.clone())]));
        match serde_path_to_error::deserialize::<_, T>(&alone) {
            Ok(_) => {
                good.insert(name.clone(), value.clone());
            }
            Err(error) => {
                let field = error.path().to_string();
                faults.push(OptionFault { field, reason: serin_api::plain_words(&error.inner().to_string()) });
            }
        }
    }
    T::deserialize(Value::Object(good)).unwrap_or_default()
}
