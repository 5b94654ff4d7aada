//! `serin up`: the gateway and the cluster beside it, in this process or detached from it.

mod announce;
mod detach;
mod images;
mod log;
mod ports;
mod serve;

pub(crate) use serve::{Gateway, drain_and_stop, until_told};

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Args;

use crate::failure::Outcome;
use crate::home::Home;

/// Flags of `serin up`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
                        serin up                                   # in the foreground; ctrl-c stops it\n  \
                        serin up --detach                          # returns when it is ready; `serin down` stops it\n  \
                        serin up --http-port 0 --image my/app=./target/debug/app\n  \
                        serin up --envoy ./envoy                   # an Envoy beside it: `serin proxy url --envoy`\n\n\
                        Everything is kept in SERIN_HOME (default: the user's data directory).")]
pub(crate) struct Options {
    /// Go to the background, and return when everything is ready
    #[arg(short, long)]
    detach: bool,
    /// Where the HTTP Gateway listens (bindPort 8080); 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) http_port: u16,
    /// Where the HTTPS Gateway listens (bindPort 8443); 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub(crate) https_port: u16,
    /// Where the Kubernetes-style API listens; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 26443)]
    pub(crate) api_port: u16,
    /// Where the admin port listens: /ready, /metrics, /config; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 26901)]
    pub(crate) admin_port: u16,
    /// The address that the Gateways bind. A wildcard keeps pods from binding the same port on an address of their own
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) bind: IpAddr,
    /// Threads that serve traffic; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) workers: usize,
    /// A program of this machine to run for an image; may be given several times
    #[arg(long = "image", value_name = "NAME=PATH", value_parser = images::parse)]
    pub(crate) images: Vec<(String, PathBuf)>,
    /// Seconds that requests under way get to finish when the gateway stops
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) drain: u64,
    #[command(flatten)]
    pub(crate) envoy: EnvoyOptions,
    #[command(flatten)]
    pub(crate) xds: XdsOptions,
    /// Set by --detach for the process it starts: report to standard output, once
    #[arg(long, hide = true)]
    announce: bool,
}

/// The flags for an Envoy beside the data plane.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "An Envoy beside the gateway")]
pub(crate) struct EnvoyOptions {
    /// Run this Envoy too, with the same configuration on ports of its own; without PATH the one on the $PATH
    #[arg(long = "envoy", value_name = "PATH", num_args = 0..=1, default_missing_value = "envoy")]
    pub(crate) program: Option<PathBuf>,
    /// Where Envoy serves the HTTP Gateway; 0 takes a free port
    #[arg(
        id = "envoy_http_port",
        long = "envoy-http-port",
        value_name = "PORT",
        default_value_t = 10080,
        requires = "program"
    )]
    pub(crate) http_port: u16,
    /// Where Envoy serves the HTTPS Gateway; 0 takes a free port
    #[arg(
        id = "envoy_https_port",
        long = "envoy-https-port",
        value_name = "PORT",
        default_value_t = 10443,
        requires = "program"
    )]
    pub(crate) https_port: u16,
    /// Where Envoy's admin interface listens; 0 takes a free port
    #[arg(
        id = "envoy_admin_port",
        long = "envoy-admin-port",
        value_name = "PORT",
        default_value_t = 19000,
        requires = "program"
    )]
    pub(crate) admin_port: u16,
}

/// The flags for Envoys on other machines.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Envoys elsewhere")]
pub(crate) struct XdsOptions {
    /// Hand the configuration to Envoys that connect here with what `serin proxy bootstrap` prints; 0 takes a free port
    #[arg(id = "xds_port", long = "xds-port", value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The address that they connect to
    #[arg(id = "xds_bind", long = "xds-bind", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST),
          requires = "xds_port")]
    pub(crate) bind: IpAddr,
}

pub(crate) fn run(options: Options) -> Outcome {
    let home = Home::find()?;
    if options.detach {
        return detach::run(&home);
    }
    if options.announce {
        announce::leave_terminal();
    }
    let announcement = announce::Announcement::new(options.announce);
    let result = begin(&home, &options, &announcement);
    if let Err(failure) = &result {
        announcement.failed(failure);
    }
    result
}

fn begin(home: &Home, options: &Options, announcement: &announce::Announcement) -> Outcome {
    home.prepare()?;
    log::start(options.announce);
    refuse_second(home)?;
    // One that was killed leaves its own behind.
    home.withdraw();
    ports::probe(options)?;
    crate::runtime::server(serve::run(home, options, announcement))
}

/// Starts logging to the terminal, for the other verbs that serve.
pub(crate) fn start_log() {
    log::start(false);
}

/// Says which process has the home, before anything in it is touched.
fn refuse_second(home: &Home) -> Outcome {
    if let Some(pid) = home.holder() {
        let failure =
            crate::failure::Failure::new(format!("process {pid} is running in {} already", home.path().display()));
        return Err(
            failure.hint("stop it with `serin down`, or set SERIN_HOME to another directory to run a second one")
        );
    }
    Ok(())
}
