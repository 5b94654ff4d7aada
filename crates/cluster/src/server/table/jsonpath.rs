//! The JSON paths of printer columns: `.status.conditions[?(@.type=="Ready")].status`, `.spec.hosts[0]`,
//! `.metadata.labels.app\.kubernetes\.io/name`.

use serde_json::Value;

/// A parsed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(i64),
    Each,
    /// Elements whose field (a path of names) equals, or does not equal, a text.
    Filter {
        field: Vec<String>,
        equal: bool,
        value: String,
    },
}

impl JsonPath {
    /// Parses a path; `None` when it is not one of the forms above.
    pub fn parse(text: &str) -> Option<JsonPath> {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let end = closing(after)?;
                steps.push(bracket(after[..end].trim())?);
                rest = &after[end + 1..];
            } else {
                let after = rest.strip_prefix('.').unwrap_or(rest);
                let (name, after) = field(after);
                if name == "*" {
                    steps.push(Step::Each);
                } else if !name.is_empty() {
                    steps.push(Step::Field(name));
                } else if after.len() == rest.len() {
                    return None;
                }
                rest = after;
            }
        }
        Some(JsonPath(steps))
    }

    /// All values that the path leads to.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![value], |found, step| found.into_iter().flat_map(|value| follow(step, value)).collect())
    }
}

fn follow<'a>(step: &Step, value: &'a Value) -> Vec<&'a Value> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    match step {
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::Index(index) => {
            let at = if *index < 0 { list.len() as i64 + index } else { *index };
            usize::try_from(at).ok().and_then(|at| list.get(at)).into_iter().collect()
        }
        Step::Each => match value {
            Value::Object(map) => map.values().collect(),
            _ => list.iter().collect(),
        },
        Step::Filter { field, equal, value } => list
            .iter()
            .filter(|element| {
                let found = field.iter().try_fold(*element, |value, name| value.get(name));
                found.is_some_and(|found| {
                    (found.as_str().map_or_else(|| found.to_string(), str::to_owned) == *value) == *equal
                })
            })
            .collect(),
    }
}

/// Where the bracket that has been opened closes, quotes respected.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(i),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A name up to the next dot or bracket; a backslash takes the next character as it is.
fn field(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' => return (name, &text[i..]),
            c => name.push(c),
        }
    }
    (name, "")
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].iter().find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))
}

fn bracket(inside: &str) -> Option<Step> {
    if inside == "*" {
        return Some(Step::Each);
    }
    if let Some(name) = unquoted(inside) {
        return Some(Step::Field(name.replace("\\.", ".")));
    }
    if let Some(condition) = inside.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        let (left, equal, right) = match (condition.split_once("=="), condition.split_once("!=")) {
            (Some((left, right)), _) => (left, true, right),
            (None, Some((left, right))) => (left, false, right),
            (None, None) => return None,
        };
        let mut rest = left.trim().strip_prefix('@')?;
        let mut names = Vec::new();
        while let Some(after) = rest.strip_prefix('.') {
            let (name, after) = field(after);
            names.push(name);
            rest = after;
        }
        let right = right.trim();
        let value = unquoted(right).unwrap_or(right).to_owned();
        return rest.is_empty().then_some(Step::Filter { field: names, equal, value });
    }
    inside.parse().ok().map(Step::Index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_where_they_say() {
        let object = json!({
            "spec": {"hosts": ["a", "b"]},
            "metadata": {"labels": {"app.kubernetes.io/name": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
        });
        let find = |path: &str| JsonPath::parse(path).unwrap().find(&object).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(find(".spec.hosts[0]"), [json!("a")]);
        assert_eq!(find(".spec.hosts[-1]"), [json!("b")]);
        assert_eq!(find("{.spec.hosts[*]}"), [json!("a"), json!("b")]);
        assert_eq!(find(r".metadata.labels.app\.kubernetes\.io/name"), [json!("x")]);
        assert_eq!(find(".metadata.labels['app.kubernetes.io/name']"), [json!("x")]);
        assert_eq!(find(r#".status.conditions[?(@.type=="Ready")].status"#), [json!("True")]);
        assert_eq!(find(".status.conditions[?(@.type!='Ready')].status"), [json!("False")]);
        assert_eq!(find(".gone.too"), [] as [Value; 0]);
    }

    #[test]
    fn what_is_not_a_path_is_none() {
        for text in [".a[", ".a[?(x)]", ".a[b]", "[?(@.a=='b']"] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
    }
}
