//! The functions and objects of `golden/stage.go`, with the same behaviour.

mod objects;

use gotmpl::{CallError, Context, FloatKind, Function, IntKind, Map, Slice, Str, Type, UintKind, Value, sprint};
use objects::{Dict, Fault, Label, Names, Point, Thing};

type Called = Result<Value, CallError>;

fn function(
    name: &str,
    params: impl Into<Vec<Type>>,
    result: Type,
    body: impl Fn(&[Value]) -> Called + 'static,
) -> Function {
    Function::new(name, params, move |_: &mut Context<'_>, args| body(args)).returning(result)
}

fn int(value: &Value) -> i64 {
    if let Value::Int(number, _) = value { *number } else { 0 }
}

fn text(value: &Value) -> Str {
    value.as_str().cloned().unwrap_or_default()
}

fn join(by: &[u8], parts: &[Value]) -> Value {
    let parts: Vec<Str> = parts.iter().map(text).collect();
    parts.join(by).into()
}

pub(crate) fn functions() -> Vec<Function> {
    const INT: Type = Type::INT;
    const UINT: Type = Type::Uint(UintKind::Uint);
    const UINT8: Type = Type::Uint(UintKind::Uint8);
    const INT8: Type = Type::Int(IntKind::Int8);
    const FLOAT32: Type = Type::Float(FloatKind::Float32);
    let same = |args: &[Value]| Ok(args[0].clone());
    let sum = |args: &[Value]| Ok(Value::int(args.iter().map(int).fold(0, i64::wrapping_add)));
    let any_map = || Type::map(Type::Any);
    vec![
        function("add", [INT, INT], INT, sum),
        function("inc", [INT], INT, |args| Ok(Value::int(int(&args[0]).wrapping_add(1)))),
        function("sum", [], INT, sum).variadic(INT),
        function("upper", [Type::String], Type::String, |args| Ok(text(&args[0]).to_text().to_uppercase().into())),
        function("join", [Type::String], Type::String, |args| Ok(join(&text(&args[0]), &args[1..])))
            .variadic(Type::String),
        function("half", [Type::FLOAT64], Type::FLOAT64, |args| {
            Ok(if let Value::Float(number, _) = args[0] { (number / 2.0).into() } else { Value::Nil })
        }),
        function("flag", [Type::Bool], Type::String, |args| Ok(format!("flag {}", args[0]).into())),
        function("i8", [INT8], INT8, same),
        function("i64", [Type::INT64], Type::INT64, same),
        function("u", [UINT], UINT, same),
        function("u8", [UINT8], UINT8, same),
        function("f32", [FLOAT32], FLOAT32, same),
        function("cplx", [Type::Complex], Type::Complex, same),
        function("fails", [Type::String], Type::String, |args| Err(text(&args[0]).to_string().into())).fallible(),
        function("panics", [Type::String], Type::String, |args| Err(text(&args[0]).to_string().into())),
        function("type", [Type::Any], Type::String, |args| Ok((&*args[0].type_name()).into())),
        function("null", [], Type::Any, |_| Ok(Value::Nil)),
        function("list", [], Type::slice(Type::Any), |args| Ok(Slice::new(args.to_vec()).into())).variadic(Type::Any),
        function("strs", [], Type::slice(Type::String), |args| Ok(Slice::of(Type::String, args.to_vec()).into()))
            .variadic(Type::String),
        function("append", [Type::slice(Type::Any)], Type::slice(Type::Any), |args| {
            Ok(args[0].as_slice().map_or(Value::Nil, |slice| slice.append(args[1..].to_vec()).into()))
        })
        .variadic(Type::Any),
        function("dict", [], any_map(), |args| {
            let mut pairs = Vec::new();
            for pair in args.chunks_exact(2) {
                pairs.push((Str::from(sprint(&pair[..1])?), pair[1].clone()));
            }
            Ok(pairs.into_iter().collect::<Map>().into())
        })
        .variadic(Type::Any),
        function("set", [any_map(), Type::String, Type::Any], any_map(), |args| {
            if let Value::Map(map) = &args[0] {
                map.set(text(&args[1]), args[2].clone());
            }
            Ok(args[0].clone())
        }),
        function("count", [any_map()], INT, |args| {
            Ok(Value::int(args[0].as_map().map_or(0, |map| i64::try_from(map.len()).unwrap_or(0))))
        }),
        function("thing", [], Type::Named("*main.Thing".into()), |_| Ok(Value::object(Thing::new()))),
        function("native", [Type::String], Type::Any, |args| {
            let name = text(&args[0]).to_string();
            native(&name).ok_or_else(|| format!("no native value {name}").into())
        }),
    ]
}

/// Values that JSON cannot say.
fn native(name: &str) -> Option<Value> {
    let any_map = || Map::of(Type::Any);
    Some(match name {
        "int8" => Value::Int(-8, IntKind::Int8),
        "int16" => Value::Int(16, IntKind::Int16),
        "int32" => Value::Int(32, IntKind::Int32),
        "int64" => Value::Int(-64, IntKind::Int64),
        "uint" => Value::Uint(7, UintKind::Uint),
        "uint8" => Value::Uint(200, UintKind::Uint8),
        "uint16" => Value::Uint(1600, UintKind::Uint16),
        "uint32" => Value::Uint(3200, UintKind::Uint32),
        "uint64" => Value::Uint(u64::MAX, UintKind::Uint64),
        "minint" => Value::int(i64::MIN),
        "float32" => Value::Float(f64::from(0.1f32), FloatKind::Float32),
        "nan" => f64::NAN.into(),
        "inf" => f64::INFINITY.into(),
        "-inf" => f64::NEG_INFINITY.into(),
        "-0" => (-0.0).into(),
        "tiny" => f64::from_bits(1).into(),
        "huge" => f64::MAX.into(),
        "nilmap" => Type::map(Type::Any).zero(),
        "nilslice" => Type::slice(Type::Any).zero(),
        "nilthing" => Value::object(Thing::nil()),
        "bytes" => {
            let byte = |byte: &u8| Value::Uint(u64::from(*byte), UintKind::Uint8);
            Slice::of(Type::Uint(UintKind::Uint8), b"by\x00\xfftes".iter().map(byte).collect()).into()
        }
        "strmap" => {
            let map = Map::of(Type::String);
            map.set("a", "x");
            map.set("b", "y");
            map.into()
        }
        "mapmap" => {
            let (map, inner) = (Map::of(Type::map(Type::Any)), any_map());
            inner.set("x", Value::int(1));
            map.set("a", inner);
            map.into()
        }
        "ints" => Slice::of(Type::INT, vec![Value::int(3), Value::int(1), Value::int(2)]).into(),
        "point" => Value::object(Point("main.Point", 1, 2)),
        "pointer" => Value::object(Point("*main.Point", 3, 4)),
        "label" => Value::object(Label("l")),
        "labels" => Slice::new(vec![Value::object(Label("a")), Value::object(Label("b"))]).into(),
        "fault" => Value::object(Fault(7)),
        "dict" => Value::object(Dict::new()),
        "values" => {
            let (map, inner) = (Map::named("main.Values"), Map::named("main.Values"));
            inner.set("x", Value::int(1));
            map.set("k", "v");
            map.set("m", inner);
            map.into()
        }
        "names" => Value::object(Names(Slice::named("main.Names", Type::String, vec!["ann".into(), "bob".into()]))),
        "func" => function("func", [Type::INT, Type::INT], Type::INT, |args| {
            Ok(Value::int(int(&args[0]) * 10 + int(&args[1])))
        })
        .into(),
        "vfunc" => function("vfunc", [Type::String], Type::String, |args| Ok(sprint(args)?.into()))
            .variadic(Type::Any)
            .fallible()
            .into(),
        "ffunc" => function("ffunc", [], Type::INT, |_| Err("ffunc failed".into())).fallible().into(),
        "seq" => Function::each(Type::INT, |each| {
            let _ = (10..14).all(|number| each(Value::int(number)));
        })
        .into(),
        "seq2" => Function::each_pair(Type::String, Type::INT, |each| {
            let _ = [("a", 1), ("b", 2), ("c", 3)].into_iter().all(|(key, value)| each(key.into(), Value::int(value)));
        })
        .into(),
        "seq0" => Function::each(Type::INT, |_| {}).into(),
        _ => return None,
    })
}
