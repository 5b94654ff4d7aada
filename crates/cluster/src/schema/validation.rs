//! Checking a value against a schema's types and limits, in the words of kube-apiserver (which takes them from
//! go-openapi): `spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"`.

use serde_json::{Number, Value, json};

use super::node::{Node, Rules, Type};
use super::{FieldError, Origin, Schema, builtin, strfmt, uniqueness};

impl Schema {
    /// Checks an object that is about to be created. The errors are those of a 422 answer, in a fixed order.
    pub fn validate(&self, object: &Value) -> Vec<FieldError> {
        self.validate_change(object, None)
    }

    /// Checks an object that is about to replace `old`: as [`Schema::validate`], and that nothing immutable changed.
    pub fn validate_update(&self, object: &Value, old: &Value) -> Vec<FieldError> {
        self.validate_change(object, Some(old))
    }

    fn validate_change(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut errors = builtin::rules::metadata(&self.group, &self.kind, object, old);
        match self.origin {
            Origin::Custom => {
                let mut found = Vec::new();
                check(object, self.root(), "", &mut found);
                if let Some(names) = &self.name_rules {
                    check(&object["metadata"], names.node(), "metadata", &mut found);
                }
                // kube-apiserver keeps what was wrong already: a stored object stays changeable elsewhere.
                if let Some(old) = old {
                    let mut before = Vec::new();
                    check(old, self.root(), "", &mut before);
                    found.retain(|error| !before.contains(error) || !unchanged(object, old, &error.path));
                }
                errors.extend(found);
                uniqueness::check(object, self.root(), "", &mut errors);
            }
            Origin::BuiltIn => errors.extend(builtin::rules::check(&self.group, &self.kind, object, old)),
        }
        errors
    }
}

/// Whether the value at `path` is the same in both; a path that leads nowhere (a missing field) counts by its parent.
fn unchanged(object: &Value, old: &Value, path: &str) -> bool {
    fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
        path.split(['.', '[']).filter(|part| !part.is_empty()).try_fold(value, |value, part| {
            match part.strip_suffix(']').and_then(|i| i.parse::<usize>().ok()) {
                Some(i) => value.get(i),
                None => value.get(part),
            }
        })
    }
    match (find(object, path), find(old, path)) {
        (None, None) => {
            path.rsplit_once(['.', '[']).is_some_and(|(parent, _)| find(object, parent) == find(old, parent))
        }
        (new, old) => new == old,
    }
}

/// Compiles a schema's `pattern`. The size limit keeps a hostile CustomResourceDefinition from costing memory.
pub(super) fn compile(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_whole(number: &Number) -> bool {
    !number.is_f64()
        || number.as_f64().is_some_and(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0)
}

fn has_type(value: &Value, ty: Type) -> bool {
    match (ty, value) {
        (Type::Any, _)
        | (Type::Object, Value::Object(_))
        | (Type::Array, Value::Array(_))
        | (Type::String | Type::IntOrString, Value::String(_))
        | (Type::Number, Value::Number(_))
        | (Type::Boolean, Value::Bool(_)) => true,
        (Type::Integer | Type::IntOrString, Value::Number(number)) => is_whole(number),
        _ => false,
    }
}

/// The format that go-openapi takes a value to have.
fn format_of(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        _ => "",
    }
}

/// Checks `value`, which stands at `path`, and appends what is wrong.
pub(super) fn check(value: &Value, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let rules = node.rules.as_deref();
    let format =
        rules.and_then(|rules| rules.format.as_deref()).filter(|format| strfmt::is_known(format)).unwrap_or("");
    if value.is_null() {
        if !node.nullable && !matches!(node.ty, Type::Any) {
            errors.push(wrong_type(path, expected(node.ty), "null"));
        }
        if let Some(rules) = rules {
            check_enum(value, rules, path, errors);
        }
        return;
    }
    if !has_type(value, node.ty) {
        let scalar = !matches!(value, Value::String(_) | Value::Array(_));
        if !format.is_empty() && scalar {
            errors.push(wrong_type(path, format, format_of(value)));
        } else if format.is_empty() || scalar || matches!(node.ty, Type::Integer | Type::Number) {
            errors.push(wrong_type(path, expected(node.ty), type_of(value)));
        }
    }
    if let (Type::Integer, Value::Number(number)) = (node.ty, value) {
        check_range(number, format, path, errors);
    }
    if let Some(rules) = rules {
        check_junctors(value, rules, path, errors);
        match value {
            Value::String(text) => check_string(text, value, rules, format, path, errors),
            Value::Number(number) => check_number(number, value, rules, path, errors),
            _ => {}
        }
    }
    if let Value::Array(items) = value {
        if let Some(node) = node.item() {
            for (i, item) in items.iter().enumerate() {
                check(item, node, &format!("{path}[{i}]"), errors);
            }
        }
        if let Some(rules) = rules {
            check_count(items.len(), rules, path, errors);
        }
    }
    if let Some(rules) = rules {
        check_enum(value, rules, path, errors);
    }
    if let Value::Object(map) = value {
        if let Some(rules) = rules {
            check_size(map.len(), rules, path, errors);
        }
        for (key, value) in map {
            // Metadata has rules of its own, which hold for every kind.
            if path.is_empty() && key == "metadata" {
                continue;
            }
            if let Some(node) = node.child(key) {
                check(value, node, &join(path, key), errors);
            }
        }
        for name in &node.required {
            if !map.contains_key(&**name) {
                errors.push(FieldError::required(join(path, name), ""));
            }
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn expected(ty: Type) -> &'static str {
    if ty == Type::IntOrString { "integer,string" } else { ty.name() }
}

fn wrong_type(path: &str, expected: &str, found: &str) -> FieldError {
    let detail = format!("{path} in body must be of type {expected}: \"{found}\"");
    FieldError::type_invalid(path, &json!(found), &detail)
}

fn invalid(path: &str, value: &Value, words: &str) -> FieldError {
    FieldError::invalid(path, value, &format!("{path} in body {words}"))
}

fn check_enum(value: &Value, rules: &Rules, path: &str, errors: &mut Vec<FieldError>) {
    let allowed = &rules.one_of_values;
    if !allowed.is_empty() && !allowed.contains(value) {
        let texts: Vec<String> =
            allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        errors.push(FieldError::not_supported(path, value, &texts));
    }
}

fn check_string(text: &str, value: &Value, rules: &Rules, format: &str, path: &str, errors: &mut Vec<FieldError>) {
    let length = text.chars().count() as u64;
    if let Some(most) = rules.max_length.filter(|most| length > *most) {
        errors.push(FieldError::too_long(path, most));
    } else if let Some(least) = rules.min_length.filter(|least| length < *least) {
        errors.push(invalid(path, value, &format!("should be at least {least} chars long")));
    } else if let Some(pattern) = &rules.pattern
        && !compile(pattern).is_ok_and(|regex| regex.is_match(text))
    {
        errors.push(invalid(path, value, &format!("should match '{pattern}'")));
    }
    if !format.is_empty() && !strfmt::is_valid(format, text) {
        errors.push(FieldError::type_invalid(
            path,
            value,
            &format!("{path} in body must be of type {format}: {}", super::quote(text)),
        ));
    }
}

/// Whether an integer fits its format; kube-apiserver reports it without a path.
fn check_range(number: &Number, format: &str, path: &str, errors: &mut Vec<FieldError>) {
    let fits = match format {
        "int32" => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        _ => is_whole(number),
    };
    if !fits {
        let format = if format.is_empty() { "(default format)".to_owned() } else { format!("with format {format}") };
        let detail = format!("Checked value must be of type integer {format} in {path}");
        errors.push(FieldError::invalid("<nil>", &json!(""), &detail));
    }
}

/// Limits on numbers. Against a whole number, go-openapi takes only the whole part of a limit.
fn check_number(number: &Number, value: &Value, rules: &Rules, path: &str, errors: &mut Vec<FieldError>) {
    let actual = number.as_f64().unwrap_or(0.0);
    let limit = |limit: &Number| {
        let limit = limit.as_f64().unwrap_or(0.0);
        if number.is_f64() { limit } else { limit.trunc() }
    };
    if let Some(multiple) = &rules.multiple_of {
        let factor = limit(multiple);
        let quotient = actual / factor;
        if factor <= 0.0 {
            let detail = format!("factor MultipleOf declared for {path} must be positive: {factor}");
            errors.push(FieldError::invalid(path, &json!(0), &detail));
        } else if (quotient - quotient.round()).abs() > 1e-9 {
            errors.push(invalid(path, value, &format!("should be a multiple of {}", plain(multiple))));
        }
    }
    if let Some(least) = &rules.minimum {
        if rules.exclusive_minimum && actual <= limit(least) {
            errors.push(invalid(path, value, &format!("should be greater than {}", plain(least))));
        } else if !rules.exclusive_minimum && actual < limit(least) {
            errors.push(invalid(path, value, &format!("should be greater than or equal to {}", plain(least))));
        }
    }
    if let Some(most) = &rules.maximum {
        if rules.exclusive_maximum && actual >= limit(most) {
            errors.push(invalid(path, value, &format!("should be less than {}", plain(most))));
        } else if !rules.exclusive_maximum && actual > limit(most) {
            errors.push(invalid(path, value, &format!("should be less than or equal to {}", plain(most))));
        }
    }
}

/// A limit as Go prints it: without a fraction when it has none.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && is_whole(number) => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

fn check_count(count: usize, rules: &Rules, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(least) = rules.min_items.filter(|least| (count as u64) < *least) {
        errors.push(invalid(path, &json!(count), &format!("should have at least {least} items")));
    }
    if let Some(most) = rules.max_items.filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(path, count, most));
    }
}

fn check_size(count: usize, rules: &Rules, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(least) = rules.min_properties.filter(|least| (count as u64) < *least) {
        errors.push(invalid(path, &json!(count), &format!("should have at least {least} properties")));
    }
    if let Some(most) = rules.max_properties.filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(path, count, most));
    }
}

/// `anyOf`, `oneOf`, `allOf` and `not`. kube-apiserver reports the junctor itself without a path, and then the faults
/// of the alternative that came closest.
fn check_junctors(value: &Value, rules: &Rules, path: &str, errors: &mut Vec<FieldError>) {
    let faults = |node: &super::node::Child| {
        let mut errors = Vec::new();
        check(value, node.node(), path, &mut errors);
        errors
    };
    let whole = |words: String| FieldError::invalid("<nil>", &json!(""), &words);
    let closest = |results: Vec<Vec<FieldError>>| results.into_iter().min_by_key(Vec::len).unwrap_or_default();
    if !rules.any_of.is_empty() {
        let results: Vec<_> = rules.any_of.iter().map(faults).collect();
        if results.iter().all(|errors| !errors.is_empty()) {
            errors.push(whole(format!("\"{path}\" must validate at least one schema (anyOf)")));
            errors.extend(closest(results));
        }
    }
    if !rules.one_of.is_empty() {
        let results: Vec<_> = rules.one_of.iter().map(faults).collect();
        let valid = results.iter().filter(|errors| errors.is_empty()).count();
        if valid != 1 {
            let found = if valid == 0 { "none valid".to_owned() } else { format!("{valid} valid alternatives") };
            errors.push(whole(format!("\"{path}\" must validate one and only one schema (oneOf). Found {found}")));
            if valid == 0 {
                errors.extend(closest(results));
            }
        }
    }
    if !rules.all_of.is_empty() {
        let results: Vec<_> = rules.all_of.iter().map(faults).collect();
        let valid = results.iter().filter(|errors| errors.is_empty()).count();
        let all = results.len();
        errors.extend(results.into_iter().flatten());
        if valid != all {
            let none = if valid == 0 { ". None validated" } else { "" };
            errors.push(whole(format!("\"{path}\" must validate all the schemas (allOf){none}")));
        }
    }
    if let Some(not) = &rules.not
        && faults(not).is_empty()
    {
        errors.push(whole(format!("\"{path}\" must not validate the schema (not)")));
    }
}
