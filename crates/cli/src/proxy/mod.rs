//! `serin proxy`: where the gateway listens, and what it serves. Nothing here starts a runtime but `dump`: scripts call
//! `serin proxy url` before every request.

mod bootstrap;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::home::{Home, Instance};
use crate::out;

/// Flags of `serin proxy`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

/// What is shown.
#[derive(Subcommand, Debug)]
enum Verb {
    /// Print the gateway's URL
    #[command(after_help = "Examples:\n  curl $(serin proxy url)/\n  curl -k $(serin proxy url --port https)/\n  \
                            curl $(serin proxy url --envoy)/")]
    Url(Listener),
    /// Print the gateway's address as HOST:PORT
    Address(Listener),
    /// Print what the gateway serves, as JSON
    #[command(after_help = "Example:\n  serin proxy dump | jq .listeners")]
    Dump,
    /// Print what an Envoy on another machine is started with
    Bootstrap(bootstrap::Options),
}

/// Which listener is meant.
#[derive(Args, Debug)]
struct Listener {
    /// The Gateway, by name, or by namespace.name
    #[arg(long, default_value = "gateway-proxy")]
    name: String,
    /// Which of its ports: http or https
    #[arg(long, default_value = "http", value_parser = ["http", "https"])]
    port: String,
    /// Of the Envoy that `serin up --envoy` runs beside the gateway
    #[arg(long)]
    envoy: bool,
}

pub(crate) fn run(options: Options) -> Outcome {
    let home = Home::find()?;
    let instance = home.running()?;
    match options.verb {
        Verb::Url(listener) => {
            let (name, address) = find(&instance, &listener)?;
            out::line(url(address, instance.tls.iter().any(|tls| tls == name)));
        }
        Verb::Address(listener) => out::line(reachable(find(&instance, &listener)?.1).to_string()),
        Verb::Bootstrap(options) => bootstrap::run(&home, &instance, &options)?,
        Verb::Dump => out::line(dump(&instance)?),
    }
    Ok(())
}

/// The URL of a listener.
pub(crate) fn url(address: SocketAddr, tls: bool) -> String {
    format!("{}://{}", if tls { "https" } else { "http" }, reachable(address))
}

/// An address that a client on this machine can connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn find<'a>(instance: &'a Instance, listener: &Listener) -> Outcome<(&'a str, SocketAddr)> {
    let listeners = match (&instance.envoy, listener.envoy) {
        (_, false) => &instance.gateway,
        (Some(envoy), true) => &envoy.gateway,
        (None, true) => {
            return Err(Failure::new("there is no Envoy beside the gateway")
                .hint("start the gateway with `serin up --envoy PATH` to have one"));
        }
    };
    let named = |wanted: &str| {
        let bare = |name: &str| name.split_once('.').is_some_and(|(_, bare)| bare == wanted);
        listeners.iter().find(|(name, _)| name.as_str() == wanted || bare(name))
    };
    let found = match listener.port.as_str() {
        "https" => named(&format!("{}-ssl", listener.name)).or_else(|| named(&listener.name)),
        _ => named(&listener.name),
    };
    found.map(|(name, address)| (name.as_str(), *address)).ok_or_else(|| {
        let known: Vec<&str> = listeners.keys().map(String::as_str).collect();
        Failure::new(format!("there is no listener of a Gateway {}", listener.name))
            .hint(format!("there are: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") }))
    })
}

fn dump(instance: &Instance) -> Outcome<String> {
    let config = crate::runtime::client(crate::check::observed::fetch(instance.admin))?;
    Ok(format!("{:#}", config["served"]))
}
