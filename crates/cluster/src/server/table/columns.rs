//! Which columns a kind has, and what stands in them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, cluster_kinds, custom, network, pods, workloads};
use crate::registry::Resource;

/// One built-in column: its heading, its type, and whether it is only shown with `-o wide`.
pub(super) struct Column {
    name: &'static str,
    kind: &'static str,
    wide: bool,
}

/// A column of text.
pub(super) const fn text(name: &'static str) -> Column {
    Column { name, kind: "string", wide: false }
}

/// A column of whole numbers.
pub(super) const fn integer(name: &'static str) -> Column {
    Column { name, kind: "integer", wide: false }
}

/// A column of text for `-o wide`.
pub(super) const fn wide(name: &'static str) -> Column {
    Column { name, kind: "string", wide: true }
}

/// What stands in the columns of one object.
pub(super) type Cells = fn(&Value, Timestamp) -> Vec<Value>;

/// The columns of a kind.
pub(super) enum Layout<'a> {
    /// Of a built-in kind.
    Builtin(&'static [Column], Cells),
    /// Of a custom kind: the name, and what its definition says.
    Custom(&'a crate::registry::Custom),
}

/// The columns of a kind.
pub(super) fn layout(resource: &Resource) -> Layout<'_> {
    if let Some(custom) = resource.custom() {
        return Layout::Custom(custom);
    }
    let (columns, cells) = pods::layout(resource)
        .or_else(|| workloads::layout(resource))
        .or_else(|| network::layout(resource))
        .or_else(|| cluster_kinds::layout(resource))
        .unwrap_or((NAME_AND_CREATION, |o, _| vec![name(o), o["metadata"]["creationTimestamp"].clone()]));
    Layout::Builtin(columns, cells)
}

/// What kinds without columns of their own show.
pub(super) const NAME_AND_CREATION: &[Column] = &[text("Name"), text("Created At")];

impl Layout<'_> {
    /// `columnDefinitions` of the table.
    pub(super) fn definitions(&self) -> Value {
        let definition = |name: &str, kind: &str, format: &str, description: &str, priority: i64| json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority});
        match self {
            Layout::Builtin(columns, _) => columns
                .iter()
                .map(|column| {
                    let format = if column.name == "Name" { "name" } else { "" };
                    definition(column.name, column.kind, format, "", i64::from(column.wide))
                })
                .collect(),
            Layout::Custom(custom) => {
                let name = definition("Name", "string", "name", "", 0);
                let rest =
                    custom.columns.iter().map(|c| definition(&c.name, &c.kind, &c.format, &c.description, c.priority));
                std::iter::once(name).chain(rest).collect()
            }
        }
    }

    /// What stands in the columns for `object`.
    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match self {
            Layout::Builtin(_, cells) => cells(object, now),
            Layout::Custom(custom) => {
                let rest = custom.columns.iter().map(|column| custom::cell(column, object, now));
                std::iter::once(name(object)).chain(rest).collect()
            }
        }
    }
}

/// The name of an object.
pub(super) fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

/// The age of an object.
pub(super) fn age(object: &Value, now: Timestamp) -> Value {
    age::since(&object["metadata"]["creationTimestamp"], now).into()
}

/// Text, or `<none>` where there is none.
pub(super) fn or_none(value: &Value) -> Value {
    or(value, "<none>")
}

/// Text, or `instead` where there is none.
pub(super) fn or(value: &Value, instead: &str) -> Value {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or(instead).into()
}

/// A number, 0 where there is none.
pub(super) fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// The elements of a list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn labels(map: &Value) -> String {
    let pairs: Vec<_> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() { "<none>".into() } else { pairs.join(",") }
}

/// A label selector as text, or `<none>`.
pub(super) fn selector(object: &Value) -> String {
    let text = crate::selector::LabelSelector::from_object(object).map(|s| s.to_string()).unwrap_or_default();
    if text.is_empty() { "<none>".into() } else { text }
}

/// The names and the images of the containers in a pod's spec.
pub(super) fn containers(spec: &Value) -> [Value; 2] {
    ["name", "image"].map(|field| {
        let texts: Vec<_> = items(&spec["containers"]).iter().filter_map(|c| c[field].as_str()).collect();
        texts.join(",").into()
    })
}
