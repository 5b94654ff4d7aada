//! Never open: what asks for authentication or authorisation that cannot be given answers 403.

use serde_json::Value;
use serin_api::proxy::{Action, Route};

use crate::options::Options;

/// The status of everything that is closed.
const STATUS: u16 = 403;
/// The body of everything that is closed.
const BODY: &str = "This route asks for authentication, which Serin does not do yet, so it is closed.\n";

/// Options that ask for a proof of who the caller is or of what they may do.
const FIELDS: [&str; 8] =
    ["extauth", "jwt", "jwtStaged", "jwtProvidersStaged", "rbac", "extensions", "extAuth", "oauth"];

/// Whether options ask for authentication or authorisation. One that is expressly disabled does not.
pub(crate) fn asks(options: Option<&Options>) -> bool {
    options.is_some_and(|options| FIELDS.iter().any(|field| options.get(*field).is_some_and(field_asks)))
}

/// Whether a field is one that closes what it is set on.
pub(crate) fn is_field(field: &str) -> bool {
    FIELDS.contains(&field)
}

fn field_asks(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => fields.get("disable") != Some(&Value::Bool(true)),
        _ => true,
    }
}

/// What a closed route does.
pub(crate) fn action() -> Action {
    Action::DirectResponse { status: STATUS, body: BODY.to_owned() }
}

/// What takes the place of a closed destination among several.
pub(crate) fn target() -> serin_api::proxy::Target {
    serin_api::proxy::Target::DirectResponse { status: STATUS, body: BODY.to_owned() }
}

/// Whether a route is closed.
pub(crate) fn is_closed(route: &Route) -> bool {
    matches!(&route.action, Action::DirectResponse { status: STATUS, body } if body == BODY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_asks_is_closed_unless_it_is_disabled() {
        for (options, expected) in [
            (json!({"extauth": {"configRef": {"name": "a", "namespace": "b"}}}), true),
            (json!({"extauth": {}}), true),
            (json!({"extauth": {"disable": true}}), false),
            (json!({"extauth": {"disable": true}, "rbac": {"policies": {}}}), true),
            (json!({"jwtStaged": {"beforeExtAuth": {}}}), true),
            (json!({"timeout": "5s"}), false),
            (json!({"extauth": null}), false),
        ] {
            assert_eq!(asks(options.as_object()), expected, "{options}");
        }
    }
}
