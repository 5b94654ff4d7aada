//! JSON patch, RFC 6902.

use serde_json::Value;

use super::PatchError;
use super::pointer::{self, Pointer};

/// A patch may hold this many operations, as in kube-apiserver.
pub const MAX_OPERATIONS: usize = 10_000;

/// What all `copy` operations of a patch may add, in bytes of JSON: the same bound as on a request's body.
const MAX_COPIED: usize = 3 * 1024 * 1024;

/// Applies `patch`, an array of operations, and returns the changed document. All operations apply, or none.
///
/// # Errors
/// [`PatchError::Malformed`] for what is not a patch, [`PatchError::DoesNotApply`] for a failed `test` or a path that
/// leads nowhere, [`PatchError::TooLarge`] beyond the limits.
pub fn json_patch(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    let operations =
        patch.as_array().ok_or_else(|| PatchError::Malformed("a JSON patch must be an array of operations".into()))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    let mut document = document.clone();
    let mut copied = 0;
    for (i, operation) in operations.iter().enumerate() {
        apply(&mut document, operation, &mut copied).map_err(|error| at_operation(i, error))?;
    }
    Ok(document)
}

fn at_operation(i: usize, error: PatchError) -> PatchError {
    let say = |message: String| format!("operation {i}: {message}");
    match error {
        PatchError::Malformed(message) => PatchError::Malformed(say(message)),
        PatchError::DoesNotApply(message) => PatchError::DoesNotApply(say(message)),
        PatchError::TooLarge(message) => PatchError::TooLarge(say(message)),
    }
}

fn apply(document: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), PatchError> {
    let member = |name: &str| {
        operation
            .get(name)
            .ok_or_else(|| PatchError::Malformed(format!("the operation has no \"{name}\": {operation}")))
    };
    let pointer = |name: &str| match member(name)?.as_str() {
        Some(text) => Pointer::parse(text),
        None => Err(PatchError::Malformed(format!("\"{name}\" must be a string: {operation}"))),
    };
    let path = pointer("path")?;
    match member("op")?.as_str() {
        Some("add") => add(document, &path, member("value")?.clone()),
        Some("remove") => remove(document, &path).map(|_| ()),
        Some("replace") => replace(document, &path, member("value")?.clone()),
        Some("test") => test(document, &path, member("value")?),
        Some("move") => {
            let from = pointer("from")?;
            if from.contains(&path) {
                let text = "a value cannot be moved into itself";
                return Err(PatchError::DoesNotApply(text.to_owned()));
            }
            if from == path {
                return find(document, &from).map(|_| ());
            }
            let value = remove(document, &from)?;
            add(document, &path, value)
        }
        Some("copy") => {
            let value = find(document, &pointer("from")?)?.clone();
            *copied += value.to_string().len();
            if *copied > MAX_COPIED {
                return Err(PatchError::TooLarge(format!("the copies of this patch add more than {MAX_COPIED} bytes")));
            }
            add(document, &path, value)
        }
        _ => Err(PatchError::Malformed(format!("unknown operation {}", operation["op"]))),
    }
}

fn missing(path: &Pointer) -> PatchError {
    let text: String =
        path.tokens().iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
    PatchError::DoesNotApply(format!("the path \"{text}\" does not exist"))
}

fn find<'a>(document: &'a Value, path: &Pointer) -> Result<&'a Value, PatchError> {
    pointer::get(document, path.tokens()).ok_or_else(|| missing(path))
}

fn add(document: &mut Value, path: &Pointer, value: Value) -> Result<(), PatchError> {
    let Some((parent, last)) = path.split() else {
        *document = value;
        return Ok(());
    };
    match pointer::get_mut(document, parent) {
        Some(Value::Object(map)) => {
            map.insert(last.to_owned(), value);
        }
        Some(Value::Array(items)) => {
            // One past the end is where an item may be added.
            let i = if last == "-" { Some(items.len()) } else { pointer::index(last, items.len() + 1) };
            items.insert(i.ok_or_else(|| missing(path))?, value);
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn remove(document: &mut Value, path: &Pointer) -> Result<Value, PatchError> {
    let Some((parent, last)) = path.split() else {
        return Ok(std::mem::take(document));
    };
    let removed = match pointer::get_mut(document, parent) {
        Some(Value::Object(map)) => map.remove(last),
        Some(Value::Array(items)) => pointer::index(last, items.len()).map(|i| items.remove(i)),
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

/// As the implementation in kube-apiserver, a member that is missing is added; the RFC would refuse it.
fn replace(document: &mut Value, path: &Pointer, value: Value) -> Result<(), PatchError> {
    let Some((parent, last)) = path.split() else {
        *document = value;
        return Ok(());
    };
    match pointer::get_mut(document, parent) {
        Some(Value::Object(map)) => {
            map.insert(last.to_owned(), value);
        }
        Some(Value::Array(items)) => {
            let i = pointer::index(last, items.len()).ok_or_else(|| missing(path))?;
            items[i] = value;
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

/// As the implementation in kube-apiserver, a missing member equals null; a missing item does not.
fn test(document: &Value, path: &Pointer, value: &Value) -> Result<(), PatchError> {
    let actual = match path.split() {
        None => document,
        Some((parent, last)) => match pointer::get(document, parent) {
            Some(Value::Object(map)) => map.get(last).unwrap_or(&Value::Null),
            Some(Value::Array(items)) => {
                let i = pointer::index(last, items.len()).ok_or_else(|| missing(path))?;
                &items[i]
            }
            _ => return Err(missing(path)),
        },
    };
    if same(actual, value) {
        return Ok(());
    }
    Err(PatchError::DoesNotApply(format!("test failed: the value is {actual}, not {value}")))
}

/// Equality of RFC 6902: numbers by their value, not by how they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_OPERATIONS, PatchError, json_patch};

    #[test]
    fn the_examples_of_the_rfc_hold() {
        let cases = [
            (
                json!({"foo": "bar"}),
                json!([{"op": "add", "path": "/baz", "value": "qux"}]),
                json!({"baz": "qux", "foo": "bar"}),
            ),
            (
                json!({"foo": ["bar", "baz"]}),
                json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
                json!({"foo": ["bar", "qux", "baz"]}),
            ),
            (json!({"baz": "qux", "foo": "bar"}), json!([{"op": "remove", "path": "/baz"}]), json!({"foo": "bar"})),
            (
                json!({"foo": ["bar", "qux", "baz"]}),
                json!([{"op": "remove", "path": "/foo/1"}]),
                json!({"foo": ["bar", "baz"]}),
            ),
            (json!({"baz": "qux"}), json!([{"op": "replace", "path": "/baz", "value": "boo"}]), json!({"baz": "boo"})),
            (
                json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
                json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
                json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
            ),
            (
                json!({"foo": ["all", "grass", "cows", "eat"]}),
                json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
                json!({"foo": ["all", "cows", "eat", "grass"]}),
            ),
            (
                json!({"baz": "qux", "foo": ["a", 2, "c"]}),
                json!([{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2.0}]),
                json!({"baz": "qux", "foo": ["a", 2, "c"]}),
            ),
            (
                json!({"foo": "bar"}),
                json!([{"op": "add", "path": "/child", "value": {"grand": {}}, "xyz": 1}]),
                json!({"foo": "bar", "child": {"grand": {}}}),
            ),
            (
                json!({"/": 9, "~1": 10}),
                json!([{"op": "test", "path": "/~01", "value": 10}, {"op": "remove", "path": "/~1"}]),
                json!({"~1": 10}),
            ),
            (
                json!({"foo": ["bar"]}),
                json!([{"op": "add", "path": "/foo/-", "value": ["abc"]}]),
                json!({"foo": ["bar", ["abc"]]}),
            ),
        ];
        for (document, patch, expected) in cases {
            assert_eq!(json_patch(&document, &patch).unwrap(), expected, "{patch}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let document = json!({"a": [1], "b": {"c": 1}});
        for patch in [
            json!([{"op": "test", "path": "/b/c", "value": "1"}]),
            json!([{"op": "add", "path": "/x/y", "value": 1}]),
            json!([{"op": "add", "path": "/a/2", "value": 1}]),
            json!([{"op": "add", "path": "/a/01", "value": 1}]),
            json!([{"op": "remove", "path": "/a/-"}]),
            json!([{"op": "replace", "path": "/x/y", "value": 1}]),
            json!([{"op": "move", "from": "/b", "path": "/b/c"}]),
        ] {
            assert!(matches!(json_patch(&document, &patch), Err(PatchError::DoesNotApply(_))), "{patch}");
        }
        for patch in [
            json!({}),
            json!([{"op": "add", "path": "a", "value": 1}]),
            json!([{"op": "jump", "path": ""}]),
            json!([{"op": "add", "path": "/a"}]),
        ] {
            assert!(matches!(json_patch(&document, &patch), Err(PatchError::Malformed(_))), "{patch}");
        }
    }

    #[test]
    fn copies_cannot_grow_a_document_without_bound() {
        let copy = json!({"op": "copy", "from": "/a", "path": "/a/-"});
        let patch = serde_json::Value::Array(vec![copy; 100]);
        assert!(matches!(json_patch(&json!({"a": ["x"]}), &patch), Err(PatchError::TooLarge(_))));
        let many = serde_json::Value::Array(vec![json!({"op": "test", "path": "", "value": 1}); MAX_OPERATIONS + 1]);
        assert!(matches!(json_patch(&json!(1), &many), Err(PatchError::TooLarge(_))));
    }
}
