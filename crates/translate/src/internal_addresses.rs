//! Which clients are one's own: `internalAddressConfig`.

use std::net::IpAddr;

use serin_api::gateway::{CidrRange, InternalAddressConfig};
use serin_api::proxy::AddressRange;

use crate::http_settings::fault;
use crate::option_fault::OptionFault;

/// The ranges that are written; `None` where none is. One at fault is left out and told.
pub(crate) fn of(written: Option<&InternalAddressConfig>, faults: &mut Vec<OptionFault>) -> Option<Vec<AddressRange>> {
    let ranges = &written?.cidr_ranges;
    let mut read = Vec::new();
    for (place, CidrRange { address_prefix, prefix_len }) in ranges.iter().enumerate() {
        let mut wrong = |field: &str, reason: String| {
            faults.push(fault(&format!("internalAddressConfig.cidrRanges[{place}].{field}"), reason));
        };
        let Ok(address) = address_prefix.parse::<IpAddr>() else {
            wrong("addressPrefix", format!("{address_prefix:?} is no IP address"));
            continue;
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix_len.and_then(|bits| u8::try_from(bits).ok()).filter(|bits| *bits <= most) {
            Some(bits) => read.push(AddressRange { address, bits }),
            None => wrong("prefixLen", format!("say how many bits the addresses share, from 0 to {most}")),
        }
    }
    (!ranges.is_empty()).then_some(read)
}
