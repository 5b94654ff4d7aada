//! How options of a route, of shared options and of the parent come together, and what is said of those that are not
//! implemented.

use std::borrow::Cow;

use serde_json::{Map, Value};
use serin_api::Written;

/// Options as they are written.
pub(crate) type Options = Map<String, Value>;

/// Fields of which at most one can be set: setting one hides the others further up.
const ONE_OF: [&[&str]; 5] = [
    &["hostRewrite", "autoHostRewrite", "hostRewritePathRegex", "hostRewriteHeader"],
    &["ratelimitEarly", "rateLimitEarlyConfigs"],
    &["ratelimit", "rateLimitConfigs"],
    &["ratelimitRegular", "rateLimitRegularConfigs"],
    &["jwt", "jwtStaged", "jwtProvidersStaged"],
];

/// Fields whose `false` or `0` counts as set, because they are wrappers; elsewhere such a value counts as unset.
/// Everything in Gloo's RouteOptions and VirtualHostOptions that is a plain value is a wrapper, except this string.
const PLAIN: &str = "hostRewrite";

/// What `own` sets stands; where it is silent, `inherited` holds. Field by field at the top level, nothing deeper.
pub(crate) fn merge<'a>(own: Option<Cow<'a, Options>>, inherited: Option<&'a Options>) -> Option<Cow<'a, Options>> {
    let (own, inherited) = match (own, inherited) {
        (own, None) => return own,
        (None, Some(inherited)) => return Some(Cow::Borrowed(inherited)),
        (Some(own), Some(inherited)) => (own, inherited),
    };
    let missing: Vec<(&String, &Value)> =
        inherited.iter().filter(|(field, value)| is_set(field, value) && !overridden(&own, field)).collect();
    if missing.is_empty() {
        return Some(own);
    }
    let mut merged = own.into_owned();
    for (field, value) in missing {
        merged.insert(field.clone(), value.clone());
    }
    Some(Cow::Owned(merged))
}

fn overridden(own: &Options, field: &str) -> bool {
    let sets = |field: &str| own.get(field).is_some_and(|value| is_set(field, value));
    sets(field) || ONE_OF.iter().any(|group| group.contains(&field) && group.iter().any(|other| sets(other)))
}

/// Whether a field counts as set: an empty list, an empty map's absence and null do not.
fn is_set(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => field != PLAIN || !text.is_empty(),
        _ => true,
    }
}

/// Appends the parent's staged transformations to those of a route that asks for it with
/// `stagedTransformations.inheritTransformation`.
pub(crate) fn inherit_transformations<'a>(
    own: Option<Cow<'a, Options>>,
    inherited: Option<&Options>,
) -> Option<Cow<'a, Options>> {
    const FIELD: &str = "stagedTransformations";
    let own = own?;
    let asks = own.get(FIELD).and_then(|staged| staged.get("inheritTransformation")) == Some(&Value::Bool(true));
    let Some(Value::Object(parent)) = inherited.and_then(|options| options.get(FIELD)).filter(|_| asks) else {
        return Some(own);
    };
    let mut own = own.into_owned();
    if let Some(Value::Object(child)) = own.get_mut(FIELD) {
        for stage in ["early", "regular"] {
            match (child.get_mut(stage), parent.get(stage)) {
                (_, None | Some(Value::Null)) => {}
                (None | Some(Value::Null), Some(theirs)) => {
                    child.insert(stage.to_owned(), theirs.clone());
                }
                (Some(ours), Some(theirs)) => append_lists(ours, theirs),
            }
        }
    }
    Some(Cow::Owned(own))
}

fn append_lists(ours: &mut Value, theirs: &Value) {
    let (Value::Object(ours), Value::Object(theirs)) = (ours, theirs) else { return };
    for list in ["requestTransforms", "responseTransforms"] {
        let Some(Value::Array(theirs)) = theirs.get(list) else { continue };
        if let Value::Array(ours) = ours.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
            ours.extend(theirs.iter().cloned());
        }
    }
}

/// The options' map, if anything is set.
pub(crate) fn map<T>(options: Option<&Written<T>>) -> Option<&Options> {
    options.map(Written::map).filter(|map| !map.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(value: Value) -> Options {
        value.as_object().cloned().unwrap_or_default()
    }

    fn merged(own: Value, inherited: Value) -> Value {
        let (own, inherited) = (options(own), options(inherited));
        Value::Object(merge(Some(Cow::Borrowed(&own)), Some(&inherited)).unwrap_or_default().into_owned())
    }

    #[test]
    fn fields_merge_at_the_top_level_only() {
        assert_eq!(
            merged(json!({"retries": {"numRetries": 1}}), json!({"retries": {"retryOn": "5xx"}, "timeout": "5s"})),
            json!({"retries": {"numRetries": 1}, "timeout": "5s"})
        );
    }

    #[test]
    fn an_empty_list_counts_as_unset_and_false_does_not() {
        assert_eq!(
            merged(
                json!({"list": [], "appendXForwardedHost": false}),
                json!({"list": [1], "appendXForwardedHost": true})
            ),
            json!({"list": [1], "appendXForwardedHost": false})
        );
    }

    #[test]
    fn a_oneof_is_one_field() {
        assert_eq!(merged(json!({"hostRewrite": "a"}), json!({"autoHostRewrite": true})), json!({"hostRewrite": "a"}));
        assert_eq!(
            merged(json!({"hostRewrite": ""}), json!({"autoHostRewrite": true})),
            json!({"hostRewrite": "", "autoHostRewrite": true})
        );
    }

    #[test]
    fn transformations_are_appended_when_asked_for() {
        let parent = options(json!({"stagedTransformations": {
            "early": {"requestTransforms": ["p"]}, "regular": {"requestTransforms": ["p"], "responseTransforms": ["p"]}}}));
        let child = options(json!({"stagedTransformations": {
            "inheritTransformation": true, "regular": {"requestTransforms": ["c"]}}}));
        let out = inherit_transformations(Some(Cow::Owned(child)), Some(&parent)).unwrap();
        assert_eq!(
            out["stagedTransformations"],
            json!({"inheritTransformation": true, "early": {"requestTransforms": ["p"]},
                "regular": {"requestTransforms": ["c", "p"], "responseTransforms": ["p"]}})
        );
        let silent = options(json!({"stagedTransformations": {"regular": {"requestTransforms": ["c"]}}}));
        assert_eq!(inherit_transformations(Some(Cow::Borrowed(&silent)), Some(&parent)).unwrap().as_ref(), &silent);
    }
}
