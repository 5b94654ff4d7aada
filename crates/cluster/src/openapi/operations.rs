//! The paths of a kind, and what can be done there.

use serde_json::{Map, Value, json};

use super::components::{DELETE_OPTIONS, PATCH, STATUS, type_name};
use super::render::Dialect;
use super::{Kind, root};
use crate::schema::Origin;

const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";

struct Parameter {
    name: &'static str,
    ty: &'static str,
    about: &'static str,
}

const fn parameter(name: &'static str, ty: &'static str, about: &'static str) -> Parameter {
    Parameter { name, ty, about }
}

const DRY_RUN: Parameter = parameter("dryRun", "string", "All: check the request wholly, and store nothing.");
const FIELD_MANAGER: Parameter =
    parameter("fieldManager", "string", "The name of who makes the change; what it sets, it owns.");
const FIELD_VALIDATION: Parameter = parameter(
    "fieldValidation",
    "string",
    "What to do with unknown or duplicate fields: Ignore drops them, Warn drops them with a warning, Strict refuses the \
     request.",
);
const WRITE: [Parameter; 3] = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const FORCE: Parameter = parameter("force", "boolean", "For an apply: take fields that other managers own.");
const DELETE: [Parameter; 4] = [
    DRY_RUN,
    parameter("gracePeriodSeconds", "integer", "Seconds until the object is gone; 0 is at once."),
    parameter("orphanDependents", "boolean", "Superseded by propagationPolicy."),
    parameter("propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
];
const LIST: [Parameter; 10] = [
    parameter("allowWatchBookmarks", "boolean", "Send bookmarks in a watch."),
    parameter("continue", "string", "Where the list left off, from an earlier answer."),
    parameter("fieldSelector", "string", "Only objects with these field values."),
    parameter("labelSelector", "string", "Only objects with these labels."),
    parameter("limit", "integer", "At most so many objects in one answer."),
    parameter("resourceVersion", "string", "From which version on."),
    parameter("resourceVersionMatch", "string", "How resourceVersion is meant for a list."),
    parameter("sendInitialEvents", "boolean", "Begin a watch with the objects that are there."),
    parameter("timeoutSeconds", "integer", "End after so many seconds."),
    parameter("watch", "boolean", "Send changes as they come, instead of a list."),
];

/// The paths of `kind`, each with its operations.
pub(super) fn paths(kind: &Kind, dialect: Dialect) -> Vec<(String, Value)> {
    let base = root(&kind.group, &kind.version);
    let place = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("/{base}{place}/{}", kind.plural);
    let object = format!("{collection}/{{name}}");
    let writer = Writer { kind, dialect, ty: type_name(kind), gvk: gvk(&kind.group, &kind.version, &kind.kind) };
    let mut paths = Vec::new();
    let mut add = |path: String, verbs: &[&str], writer: &Writer<'_>| {
        let item = writer.item(verbs, &path);
        if !item.is_empty() {
            paths.push((path, Value::Object(item)));
        }
    };
    add(collection, &["list", "create", "deletecollection"], &writer);
    if kind.namespaced {
        add(format!("/{base}/{}", kind.plural), &["list"], &writer);
    }
    add(object.clone(), &["get", "update", "patch", "delete"], &writer);
    if kind.status {
        add(format!("{object}/status"), &["get", "update", "patch"], &writer);
    }
    if kind.scale {
        let scale = Writer { ty: SCALE.to_owned(), gvk: gvk("autoscaling", "v1", "Scale"), ..writer };
        add(format!("{object}/scale"), &["get", "update", "patch"], &scale);
    }
    paths
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "kind": kind, "version": version})
}

struct Writer<'a> {
    kind: &'a Kind,
    dialect: Dialect,
    ty: String,
    gvk: Value,
}

impl Writer<'_> {
    fn item(&self, verbs: &[&str], path: &str) -> Map<String, Value> {
        let served = verbs.iter().filter(|verb| self.kind.verbs.contains(*verb));
        let mut item: Map<String, Value> =
            served.map(|verb| (method(verb).to_owned(), self.operation(verb, path))).collect();
        if !item.is_empty() {
            let in_path = ["name", "namespace"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
            let in_path: Vec<Value> = in_path.map(|name| self.path_parameter(name)).collect();
            if !in_path.is_empty() {
                item.insert("parameters".into(), in_path.into());
            }
        }
        item
    }

    fn typed(&self, name: &str, place: &str, ty: &str, about: &str, required: bool) -> Value {
        let mut parameter = json!({"name": name, "in": place, "description": about});
        if required {
            parameter["required"] = json!(true);
        } else {
            parameter["uniqueItems"] = json!(true);
        }
        match self.dialect {
            Dialect::V2 => parameter["type"] = json!(ty),
            Dialect::V3 => {
                if let Some(map) = parameter.as_object_mut() {
                    map.remove("uniqueItems");
                }
                parameter["schema"] = json!({"type": ty});
            }
        }
        parameter
    }

    fn path_parameter(&self, name: &str) -> Value {
        let about = if name == "name" { "The object's name." } else { "The namespace." };
        self.typed(name, "path", "string", about, true)
    }

    fn operation(&self, verb: &str, path: &str) -> Value {
        let query: Vec<&Parameter> = match verb {
            "create" | "update" => WRITE.iter().collect(),
            "patch" => WRITE.iter().chain([&FORCE]).collect(),
            "delete" => DELETE.iter().collect(),
            "list" => LIST.iter().collect(),
            "deletecollection" => LIST.iter().take(7).chain(&DELETE).collect(),
            _ => Vec::new(),
        };
        let mut parameters: Vec<Value> =
            query.into_iter().map(|p| self.typed(p.name, "query", p.ty, p.about, false)).collect();
        let answer = match verb {
            "list" => format!("{}List", self.ty),
            "delete" | "deletecollection" => STATUS.to_owned(),
            _ => self.ty.clone(),
        };
        let mut operation = json!({
            "operationId": self.operation_id(verb, path),
            "tags": [self.tag()],
            "x-kubernetes-action": action(verb),
            "x-kubernetes-group-version-kind": self.gvk,
            "responses": {"200": self.response(&answer), "401": {"description": "Unauthorized"}},
        });
        let body = match verb {
            "create" | "update" => Some((self.ty.as_str(), vec!["*/*"])),
            "patch" => Some((PATCH, self.patch_types())),
            "delete" | "deletecollection" => Some((DELETE_OPTIONS, vec!["*/*"])),
            _ => None,
        };
        if let Some((ty, content_types)) = body {
            let required = matches!(verb, "create" | "update" | "patch");
            match self.dialect {
                Dialect::V2 => {
                    let schema = self.dialect.reference(ty);
                    parameters.push(json!({"name": "body", "in": "body", "required": required, "schema": schema}));
                    operation["consumes"] = json!(content_types);
                }
                Dialect::V3 => {
                    let content = content_types.iter().map(|content_type| {
                        ((*content_type).to_owned(), json!({"schema": self.dialect.reference(ty)}))
                    });
                    let content: Map<String, Value> = content.collect();
                    operation["requestBody"] = json!({"content": content});
                    if required {
                        operation["requestBody"]["required"] = json!(true);
                    }
                }
            }
        }
        if self.dialect == Dialect::V2 {
            operation["produces"] = json!(["application/json"]);
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        operation
    }

    /// Strategic patches need a type that says how to merge, which custom kinds do not have.
    fn patch_types(&self) -> Vec<&'static str> {
        let mut types = vec!["application/json-patch+json", "application/merge-patch+json"];
        if self.kind.schema.origin() == Origin::BuiltIn {
            types.push("application/strategic-merge-patch+json");
        }
        types.push("application/apply-patch+yaml");
        types
    }

    fn response(&self, ty: &str) -> Value {
        let schema = self.dialect.reference(ty);
        match self.dialect {
            Dialect::V2 => json!({"description": "OK", "schema": schema}),
            Dialect::V3 => json!({"description": "OK", "content": {"application/json": {"schema": schema}}}),
        }
    }

    fn tag(&self) -> String {
        let group = self.kind.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
        format!("{group}_{}", self.kind.version)
    }

    fn operation_id(&self, verb: &str, path: &str) -> String {
        let group: String = self.kind.group.split('.').map(capital).collect();
        let group = if group.is_empty() { "Core".to_owned() } else { group };
        let scope = match (self.kind.namespaced, path.contains("{namespace}")) {
            (true, true) => "Namespaced",
            _ => "",
        };
        let everywhere = if self.kind.namespaced && !path.contains("{namespace}") { "ForAllNamespaces" } else { "" };
        let sub = match path.rsplit('/').next() {
            Some("status") => "Status",
            Some("scale") => "Scale",
            _ => "",
        };
        let verb = match verb {
            "get" => "read",
            "update" => "replace",
            "deletecollection" => "deleteCollection",
            other => other,
        };
        format!("{verb}{group}{}{scope}{}{sub}{everywhere}", capital(&self.kind.version), self.kind.kind)
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn method(verb: &str) -> &'static str {
    match verb {
        "create" => "post",
        "update" => "put",
        "patch" => "patch",
        "delete" | "deletecollection" => "delete",
        _ => "get",
    }
}

fn action(verb: &str) -> &str {
    match verb {
        "create" => "post",
        "update" => "put",
        other => other,
    }
}
