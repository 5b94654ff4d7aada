//! The rules of names, with the messages of Kubernetes' `apimachinery/pkg/util/validation`.

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Which rule the names of a kind follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// At most 253 characters of dotted labels: most kinds.
    Subdomain,
    /// At most 63 characters: namespaces.
    Label,
    /// As a label, starting with a letter: services.
    Label1035,
    /// Anything that can be one segment of a path: RBAC kinds.
    PathSegment,
}

fn is_label(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn too_long(most: usize) -> String {
    format!("must be no more than {most} bytes")
}

/// Why `name` is not a name under `rule`; all reasons.
pub(crate) fn name_errors(rule: NameRule, name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let (most, ok, message) = match rule {
        NameRule::Subdomain => (253, name.split('.').all(is_label), SUBDOMAIN),
        NameRule::Label => (63, is_label(name), LABEL),
        NameRule::Label1035 => (63, is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()), LABEL_1035),
        NameRule::PathSegment => {
            if name == "." || name == ".." {
                errors.push(format!("may not be '{name}'"));
            }
            for part in ['/', '%'].into_iter().filter(|part| name.contains(*part)) {
                errors.push(format!("may not contain '{part}'"));
            }
            return errors;
        }
    };
    if name.len() > most {
        errors.push(too_long(most));
    }
    if !ok {
        errors.push(message.to_owned());
    }
    errors
}

fn is_qualified_part(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Why `key` is not the key of a label or annotation.
pub(crate) fn label_key_error(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            return Some("prefix part must be non-empty".into());
        }
        if let Some(error) = name_errors(NameRule::Subdomain, prefix).into_iter().next() {
            return Some(format!("prefix part {error}"));
        }
    }
    if name.is_empty() {
        Some("name part must be non-empty".into())
    } else if name.len() > 63 {
        Some(format!("name part {}", too_long(63)))
    } else if is_qualified_part(name) {
        None
    } else {
        Some(QUALIFIED.into())
    }
}

/// Why `value` is not the value of a label.
pub(crate) fn label_value_error(value: &str) -> Option<String> {
    if value.len() > 63 {
        Some(too_long(63))
    } else if value.is_empty() || is_qualified_part(value) {
        None
    } else {
        Some(VALUE.into())
    }
}
