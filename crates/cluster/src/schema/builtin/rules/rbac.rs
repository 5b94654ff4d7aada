//! Rules for roles and their bindings.

use serde_json::Value;

use super::{Errors, items, text};
use crate::schema::FieldError;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn check(kind: &str, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    match kind {
        "Role" | "ClusterRole" => rules(object, kind == "Role", errors),
        "RoleBinding" | "ClusterRoleBinding" => binding(kind, object, old, errors),
        _ => {}
    }
}

fn rules(object: &Value, namespaced: bool, errors: &mut Errors) {
    for (i, rule) in items(&object["rules"]).iter().enumerate() {
        let under = |name: &str| format!("rules[{i}].{name}");
        let none = |name: &str| items(&rule[name]).is_empty();
        if none("verbs") {
            errors.push(FieldError::required(under("verbs"), "verbs must contain at least one value"));
        }
        if none("nonResourceURLs") {
            if none("apiGroups") {
                let words = "resource rules must supply at least one api group";
                errors.push(FieldError::required(under("apiGroups"), words));
            }
            if none("resources") {
                let words = "resource rules must supply at least one resource";
                errors.push(FieldError::required(under("resources"), words));
            }
        } else if namespaced {
            let words = "namespaced rules cannot apply to non-resource URLs";
            errors.push(FieldError::invalid(under("nonResourceURLs"), &rule["nonResourceURLs"], words));
        }
    }
}

fn binding(kind: &str, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let role = &object["roleRef"];
    if text(&role["apiGroup"]) != GROUP {
        errors.push(FieldError::not_supported("roleRef.apiGroup", &role["apiGroup"], &[GROUP]));
    }
    let kinds: &[&str] = if kind == "RoleBinding" { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&text(&role["kind"])) {
        errors.push(FieldError::not_supported("roleRef.kind", &role["kind"], kinds));
    }
    if text(&role["name"]).is_empty() {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    for (i, subject) in items(&object["subjects"]).iter().enumerate() {
        let at = format!("subjects[{i}]");
        if text(&subject["name"]).is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        let supported = ["ServiceAccount", "User", "Group"];
        if !supported.contains(&text(&subject["kind"])) {
            errors.push(FieldError::not_supported(format!("{at}.kind"), &subject["kind"], &supported));
        }
    }
    if old.is_some_and(|old| old["roleRef"] != *role) {
        errors.push(FieldError::invalid("roleRef", role, "cannot change roleRef"));
    }
}
