//! Options that are carried as they were written, because nothing reads them yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A block of options as the user wrote it. No field in it is implemented by a type yet: each one used is reported
/// by its path, and the ones that ask for authentication close the route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RawOptions(pub Map<String, Value>);

impl RawOptions {
    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
