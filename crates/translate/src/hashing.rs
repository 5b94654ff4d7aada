//! The option `lbHash`: each part names one thing to hash, and names it well.

use serin_api::gateway::{HashPolicy, RouteActionHashConfig};
use serin_api::proxy::{HashKey, HashPart};

use crate::action::is_header_name;
use crate::option_fault::OptionFault;

/// What of a request is no header, and may be hashed like one.
const PSEUDO: [&str; 3] = [":authority", ":path", ":method"];

/// What `written` comes to. What is wrong with it is added to `faults`.
pub(crate) fn of(written: Option<RouteActionHashConfig>, faults: &mut Vec<OptionFault>) -> Vec<HashPart> {
    let mut parts = Vec::new();
    for (place, policy) in written.unwrap_or_default().hash_policies.into_iter().enumerate() {
        let terminal = policy.terminal;
        match key(policy) {
            Ok(Some(key)) => parts.push(HashPart { key, terminal }),
            Ok(None) => {}
            Err((field, reason)) => {
                let field = if field.is_empty() { String::new() } else { format!(".{field}") };
                faults.push(OptionFault::new(&format!("lbHash.hashPolicies[{place}]{field}"), reason));
            }
        }
    }
    parts
}

/// What a part hashes; nothing where it says `sourceIp: false`.
fn key(written: HashPolicy) -> Result<Option<HashKey>, (&'static str, String)> {
    match (written.header, written.cookie, written.source_ip) {
        (Some(header), None, None) => {
            let name = header.to_ascii_lowercase();
            if !is_header_name(&name) && !PSEUDO.contains(&name.as_str()) {
                return Err(("header", format!("{header:?} is not the name of a header")));
            }
            Ok(Some(HashKey::Header(name)))
        }
        (None, Some(cookie), None) => {
            if !is_header_name(&cookie.name) {
                return Err(("cookie.name", format!("{:?} is not the name of a cookie", cookie.name)));
            }
            let plain = cookie.path.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && !b";\"".contains(&byte));
            if !plain {
                return Err(("cookie.path", format!("{:?} is not a path; write one like / or /shop", cookie.path)));
            }
            Ok(Some(HashKey::Cookie { name: cookie.name, ttl: cookie.ttl, path: cookie.path }))
        }
        (None, None, Some(source_ip)) => Ok(source_ip.then_some(HashKey::SourceIp)),
        (None, None, None) => Err(("", "set one of header, cookie and sourceIp".to_owned())),
        _ => Err(("", "set only one of header, cookie and sourceIp; further ones are parts of their own".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use serin_api::GoDuration;

    use super::*;

    fn of_json(policies: Value) -> (Vec<HashPart>, Vec<String>) {
        let mut faults = Vec::new();
        let parts = of(serde_json::from_value(json!({"hashPolicies": policies})).unwrap(), &mut faults);
        (parts, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn parts_are_read_in_their_order() {
        let (parts, faults) = of_json(json!([
            {"header": "X-User", "terminal": true},
            {"header": ":path"},
            {"cookie": {"name": "side", "ttl": "1h", "path": "/shop"}},
            {"sourceIp": false},
            {"sourceIp": true},
        ]));
        assert_eq!(faults, [""; 0]);
        let part = |key| HashPart { key, terminal: false };
        let cookie = HashKey::Cookie { name: "side".into(), ttl: GoDuration::parse("1h"), path: "/shop".into() };
        assert_eq!(
            parts,
            [
                HashPart { key: HashKey::Header("x-user".into()), terminal: true },
                part(HashKey::Header(":path".into())),
                part(cookie),
                part(HashKey::SourceIp),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (policy, expected) in [
            (json!({}), ": set one of header, cookie and sourceIp"),
            (json!({"terminal": true}), ": set one of header, cookie and sourceIp"),
            (json!({"header": "a", "sourceIp": true}), ": set only one of header, cookie and sourceIp"),
            (json!({"header": "no name"}), ".header: \"no name\" is not the name of a header"),
            (json!({"header": ""}), ".header: \"\" is not the name of a header"),
            (json!({"header": ":status"}), ".header: \":status\" is not the name of a header"),
            (json!({"cookie": {"ttl": "1s"}}), ".cookie.name: \"\" is not the name of a cookie"),
            (json!({"cookie": {"name": "a=b"}}), ".cookie.name: \"a=b\" is not the name of a cookie"),
            (json!({"cookie": {"name": "a", "path": "/x;y"}}), ".cookie.path: \"/x;y\" is not a path"),
        ] {
            let (parts, faults) = of_json(json!([{"sourceIp": true}, policy.clone()]));
            let expected = format!("lbHash.hashPolicies[1]{expected}");
            assert!(faults.len() == 1 && faults[0].starts_with(&expected), "{policy}: {faults:?}");
            assert_eq!(parts.len(), 1);
        }
    }
}
