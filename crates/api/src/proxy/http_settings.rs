//! How a listener speaks HTTP, and what it does to every request before any route sees it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ClientCertificateSettings, ConnectionSettings};

/// How a listener speaks HTTP. The default is what a Gateway gets that says nothing about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpSettings {
    /// What is done to paths.
    pub paths: PathSettings,
    /// What a client's connection may use.
    pub connections: ConnectionSettings,
    /// What upstreams are told of the client.
    pub forwarded: ForwardedSettings,
    /// What they are told of its certificate.
    pub client_certificate: ClientCertificateSettings,
    /// Clients that are one's own. Unset: those with loopback and private addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<Vec<AddressRange>>,
    /// How an Envoy makes request ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_ids: Option<RequestIds>,
    /// Bytes of a request's body up to which it is held until it is whole, where neither route nor host says otherwise;
    /// not 0. One with more is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<u32>,
    /// Whether no `x-envoy-` headers are added.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suppress_envoy_headers: bool,
    /// What is done with request headers that have a `_` in their names.
    pub underscores: Underscores,
    /// The `server` header of responses; `None` leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerHeader>,
    /// What is appended to `via` of requests and responses; a valid header value, not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

impl HttpSettings {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What is done to the paths of requests, in the order of the fields. Routes, upstreams and logs see the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PathSettings {
    /// What is done with `%2F` and `%5C`.
    pub escaped_slashes: EscapedSlashes,
    /// Whether `.` and `..` are resolved, needless escapes undone and backslashes turned.
    pub normalize: bool,
    /// Whether slashes in a row become one.
    pub merge_slashes: bool,
}

impl Default for PathSettings {
    fn default() -> Self {
        Self { escaped_slashes: EscapedSlashes::Keep, normalize: true, merge_slashes: false }
    }
}

/// What is done with `%2F` and `%5C` in paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EscapedSlashes {
    /// Nothing.
    #[default]
    Keep,
    /// Such a request is answered 400.
    Reject,
    /// They are undone, and the client is sent to the path that results.
    Redirect,
    /// They are undone.
    Undo,
}

/// What upstreams are told of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForwardedSettings {
    /// Whether the client is whoever connected; else it is whom `x-forwarded-for` names.
    pub use_remote_address: bool,
    /// How many proxies in front of this one are trusted.
    pub trusted_hops: u32,
    /// Whether the address of whoever connected is appended to `x-forwarded-for`; not without `use_remote_address`.
    pub append_for: bool,
    /// Whether the listener's port is told in `x-forwarded-port`.
    pub port: bool,
    /// Whether a request without `x-request-id` gets one.
    pub generate_request_id: bool,
    /// Whether the `x-request-id` of a client from outside is kept.
    pub keep_external_request_id: bool,
}

impl Default for ForwardedSettings {
    fn default() -> Self {
        Self {
            use_remote_address: true,
            trusted_hops: 0,
            append_for: true,
            port: false,
            generate_request_id: true,
            keep_external_request_id: false,
        }
    }
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressRange {
    /// One of them.
    pub address: IpAddr,
    /// How many of its first bits they share; no more than it has.
    pub bits: u8,
}

impl AddressRange {
    /// Whether `address`, which is no IPv4 address in IPv6's clothes, is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let share = |left: u128, right: u128, spare: u32| (left ^ right).checked_shr(spare).unwrap_or_default() == 0;
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(address)) => {
                share(own.to_bits().into(), address.to_bits().into(), 32_u32.saturating_sub(self.bits.into()))
            }
            (IpAddr::V6(own), IpAddr::V6(address)) => {
                share(own.to_bits(), address.to_bits(), 128_u32.saturating_sub(self.bits.into()))
            }
            _ => false,
        }
    }
}

/// How an Envoy makes request ids. Where a field is unset, its own default holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestIds {
    /// Whether they tell why a request is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_trace_reason: Option<bool>,
    /// Whether they choose what is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choose_traces: Option<bool>,
}

/// What is done with request headers that have a `_` in their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Underscores {
    /// Nothing.
    #[default]
    Allow,
    /// Such a request is answered 400.
    Reject,
    /// Such headers are left out.
    Drop,
}

/// The `server` header of responses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerHeader {
    /// A valid header value, not empty.
    pub name: String,
    /// Whether it replaces the upstream's; else it stands in for one that is not there.
    pub overwrite: bool,
}

#[cfg(test)]
mod tests {
    use super::AddressRange;

    #[test]
    fn a_range_is_those_that_share_its_first_bits() {
        for (range, bits, address, inside) in [
            ("10.1.0.0", 16, "10.1.255.255", true),
            ("10.1.0.0", 16, "10.2.0.0", false),
            ("10.1.2.3", 32, "10.1.2.3", true),
            ("10.1.2.3", 32, "10.1.2.2", false),
            ("0.0.0.0", 0, "255.1.1.1", true),
            ("0.0.0.0", 0, "::1", false),
            ("fd00::", 8, "fdff::1", true),
            ("fd00::", 8, "fc00::1", false),
            ("::1", 128, "::1", true),
            ("::", 0, "ff::", true),
        ] {
            let range = AddressRange { address: range.parse().unwrap(), bits };
            assert_eq!(range.contains(address.parse().unwrap()), inside, "{range:?} {address}");
        }
    }
}
