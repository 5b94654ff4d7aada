//! Stored objects as typed specs, with errors that name the field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// An object that does not have the shape of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct DecodeError {
    /// The field, from the object's root: `spec.routes[0].matchers`.
    pub path: String,
    /// What is there, and what was expected.
    pub message: String,
}

/// The `spec` of an object as a type. An object without one decodes like an empty one.
///
/// # Errors
///
/// Names the first field that does not have the expected shape.
pub fn decode<T: DeserializeOwned>(object: &Value) -> Result<T, DecodeError> {
    let empty = Value::Object(Map::new());
    let spec = object.get("spec").filter(|spec| !spec.is_null()).unwrap_or(&empty);
    serde_path_to_error::deserialize(spec).map_err(|error| {
        let inner = error.path().to_string();
        let path = match inner.as_str() {
            "." => "spec".to_owned(),
            inner if inner.starts_with('[') => format!("spec{inner}"),
            inner => format!("spec.{inner}"),
        };
        DecodeError { path, message: plain_words(&error.inner().to_string()) }
    })
}

/// A sentence of serde's (`invalid type: string "x", expected a sequence`) in the words of a manifest.
pub fn plain_words(message: &str) -> String {
    let words = [
        ("invalid type: map", "this is an object"),
        ("invalid type: sequence", "this is a list"),
        ("invalid type: null", "this is null"),
        ("invalid type: ", "this is the "),
        ("invalid value: ", "this is the "),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
        ("expected a boolean", "expected true or false"),
        ("expected u32", "expected a number from 0 to 4294967295"),
        ("expected u16", "expected a number from 0 to 65535"),
        ("expected i32", "expected a number from -2147483648 to 2147483647"),
    ];
    let mut message = words.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to));
    if let Some(at) = message.find("expected struct ") {
        message.replace_range(at.., "expected an object");
    }
    message
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::{RouteTableSpec, VirtualServiceSpec};
    use crate::gloo::UpstreamSpec;

    fn refused<T: DeserializeOwned + std::fmt::Debug>(object: Value) -> String {
        decode::<T>(&object).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_field() {
        assert_eq!(
            refused::<RouteTableSpec>(json!({"spec": {"routes": [{"matchers": {"prefix": "/"}}]}})),
            "spec.routes[0].matchers: this is an object, expected a list"
        );
        assert_eq!(
            refused::<VirtualServiceSpec>(json!({"spec": {"virtualHost": "*"}})),
            "spec.virtualHost: this is the string \"*\", expected an object"
        );
        assert_eq!(
            refused::<UpstreamSpec>(json!({"spec": {"kube": {"servicePort": "http"}}})),
            "spec.kube.servicePort: this is the string \"http\", expected a number from 0 to 4294967295"
        );
        assert_eq!(
            refused::<UpstreamSpec>(json!({"spec": {"kube": {"servicePort": -1}}})),
            "spec.kube.servicePort: this is the integer `-1`, expected a number from 0 to 4294967295"
        );
        assert_eq!(refused::<UpstreamSpec>(json!({"spec": "x"})), "spec: this is the string \"x\", expected an object");
    }

    #[test]
    fn a_missing_spec_is_an_empty_one() {
        assert_eq!(decode::<RouteTableSpec>(&json!({"spec": null})), Ok(RouteTableSpec::default()));
        assert_eq!(decode::<RouteTableSpec>(&json!({})), Ok(RouteTableSpec::default()));
    }
}
