//! `cors`, read into the flattened model.

use serin_api::gateway::CorsPolicy as Written;
use serin_api::proxy::{CorsPolicy, OriginMatch};

use crate::option_fault::OptionFault;
use crate::pattern;

/// What `written` comes to.
pub(crate) fn of(written: Option<&Written>, faults: &mut Vec<OptionFault>) -> Option<CorsPolicy> {
    let written = written?;
    if written.allow_origin.is_empty() && written.allow_origin_regex.is_empty() && !written.disable_for_route {
        let reason = "must provide at least one of allowOrigin and allowOriginRegex; \"*\" in allowOrigin allows all";
        faults.push(OptionFault::new("cors", reason));
    }
    for (at, origin) in written.allow_origin_regex.iter().enumerate() {
        if let Err(reason) = pattern::check(origin) {
            let reason = format!("invalid regex: {origin}: {reason}");
            faults.push(OptionFault::new(&format!("cors.allowOriginRegex[{at}]"), reason));
        }
    }
    let lists = [
        ("allowMethods", &written.allow_methods),
        ("allowHeaders", &written.allow_headers),
        ("exposeHeaders", &written.expose_headers),
    ];
    for (list, values) in lists {
        for (at, value) in values.iter().enumerate().filter(|(_, value)| !is_plain(value)) {
            let reason = format!("{value:?} cannot be sent in a header");
            faults.push(OptionFault::new(&format!("cors.{list}[{at}]"), reason));
        }
    }
    if !is_plain(&written.max_age) {
        let reason = format!("{:?} cannot be sent in a header; write seconds, such as \"86400\"", written.max_age);
        faults.push(OptionFault::new("cors.maxAge", reason));
    }
    let exact = written.allow_origin.iter().cloned().map(OriginMatch::Exact);
    Some(CorsPolicy {
        disabled: written.disable_for_route,
        allow_origins: exact.chain(written.allow_origin_regex.iter().cloned().map(OriginMatch::Regex)).collect(),
        allow_methods: written.allow_methods.join(","),
        allow_headers: written.allow_headers.join(","),
        expose_headers: written.expose_headers.join(","),
        max_age: written.max_age.clone(),
        allow_credentials: written.allow_credentials,
    })
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Option<CorsPolicy>, Vec<String>) {
        let mut faults = Vec::new();
        let policy = of(Some(&serde_json::from_value(value).unwrap()), &mut faults);
        (policy, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn lists_become_the_values_of_headers() {
        let (policy, faults) = of_json(json!({
            "allowOrigin": ["https://a.com"], "allowOriginRegex": ["https://[a-z]+"], "allowMethods": ["GET", "PUT"],
            "allowHeaders": ["x-a", "x-b"], "exposeHeaders": ["x-c"], "maxAge": "10", "allowCredentials": true,
        }));
        assert_eq!(faults, [""; 0]);
        let expected = CorsPolicy {
            disabled: false,
            allow_origins: vec![
                OriginMatch::Exact("https://a.com".into()),
                OriginMatch::Regex("https://[a-z]+".into()),
            ],
            allow_methods: "GET,PUT".into(),
            allow_headers: "x-a,x-b".into(),
            expose_headers: "x-c".into(),
            max_age: "10".into(),
            allow_credentials: true,
        };
        assert_eq!(policy, Some(expected));
        assert_eq!(of_json(json!({"disableForRoute": true})).1, [""; 0]);
    }

    #[test]
    fn bad_values_are_named() {
        for (value, says) in [
            (json!({}), "cors: must provide at least one of allowOrigin and allowOriginRegex"),
            (json!({"allowOriginRegex": ["a("]}), "cors.allowOriginRegex[0]: invalid regex: a(: unclosed group"),
            (json!({"allowOrigin": ["*"], "allowHeaders": ["x", "a\nb"]}), "cors.allowHeaders[1]: \"a\\nb\" cannot be"),
            (json!({"allowOrigin": ["*"], "maxAge": "\u{7}"}), "cors.maxAge: "),
        ] {
            let (_, faults) = of_json(value);
            assert!(faults.len() == 1 && faults[0].starts_with(says), "{faults:?}");
        }
    }
}
