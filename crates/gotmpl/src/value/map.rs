//! Maps with string keys: shared by every alias, changed in place, in the order of their keys.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::{Str, Type, Value, slice::sweep};

/// A `map[string]T`. Clones are the same map: what is set through one is seen through all.
#[derive(Clone)]
pub struct Map(Rc<Data>);

struct Data {
    element: Type,
    name: Option<Rc<str>>,
    nil: bool,
    entries: RefCell<BTreeMap<Str, Value>>,
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(Type::Any)
    }

    /// An empty `map[string]T`. It is on the caller to set only values of that type.
    pub fn of(element: Type) -> Self {
        Self(Rc::new(Data { element, name: None, nil: false, entries: RefCell::default() }))
    }

    /// An empty `map[string]interface {}` that calls itself by a type's name, as `type Values map[string]interface {}` does.
    pub fn named(name: &str) -> Self {
        Self(Rc::new(Data { element: Type::Any, name: Some(name.into()), nil: false, entries: RefCell::default() }))
    }

    pub(crate) fn nil(element: Type) -> Self {
        Self(Rc::new(Data { element, name: None, nil: true, entries: RefCell::default() }))
    }

    /// An empty map of the same type.
    pub(crate) fn emptied(&self) -> Self {
        let Data { element, name, .. } = &*self.0;
        Self(Rc::new(Data { element: element.clone(), name: name.clone(), nil: false, entries: RefCell::default() }))
    }

    /// The type of the values.
    pub fn element(&self) -> &Type {
        &self.0.element
    }

    pub(crate) fn type_name(&self) -> String {
        match &self.0.name {
            Some(name) => name.to_string(),
            None => format!("map[string]{}", self.0.element),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is Go's nil map, which was never made.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether the key is there, with whatever value.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.entries.borrow().contains_key(key.as_ref())
    }

    /// Sets a key, for every alias of this map.
    pub fn set(&self, key: impl Into<Str>, value: impl Into<Value>) {
        let old = self.0.entries.borrow_mut().insert(key.into(), value.into());
        drop(old);
    }

    /// Takes a key out, for every alias of this map.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow_mut().remove(key.as_ref())
    }

    /// The entries as they are now, in the order of their keys. The map must not be changed while they are borrowed.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.0.entries.borrow()
    }

    /// The keys as they are now, in order.
    pub fn keys(&self) -> Vec<Str> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    /// Whether both are one and the same map.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn address(&self) -> usize {
        if self.0.nil { 0 } else { Rc::as_ptr(&self.0).addr() }
    }

    /// The values, when this was the last alias.
    pub(super) fn into_values(self) -> Vec<Value> {
        match Rc::into_inner(self.0) {
            Some(mut data) => std::mem::take(data.entries.get_mut()).into_values().collect(),
            None => Vec::new(),
        }
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(Value::is_collection) {
            sweep(std::mem::take(entries).into_values().collect());
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let map = Self::new();
        map.0.entries.borrow_mut().extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
        map
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} entries", self.type_name(), self.len())
    }
}
