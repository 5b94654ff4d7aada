//! Changes of headers, drawn from a seed.

use fastrand::Rng;
use serin_api::proxy::{AddedHeader, HeaderChanges, HeaderEdits};

use super::configurations::pick;

/// What requests have, what comes to them on the way, and what nobody has.
const OF_REQUESTS: [&str; 8] = ["x-flag", "x-empty", "x-new", "cookie", "user-agent", "x-to", "x-host", "accept"];
const OF_RESPONSES: [&str; 8] =
    ["x-upstream", "x-empty", "x-spaces", "x-new", "set-cookie", "location", "content-type", "cache-control"];
const VALUES: [&str; 15] = [
    "",
    "plain",
    "two words",
    "100%%",
    "%REQ(x-flag)%",
    "%REQ(x-none)%",
    "%REQ(x-none?x-flag)%",
    "%REQ(x-flag?:path):3%",
    "%REQ(:METHOD)% %REQ(:path)%",
    "%REQ(:authority)%",
    "%REQ(x-flag)%-%REQ(x-empty)%",
    "%RESP(x-upstream)%",
    "%RESPONSE_CODE%",
    "%PROTOCOL%",
    "%HOSTNAME%",
];

/// Header changes; usually there are none.
pub(crate) fn draw(random: &mut Rng) -> Option<HeaderChanges> {
    if random.u8(..3) > 0 {
        return None;
    }
    let changes = HeaderChanges { request: edits(random, &OF_REQUESTS), response: edits(random, &OF_RESPONSES) };
    (!changes.is_empty()).then_some(changes)
}

/// The same without the path in what is added to responses: of a redirect, Envoy tells the rewritten one.
pub(crate) fn draw_without_path(random: &mut Rng) -> Option<HeaderChanges> {
    let mut changes = draw(random)?;
    changes.response.add.retain(|added| !added.value.contains(":path"));
    (!changes.is_empty()).then_some(changes)
}

fn edits(random: &mut Rng, names: &[&str]) -> HeaderEdits {
    let remove = (0..random.usize(..3)).map(|_| pick(random, names).to_owned()).collect();
    let add = (0..random.usize(..3)).map(|_| added(random, names)).collect();
    HeaderEdits { remove, add }
}

fn added(random: &mut Rng, names: &[&str]) -> AddedHeader {
    AddedHeader { name: pick(random, names).to_owned(), value: pick(random, &VALUES).to_owned(), append: random.bool() }
}
