//! A route's options, once they are merged: read, checked, and put into the flattened model's terms.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serin_api::gateway::RouteOptions;
use serin_api::proxy::{PathRewrite, RoutePolicy};

use crate::options::Options;
use crate::path;

/// A value that cannot be served: its path below the options, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionFault {
    pub(crate) field: String,
    pub(crate) reason: String,
}

/// What `options` come to.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn of(options: Option<&Options>) -> Result<Option<Arc<RoutePolicy>>, Vec<OptionFault>> {
    let Some(options) = options else { return Ok(None) };
    let mut faults = Vec::new();
    let read = read(options, &mut faults);
    let mut policy = RoutePolicy { timeout: read.timeout, ..RoutePolicy::default() };
    if let Some(prefix) = read.prefix_rewrite {
        if let Err(reason) = path::check_target(&prefix) {
            let reason = format!("the rewrite is invalid: {prefix}: {reason}");
            faults.push(OptionFault { field: "prefixRewrite".to_owned(), reason });
        }
        policy.path_rewrite = Some(PathRewrite::Prefix(prefix));
    }
    match (faults.is_empty(), policy == RoutePolicy::default()) {
        (false, _) => Err(faults),
        (true, true) => Ok(None),
        (true, false) => Ok(Some(Arc::new(policy))),
    }
}

/// Reads each option by itself, so that every one at fault is named.
fn read(options: &Options, faults: &mut Vec<OptionFault>) -> RouteOptions {
    let mut good = Options::new();
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let alone = Value::Object(Options::from_iter([(name.clone(), value.clone())]));
        match serde_path_to_error::deserialize::<_, RouteOptions>(&alone) {
            Ok(_) => {
                good.insert(name.clone(), value.clone());
            }
            Err(error) => {
                let field = error.path().to_string();
                faults.push(OptionFault { field, reason: serin_api::plain_words(&error.inner().to_string()) });
            }
        }
    }
    RouteOptions::deserialize(Value::Object(good)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_json(value: Value) -> Result<Option<Arc<RoutePolicy>>, Vec<String>> {
        let faults = |faults: Vec<OptionFault>| {
            faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect()
        };
        of(value.as_object()).map_err(faults)
    }

    #[test]
    fn nothing_that_is_read_is_no_policy() {
        assert_eq!(of(None), Ok(None));
        assert_eq!(of_json(json!({"waf": {}, "timeout": null})), Ok(None));
    }

    #[test]
    fn each_option_at_fault_is_named() {
        assert_eq!(
            of_json(json!({"timeout": "soon", "prefixRewrite": 5})),
            Err(vec![
                "prefixRewrite: this is the integer `5`, expected a string".to_owned(),
                "timeout: \"soon\" is not a length of time; write one like 5s, 250ms or 1h30m".to_owned(),
            ])
        );
        assert!(
            of_json(json!({"prefixRewrite": "/a//b"})).unwrap_err()[0].starts_with("prefixRewrite: the rewrite is")
        );
    }
}
