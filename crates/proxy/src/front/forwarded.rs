//! What upstreams are told of the client, and what is believed of what the client says itself.
//!
//! `x-forwarded-for` gets the client's address appended and `x-forwarded-proto` is set, unless the listener's settings say
//! otherwise. `x-request-id` is kept when the client is on a loopback or private address and came by no other proxy, and
//! made anew when not (Envoy's rule for edge proxies).

use std::net::IpAddr;

use http::HeaderValue;
use http::header::{Entry, HeaderMap, HeaderName, VIA};
use serin_api::proxy::{AddressRange, ForwardedSettings};

use super::client_certificate::CLIENT_CERTIFICATE;
use crate::worker::ConnectionState;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether a header is one that upstreams are told something with: a client cannot have it taken out.
pub(crate) fn is_told(name: &HeaderName) -> bool {
    [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_PORT, REQUEST_ID, VIA, CLIENT_CERTIFICATE].contains(name)
}

/// Tells the upstream about the client.
pub(super) fn tell(
    settings: &ForwardedSettings,
    internal: Option<&[AddressRange]>,
    headers: &mut HeaderMap,
    connection: &ConnectionState,
    random: &mut fastrand::Rng,
) {
    let believed = !settings.use_remote_address || settings.trusted_hops > 0;
    let mut inside = settings.use_remote_address && is_internal(connection.peer, internal);
    if settings.append_for {
        match headers.entry(FORWARDED_FOR) {
            Entry::Vacant(entry) => {
                entry.insert(connection.forwarded_for.clone());
            }
            Entry::Occupied(_) => {
                inside = false;
                super::append(headers, FORWARDED_FOR, &connection.forwarded_for, b",");
            }
        }
    } else {
        inside &= !headers.contains_key(FORWARDED_FOR);
    }
    if !believed || !headers.contains_key(FORWARDED_PROTO) {
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static(connection.scheme()));
    }
    if settings.port && (!believed || !headers.contains_key(FORWARDED_PORT)) {
        headers.insert(FORWARDED_PORT, HeaderValue::from(connection.listener.port()));
    }
    if settings.generate_request_id {
        let edge = settings.use_remote_address && !inside && !settings.keep_external_request_id;
        if edge {
            headers.insert(REQUEST_ID, request_id(random));
        } else if let Entry::Vacant(entry) = headers.entry(REQUEST_ID) {
            entry.insert(request_id(random));
        }
    }
}

/// The scheme that a proxy in front of this one tells of.
pub(super) fn scheme(headers: &HeaderMap) -> Option<&'static str> {
    match headers.get(FORWARDED_PROTO)?.as_bytes() {
        b"http" => Some("http"),
        b"https" => Some("https"),
        _ => None,
    }
}

/// The address that proxies in front of this one tell of, by the headers as the client sent them.
pub(super) fn client(settings: &ForwardedSettings, headers: &HeaderMap) -> Option<IpAddr> {
    let hops = usize::try_from(settings.trusted_hops).ok()?;
    let from_the_end = if settings.use_remote_address { hops.checked_sub(1)? } else { hops };
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    values.rev().flat_map(|value| value.rsplit(',')).nth(from_the_end)?.trim().parse().ok()
}

fn is_internal(peer: IpAddr, ranges: Option<&[AddressRange]>) -> bool {
    if let Some(ranges) = ranges {
        return ranges.iter().any(|range| range.contains(peer));
    }
    match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
    }
}

/// A random UUID (version 4).
pub(crate) fn request_id(random: &mut fastrand::Rng) -> HeaderValue {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = random.u128(..).to_be_bytes();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_version_4_uuids() {
        let id = request_id(&mut fastrand::Rng::with_seed(3));
        let text = id.to_str().unwrap();
        assert_eq!(text.len(), 36);
        assert_eq!(text.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
        assert_eq!(&text[14..15], "4");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"));
    }
}
