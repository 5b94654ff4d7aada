//! Slices: views of a shared array, as Go has them.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::rc::Rc;

use super::{Type, Value};

/// A `[]T`: a view of an array that other slices may view too.
#[derive(Clone)]
pub struct Slice(Rc<View>);

struct View {
    element: Type,
    name: Option<Rc<str>>,
    nil: bool,
    array: Rc<Array>,
    start: usize,
    len: usize,
    capacity: usize,
}

/// The elements that exist. Those between them and a view's capacity are zero values that nobody looked at yet.
#[derive(Default)]
struct Array(RefCell<Vec<Value>>);

impl Slice {
    /// A `[]interface {}` of these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self::of(Type::Any, values)
    }

    /// A `[]T` of these values. It is on the caller to give only values of that type.
    pub fn of(element: Type, values: Vec<Value>) -> Self {
        let len = values.len();
        Self::view(element, None, Rc::new(Array(RefCell::new(values))), 0, len, len)
    }

    /// A `[]interface {}` that calls itself by a type's name.
    pub fn named(name: &str, element: Type, values: Vec<Value>) -> Self {
        let len = values.len();
        Self::view(element, Some(name.into()), Rc::new(Array(RefCell::new(values))), 0, len, len)
    }

    /// A `[]interface {}` that was appended to one by one, as Go's JSON reader does, and has the capacity that comes of it.
    pub(crate) fn grown(values: Vec<Value>) -> Self {
        let len = values.len();
        let capacity = if len <= 256 { len.next_power_of_two() } else { len };
        let capacity = if len == 0 { 0 } else { capacity };
        Self::view(Type::Any, None, Rc::new(Array(RefCell::new(values))), 0, len, capacity)
    }

    pub(crate) fn nil(element: Type) -> Self {
        Self(Rc::new(View { element, name: None, nil: true, array: Rc::default(), start: 0, len: 0, capacity: 0 }))
    }

    fn view(element: Type, name: Option<Rc<str>>, array: Rc<Array>, start: usize, len: usize, capacity: usize) -> Self {
        Self(Rc::new(View { element, name, nil: false, array, start, len, capacity }))
    }

    /// A slice of the same type with other elements.
    pub(crate) fn with(&self, values: Vec<Value>) -> Self {
        let len = values.len();
        let array = Rc::new(Array(RefCell::new(values)));
        Self::view(self.0.element.clone(), self.0.name.clone(), array, 0, len, len)
    }

    /// The type of the elements.
    pub fn element(&self) -> &Type {
        &self.0.element
    }

    pub(crate) fn type_name(&self) -> String {
        match &self.0.name {
            Some(name) => name.to_string(),
            None => format!("[]{}", self.0.element),
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// How far the slice can be extended over its array.
    pub fn capacity(&self) -> usize {
        self.0.capacity
    }

    /// Whether it is Go's nil slice, which was never made.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The element at a place.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.values().get(index).cloned()
    }

    /// Sets an element for every slice of the same array. Tells whether there is one at that place.
    pub fn set(&self, index: usize, value: impl Into<Value>) -> bool {
        let mut array = self.0.array.0.borrow_mut();
        match array.get_mut(self.0.start + index) {
            Some(place) if index < self.0.len => {
                let old = std::mem::replace(place, value.into());
                drop(array);
                drop(old);
                true
            }
            _ => false,
        }
    }

    /// The elements as they are now. The array must not be changed while they are borrowed.
    pub fn values(&self) -> Ref<'_, [Value]> {
        Ref::map(self.0.array.0.borrow(), |array| &array[self.0.start..self.0.start + self.0.len])
    }

    /// A copy of the elements.
    pub fn to_vec(&self) -> Vec<Value> {
        self.values().to_vec()
    }

    /// The elements from `low` to before `high`, in the same array and with room up to `max`.
    /// None unless `low <= high <= max` and `max` is within the capacity.
    pub fn slice(&self, low: usize, high: usize, max: usize) -> Option<Self> {
        if low > high || high > max || max > self.0.capacity {
            return None;
        }
        let view = &self.0;
        if high > view.len {
            let mut array = view.array.0.borrow_mut();
            if array.len() < view.start + high {
                array.resize(view.start + high, view.element.zero());
            }
        }
        Some(Self::view(
            view.element.clone(),
            view.name.clone(),
            Rc::clone(&view.array),
            view.start + low,
            high - low,
            max - low,
        ))
    }

    /// Go's `append`: written into the same array where it has room, which slices that reach so far see; a new one otherwise.
    pub fn append(&self, values: impl IntoIterator<Item = Value>) -> Self {
        let view = &self.0;
        let mut added: Vec<Value> = values.into_iter().collect();
        let len = view.len + added.len();
        if len <= view.capacity {
            let mut array = view.array.0.borrow_mut();
            let at = view.start + view.len;
            let end = at + added.len();
            if array.len() < end {
                array.resize(end, Value::Nil);
            }
            array[at..end].swap_with_slice(&mut added);
            drop(array);
            return Self::view(
                view.element.clone(),
                view.name.clone(),
                Rc::clone(&view.array),
                view.start,
                len,
                view.capacity,
            );
        }
        let mut all = self.to_vec();
        all.append(&mut added);
        let capacity =
            if view.capacity < 256 { len.max(view.capacity * 2) } else { len.max(view.capacity * 5 / 4 + 192) };
        let array = Rc::new(Array(RefCell::new(all)));
        Self::view(view.element.clone(), view.name.clone(), array, 0, len, capacity)
    }

    pub(crate) fn address(&self) -> usize {
        if self.0.nil { 0 } else { Rc::as_ptr(&self.0.array).addr() + self.0.start * size_of::<Value>() }
    }

    /// The bytes of a `[]uint8`.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        if self.0.element != Type::Uint(super::UintKind::Uint8) {
            return None;
        }
        Some(self.values().iter().map(|value| if let Value::Uint(byte, _) = value { *byte as u8 } else { 0 }).collect())
    }

    /// The elements, when this was the last view of them.
    fn into_values(self) -> Vec<Value> {
        let array = Rc::into_inner(self.0).and_then(|view| Rc::into_inner(view.array));
        array.map_or_else(Vec::new, |mut array| std::mem::take(array.0.get_mut()))
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        let values = self.0.get_mut();
        if values.iter().any(Value::is_collection) {
            sweep(std::mem::take(values));
        }
    }
}

/// Drops values one after the other. However deep they are nested, the stack stays flat.
pub(super) fn sweep(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::Map(map) => pending.extend(map.into_values()),
            Value::Slice(slice) => pending.extend(slice.into_values()),
            _ => {}
        }
    }
}

impl FromIterator<Value> for Slice {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::new(values.into_iter().collect())
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} elements", self.type_name(), self.len())
    }
}
