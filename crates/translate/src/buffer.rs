//! The option `bufferPerRoute` of routes and hosts: one of two things, and a limit that something fits under.

use serin_api::gateway::{Buffer, BufferPerRoute};
use serin_api::proxy::RequestBuffer;

use crate::option_fault::OptionFault;

/// What `written` comes to. What is wrong with it is added to `faults`.
pub(crate) fn of(written: Option<&BufferPerRoute>, faults: &mut Vec<OptionFault>) -> Option<RequestBuffer> {
    let BufferPerRoute { disabled, buffer } = written?;
    match (disabled, buffer) {
        (true, None) => Some(RequestBuffer::Off),
        (false, None) => None,
        (true, Some(_)) => {
            faults.push(OptionFault::new("bufferPerRoute", "keep only one of disabled and buffer"));
            None
        }
        (false, Some(Buffer { max_request_bytes })) => {
            let limit = max_request_bytes.filter(|limit| *limit > 0);
            if limit.is_none() {
                let reason = "say how many bytes a request may have; at least 1";
                faults.push(OptionFault::new("bufferPerRoute.buffer.maxRequestBytes", reason));
            }
            limit.map(RequestBuffer::UpTo)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> (Option<RequestBuffer>, Vec<String>) {
        let mut faults = Vec::new();
        let written = serde_json::from_value(value).unwrap();
        (of(Some(&written), &mut faults), faults.into_iter().map(|fault| fault.field).collect())
    }

    #[test]
    fn it_is_one_of_two_things() {
        for (value, expected) in [
            (json!({}), None),
            (json!({"disabled": false}), None),
            (json!({"disabled": true}), Some(RequestBuffer::Off)),
            (json!({"buffer": {"maxRequestBytes": 5}}), Some(RequestBuffer::UpTo(5))),
        ] {
            assert_eq!(of_json(value), (expected, Vec::new()));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, field) in [
            (json!({"buffer": {}}), "bufferPerRoute.buffer.maxRequestBytes"),
            (json!({"buffer": {"maxRequestBytes": 0}}), "bufferPerRoute.buffer.maxRequestBytes"),
            (json!({"buffer": {"maxRequestBytes": 5}, "disabled": true}), "bufferPerRoute"),
        ] {
            assert_eq!(of_json(value), (None, vec![field.to_owned()]));
        }
    }
}
