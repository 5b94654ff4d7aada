//! `serin proxy bootstrap`: what an Envoy elsewhere is started with, its certificate and key in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serin_xds::bootstrap::{Bootstrap, DiscoveryAddress};

use crate::envoy;
use crate::failure::{Failure, Outcome, While};
use crate::home::{Home, Instance};
use crate::out;

/// Flags of `serin proxy bootstrap`.
#[derive(Args, Debug)]
#[command(
    after_help = "The bootstrap holds a private key, good for this Envoy's configuration alone: keep it as you keep keys.\n\n\
                        Examples:\n  serin up --detach --xds-port 18000 --xds-bind 0.0.0.0\n  \
                        serin proxy bootstrap --node-id edge-1 --xds-address gateway.example:18000 --output edge-1.yaml\n  \
                        envoy --config-path edge-1.yaml"
)]
pub(super) struct Options {
    /// The Envoy's id: what its refusals are reported under. Each Envoy needs one, and a bootstrap, of its own
    #[arg(long, value_name = "ID", default_value = "envoy", value_parser = node_id)]
    node_id: String,
    /// Where the Envoy reaches the gateway; without it, where `serin up --xds-port` listens
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address)]
    xds_address: Option<DiscoveryAddress>,
    /// Where Envoy's admin interface listens, on the Envoy's own machine and for it alone; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 19000)]
    admin_port: u16,
    /// Write it to this file, which this user alone may read, and not to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(home: &Home, instance: &Instance, options: &Options) -> Outcome {
    let listening = instance.xds.ok_or_else(|| {
        Failure::new("the gateway has no discovery server for Envoys elsewhere").hint(
            "start it with `serin up --xds-port 18000`, and `--xds-bind ADDRESS` to be reached from other machines",
        )
    })?;
    let discovery = match &options.xds_address {
        Some(address) => address.clone(),
        None if listening.ip().is_unspecified() => {
            return Err(Failure::new(format!("the discovery server listens on every address ({listening})"))
                .hint("say by which one the Envoy reaches it: `--xds-address HOST:PORT`"));
        }
        None => listening.into(),
    };
    let bootstrap = Bootstrap {
        node_id: options.node_id.clone(),
        node_cluster: envoy::CLUSTER.to_owned(),
        discovery,
        tls: Some(envoy::discovery::node_identity(home, &options.node_id)?),
        admin: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.admin_port),
        delta: true,
    };
    let text = bootstrap.to_yaml();
    match &options.output {
        None => out::raw(&text),
        Some(path) => write(path, &text).or_fail(|| format!("{} cannot be written", path.display()))?,
    }
    Ok(())
}

/// Writes a file that this user alone may read; one that is there already is replaced, whatever its mode.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut draft = path.to_owned().into_os_string();
    draft.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&draft, path)
}

/// An id that can be the name in a certificate.
fn node_id(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match text {
        "" => Err("an Envoy needs an id".to_owned()),
        envoy::NODE => Err(format!("{text} is the Envoy that `serin up --envoy` runs")),
        // As much as a certificate's common name holds.
        _ if text.len() > 64 => Err("an id has 64 characters at most".to_owned()),
        _ if !text.bytes().all(fits) => Err("an id has letters, digits, '-', '_' and '.' only".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// `HOST:PORT`, with brackets around an address of IPv6.
fn parse_address(text: &str) -> Result<DiscoveryAddress, String> {
    let wrong = || "expected HOST:PORT, such as gateway.example:18000 or [::1]:18000".to_owned();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address.into());
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(wrong());
    }
    Ok(DiscoveryAddress { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names_or_numbers_with_a_port() {
        let parsed = |text: &str| parse_address(text).map(|address| (address.host, address.port));
        assert_eq!(parsed("gateway.example:18000"), Ok(("gateway.example".to_owned(), 18000)));
        assert_eq!(parsed("[::1]:1"), Ok(("::1".to_owned(), 1)));
        for wrong in ["", "host", "host:", ":1", "host:0", "host:99999", "a b:1", "http://host:1", "::1:1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_fit_into_a_certificate() {
        assert!(node_id("edge-1.eu_west").is_ok());
        for wrong in ["", "a b", "ü", "serin-up", "a\nb", &"x".repeat(65)] {
            assert!(node_id(wrong).is_err(), "{wrong}");
        }
    }
}
