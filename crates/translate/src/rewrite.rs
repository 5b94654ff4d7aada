//! Options that change the path and the host on the way to the upstream.

use serin_api::gateway::{RegexRewrite, RouteOptions};
use serin_api::proxy::{HostRewrite, PathRewrite, RoutePolicy, Substitution};

use crate::action::is_header_name;
use crate::option_fault::OptionFault;
use crate::{path, pattern};

/// Puts the rewrites among `options` into `policy`.
pub(crate) fn fill(options: &RouteOptions, policy: &mut RoutePolicy, faults: &mut Vec<OptionFault>) {
    policy.path_rewrite = path_rewrite(options, faults);
    policy.host_rewrite = host_rewrite(options, faults);
    policy.append_x_forwarded_host = policy.host_rewrite.is_some() && options.append_x_forwarded_host.unwrap_or(false);
}

/// An empty prefix leaves the path as it is, as in Envoy.
fn path_rewrite(options: &RouteOptions, faults: &mut Vec<OptionFault>) -> Option<PathRewrite> {
    let prefix = options.prefix_rewrite.as_ref().filter(|prefix| !prefix.is_empty());
    if let Some(prefix) = prefix
        && let Err(reason) = path::check_target(prefix)
    {
        faults.push(OptionFault::new("prefixRewrite", format!("the rewrite is invalid: {prefix}: {reason}")));
    }
    let regex = options.regex_rewrite.as_ref().map(|regex| substitution("regexRewrite", regex, faults));
    if prefix.is_some() && regex.is_some() {
        faults.push(OptionFault::new("regexRewrite", "keep only one of prefixRewrite and regexRewrite"));
    }
    regex.map(PathRewrite::Regex).or_else(|| prefix.cloned().map(PathRewrite::Prefix))
}

fn host_rewrite(options: &RouteOptions, faults: &mut Vec<OptionFault>) -> Option<HostRewrite> {
    let mut all = Vec::new();
    if let Some(host) = options.host_rewrite.as_ref().filter(|host| !host.is_empty()) {
        if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = format!("{host:?} is not a host; write one like api.example.com or 10.0.0.1:8080");
            faults.push(OptionFault::new("hostRewrite", reason));
        }
        all.push(("hostRewrite", Some(HostRewrite::Literal(host.clone()))));
    }
    if let Some(auto) = options.auto_host_rewrite {
        all.push(("autoHostRewrite", auto.then_some(HostRewrite::Endpoint)));
    }
    if let Some(name) = &options.host_rewrite_header {
        if !is_header_name(name) {
            faults.push(OptionFault::new("hostRewriteHeader", format!("{name:?} is not a header name")));
        }
        all.push(("hostRewriteHeader", Some(HostRewrite::Header(name.to_ascii_lowercase()))));
    }
    if let Some(regex) = &options.host_rewrite_path_regex {
        let made = substitution("hostRewritePathRegex", regex, faults);
        all.push(("hostRewritePathRegex", Some(HostRewrite::Path(made))));
    }
    if let [(first, _), rest @ ..] = all.as_slice() {
        for (other, _) in rest {
            faults
                .push(OptionFault::new(other, format!("the host is rewritten in one way; keep only {first} or this")));
        }
    }
    all.into_iter().next().and_then(|(_, rewrite)| rewrite)
}

fn substitution(field: &str, written: &RegexRewrite, faults: &mut Vec<OptionFault>) -> Substitution {
    let (regex, substitution) = (&written.pattern.regex, &written.substitution);
    match pattern::groups(regex) {
        _ if regex.is_empty() => {
            let reason = "there is nothing to look for; write a regular expression";
            faults.push(OptionFault::new(&format!("{field}.pattern.regex"), reason));
        }
        Err(reason) => {
            let reason = format!("invalid regex: {regex}: {reason}");
            faults.push(OptionFault::new(&format!("{field}.pattern.regex"), reason));
        }
        Ok(groups) => {
            if let Err(reason) = check_substitution(substitution, groups) {
                faults.push(OptionFault::new(&format!("{field}.substitution"), reason));
            }
        }
    }
    Substitution { pattern: regex.clone(), substitution: substitution.clone() }
}

/// Whether a substitution names only groups that there are, and has no backslash that means nothing (RE2's rules).
fn check_substitution(text: &str, groups: usize) -> Result<(), String> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character.is_control() {
            return Err(format!("{text:?} contains {character:?}, which neither a path nor a host can have"));
        }
        if character != '\\' {
            continue;
        }
        match characters.next() {
            Some('\\') => {}
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).unwrap_or_default() as usize;
                if group > groups {
                    return Err(format!("{text} names group \\{group}, but the pattern has {groups}"));
                }
            }
            _ => return Err(format!("{text}: a backslash is followed by a group's digit; write \\\\ for a backslash")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(options: Value) -> (RoutePolicy, Vec<String>) {
        let (mut policy, mut faults) = (RoutePolicy::default(), Vec::new());
        fill(&serde_json::from_value(options).unwrap(), &mut policy, &mut faults);
        (policy, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    fn fault(options: Value) -> String {
        let (_, faults) = of(options);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().unwrap()
    }

    #[test]
    fn each_rewrite_is_read() {
        let regex = json!({"pattern": {"regex": "^/(a)"}, "substitution": r"\1\\"});
        let made = Substitution { pattern: "^/(a)".to_owned(), substitution: r"\1\\".to_owned() };
        let (policy, faults) = of(json!({"regexRewrite": regex, "hostRewritePathRegex": regex,
            "appendXForwardedHost": true, "prefixRewrite": ""}));
        assert_eq!(faults, [""; 0]);
        assert_eq!(policy.path_rewrite, Some(PathRewrite::Regex(made.clone())));
        assert_eq!((policy.host_rewrite, policy.append_x_forwarded_host), (Some(HostRewrite::Path(made)), true));
        for (options, rewrite) in [
            (json!({"hostRewrite": "a.b:80"}), Some(HostRewrite::Literal("a.b:80".to_owned()))),
            (json!({"autoHostRewrite": true}), Some(HostRewrite::Endpoint)),
            (json!({"hostRewriteHeader": "X-To"}), Some(HostRewrite::Header("x-to".to_owned()))),
            (json!({"autoHostRewrite": false, "appendXForwardedHost": true}), None),
            (json!({"hostRewrite": "", "prefixRewrite": ""}), None),
        ] {
            let (policy, faults) = of(options);
            assert_eq!((policy.host_rewrite, faults), (rewrite, Vec::new()));
            assert_eq!((policy.path_rewrite, policy.append_x_forwarded_host), (None, false));
        }
    }

    #[test]
    fn bad_values_are_named_with_the_way_out() {
        let regex = |pattern: &str, substitution: &str| json!({"regexRewrite": {"pattern": {"regex": pattern}, "substitution": substitution}});
        assert_eq!(fault(regex("/(a", "/")), "regexRewrite.pattern.regex: invalid regex: /(a: unclosed group");
        assert!(fault(regex("", "/")).starts_with("regexRewrite.pattern.regex: there is nothing to look for"));
        assert_eq!(
            fault(regex("/(a)", r"/\2")),
            r"regexRewrite.substitution: /\2 names group \2, but the pattern has 1"
        );
        assert!(fault(regex("/", r"/\d")).ends_with(r"write \\ for a backslash"));
        assert!(fault(regex("/", "/\n")).contains(r"contains '\n'"));
        let mut both = regex("/a", "/b");
        both["prefixRewrite"] = json!("/c");
        assert_eq!(fault(both), "regexRewrite: keep only one of prefixRewrite and regexRewrite");
        assert!(fault(json!({"hostRewrite": "a b"})).starts_with("hostRewrite: \"a b\" is not a host"));
        assert_eq!(fault(json!({"hostRewriteHeader": "a b"})), "hostRewriteHeader: \"a b\" is not a header name");
        assert_eq!(
            fault(json!({"hostRewrite": "a", "autoHostRewrite": true})),
            "autoHostRewrite: the host is rewritten in one way; keep only hostRewrite or this"
        );
    }
}
