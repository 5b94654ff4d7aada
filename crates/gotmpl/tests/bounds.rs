//! Nothing that a template or its data does ends the process.

use gotmpl::{CallError, Error, Function, Map, Slice, TemplateSet, Type, Value, sprint};

fn render_with(set: TemplateSet, source: &str, data: &Value) -> Result<String, String> {
    let mut set = set;
    let text = |output: Vec<u8>| String::from_utf8_lossy(&output).into_owned();
    set.parse("t", source).and_then(|()| set.render("t", data)).map(text).map_err(|error| error.to_string())
}

fn render(source: &str, data: &Value) -> Result<String, String> {
    render_with(TemplateSet::new(), source, data)
}

#[test]
fn recursion_stops_at_the_depth_that_was_set() {
    let source = "{{define \"r\"}}{{template \"r\" .}}{{end}}{{template \"r\" .}}";
    let error = render_with(TemplateSet::new().max_depth(50), source, &Value::Nil).unwrap_err();
    assert_eq!(
        error,
        "template: t:1:25: executing \"r\" at <{{template \"r\" .}}>: exceeded maximum template depth (50)"
    );
}

#[test]
fn recursion_through_many_levels_stops() {
    let nested = format!("{}{{{{template \"r\" .}}}}{}", "{{if true}}".repeat(100), "{{end}}".repeat(100));
    let source = format!("{{{{define \"r\"}}}}{nested}{{{{end}}}}{{{{template \"r\" .}}}}");
    let error = render(&source, &Value::Nil).unwrap_err();
    assert!(error.ends_with("exceeded maximum template depth (100000)"), "{error}");
}

#[test]
fn sources_nest_only_so_deep() {
    for (open, close) in [("{{if .}}", "{{end}}"), ("{{range .}}", "{{end}}"), ("{{block \"b\" .}}", "{{end}}")] {
        let source = format!("{}x{}", open.repeat(200_000), close.repeat(200_000));
        assert_eq!(render(&source, &Value::Nil).unwrap_err(), "template: t:1: max expression depth exceeded");
    }
    let source = format!("{{{{if .}}}}{}{{{{end}}}}", "{{else if .}}x".repeat(9_000));
    assert_eq!(render(&source, &Value::Nil).unwrap(), "");
    let source = format!("{{{{if .}}}}{}", "{{else if .}}".repeat(20_000));
    assert_eq!(render(&source, &Value::Nil).unwrap_err(), "template: t:1: max expression depth exceeded");
}

#[test]
fn cycles_are_not_printed() {
    let map = Map::new();
    map.set("self", map.clone());
    let error = render("{{.}}", &Value::Map(map.clone())).unwrap_err();
    assert!(error.starts_with("template: t:1:2: executing \"t\" at <{{.}}>: value is nested deeper than"), "{error}");
    for source in ["{{print .}}", "{{printf \"%v\" .}}", "{{html .}}", "{{printf \"%d\" .}}", "{{println .}}"] {
        let error = render(source, &Value::Map(map.clone())).unwrap_err();
        assert!(error.contains(": error calling "), "{error}");
    }
    assert!(render("{{range .}}", &Value::Map(map.clone())).is_err());
    assert!(render("{{eq . .}}", &Value::Map(map.clone())).is_err());
    map.remove("self");
}

#[test]
fn what_unfolds_without_end_is_not_printed() {
    let mut value = Value::Slice(Slice::new(vec!["x".repeat(1 << 20).into()]));
    for _ in 0..60 {
        value = Slice::new(vec![value.clone(), value]).into();
    }
    assert!(sprint(&[value]).is_err());
}

#[test]
fn deep_values_are_dropped() {
    let mut value = Value::Nil;
    for depth in 0..200_000 {
        value = if depth % 2 == 0 {
            Slice::new(vec![value]).into()
        } else {
            [("k", value)].into_iter().collect::<Map>().into()
        };
    }
    drop(value);
}

#[test]
fn steps_and_output_are_bounded() {
    let set = || TemplateSet::new().max_steps(1000).max_output(100);
    let error = render_with(set(), "{{range 100000000}}{{end}}", &Value::Nil).unwrap_err();
    assert_eq!(error, "template: t:1:8: executing \"t\" at <100000000>: exceeded maximum number of steps (1000)");
    let error = render_with(set(), "{{range 100000000}}x{{end}}", &Value::Nil).unwrap_err();
    assert!(error.ends_with(": exceeded maximum size of output (100)"), "{error}");
}

#[test]
fn functions_that_render_templates_are_bounded_too() {
    let include = Function::new("include", [Type::String, Type::Any], |context, args| match args {
        [Value::Str(name), data] => Ok(context.render(name, data)?.into()),
        _ => Err(CallError::new("no name")),
    });
    let tpl = Function::new("tpl", [Type::String, Type::Any], |context, args| match args {
        [Value::Str(text), data] => Ok(context.render_text("t", text, data)?.into()),
        _ => Err(CallError::new("no text")),
    });
    let set = TemplateSet::new().funcs([include, tpl]);
    let source = "{{define \"x\"}}[{{.}}]{{end}}{{include \"x\" 1}}{{tpl `{{define \"y\"}}<{{include \"x\" .}}>{{end}}{{template \"y\" 2}}` .}}";
    assert_eq!(render_with(set.clone(), source, &Value::Nil).unwrap(), "[1]<[2]>");
    let error =
        render_with(set.clone(), "{{tpl `{{define \"y\"}}{{end}}` .}}{{template \"y\"}}", &Value::Nil).unwrap_err();
    assert_eq!(error, "template: t:1:44: executing \"t\" at <{{template \"y\"}}>: template \"y\" not defined");
    let error = render_with(set.clone(), "{{include \"x\" .}}", &Value::Nil).unwrap_err();
    let missing = "template: no template \"x\" associated with template \"\"";
    assert_eq!(
        error,
        format!("template: t:1:2: executing \"t\" at <include \"x\" .>: error calling include: {missing}")
    );
    let mut set = set;
    set.parse("r", "{{include \"r\" .}}").unwrap();
    let error = set.render("r", &Value::Nil).unwrap_err();
    let Error::Exec(mut innermost) = error else { panic!("{error}") };
    while let Some(Error::Exec(cause)) = innermost.cause.take() {
        innermost = cause;
    }
    assert_eq!(innermost.message, "exceeded maximum template depth (1200)");
}

#[test]
fn functions_of_sprig_are_bounded() {
    let render = |source: &str| render_with(TemplateSet::new().funcs(gotmpl::sprig::functions()), source, &Value::Nil);
    let doubled = "{{$x := dict \"k\" (repeat 100000 \"x\")}}{{range until 60}}{{$x = dict \"a\" $x \"b\" $x}}{{end}}";
    for last in
        ["deepCopy $x | len", "mustToJson $x", "toString $x | len", "merge (deepCopy (dict \"a\" 1)) $x | toString"]
    {
        assert!(render(&format!("{doubled}{{{{{last}}}}}")).is_err(), "{last}");
    }
    let cycle = "{{$x := dict}}{{$_ := set $x \"self\" $x}}";
    for last in
        ["deepCopy $x", "mustToJson $x", "toString $x", "quote $x", "merge (dict \"self\" (dict)) $x | toString"]
    {
        assert!(render(&format!("{cycle}{{{{{last}}}}}{{{{$_ := unset $x \"self\"}}}}")).is_err(), "{last}");
    }
    for large in ["until 1000000000", "repeat 1000000000 \"x\"", "indent 1000000000 \"x\"", "seq 1000000000"] {
        assert!(render(&format!("{{{{{large}}}}}")).is_err(), "{large}");
    }
}

#[test]
fn values_become_json() {
    let json = serde_json::json!({"a": [1, 2.5, "x", null, true], "b": {"c": -3}});
    assert_eq!(Value::from_json(&json).to_json(), Ok(json.clone()));
    assert_eq!(Value::from_json_integers(&json).to_json(), Ok(json));
    assert_eq!(Value::float(f64::NAN).to_json().unwrap_err().to_string(), "json: unsupported value: NaN");
    let map = Map::new();
    map.set("self", map.clone());
    assert!(Value::Map(map.clone()).to_json().is_err());
    map.remove("self");
}

#[test]
fn what_is_set_is_seen_by_every_alias() {
    let map = Map::new();
    let value = Value::from(map.clone());
    map.set("k", "v");
    assert_eq!(render("{{.k}}", &value).unwrap(), "v");
    let slice = Slice::new(vec!["a".into(), "b".into()]);
    let part = slice.slice(0, 1, 2).unwrap();
    let appended = part.append(["c".into()]);
    assert_eq!(render("{{index . 0}}{{index . 1}}", &slice.clone().into()).unwrap(), "ac");
    assert_eq!((appended.len(), part.len(), slice.len()), (2, 1, 2));
}
