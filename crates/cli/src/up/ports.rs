//! Looks at the ports before anything is started, so that a taken one is named with the flag that changes it. The data
//! plane's own sockets share their port among threads, which would let a second gateway in without a word.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use super::Options;
use crate::failure::{Failure, Outcome};

/// Makes sure that every port asked for can be bound.
pub(super) fn probe(options: &Options) -> Outcome {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut asked = vec![
        ("--http-port", options.bind, options.http_port, "the HTTP gateway"),
        ("--https-port", options.bind, options.https_port, "the HTTPS gateway"),
        ("--api-port", loopback, options.api_port, "the API"),
        ("--admin-port", loopback, options.admin_port, "the admin port"),
    ];
    if options.envoy.program.is_some() {
        asked.extend([
            ("--envoy-http-port", options.bind, options.envoy.http_port, "Envoy's HTTP listener"),
            ("--envoy-https-port", options.bind, options.envoy.https_port, "Envoy's HTTPS listener"),
            ("--envoy-admin-port", loopback, options.envoy.admin_port, "Envoy's admin interface"),
        ]);
    }
    if let Some(port) = options.xds.port {
        asked.push(("--xds-port", options.xds.bind, port, "the discovery server for Envoys"));
    }
    for (flag, ip, port, what) in asked.iter().copied() {
        if port != 0 {
            probe_one(flag, SocketAddr::new(ip, port), what)?;
        }
    }
    for (index, (flag, ip, port, _)) in asked.iter().enumerate() {
        let twin = asked[..index]
            .iter()
            .find(|other| *port != 0 && other.2 == *port && (other.1 == *ip || ip.is_unspecified()));
        if let Some((other, ..)) = twin {
            return Err(Failure::new(format!("{other} and {flag} are both {port}"))
                .hint("give them different ports; 0 takes a free one"));
        }
    }
    Ok(())
}

fn probe_one(flag: &str, address: SocketAddr, what: &str) -> Outcome {
    let Err(error) = TcpListener::bind(address) else { return Ok(()) };
    let hint = format!("choose another one with `{flag} PORT`; `{flag} 0` takes a free one");
    let failure = match error.kind() {
        ErrorKind::AddrInUse => {
            Failure::new(format!("port {} is in use, and {what} wants it ({address})", address.port()))
        }
        ErrorKind::AddrNotAvailable => {
            let failure = Failure::new(format!("{} is not an address of this machine", address.ip())).because(error);
            return Err(failure.hint("choose another one with `--bind ADDRESS`"));
        }
        _ => Failure::new(format!("{what} cannot listen on {address}")).because(error),
    };
    Err(failure.hint(hint))
}
