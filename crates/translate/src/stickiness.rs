//! Stickiness: checked, and salted with what makes one rollout another than the last.

use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::gateway;
use serin_api::proxy::{Stickiness, StickyKey, Target, WeightedTarget};

use crate::action::is_header_name;
use crate::destination::Notes;
use crate::field_path::FieldPath;

/// The stickiness of a route of `owner` with these targets. Nothing: it is at fault, and the notes say why.
pub(crate) fn of(
    written: &gateway::Stickiness,
    owner: &ResourceId,
    targets: &[WeightedTarget],
    at: &FieldPath<'_>,
    notes: &mut Notes<'_>,
) -> Option<Arc<Stickiness>> {
    let key = match (&written.header, &written.cookie) {
        (Some(header), None) => {
            if !is_header_name(header) {
                notes.malformed(&at.field("header"), &format!("{header} is an invalid HTTP header name"));
                return None;
            }
            StickyKey::Header(header.to_ascii_lowercase())
        }
        (None, Some(cookie)) => {
            let at = at.field("cookie");
            let path = cookie.path.clone().unwrap_or_else(|| "/".to_owned());
            if !is_header_name(&cookie.name) {
                notes.malformed(&at.field("name"), &format!("{:?} is not the name of a cookie", cookie.name));
                return None;
            }
            let plain = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b';' && byte != b'"');
            if !path.starts_with('/') || !plain {
                notes.malformed(&at.field("path"), &format!("{path:?} is not a path; write one like / or /shop"));
                return None;
            }
            StickyKey::Cookie { name: cookie.name.clone(), ttl: cookie.ttl.filter(|ttl| !ttl.0.is_zero()), path }
        }
        _ => {
            notes.malformed(at, "set one of cookie and header: users are told apart by one of them");
            return None;
        }
    };
    Some(Arc::new(Stickiness { key, salt: salt(owner, targets) }))
}

/// What is new when a rollout is: whose it is, and which versions it is between. Weights do not count.
fn salt(owner: &ResourceId, targets: &[WeightedTarget]) -> String {
    let mut salt = format!("{}/{}", owner.namespace, owner.name);
    for weighted in targets {
        match &weighted.target {
            Target::Cluster { cluster, subset } => {
                salt.push_str(&format!(" {cluster}"));
                subset.iter().for_each(|(label, value)| salt.push_str(&format!(",{label}={value}")));
            }
            Target::DirectResponse { .. } => salt.push_str(" -"),
        }
    }
    salt
}
