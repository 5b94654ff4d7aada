//! How listeners speak HTTP, drawn from a seed. What limits connections is not drawn: it is about time and sizes.

use fastrand::Rng;
use serin_api::proxy::{
    ConnectionSettings, EscapedSlashes, ForwardedSettings, HttpSettings, PathSettings, ServerHeader, Underscores,
};

use super::configurations::pick;

/// What a listener does to every request.
pub(crate) fn draw(random: &mut Rng) -> HttpSettings {
    let use_remote_address = random.bool();
    HttpSettings {
        paths: PathSettings {
            escaped_slashes: pick(
                random,
                &[EscapedSlashes::Keep, EscapedSlashes::Reject, EscapedSlashes::Redirect, EscapedSlashes::Undo],
            ),
            normalize: random.u8(..3) > 0,
            merge_slashes: random.bool(),
        },
        connections: ConnectionSettings::default(),
        forwarded: ForwardedSettings {
            use_remote_address,
            trusted_hops: pick(random, &[0, 0, 1, 2]),
            append_for: use_remote_address && random.u8(..3) > 0,
            port: random.bool(),
            generate_request_id: random.u8(..4) > 0,
            keep_external_request_id: random.bool(),
        },
        underscores: pick(random, &[Underscores::Allow, Underscores::Reject, Underscores::Drop]),
        server: (random.u8(..3) > 0)
            .then(|| ServerHeader { name: "a server of its own".to_owned(), overwrite: random.bool() }),
        via: (random.u8(..3) == 0).then(|| "1.1 a-gateway".to_owned()),
        ..HttpSettings::default()
    }
}
