//! Makes a case smaller while it still shows what it is about: whatever can be left out of it goes.
//!
//! It works on the case as JSON, so that it knows of every option without being told of any.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Names of variants of enumerations that hold nothing.
const NAMES: [&str; 3] = ["none", "None", "keep"];

/// The smallest form of `case` for which `shows` holds, as far as leaving things out one by one comes to. What leaves the
/// case unreadable is not tried.
pub(crate) fn shrink<T: Serialize + DeserializeOwned + Clone>(case: &T, mut shows: impl FnMut(&T) -> bool) -> T {
    let mut best = case.clone();
    let Ok(mut json) = serde_json::to_value(case) else { return best };
    // Each round that finds something makes the case smaller, so there is an end.
    loop {
        let smaller = paths(&json).into_iter().flat_map(|path| simpler(&json, &path)).find_map(|candidate| {
            let read: T = serde_json::from_value(candidate).ok()?;
            // What was left out may be a default that is written all the same.
            let candidate = serde_json::to_value(&read).ok()?;
            (size(&candidate) < size(&json) && shows(&read)).then_some((candidate, read))
        });
        match smaller {
            Some((candidate, read)) => (json, best) = (candidate, read),
            None => return best,
        }
    }
}

/// The places of all values but the whole, the largest parts first: what encloses goes before what is enclosed.
fn paths(json: &Value) -> Vec<Vec<Step>> {
    let mut all = Vec::new();
    let mut next = vec![Vec::new()];
    while let Some(path) = next.pop() {
        match at(json, &path) {
            Some(Value::Object(fields)) => {
                next.extend(fields.keys().map(|name| extended(&path, Step::Field(name.clone()))));
            }
            Some(Value::Array(items)) => next.extend((0..items.len()).map(|item| extended(&path, Step::Item(item)))),
            _ => {}
        }
        if !path.is_empty() {
            all.push(path);
        }
    }
    all.sort_by_key(|path| std::cmp::Reverse(at(json, path).map_or(0, size)));
    all
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Item(usize),
}

fn extended(path: &[Step], step: Step) -> Vec<Step> {
    path.iter().cloned().chain([step]).collect()
}

fn at<'a>(json: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(json, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}

fn at_mut<'a>(json: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(json, |value, step| match step {
        Step::Field(name) => value.get_mut(name),
        Step::Item(index) => value.get_mut(index),
    })
}

/// `json` with what is at `path` left out, or made less.
fn simpler(json: &Value, path: &[Step]) -> Vec<Value> {
    let mut all = Vec::new();
    let Some((last, before)) = path.split_last() else { return all };
    let mut without = json.clone();
    match (at_mut(&mut without, before), last) {
        (Some(Value::Object(fields)), Step::Field(name)) => {
            fields.remove(name);
            all.push(without);
        }
        (Some(Value::Array(items)), Step::Item(index)) => {
            items.remove(*index);
            all.push(without);
        }
        _ => {}
    }
    let replace = |with: Value| {
        let mut replaced = json.clone();
        if let Some(value) = at_mut(&mut replaced, path) {
            *value = with;
        }
        replaced
    };
    match at(json, path) {
        Some(Value::String(text)) => {
            let less = if text.starts_with('/') { "/" } else { "" };
            all.extend((less.len() < text.len()).then(|| replace(less.into())));
            // A path without its query.
            all.extend(text.split_once('?').map(|(path, _)| replace(path.into())));
        }
        Some(Value::Object(fields)) if !fields.is_empty() => all.extend(NAMES.map(|name| replace(name.into()))),
        Some(Value::Array(items)) if !items.is_empty() => all.push(replace(Value::Array(Vec::new()))),
        Some(Value::Number(number)) if number.as_u64().is_some_and(|number| number > 1) => all.push(replace(1.into())),
        Some(Value::Bool(true)) => all.push(replace(false.into())),
        _ => {}
    }
    all
}

/// How much there is to a value.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => 1 + fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serin_api::proxy::HttpSettings;

    use super::*;
    use crate::differential::case::Case;
    use crate::differential::{configurations, listeners, requests};

    fn drawn(seed: u64) -> Case {
        let mut random = Rng::with_seed(seed);
        let host = configurations::virtual_host(&mut random, 1);
        let request = requests::request(&mut random, &host);
        Case { listener: listeners::PLAIN.to_owned(), http: HttpSettings::default(), host, request, times: None }
    }

    #[test]
    fn only_what_matters_is_left() {
        let matters = |case: &Case| {
            let rewrites = case.host.routes.iter().any(|route| {
                route.policy.as_ref().is_some_and(|policy| policy.path_rewrite.is_some() && policy.retries.is_some())
            });
            case.is_whole() && rewrites && case.request.headers.iter().any(|(name, _)| name == "x-flag")
        };
        let case = (0..).map(drawn).find(|case| matters(case)).unwrap();
        let small = shrink(&case, matters);
        assert!(matters(&small));
        assert_eq!(small.host.routes.len(), 1);
        assert_eq!(small.host.policy, None);
        let route = &small.host.routes[0];
        assert_eq!(route.matchers.len(), 1);
        let policy = route.policy.as_ref().unwrap();
        assert_eq!((&policy.headers, &policy.cors, &policy.faults), (&None, &None, &None));
        assert_eq!(small.request.headers.len(), 1);
        assert_eq!(small.request.headers[0].1, "");
        assert_eq!((small.request.want.as_str(), &small.request.body), ("", &Default::default()));
        assert!(!small.request.target.contains('?'));
    }

    #[test]
    fn a_case_that_never_shows_again_stays_as_it_is() {
        let case = drawn(3);
        assert_eq!(shrink(&case, |_| false), case);
    }

    #[test]
    fn every_case_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        for seed in 0..50 {
            let case = drawn(seed);
            assert!(case.is_whole());
            case.write(folder.path(), "one").unwrap();
            let read = crate::differential::case::read_all(folder.path()).unwrap();
            assert_eq!(read, [("one".to_owned(), case)]);
        }
    }
}
