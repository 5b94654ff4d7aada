//! `serin gateway`: the gateway alone, against a cluster that exists already.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use clap::Args;
use serin_proxy::DataPlaneOptions;

use crate::failure::Outcome;
use crate::out;
use crate::target::Target;
use crate::up::{Gateway, drain_and_stop, until_told};

/// Flags of `serin gateway`.
#[derive(Args, Debug)]
#[command(
    after_help = "Without flags it uses $KUBECONFIG, then, in a pod, the pod's own cluster, then the running `serin up`.\n\n\
                        Example:\n  serin gateway --context staging --map-port 8080=18080"
)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// The address that the Gateways bind
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    bind: IpAddr,
    /// Bind another port than a Gateway asks for; 0 takes a free one; may be given several times
    #[arg(long = "map-port", value_name = "ASKED=BOUND", value_parser = parse_mapping)]
    port_map: Vec<(u16, u16)>,
    /// Where the admin port listens; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 26901)]
    admin_port: u16,
    /// Threads that serve traffic; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    workers: usize,
    /// Seconds that requests under way get to finish when the gateway stops
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u64,
}

fn parse_mapping(text: &str) -> Result<(u16, u16), String> {
    let parse = |port: &str| port.parse().map_err(|error| format!("{port:?} is not a port: {error}"));
    let (asked, bound) = text.split_once('=').ok_or("expected ASKED=BOUND, such as 8080=18080")?;
    Ok((parse(asked)?, parse(bound)?))
}

pub(crate) fn run(options: Options) -> Outcome {
    crate::up::start_log();
    crate::runtime::server(async {
        let client = options.target.client_or_incluster().await?;
        let data_plane = DataPlaneOptions {
            workers: options.workers,
            bind: options.bind,
            port_map: BTreeMap::from_iter(options.port_map.iter().copied()),
            drain: Duration::from_secs(options.drain),
            ..DataPlaneOptions::default()
        };
        let gateway = Gateway::start(client, data_plane, Vec::new(), options.admin_port).await?;
        out::note(format!("The admin port is http://{}.", gateway.control.admin()));
        tokio::select! {
            () = gateway.control.ready() => {}
            result = until_told() => return result,
        }
        for listener in gateway.data_plane.listeners() {
            out::note(format!("Gateway {} listens on {}.", listener.name, listener.address));
        }
        until_told().await?;
        drain_and_stop(gateway, Duration::from_secs(options.drain)).await;
        Ok(())
    })
}
