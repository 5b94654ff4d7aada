//! Slices, maps, structs and pointers.

use super::Printer;
use crate::value::{Map, Slice, Str, Value, is_pointer};

impl Printer {
    pub(super) fn composite(&mut self, value: &Value, verb: char, depth: usize) {
        match value {
            Value::Slice(slice) => {
                if let ('s' | 'q' | 'x' | 'X', Some(bytes)) = (verb, slice.bytes()) {
                    return self.byte_slice(&bytes, value, verb);
                }
                self.slice(&slice.type_name(), slice, verb, depth);
            }
            Value::Map(map) => self.map(&map.type_name(), map, verb, depth),
            _ => {}
        }
    }

    /// What stands between two elements.
    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.write(if self.flags.sharp_v { ", " } else { " " });
        }
    }

    pub(super) fn slice(&mut self, name: &str, slice: &Slice, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.write(name);
            if slice.is_nil() {
                return self.write("(nil)");
            }
        }
        self.write(if self.flags.sharp_v { "{" } else { "[" });
        for (at, element) in slice.values().iter().enumerate() {
            self.separate(at);
            self.value(element, verb, depth + 1);
        }
        self.write(if self.flags.sharp_v { "}" } else { "]" });
    }

    pub(super) fn map(&mut self, name: &str, map: &Map, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.write(name);
            if map.is_nil() {
                return self.write("(nil)");
            }
        }
        self.write(if self.flags.sharp_v { "{" } else { "map[" });
        for (at, (key, value)) in map.entries().iter().enumerate() {
            self.separate(at);
            self.string(&Value::Str(key.clone()), key, verb);
            self.write(":");
            self.value(value, verb, depth + 1);
        }
        self.write(if self.flags.sharp_v { "}" } else { "]" });
    }

    pub(super) fn fields(&mut self, name: &str, fields: &[(Str, Value)], verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.write(name);
        }
        self.write("{");
        for (at, (field, value)) in fields.iter().enumerate() {
            self.separate(at);
            if self.flags.plus_v || self.flags.sharp_v {
                self.out.extend_from_slice(field);
                self.write(":");
            }
            self.value(value, verb, depth + 1);
        }
        self.write("}");
    }

    /// A `[]byte`.
    pub(super) fn byte_slice(&mut self, bytes: &[u8], value: &Value, verb: char) {
        match verb {
            'v' | 'd' if self.flags.sharp_v => {
                let Value::Slice(slice) = value else { return };
                self.slice("[]byte", slice, 'v', 0);
            }
            's' | 'x' | 'X' | 'q' => self.string(value, bytes, verb),
            _ => self.composite(value, verb, 0),
        }
    }

    /// Where the value lies.
    pub(super) fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Func(function) => std::rc::Rc::as_ptr(function).addr(),
            Value::Map(map) => map.address(),
            Value::Slice(slice) => slice.address(),
            Value::Object(object) if object.is_nil() => 0,
            Value::Object(object) if is_pointer(&**object) => std::rc::Rc::as_ptr(object).addr(),
            _ => return self.bad_verb(value, verb),
        } as u64;
        match verb {
            'v' if self.flags.sharp_v => {
                self.write("(");
                self.write(&value.type_name());
                self.write(")(");
                if address == 0 {
                    self.write("nil")
                } else {
                    self.hexadecimal(address, true)
                }
                self.write(")");
            }
            'v' if address == 0 => self.pad(b"<nil>"),
            'v' | 'p' => {
                let prefix = !self.flags.sharp;
                self.hexadecimal(address, prefix);
            }
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(value, address, false, verb, false),
            _ => self.bad_verb(value, verb),
        }
    }
}
