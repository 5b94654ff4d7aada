//! Which options ask for authentication or authorisation. Nothing can give it yet, and a route that asks must never be
//! open, so translation closes it.

use serde_json::{Map, Value};

use crate::gloo::SettingsSpec;

/// The fields that ask, each with what it governs. A later level that speaks of the same thing overrides an earlier one.
const FIELDS: [(&str, &str); 8] = [
    ("extauth", "extauth"),
    ("extensions.configs.extauth", "extauth"),
    ("rbac", "rbac"),
    ("extensions.configs.rbac", "rbac"),
    ("jwt", "jwt after"),
    ("extensions.configs.jwt", "jwt after"),
    ("jwtStaged", "jwt"),
    ("jwtProvidersStaged", "jwt"),
];

/// The options that ask for authentication or authorisation of a request, by name (`extauth`, `jwtStaged.beforeExtAuth`);
/// none means that the request may pass.
///
/// `levels` are the blocks of options that apply, outermost first: the virtual host's, the route's, the weighted
/// destination's, each after its own merging. As in Gloo, a level that is silent leaves what the outer one says, and
/// `disable: true` takes it back. A block that is present counts as asking, even when nothing in it is set.
pub fn asks_for_auth<'a>(
    settings: Option<&SettingsSpec>,
    levels: impl IntoIterator<Item = &'a Map<String, Value>>,
) -> Vec<String> {
    let mut asking: Vec<(String, String)> = Vec::new();
    if settings.is_some_and(|settings| settings.rbac.as_ref().is_some_and(|rbac| rbac.require_rbac)) {
        asking.push(("rbac".to_owned(), "rbac (required by Settings)".to_owned()));
    }
    for level in levels {
        for (path, governs) in FIELDS {
            for demand in demands(level, path, governs) {
                asking.retain(|(governed, _)| *governed != demand.governs);
                if demand.asks {
                    asking.push((demand.governs, demand.field));
                }
            }
        }
    }
    asking.into_iter().map(|(_, field)| field).collect()
}

/// What one field says.
struct Demand {
    governs: String,
    field: String,
    asks: bool,
}

fn demands(level: &Map<String, Value>, path: &str, governs: &str) -> Vec<Demand> {
    let Some(value) = find(level, path) else { return Vec::new() };
    let demand = |governs: &str, field: &str, value: &Value| Demand {
        governs: governs.to_owned(),
        field: field.to_owned(),
        asks: value.get("disable") != Some(&Value::Bool(true)),
    };
    if governs != "jwt" {
        return vec![demand(governs, path, value)];
    }
    // JWTs are checked before and after the external authorisation, each in its own right.
    let stages = [("beforeExtAuth", "jwt before"), ("afterExtAuth", "jwt after")];
    let set: Vec<Demand> = stages
        .iter()
        .filter_map(|(stage, governs)| {
            let value = value.get(stage).filter(|value| !value.is_null())?;
            Some(demand(governs, &format!("{path}.{stage}"), value))
        })
        .collect();
    if set.is_empty() { vec![demand("jwt after", path, value)] } else { set }
}

fn find<'a>(level: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let mut value = level.get(names.next()?)?;
    for name in names {
        value = value.get(name)?;
    }
    Some(value).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gloo::RbacSettings;

    fn asks(levels: &[Value]) -> Vec<String> {
        asks_for_auth(None, levels.iter().map(|level| level.as_object().unwrap()))
    }

    #[test]
    fn other_options_do_not_ask() {
        let options = json!({"timeout": "5s", "cors": {}, "extauth": null, "extensions": {"configs": {"other": {}}}});
        assert!(asks(&[options]).is_empty());
        assert!(asks(&[]).is_empty());
    }

    #[test]
    fn each_mechanism_asks() {
        for (options, field) in [
            (json!({"extauth": {"configRef": {"name": "a"}}}), "extauth"),
            (json!({"extauth": {}}), "extauth"),
            (json!({"extauth": {"disable": false}}), "extauth"),
            (json!({"rbac": {"policies": {}}}), "rbac"),
            (json!({"jwt": {"providers": {}}}), "jwt"),
            (json!({"jwtStaged": {"beforeExtAuth": {"providers": {}}}}), "jwtStaged.beforeExtAuth"),
            (json!({"jwtStaged": {}}), "jwtStaged"),
            (json!({"jwtProvidersStaged": {"afterExtAuth": {}}}), "jwtProvidersStaged.afterExtAuth"),
            (json!({"extensions": {"configs": {"extauth": {}}}}), "extensions.configs.extauth"),
        ] {
            assert_eq!(asks(&[options]), [field]);
        }
    }

    #[test]
    fn an_inner_level_takes_back_what_it_names() {
        let host = json!({"extauth": {"configRef": {}}, "jwtStaged": {"beforeExtAuth": {}, "afterExtAuth": {}}});
        assert_eq!(asks(&[host.clone(), json!({"extauth": {"disable": true}})]).len(), 2);
        let all = json!({
            "extauth": {"disable": true},
            "jwtStaged": {"beforeExtAuth": {"disable": true}, "afterExtAuth": {"disable": true}},
        });
        assert!(asks(&[host.clone(), all.clone()]).is_empty());
        assert_eq!(asks(&[host.clone(), all, json!({"extauth": {"customAuth": {}}})]), ["extauth"]);
        let before = json!({"extauth": {"disable": true}, "jwtStaged": {"beforeExtAuth": {"disable": true}}});
        assert_eq!(asks(&[host, before]), ["jwtStaged.afterExtAuth"]);
    }

    #[test]
    fn disabling_with_nothing_to_disable_is_open() {
        assert!(asks(&[json!({"rbac": {"disable": true}})]).is_empty());
    }

    #[test]
    fn settings_can_require_rbac_of_everyone() {
        let settings = SettingsSpec { rbac: Some(RbacSettings { require_rbac: true }), ..SettingsSpec::default() };
        assert_eq!(asks_for_auth(Some(&settings), []), ["rbac (required by Settings)"]);
        let level = json!({"rbac": {"disable": true}});
        assert!(asks_for_auth(Some(&settings), level.as_object()).is_empty());
        assert!(asks_for_auth(Some(&SettingsSpec::default()), []).is_empty());
    }
}
