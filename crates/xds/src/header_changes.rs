//! Changes of headers, in Envoy's terms.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use serin_api::proxy::{AddedHeader, HeaderChanges, HeaderEdits};

/// Header changes as each of Envoy's messages that can have them holds them.
#[derive(Default)]
pub(crate) struct EnvoyHeaders {
    pub(crate) request_add: Vec<HeaderValueOption>,
    pub(crate) request_remove: Vec<String>,
    pub(crate) response_add: Vec<HeaderValueOption>,
    pub(crate) response_remove: Vec<String>,
}

/// `changes`, in Envoy's terms.
pub(crate) fn envoy_headers(changes: Option<&HeaderChanges>) -> EnvoyHeaders {
    let Some(HeaderChanges { request, response }) = changes else { return EnvoyHeaders::default() };
    let (request_add, request_remove) = edits(request);
    let (response_add, response_remove) = edits(response);
    EnvoyHeaders { request_add, request_remove, response_add, response_remove }
}

fn edits(edits: &HeaderEdits) -> (Vec<HeaderValueOption>, Vec<String>) {
    let HeaderEdits { remove, add } = edits;
    (add.iter().map(added).collect(), remove.clone())
}

fn added(added: &AddedHeader) -> HeaderValueOption {
    let AddedHeader { name, value, append } = added;
    let action = match append {
        true => HeaderAppendAction::AppendIfExistsOrAdd,
        false => HeaderAppendAction::OverwriteIfExistsOrAdd,
    };
    HeaderValueOption {
        header: Some(HeaderValue { key: name.clone(), value: value.clone(), ..HeaderValue::default() }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}
