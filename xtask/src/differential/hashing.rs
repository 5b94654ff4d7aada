//! What of a request is hashed, drawn from a seed.

use fastrand::Rng;
use serin_api::proxy::{Action, Forward, HashKey, HashPart, Target};

use super::configurations::pick;
use super::world::HASHED;

/// Whether the route may go to endpoints that a hash chooses.
pub(crate) fn is_for(action: &Action) -> bool {
    let chooses = |target: &Target| match target {
        Target::Cluster { cluster, .. } => HASHED.contains(&cluster.as_str()),
        Target::DirectResponse { .. } => false,
    };
    match action {
        Action::Forward(Forward::Weighted(targets)) => targets.iter().any(|weighted| chooses(&weighted.target)),
        _ => false,
    }
}

/// What is hashed for such a route. The last part is one that every request has: without a hash the endpoint is drawn.
pub(crate) fn draw(random: &mut Rng, action: &Action) -> Vec<HashPart> {
    if !is_for(action) {
        return Vec::new();
    }
    let mut parts: Vec<_> = (0..random.usize(..4)).map(|_| part(random)).collect();
    parts.push(HashPart { key: HashKey::SourceIp, terminal: random.bool() });
    parts
}

fn part(random: &mut Rng) -> HashPart {
    let key = match random.u8(..6) {
        0 => HashKey::SourceIp,
        1 | 2 => HashKey::Cookie { name: pick(random, &["a", "c"]).to_owned(), ttl: None, path: String::new() },
        _ => HashKey::Header(pick(random, &["x-flag", "x-host", "x-empty", ":path"]).to_owned()),
    };
    HashPart { key, terminal: random.u8(..3) == 0 }
}
