//! Objects with fields and methods.

use std::rc::Rc;

use gotmpl::{CallError, Function, Map, Object, Shape, Slice, Str, Type, Value};

use super::{Called, function, int, text};

#[derive(Clone)]
pub(super) struct Thing {
    nil: bool,
    fields: Vec<(Str, Value)>,
}

impl Thing {
    pub(super) fn new() -> Self {
        let map: Map = [("a", Value::int(1)), ("b", Value::Nil)].into_iter().collect();
        let fields = vec![
            ("Name".into(), "tom".into()),
            ("N".into(), Value::int(3)),
            ("Any".into(), Value::Nil),
            ("M".into(), map.into()),
        ];
        Self { nil: false, fields }
    }

    pub(super) fn nil() -> Self {
        Self { nil: true, ..Self::new() }
    }
}

fn method(
    name: &str,
    params: impl Into<Vec<Type>>,
    result: Type,
    body: impl Fn(&[Value]) -> Called + 'static,
) -> Function {
    function(name, params, result, body)
}

const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

impl Object for Thing {
    fn type_name(&self) -> &str {
        "*main.Thing"
    }

    fn shape(&self) -> Shape {
        Shape::Struct(self.fields.clone())
    }

    fn is_nil(&self) -> bool {
        self.nil
    }

    fn method(&self, name: &str) -> Option<Rc<Function>> {
        let this = self.clone();
        let alive = move || if this.nil { Err(CallError::new(NIL_POINTER)) } else { Ok(this.clone()) };
        Some(Rc::new(match name {
            "Greet" => method(name, [Type::String], Type::String, move |args| {
                Ok(format!("{} greets {}", alive()?.fields[0].1, args[0]).into())
            }),
            "Count" => method(name, [], Type::INT, move |_| Ok(alive()?.fields[1].1.clone())),
            "Self" => {
                let this = self.clone();
                method(name, [], Type::Named("*main.Thing".into()), move |_| Ok(Value::object(this.clone())))
            }
            "Fail" => method(name, [], Type::String, |_| Err("thing failed".into())),
            "Sum" => method(name, [], Type::INT, move |args| {
                Ok(Value::int(int(&alive()?.fields[1].1) + args.iter().map(int).sum::<i64>()))
            })
            .variadic(Type::INT),
            _ => return None,
        }))
    }
}

pub(super) struct Point(pub(super) &'static str, pub(super) i64, pub(super) i64);

impl Object for Point {
    fn type_name(&self) -> &str {
        self.0
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![("X".into(), Value::int(self.1)), ("Y".into(), Value::int(self.2))])
    }
}

pub(super) struct Label(pub(super) &'static str);

impl Object for Label {
    fn type_name(&self) -> &str {
        "main.Label"
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![("Text".into(), self.0.into())])
    }

    fn string(&self) -> Option<Str> {
        Some(format!("label {}", self.0).into())
    }
}

pub(super) struct Fault(pub(super) i64);

impl Object for Fault {
    fn type_name(&self) -> &str {
        "main.Fault"
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![("Code".into(), Value::int(self.0))])
    }

    fn string(&self) -> Option<Str> {
        Some(format!("fault {}", self.0).into())
    }

    fn is_error(&self) -> bool {
        true
    }
}

pub(super) struct Dict(Map);

impl Dict {
    pub(super) fn new() -> Self {
        Self([("k", Value::from("v")), ("n", Value::Nil)].into_iter().collect())
    }
}

impl Object for Dict {
    fn type_name(&self) -> &str {
        "main.Dict"
    }

    fn shape(&self) -> Shape {
        Shape::Map(self.0.clone())
    }

    fn method(&self, name: &str) -> Option<Rc<Function>> {
        let map = self.0.clone();
        (name == "Get").then(|| {
            Rc::new(method(name, [Type::String], Type::Any, move |args| {
                Ok(map.get(text(&args[0])).unwrap_or_default())
            }))
        })
    }
}

pub(super) struct Names(pub(super) Slice);

impl Object for Names {
    fn type_name(&self) -> &str {
        "main.Names"
    }

    fn shape(&self) -> Shape {
        Shape::Slice(self.0.clone())
    }

    fn method(&self, name: &str) -> Option<Rc<Function>> {
        let slice = self.0.clone();
        (name == "Has").then(|| {
            Rc::new(method(name, [Type::String], Type::Bool, move |args| {
                Ok(Value::Bool(slice.values().iter().any(|value| value.as_str() == args[0].as_str())))
            }))
        })
    }
}
