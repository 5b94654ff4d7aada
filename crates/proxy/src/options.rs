//! What a data plane is started with.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::Limits;

/// What a data plane is started with. The default binds 127.0.0.1, the Gateways' own ports, a worker per core.
#[derive(Clone, Debug)]
pub struct DataPlaneOptions {
    /// Worker threads; 0 means one per core.
    pub workers: usize,
    /// The address that listeners bind, in place of the one their Gateway names.
    pub bind: IpAddr,
    /// The port to bind for a Gateway's `bindPort`; 0 picks a free one. Ports that are not here are bound as asked.
    pub port_map: BTreeMap<u16, u16>,
    /// How long connections of a listener that went away may finish what is in flight.
    pub drain: Duration,
    /// Limits on what clients and upstreams may use.
    pub limits: Limits,
}

impl Default for DataPlaneOptions {
    fn default() -> Self {
        Self {
            workers: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port_map: BTreeMap::new(),
            drain: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}
