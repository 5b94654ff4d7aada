//! Options that are carried as they were written, because they are merged field by field before anything reads them.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A block of options as the user wrote it. `T` is the type that it is read as once it has been merged with what it
/// inherits: a field that `T` does not have is one that is not implemented, and is reported by its path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Written<T> {
    map: Map<String, Value>,
    #[serde(skip)]
    read_as: PhantomData<fn() -> T>,
}

/// A block of options of which nothing is implemented.
pub type RawOptions = Written<Unread>;

/// Options that nothing reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unread;

impl<T> Written<T> {
    /// The fields as they were written.
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }
}

impl<T> From<Map<String, Value>> for Written<T> {
    fn from(map: Map<String, Value>) -> Self {
        Self { map, read_as: PhantomData }
    }
}

impl<T: JsonSchema> JsonSchema for Written<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Unread {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unread".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true })
    }
}
