//! A virtual host's options, once they are merged: read, checked, and put into the flattened model's terms.

use std::sync::Arc;

use serin_api::gateway::VirtualHostOptions;
use serin_api::proxy::HostPolicy;

use crate::buffer;
use crate::cors;
use crate::header_changes;
use crate::option_fault::{OptionFault, kept, read};
use crate::options::Options;
use crate::retries;

/// What `options` come to.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn of(options: Option<&Options>) -> Result<Option<Arc<HostPolicy>>, Vec<OptionFault>> {
    let Some(options) = options else { return Ok(None) };
    let mut faults = Vec::new();
    let VirtualHostOptions {
        cors,
        header_manipulation,
        buffer_per_route,
        retries,
        include_request_attempt_count,
        include_attempt_count_in_response,
    } = read(options, &mut faults);
    let policy = HostPolicy {
        cors: cors::of(cors.as_ref(), &mut faults),
        headers: header_changes::of(header_manipulation.as_ref(), &mut faults),
        buffer: buffer::of(buffer_per_route.as_ref(), &mut faults),
        retries: retries.map(|written| retries::of(written, &mut faults)),
        attempts_in_request: include_request_attempt_count.unwrap_or(false),
        attempts_in_response: include_attempt_count_in_response.unwrap_or(false),
    };
    kept(policy, faults)
}
