//! Kubernetes' protobuf encoding, read only: kubectl's typed clients (`kubectl create namespace`, `kubectl auth can-i`)
//! send their objects in it. Answers are always JSON, which those clients take as well.
//!
//! An object is `k8s\0`, then the message `runtime.Unknown` (its type and its bytes). What the fields of a message are is
//! in `fields.txt`, taken from the struct tags of `k8s.io/api` v0.35: a line for each message, and for each field
//! `NUMBER:JSON NAME:TYPE`, where an empty name means that the fields of the message are those of the outer one. A type is
//!
//! - `s` text, `b` boolean, `i` integer, `f` float, `B` bytes, `M…` another message;
//! - `T` a time, `U` one in microseconds, `D` a duration, `Q` a quantity, `N` a number or text, `R` raw JSON;
//! - after `[` a list of them, after `{` a map from texts to them, after `*` one whose zero value means something.

mod wire;

use base64::Engine;
use serde_json::{Map, Number, Value, json};

use wire::{Field, Reader};

const FIELDS: &str = include_str!("fields.txt");
const MAGIC: &[u8] = b"k8s\0";
/// Messages nested deeper than any real object.
const MOST_DEPTH: usize = 64;

/// Why bytes are not an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// They do not begin as Kubernetes' objects do.
    #[error("the body does not begin with Kubernetes' protobuf prefix")]
    Prefix,
    /// They are cut short or malformed.
    #[error("the body is not valid protobuf")]
    Malformed,
    /// The messages are nested too deeply.
    #[error("the body is nested too deeply")]
    TooDeep,
    /// The type has no description here.
    #[error("{0} is not known in protobuf; send JSON")]
    UnknownType(String),
}

/// An object in JSON from its protobuf form.
///
/// # Errors
/// [`ProtobufError`]; any bytes are safe to give.
pub fn decode(bytes: &[u8]) -> Result<Value, ProtobufError> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or(ProtobufError::Prefix)?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, field) in fields(envelope)? {
        match (number, field) {
            (1, Field::Bytes(type_meta)) => {
                for (number, field) in fields(type_meta)? {
                    match (number, field) {
                        (1, Field::Bytes(text)) => api_version = utf8(text)?.to_owned(),
                        (2, Field::Bytes(text)) => kind = utf8(text)?.to_owned(),
                        _ => {}
                    }
                }
            }
            (2, Field::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let Value::Object(mut object) = message(&message_name(&api_version, &kind), raw, 0)? else {
        return Err(ProtobufError::Malformed);
    };
    object.insert("apiVersion".into(), api_version.into());
    object.insert("kind".into(), kind.into());
    Ok(Value::Object(object))
}

/// How `fields.txt` calls a kind: `rbac.authorization.k8s.io/v1` `Role` is `rbac/v1.Role`.
fn message_name(api_version: &str, kind: &str) -> String {
    match api_version.split_once('/') {
        _ if kind == "DeleteOptions" => "meta/v1.DeleteOptions".into(),
        None => format!("core/{api_version}.{kind}"),
        Some((group, version)) => format!("{}/{version}.{kind}", group.split('.').next().unwrap_or_default()),
    }
}

fn fields(bytes: &[u8]) -> Result<Vec<(u64, Field<'_>)>, ProtobufError> {
    Reader::new(bytes).collect::<Option<Vec<_>>>().ok_or(ProtobufError::Malformed)
}

fn utf8(bytes: &[u8]) -> Result<&str, ProtobufError> {
    std::str::from_utf8(bytes).map_err(|_| ProtobufError::Malformed)
}

/// The line of a message: its fields.
fn describe(name: &str) -> Option<&'static str> {
    FIELDS.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Result<Value, ProtobufError> {
    if depth > MOST_DEPTH {
        return Err(ProtobufError::TooDeep);
    }
    let known = describe(name).ok_or_else(|| ProtobufError::UnknownType(name.to_owned()))?;
    let mut object = Map::new();
    for (number, field) in fields(bytes)? {
        let mut parts = known.split(' ').map(|entry| entry.splitn(3, ':'));
        let found =
            parts.find_map(|mut entry| (entry.next()?.parse() == Ok(number)).then_some((entry.next()?, entry.next()?)));
        // A field of a later version than this table: there is no telling what it is.
        let Some((json_name, kind)) = found else { continue };
        if let Some(kind) = kind.strip_prefix('[') {
            let value = value(kind, &field, depth)?;
            if let Some(list) = object.entry(json_name).or_insert_with(|| json!([])).as_array_mut() {
                list.push(value);
            }
        } else if let Some(kind) = kind.strip_prefix('{') {
            let (key, value) = entry(kind, &field, depth)?;
            object.entry(json_name).or_insert_with(|| json!({}))[key] = value;
        } else {
            let (kind, keep_zero) = kind.strip_prefix('*').map_or((kind, false), |kind| (kind, true));
            let value = value(kind, &field, depth)?;
            if json_name.is_empty() {
                object.extend(value.as_object().cloned().unwrap_or_default());
            } else if !value.is_null() && (keep_zero || !is_zero(&value)) {
                object.insert(json_name.into(), value);
            }
        }
    }
    Ok(Value::Object(object))
}

/// What Go leaves out when it is optional.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// A map's entry: a message of key and value.
fn entry(kind: &str, field: &Field<'_>, depth: usize) -> Result<(String, Value), ProtobufError> {
    let Field::Bytes(bytes) = field else { return Err(ProtobufError::Malformed) };
    let mut key = String::new();
    let mut found = None;
    for (number, field) in fields(bytes)? {
        match (number, field) {
            (1, Field::Bytes(text)) => key = utf8(text)?.to_owned(),
            (2, field) => found = Some(value(kind, &field, depth)?),
            _ => {}
        }
    }
    let empty = Field::Bytes(&[]);
    Ok((key, found.map_or_else(|| value(kind, &empty, depth), Ok)?))
}

fn value(kind: &str, field: &Field<'_>, depth: usize) -> Result<Value, ProtobufError> {
    Ok(match (kind, field) {
        ("b", Field::Varint(n)) => (*n != 0).into(),
        ("i", Field::Varint(n)) => n.cast_signed().into(),
        ("f", Field::Fixed64(n)) => Number::from_f64(f64::from_bits(*n)).map_or(Value::Null, Value::Number),
        ("s", Field::Bytes(bytes)) => utf8(bytes)?.into(),
        ("B", Field::Bytes(bytes)) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
        ("Q", Field::Bytes(bytes)) => first_text(bytes)?.into(),
        ("R", Field::Bytes(bytes)) => {
            let raw = fields(bytes)?.into_iter().find_map(|(_, field)| field.bytes()).unwrap_or_default();
            serde_json::from_slice(raw).unwrap_or_default()
        }
        ("T" | "U", Field::Bytes(bytes)) => time(bytes, kind == "U")?,
        ("N", Field::Bytes(bytes)) => number_or_text(bytes)?,
        ("D", Field::Bytes(bytes)) => match fields(bytes)?.first() {
            Some((_, Field::Varint(nanoseconds))) => format!("{nanoseconds}ns").into(),
            _ => "0s".into(),
        },
        (kind, Field::Bytes(bytes)) if kind.starts_with('M') => message(&kind[1..], bytes, depth + 1)?,
        _ => return Err(ProtobufError::Malformed),
    })
}

fn first_text(bytes: &[u8]) -> Result<&str, ProtobufError> {
    let first = fields(bytes)?.into_iter().find(|(number, _)| *number == 1);
    utf8(first.and_then(|(_, field)| field.bytes()).unwrap_or_default())
}

/// Seconds and nanoseconds as RFC 3339; the zero time is none.
fn time(bytes: &[u8], micro: bool) -> Result<Value, ProtobufError> {
    let (mut seconds, mut nanoseconds) = (None, 0);
    for (number, field) in fields(bytes)? {
        match (number, field) {
            (1, Field::Varint(n)) => seconds = Some(n.cast_signed()),
            (2, Field::Varint(n)) => {
                nanoseconds = i32::try_from(n.cast_signed()).map_err(|_| ProtobufError::Malformed)?
            }
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let time = jiff::Timestamp::new(seconds, nanoseconds).map_err(|_| ProtobufError::Malformed)?;
    let format = if micro { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Ok(time.strftime(format).to_string().into())
}

/// `intstr.IntOrString`: which of the two, the number, the text.
fn number_or_text(bytes: &[u8]) -> Result<Value, ProtobufError> {
    let (mut is_text, mut number, mut text) = (false, 0, "");
    for (field_number, field) in fields(bytes)? {
        match (field_number, field) {
            (1, Field::Varint(n)) => is_text = n == 1,
            (2, Field::Varint(n)) => number = n.cast_signed(),
            (3, Field::Bytes(bytes)) => text = utf8(bytes)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn object(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let type_meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &type_meta), bytes(2, raw)].concat()
    }

    #[test]
    fn a_config_map_is_read() {
        let metadata = [bytes(1, b"x"), bytes(3, b""), bytes(8, b"")].concat();
        let entry = [bytes(1, b"key"), bytes(2, b"value")].concat();
        let binary = [bytes(1, b"b"), bytes(2, b"\x00\x01")].concat();
        let raw = [bytes(1, &metadata), bytes(2, &entry), bytes(3, &binary), vec![4 << 3, 0]].concat();
        let expected = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
            "data": {"key": "value"}, "binaryData": {"b": "AAE="}, "immutable": false,
        });
        assert_eq!(decode(&object("v1", "ConfigMap", &raw)), Ok(expected));
    }

    #[test]
    fn numbers_texts_and_inlined_messages_are_read() {
        let port = [bytes(1, b""), vec![3 << 3, 80], bytes(4, &[1 << 3, 0, 2 << 3, 0x90, 0x3f])].concat();
        let raw = bytes(2, &bytes(1, &port));
        let service = decode(&object("v1", "Service", &raw)).unwrap();
        assert_eq!(service["spec"]["ports"][0], json!({"port": 80, "targetPort": 8080}));
        let reference = bytes(1, &bytes(1, b"secret"));
        let selector = message("core/v1.SecretKeySelector", &[reference, bytes(2, b"k")].concat(), 0).unwrap();
        assert_eq!(selector, json!({"name": "secret", "key": "k"}));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(decode(b"{}"), Err(ProtobufError::Prefix));
        assert_eq!(decode(b"k8s\0\x0a\xff"), Err(ProtobufError::Malformed));
        let unknown = decode(&object("example.com/v1", "Widget", b""));
        assert_eq!(unknown, Err(ProtobufError::UnknownType("example/v1.Widget".into())));
    }

    #[test]
    fn every_message_that_is_named_is_described() {
        for line in FIELDS.lines() {
            for field in line.split(' ').skip(1) {
                let kind = field.splitn(3, ':').nth(2).unwrap().trim_start_matches(['[', '{', '*']);
                if let Some(name) = kind.strip_prefix('M') {
                    assert!(FIELDS.lines().any(|line| line.split(' ').next() == Some(name)), "{name}");
                }
            }
        }
    }
}
