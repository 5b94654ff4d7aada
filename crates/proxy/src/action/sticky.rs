//! A draw that is the same for each user: what [`Stickiness`] means.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue};
use serin_api::proxy::{Stickiness, StickyKey};

use crate::cookie;

/// Compiled stickiness.
#[derive(Debug)]
pub(crate) struct Sticky {
    /// The hash of the salt, which each user's goes on from.
    seed: u64,
    key: Key,
}

#[derive(Debug)]
enum Key {
    /// A header, or nothing where its name is none.
    Header(Option<HeaderName>),
    Cookie {
        name: String,
        /// What stands behind the value in `set-cookie`.
        attributes: String,
    },
}

/// Where a request falls.
#[derive(Debug, PartialEq)]
pub(crate) enum Draw {
    /// At this number, below the total.
    At(u64),
    /// At this number, because of the cookie that the response must set.
    New(u64, HeaderValue),
    /// Anywhere: nothing tells the user apart.
    Any,
}

impl Sticky {
    pub(crate) fn new(stickiness: &Stickiness) -> Self {
        let key = match &stickiness.key {
            StickyKey::Header(name) => Key::Header(HeaderName::from_bytes(name.as_bytes()).ok()),
            StickyKey::Cookie { name, ttl, path } => {
                let mut attributes = String::new();
                if let Some(ttl) = ttl {
                    let _ = write!(attributes, "; Max-Age={}", ttl.0.as_secs());
                }
                let _ = write!(attributes, "; Path={path}; HttpOnly; SameSite=Lax");
                Key::Cookie { name: name.clone(), attributes }
            }
        };
        Self { seed: hash(OFFSET, stickiness.salt.as_bytes()), key }
    }

    /// The place of a request among targets whose weights add up to `total`.
    pub(crate) fn draw(&self, headers: &HeaderMap, total: u64, random: &mut fastrand::Rng) -> Draw {
        match &self.key {
            Key::Header(name) => match name.as_ref().and_then(|name| headers.get(name)) {
                Some(id) if !id.is_empty() => Draw::At(self.place(id.as_bytes(), total)),
                _ => Draw::Any,
            },
            Key::Cookie { name, attributes } => match cookie::values(headers, name).find(|id| !id.is_empty()) {
                Some(id) => Draw::At(self.place(id, total)),
                None => {
                    let id = format!("{:032x}", random.u128(..));
                    match HeaderValue::try_from(format!("{name}={id}{attributes}")) {
                        Ok(set) => Draw::New(self.place(id.as_bytes(), total), set),
                        Err(_) => Draw::Any,
                    }
                }
            },
        }
    }

    fn place(&self, id: &[u8], total: u64) -> u64 {
        // A share of the whole range, so that a user's place does not depend on the total.
        ((u128::from(finish(hash(self.seed, id))) * u128::from(total)) >> 64) as u64
    }
}

/// FNV-1a, which is the same on every machine and in every release.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// Spreads a hash over all 64 bits (the last step of MurmurHash3).
fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;
    use serin_api::GoDuration;

    use super::*;

    fn sticky(salt: &str) -> Sticky {
        Sticky::new(&Stickiness { key: StickyKey::Header("x-user".into()), salt: salt.into() })
    }

    fn user(id: &str) -> HeaderMap {
        HeaderMap::from_iter([("x-user".parse().unwrap(), HeaderValue::from_str(id).unwrap())])
    }

    /// Whether the user is on the new side, which has `weight` of a hundred and comes second.
    fn is_new(sticky: &Sticky, id: usize, weight: u64) -> bool {
        let Draw::At(place) = sticky.draw(&user(&format!("user-{id}")), 100, &mut fastrand::Rng::with_seed(1)) else {
            panic!("a user is known");
        };
        place >= 100 - weight
    }

    #[test]
    fn nobody_moves_back_while_the_weight_grows_and_the_shares_are_the_weights() {
        let sticky = sticky("team/echo v1 v2");
        let mut before = vec![false; 10_000];
        for weight in [0, 1, 5, 10, 25, 50, 75, 90, 99, 100] {
            let now: Vec<bool> = (0..10_000).map(|id| is_new(&sticky, id, weight)).collect();
            assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "somebody moved back at {weight}");
            let share = now.iter().filter(|new| **new).count() as f64 / 100.0;
            assert!((share - weight as f64).abs() <= 1.0, "{share} percent at weight {weight}");
            before = now;
        }
        assert!(before.iter().all(|new| *new), "at 100 all are across");
        assert!(!(0..10_000).any(|id| is_new(&sticky, id, 0)), "at 0 all are back");
    }

    #[test]
    fn another_rollout_begins_with_other_users() {
        let first: Vec<usize> = (0..10_000).filter(|id| is_new(&sticky("v1 v2"), *id, 10)).collect();
        let again = first.iter().filter(|id| is_new(&sticky("v2 v3"), **id, 10)).count();
        assert!(again * 100 < first.len() * 15, "{again} of {}", first.len());
    }

    #[test]
    fn a_cookie_is_read_or_made() {
        let key = StickyKey::Cookie { name: "side".into(), ttl: GoDuration::parse("1h"), path: "/shop".into() };
        let sticky = Sticky::new(&Stickiness { key, salt: String::new() });
        let mut random = fastrand::Rng::with_seed(7);
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("xside=1; sidex=2; side="));
        let Draw::New(place, set) = sticky.draw(&headers, 1000, &mut random) else { panic!("a cookie is made") };
        let set = set.to_str().unwrap().to_owned();
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert_eq!(attributes, "Max-Age=3600; Path=/shop; HttpOnly; SameSite=Lax");
        headers.insert(COOKIE, HeaderValue::try_from(format!("other=1; {pair}")).unwrap());
        assert_eq!(sticky.draw(&headers, 1000, &mut random), Draw::At(place), "the next request falls where this did");
    }

    #[test]
    fn who_cannot_be_told_apart_is_drawn_by_weight() {
        assert_eq!(sticky("").draw(&HeaderMap::new(), 10, &mut fastrand::Rng::with_seed(1)), Draw::Any);
        assert_eq!(sticky("").draw(&user(""), 10, &mut fastrand::Rng::with_seed(1)), Draw::Any);
    }
}
