//! `metadata.managedFields`: who owns which fields, read and written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::set::Set;

/// How a manager came to its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who a manager is. One that applies is the same one whatever version it applies in; one that updates is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// How it came to its fields.
    pub operation: Operation,
    /// Its name (`kubectl`, `serin`).
    pub name: String,
    /// The version that it updates in; empty for one that applies.
    pub version: String,
    /// The subresource that it writes, or empty.
    pub subresource: String,
}

impl Manager {
    /// A manager; an empty name is `unknown`, as in kube-apiserver.
    pub fn new(name: &str, operation: Operation, version: &str, subresource: &str) -> Self {
        Self {
            operation,
            name: if name.is_empty() { "unknown" } else { name }.to_owned(),
            version: if operation == Operation::Apply { "" } else { version }.to_owned(),
            subresource: subresource.to_owned(),
        }
    }
}

/// As conflicts name it: `"kubectl" using apps/v1`.
impl std::fmt::Display for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::schema::quote(&self.name))?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {}", crate::schema::quote(&self.subresource))?;
        }
        match self.operation {
            Operation::Update => write!(f, " using {}", self.version),
            Operation::Apply => Ok(()),
        }
    }
}

/// What a manager owns.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    /// The fields.
    pub set: Set,
    /// The version that the fields are of.
    pub version: String,
    /// When it last changed something, in RFC 3339.
    pub time: Option<String>,
}

/// All managers of an object.
pub type Managers = BTreeMap<Manager, Owned>;

/// Reads `metadata.managedFields` of an object.
///
/// # Errors
/// A sentence about the first entry that is malformed.
pub fn read(object: &Value) -> Result<Managers, String> {
    let mut managers = Managers::new();
    let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    for (i, entry) in entries.iter().enumerate() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err("operation must be `Apply` or `Update`".to_owned()),
        };
        let version = text("apiVersion");
        if version.is_empty() {
            return Err("apiVersion must not be empty".to_owned());
        }
        match text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(format!("missing fieldsType in managed fields entry {i}")),
            other => return Err(format!("invalid fieldsType \"{other}\" in managed fields entry {i}")),
        }
        let fields = entry.get("fieldsV1").cloned().unwrap_or_else(|| json!({}));
        let set =
            Set::from_fields_v1(&fields).ok_or_else(|| format!("error decoding set in managed fields entry {i}"))?;
        let manager =
            Manager { name: text("manager").to_owned(), ..Manager::new("x", operation, version, text("subresource")) };
        let time = entry["time"].as_str().map(str::to_owned);
        managers.insert(manager, Owned { set, version: version.to_owned(), time });
    }
    Ok(managers)
}

/// Writes `metadata.managedFields`; without managers there is none.
pub(super) fn write(object: &mut Value, managers: &Managers) {
    let mut entries: Vec<(&Manager, &Owned)> = managers.iter().collect();
    entries.sort_by(|(a, x), (b, y)| {
        (a.operation, &x.time, &a.name, &x.version, &a.subresource).cmp(&(
            b.operation,
            &y.time,
            &b.name,
            &y.version,
            &b.subresource,
        ))
    });
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.remove("managedFields");
        return;
    }
    let entries = entries.into_iter().map(|(manager, owned)| entry(manager, owned)).collect();
    metadata.insert("managedFields".to_owned(), Value::Array(entries));
}

fn entry(manager: &Manager, owned: &Owned) -> Value {
    let mut entry = Map::new();
    entry.insert("apiVersion".into(), json!(owned.version));
    entry.insert("fieldsType".into(), json!("FieldsV1"));
    entry.insert("fieldsV1".into(), owned.set.to_fields_v1());
    entry.insert("operation".into(), json!(manager.operation.name()));
    for (key, text) in [("manager", &manager.name), ("subresource", &manager.subresource)] {
        if !text.is_empty() {
            entry.insert(key.into(), json!(text));
        }
    }
    if let Some(time) = &owned.time {
        entry.insert("time".into(), json!(time));
    }
    Value::Object(entry)
}

/// An object without its managed fields.
pub(super) fn without(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

/// More managers by update than this are merged into one, so that an object does not grow with every client's name.
const MAX_UPDATE_MANAGERS: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// Merges the oldest managers by update into one per version until few enough are left.
pub(super) fn cap(managers: &mut Managers) {
    let mut updaters: Vec<Manager> =
        managers.keys().filter(|manager| manager.operation == Operation::Update).cloned().collect();
    let mut count = updaters.len();
    updaters.sort_by(|a, b| managers[a].time.cmp(&managers[b].time).then_with(|| a.cmp(b)));
    let mut first_of: BTreeMap<String, Manager> = BTreeMap::new();
    for manager in updaters {
        if count <= MAX_UPDATE_MANAGERS {
            return;
        }
        let version = manager.version.clone();
        let Some(first) = first_of.get(&version) else {
            first_of.insert(version, manager);
            continue;
        };
        let bucket = Manager::new(ANCIENT, Operation::Update, &version, "");
        let into = match managers.remove(&bucket) {
            Some(owned) => owned,
            None => managers.remove(first).unwrap_or_default(),
        };
        let Some(owned) = managers.remove(&manager) else {
            managers.insert(bucket, into);
            continue;
        };
        managers.insert(bucket, Owned { set: owned.set.union(&into.set), ..owned });
        count -= 1;
    }
}
