//! A route's options, once they are merged: read, checked, and put into the flattened model's terms.

use std::sync::Arc;

use serin_api::gateway::RouteOptions;
use serin_api::proxy::{MaxStreamDuration, RoutePolicy};

use crate::buffer;
use crate::cors;
use crate::hashing;
use crate::header_changes;
use crate::option_fault::{OptionFault, kept, read};
use crate::options::Options;
use crate::{faults, retries, rewrite, shadowing, upgrades};

/// What `options` come to.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn of(options: Option<&Options>) -> Result<Option<Arc<RoutePolicy>>, Vec<OptionFault>> {
    let Some(options) = options else { return Ok(None) };
    let mut faults = Vec::new();
    let read: RouteOptions = read(options, &mut faults);
    let mut policy = RoutePolicy { timeout: read.timeout, ..RoutePolicy::default() };
    rewrite::fill(&read, &mut policy, &mut faults);
    policy.idle_timeout = read.idle_timeout;
    policy.max_stream_duration = read.max_stream_duration.map(|written| MaxStreamDuration {
        most: written.max_stream_duration,
        grpc_most: written.grpc_timeout_header_max,
        grpc_offset: written.grpc_timeout_header_offset,
    });
    policy.faults = read.faults.and_then(|written| faults::of(written, &mut faults));
    upgrades::fill(&read.upgrades, &mut policy, &mut faults);
    policy.retries = read.retries.map(|written| retries::of(written, &mut faults));
    policy.hash = hashing::of(read.lb_hash, &mut faults);
    policy.shadow = read.shadowing.and_then(|written| shadowing::of(&written, &mut faults));
    policy.buffer = buffer::of(read.buffer_per_route.as_ref(), &mut faults);
    policy.cors = cors::of(read.cors.as_ref(), &mut faults);
    policy.headers = header_changes::of(read.header_manipulation.as_ref(), &mut faults);
    kept(policy, faults)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    fn how_long_a_stream_may_take_has_three_parts() {
        let limits =
            json!({"maxStreamDuration": "1m", "grpcTimeoutHeaderMax": "0s", "grpcTimeoutHeaderOffset": "10ms"});
        let policy = of_json(json!({"maxStreamDuration": limits})).unwrap().unwrap();
        let time = serin_api::GoDuration::parse;
        let expected = MaxStreamDuration { most: time("1m"), grpc_most: time("0"), grpc_offset: time("10ms") };
        assert_eq!(policy.max_stream_duration, Some(expected));
        let fault = of_json(json!({"maxStreamDuration": {"grpcTimeoutHeaderMax": "long"}})).unwrap_err();
        assert!(fault[0].starts_with("maxStreamDuration.grpcTimeoutHeaderMax: "), "{fault:?}");
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
