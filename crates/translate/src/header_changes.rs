//! `headerManipulation`, read into the flattened model.

use serin_api::Format;
use serin_api::gateway::{HeaderManipulation, NameAndValue};
use serin_api::proxy::{AddedHeader, HeaderChanges, HeaderEdits};

use crate::action::is_header_name;
use crate::option_fault::OptionFault;

/// Headers that say where a message ends: the data plane sets them itself.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// What `written` comes to; `None` where it changes nothing.
pub(crate) fn of(written: Option<&HeaderManipulation>, faults: &mut Vec<OptionFault>) -> Option<HeaderChanges> {
    let written = written?;
    let mut reader = Reader { faults };
    let changes = HeaderChanges {
        request: HeaderEdits {
            remove: reader.names("requestHeadersToRemove", &written.request_headers_to_remove),
            add: written
                .request_headers_to_add
                .iter()
                .enumerate()
                .filter(|(_, added)| added.header.is_some() || added.header_secret_ref.is_none())
                .filter_map(|(at, added)| {
                    reader.added(&format!("requestHeadersToAdd[{at}]"), added.header.as_ref(), added.append)
                })
                .collect(),
        },
        response: HeaderEdits {
            remove: reader.names("responseHeadersToRemove", &written.response_headers_to_remove),
            add: written
                .response_headers_to_add
                .iter()
                .enumerate()
                .filter_map(|(at, added)| {
                    reader.added(&format!("responseHeadersToAdd[{at}]"), added.header.as_ref(), added.append)
                })
                .collect(),
        },
    };
    Some(changes).filter(|changes| !changes.is_empty())
}

struct Reader<'f> {
    faults: &'f mut Vec<OptionFault>,
}

impl Reader<'_> {
    fn fault(&mut self, field: &str, reason: impl Into<String>) {
        self.faults.push(OptionFault::new(&format!("headerManipulation.{field}"), reason));
    }

    fn names(&mut self, list: &str, names: &[String]) -> Vec<String> {
        let mut read = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            match check_name(name) {
                Ok(()) => read.push(name.to_ascii_lowercase()),
                Err(reason) => self.fault(&format!("{list}[{at}]"), reason),
            }
        }
        read
    }

    fn added(&mut self, at: &str, header: Option<&NameAndValue>, append: Option<bool>) -> Option<AddedHeader> {
        let Some(NameAndValue { key, value }) = header else {
            self.fault(&format!("{at}.header"), "it is missing; write {key: x-name, value: text}");
            return None;
        };
        if let Err(reason) = check_name(key) {
            self.fault(&format!("{at}.header.key"), reason);
        }
        if let Err(reason) = Format::parse_header(value) {
            self.fault(&format!("{at}.header.value"), reason.to_string());
        }
        if let Some(character) = value.chars().find(|character| character.is_control() && *character != '\t') {
            self.fault(&format!("{at}.header.value"), format!("it contains {character:?}, which a header cannot have"));
        }
        Some(AddedHeader { name: key.to_ascii_lowercase(), value: value.clone(), append: append.unwrap_or(true) })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.starts_with(':') {
        return Err(format!(
            "{name} is no header but a part of the request; use hostRewrite, prefixRewrite or regexRewrite"
        ));
    }
    if !is_header_name(name) {
        return Err(format!("{name:?} is not a header name"));
    }
    if name.eq_ignore_ascii_case("host") {
        return Err("the host is not changed as a header; use hostRewrite or autoHostRewrite on the route".to_owned());
    }
    if FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
        return Err(format!("{name} says where the message ends, so it cannot be changed; leave it out"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Option<HeaderChanges>, Vec<String>) {
        let mut faults = Vec::new();
        let changes = of(Some(&serde_json::from_value(value).unwrap()), &mut faults);
        (changes, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect())
    }

    #[test]
    fn names_are_lowered_and_append_is_the_default() {
        let (changes, faults) = of_json(json!({
            "requestHeadersToAdd": [{"header": {"key": "X-A", "value": "%REQ(b)%"}},
                {"headerSecretRef": {"name": "s", "namespace": "n"}}],
            "responseHeadersToAdd": [{"header": {"key": "x-c", "value": "d"}, "append": false}],
            "responseHeadersToRemove": ["Server"],
        }));
        assert_eq!(faults, [""; 0]);
        let changes = changes.unwrap();
        let added = |name: &str, value: &str, append| AddedHeader { name: name.into(), value: value.into(), append };
        assert_eq!(changes.request, HeaderEdits { remove: vec![], add: vec![added("x-a", "%REQ(b)%", true)] });
        let response = HeaderEdits { remove: vec!["server".into()], add: vec![added("x-c", "d", false)] };
        assert_eq!(changes.response, response);
        assert_eq!(of_json(json!({"requestHeadersToAdd": []})), (None, vec![]));
    }

    #[test]
    fn what_cannot_be_changed_is_named_with_the_way_out() {
        let add = |key: &str, value: &str| json!({"requestHeadersToAdd": [{"header": {"key": key, "value": value}}]});
        for (value, field, says) in [
            (add(":path", "/"), "requestHeadersToAdd[0].header.key", "use hostRewrite, prefixRewrite or regexRewrite"),
            (add("Host", "a"), "requestHeadersToAdd[0].header.key", "use hostRewrite or autoHostRewrite"),
            (add("a b", "a"), "requestHeadersToAdd[0].header.key", "\"a b\" is not a header name"),
            (add("", "a"), "requestHeadersToAdd[0].header.key", "is not a header name"),
            (add("Content-Length", "1"), "requestHeadersToAdd[0].header.key", "leave it out"),
            (add("x", "%NOPE%"), "requestHeadersToAdd[0].header.value", "%NOPE% at byte 0 is not an operator"),
            (add("x", "%DURATION%"), "requestHeadersToAdd[0].header.value", "is not supported in a header's value"),
            (add("x", "50%"), "requestHeadersToAdd[0].header.value", "write %% for a percent sign"),
            (add("x", "a\nb"), "requestHeadersToAdd[0].header.value", r"it contains '\n'"),
            (json!({"responseHeadersToAdd": [{}]}), "responseHeadersToAdd[0].header", "it is missing"),
            (
                json!({"responseHeadersToRemove": ["x", ":status"]}),
                "responseHeadersToRemove[1]",
                ":status is no header",
            ),
        ] {
            let (_, faults) = of_json(value);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(&format!("headerManipulation.{field}: ")), "{faults:?}");
            assert!(faults[0].contains(says), "{faults:?}");
        }
    }
}
