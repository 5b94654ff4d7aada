//! Ports for an Envoy that runs beside the data plane: other ones than the data plane's, and always the same.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use serin_api::proxy::ProxySpec;
use serin_xds::ListenerAddresses;
use socket2::{Domain, Protocol, Socket, Type};

/// The ports that were given out, each by the one that was asked for.
pub(super) struct Ports {
    bind: IpAddr,
    given: BTreeMap<u16, u16>,
    /// A socket that is bound and does not listen keeps a port that was picked from being picked by others, and does not
    /// keep Envoy from it, which shares its ports among its threads.
    kept: Vec<Socket>,
}

impl Ports {
    /// `ports` are set; one of 0 is picked at once.
    pub(super) fn new(bind: IpAddr, ports: BTreeMap<u16, u16>) -> Self {
        let mut made = Self { bind, given: BTreeMap::new(), kept: Vec::new() };
        for (asked, port) in ports {
            if port == 0 {
                made.pick(asked);
            } else {
                made.given.insert(asked, port);
            }
        }
        made
    }

    /// The addresses for the listeners of `spec`.
    pub(super) fn addresses(&mut self, spec: &ProxySpec) -> ListenerAddresses {
        for listener in &spec.listeners {
            if !self.given.contains_key(&listener.bind_port) {
                self.pick(listener.bind_port);
            }
        }
        ListenerAddresses { bind: Some(self.bind), port_map: self.given.clone() }
    }

    fn pick(&mut self, asked: u16) {
        // Without a port of its own it is left to Envoy to pick one.
        let port = match self.free() {
            Ok(port) => port,
            Err(error) => {
                tracing::warn!("no port of {} can be kept for an Envoy: {error}", self.bind);
                0
            }
        };
        self.given.insert(asked, port);
    }

    fn free(&mut self) -> io::Result<u16> {
        let address = SocketAddr::new(self.bind, 0);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        let port = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
        self.kept.push(socket);
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn ports_arekept_and_none_is_the_data_planes() {
        let bind = Ipv4Addr::LOCALHOST.into();
        let mut ports = Ports::new(bind, [(8080, 0), (8443, 18443)].into());
        let listener = |port: u16| {
            let source = serde_json::json!({"kind": "Gateway", "namespace": "g", "name": "g"});
            serde_json::from_value(serde_json::json!({
                "name": "g.g", "source": source, "bindAddress": "::", "bindPort": port, "ssl": false,
                "stripAnyHostPort": false, "virtualHosts": [],
            }))
            .unwrap()
        };
        let spec = ProxySpec { listeners: vec![listener(8080), listener(9090)], ..ProxySpec::default() };
        let first = ports.addresses(&spec);
        assert_eq!(first, ports.addresses(&spec), "the same ones each time");
        assert_eq!(first.port_map[&8443], 18443);
        for asked in [8080, 9090] {
            let port = first.port_map[&asked];
            assert!(port != 0 && port != asked);
            assert!(std::net::TcpListener::bind((bind, port)).is_err(), "nobody else gets it");
        }
    }
}
