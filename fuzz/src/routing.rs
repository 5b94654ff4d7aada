//! Routing resources as fuzz input: most of what they say is right, so that what is wrong is reached in all places.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

use crate::value;

const NAMES: &[&str] = &["one", "two", "three", "missing"];
const NAMESPACES: &[&str] = &["gloo-system", "team", "*", ""];
const PATHS: &[&str] = &["/", "/a", "/a/b", "/ab", "", "a", "/a.*", "(", "/A"];

/// A `VirtualService` spec.
pub fn virtual_service(input: &mut Unstructured<'_>) -> Result<Value> {
    let domains =
        list(input, 2, |input| Ok(json!(input.choose(&["*", "a.example", "*.example", "a.*", "a:80", "", "*.*"])?)))?;
    let mut host = json!({"domains": domains, "routes": list(input, 4, route)?});
    spoil(input, &mut host)?;
    Ok(json!({"virtualHost": host}))
}

/// A `RouteTable` spec.
pub fn route_table(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut table = json!({"routes": list(input, 4, route)?, "weight": input.int_in_range(-1..=1)?});
    spoil(input, &mut table)?;
    Ok(table)
}

/// An `Upstream` spec.
pub fn upstream(input: &mut Unstructured<'_>) -> Result<Value> {
    let subsets = json!({
        "selectors": list(input, 2, |input| Ok(json!({"keys": list(input, 2, label)?})))?,
        "fallbackPolicy": input.choose(&["NONE", "ANY_ENDPOINT", "DEFAULT_SUBSET", "OTHER"])?,
    });
    let host = json!({"addr": input.choose(&["127.0.0.1", "a.example", ""])?, "port": input.int_in_range(-1..=2)?});
    let mut kind = match input.int_in_range(0..=2)? {
        0 => json!({"static": {"hosts": [host]}}),
        1 => {
            json!({"kube": {"serviceName": name(input)?, "serviceNamespace": "team", "servicePort": 80, "subsetSpec": subsets}})
        }
        _ => json!({"pipe": {"path": "/a"}}),
    };
    spoil(input, &mut kind)?;
    Ok(kind)
}

/// An `UpstreamGroup` spec.
pub fn upstream_group(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!({"destinations": list(input, 3, weighted)?}))
}

/// One of the names that resources have here.
pub fn name(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!(input.choose(NAMES)?))
}

fn label(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!(input.choose(&["version", "stage", "a"])?))
}

fn reference(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!({"name": name(input)?, "namespace": input.choose(NAMESPACES)?}))
}

fn list(
    input: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<Value>,
) -> Result<Value> {
    (0..input.int_in_range(0..=most)?).map(|_| one(input)).collect()
}

/// Now and then puts anything at all where something was expected.
fn spoil(input: &mut Unstructured<'_>, object: &mut Value) -> Result<()> {
    if input.ratio(1, 16)? {
        let key = *input.choose(crate::KEYS)?;
        object[key] = value(input, 3)?;
    }
    Ok(())
}

fn route(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut route = json!({"matchers": list(input, 2, matcher)?});
    let (key, action) = match input.int_in_range(0..=7)? {
        0..=2 => ("routeAction", destination_action(input)?),
        3..=5 => ("delegateAction", delegation(input)?),
        6 => ("redirectAction", json!({"hostRedirect": "a", "responseCode": input.int_in_range(0..=4)?})),
        _ => ("directResponseAction", json!({"status": input.int_in_range(0..=700)?, "body": "a"})),
    };
    route[key] = action;
    if input.ratio(1, 4)? {
        route["inheritableMatchers"] = input.arbitrary::<bool>()?.into();
    }
    if input.ratio(1, 8)? {
        route["name"] = name(input)?;
    }
    spoil(input, &mut route)?;
    Ok(route)
}

fn matcher(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut matcher = Map::new();
    if !input.ratio(1, 8)? {
        matcher.insert((*input.choose(&["prefix", "exact", "regex"])?).into(), json!(input.choose(PATHS)?));
    }
    if input.ratio(1, 4)? {
        let header = json!({"name": label(input)?, "value": input.choose(PATHS)?, "regex": input.arbitrary::<bool>()?});
        matcher.insert("headers".into(), json!([header]));
    }
    if input.ratio(1, 8)? {
        matcher.insert("methods".into(), json!(["GET"]));
    }
    let mut matcher = Value::Object(matcher);
    spoil(input, &mut matcher)?;
    Ok(matcher)
}

fn destination(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut destination = if input.ratio(3, 4)? {
        json!({"upstream": reference(input)?})
    } else {
        json!({"kube": {"ref": reference(input)?, "port": input.int_in_range(79..=80)?}})
    };
    if input.ratio(1, 2)? {
        let key = label(input)?;
        destination["subset"] = json!({"values": {key.as_str().unwrap_or_default(): "v1"}});
    }
    spoil(input, &mut destination)?;
    Ok(destination)
}

fn weighted(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!({"destination": destination(input)?, "weight": input.int_in_range(-1..=3)?}))
}

fn destination_action(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=3)? {
        0 | 1 => json!({"single": destination(input)?}),
        2 => json!({"multi": {"destinations": list(input, 3, weighted)?}}),
        _ => json!({"upstreamGroup": reference(input)?}),
    })
}

fn delegation(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=3)? {
        0 => json!({"ref": reference(input)?}),
        1 => reference(input)?,
        2 => json!({"selector": {"labels": {"app": name(input)?}, "namespaces": [input.choose(NAMESPACES)?]}}),
        _ => {
            let operators = [
                "Equals",
                "DoubleEquals",
                "NotEquals",
                "In",
                "NotIn",
                "Exists",
                "DoesNotExist",
                "GreaterThan",
                "LessThan",
            ];
            let expression =
                json!({"key": "app", "operator": input.choose(&operators)?, "values": list(input, 2, name)?});
            json!({"selector": {"namespaces": ["*"], "expressions": [expression]}})
        }
    })
}
