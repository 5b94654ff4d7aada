//! A Gateway's `httpConnectionManagerSettings`: how its listener speaks HTTP, and what it does to every request.

use serin_api::ResourceId;
use serin_api::gateway::{
    Buffer, EscapedSlashesAction, HeadersWithUnderscoreAction, HttpConnectionManagerSettings, HttpListenerOptions,
    ServerHeaderTransformation, UuidRequestIdConfig,
};
use serin_api::proxy::{
    EscapedSlashes, ForwardedSettings, HttpSettings, PathSettings, RequestIds, ServerHeader, Underscores,
};

use crate::client_certificate;
use crate::connection_settings;
use crate::internal_addresses;
use crate::option_fault::{OptionFault, read};
use crate::options::Options;
use crate::report::{Book, Finding};

const BLOCK: &str = "spec.httpGateway.options";
const FIELD: &str = "httpConnectionManagerSettings";
/// What Envoy calls itself where nobody says otherwise; manifests that ask for a name without giving one mean this.
const SERVER: &str = "envoy";

/// What a listener is asked to do.
#[derive(Default)]
pub(crate) struct Asked {
    /// Whether a port in the request's Host is cut off.
    pub(crate) strip_any_host_port: bool,
    pub(crate) http: HttpSettings,
}

/// What `options` ask for. A field at fault is left out and told.
pub(crate) fn of(id: &ResourceId, options: Option<&Options>, book: &mut Book) -> Asked {
    let Some(options) = options else { return Asked::default() };
    let mut faults: Vec<OptionFault> = Vec::new();
    let HttpListenerOptions { http_connection_manager_settings, buffer, router } = read_all(options, &mut faults);
    let settings = http_connection_manager_settings.unwrap_or_default();
    let http = HttpSettings {
        paths: paths(&settings),
        connections: connection_settings::of(&settings, &mut faults),
        forwarded: forwarded(&settings),
        client_certificate: client_certificate::of(&settings),
        internal: internal_addresses::of(settings.internal_address_config.as_ref(), &mut faults),
        request_ids: settings
            .uuid_request_id_config
            .as_ref()
            .map(request_ids)
            .filter(|ids| *ids != RequestIds::default()),
        buffer: buffer.and_then(|buffer| held(&buffer, &mut faults)),
        suppress_envoy_headers: router.and_then(|router| router.suppress_envoy_headers).unwrap_or_default(),
        underscores: match settings.headers_with_underscores_action.unwrap_or_default() {
            HeadersWithUnderscoreAction::Allow => Underscores::Allow,
            HeadersWithUnderscoreAction::Reject => Underscores::Reject,
            HeadersWithUnderscoreAction::Drop => Underscores::Drop,
        },
        server: server(&settings, &mut faults),
        via: header_value("via", settings.via.clone(), &mut faults),
    };
    for OptionFault { field, reason } in faults {
        let path = format!("{BLOCK}.{field}");
        book.add(Finding::error(id, path.clone(), format!("{path}: {reason}")));
    }
    Asked { strip_any_host_port: settings.strip_any_host_port.unwrap_or_default(), http }
}

/// Reads each field by itself, so that one at fault does not take the others with it.
fn read_all(options: &Options, faults: &mut Vec<OptionFault>) -> HttpListenerOptions {
    let Some(serde_json::Value::Object(fields)) = options.get(FIELD) else { return read(options, faults) };
    let mut of_block = Vec::new();
    let settings: HttpConnectionManagerSettings = read(fields, &mut of_block);
    faults.extend(of_block.into_iter().map(|OptionFault { field, reason }| fault(&field, reason)));
    let mut others = options.clone();
    others.remove(FIELD);
    HttpListenerOptions { http_connection_manager_settings: Some(settings), ..read(&others, faults) }
}

/// Up to how many bytes requests are held.
fn held(buffer: &Buffer, faults: &mut Vec<OptionFault>) -> Option<u32> {
    let limit = buffer.max_request_bytes.filter(|limit| *limit > 0);
    if limit.is_none() {
        let reason = "say how many bytes a request may have; at least 1";
        faults.push(OptionFault::new("buffer.maxRequestBytes", reason));
    }
    limit
}

fn request_ids(written: &UuidRequestIdConfig) -> RequestIds {
    let UuidRequestIdConfig { pack_trace_reason, use_request_id_for_trace_sampling } = *written;
    RequestIds { pack_trace_reason, choose_traces: use_request_id_for_trace_sampling }
}

/// A fault of a field of the settings.
pub(crate) fn fault(field: &str, reason: impl Into<String>) -> OptionFault {
    OptionFault::new(&format!("{FIELD}.{field}"), reason)
}

fn paths(settings: &HttpConnectionManagerSettings) -> PathSettings {
    PathSettings {
        escaped_slashes: match settings.path_with_escaped_slashes_action.unwrap_or_default() {
            EscapedSlashesAction::Default | EscapedSlashesAction::Keep => EscapedSlashes::Keep,
            EscapedSlashesAction::Reject => EscapedSlashes::Reject,
            EscapedSlashesAction::Redirect => EscapedSlashes::Redirect,
            EscapedSlashesAction::Forward => EscapedSlashes::Undo,
        },
        normalize: settings.normalize_path.unwrap_or(true),
        merge_slashes: settings.merge_slashes.unwrap_or_default(),
    }
}

fn forwarded(settings: &HttpConnectionManagerSettings) -> ForwardedSettings {
    let use_remote_address = settings.use_remote_address.unwrap_or(true);
    ForwardedSettings {
        use_remote_address,
        trusted_hops: settings.xff_num_trusted_hops.unwrap_or_default(),
        append_for: use_remote_address && !settings.skip_xff_append.unwrap_or_default(),
        port: settings.append_x_forwarded_port.unwrap_or_default(),
        generate_request_id: settings.generate_request_id.unwrap_or(true),
        keep_external_request_id: settings.preserve_external_request_id.unwrap_or_default(),
    }
}

fn server(settings: &HttpConnectionManagerSettings, faults: &mut Vec<OptionFault>) -> Option<ServerHeader> {
    let name = header_value("serverName", settings.server_name.clone(), faults);
    let overwrite = match (settings.server_header_transformation, &name) {
        (Some(ServerHeaderTransformation::PassThrough), _) | (None, None) => return None,
        (Some(ServerHeaderTransformation::AppendIfAbsent), _) => false,
        (Some(ServerHeaderTransformation::Overwrite), _) | (None, Some(_)) => true,
    };
    Some(ServerHeader { name: name.unwrap_or_else(|| SERVER.to_owned()), overwrite })
}

/// A value that a header can have; `None` for none, and for one that it cannot.
fn header_value(field: &str, value: Option<String>, faults: &mut Vec<OptionFault>) -> Option<String> {
    let value = value.filter(|value| !value.is_empty())?;
    let fits = value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) && value.trim() == value;
    if !fits {
        faults.push(fault(field, format!("{value:?} cannot be a header's value: use printable ASCII")));
    }
    fits.then_some(value)
}
