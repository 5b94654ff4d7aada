//! `cargo xtask differential`: Serin's data plane and a real Envoy are given the same configurations and the same requests,
//! and must do the same with them.

mod accepted;
mod configurations;
mod error;
mod message;
mod outcome;
mod planes;
mod policies;
mod request;
mod requests;
mod upstream;
mod world;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use fastrand::Rng;
use serin_api::proxy::{HttpSettings, Listener, ProxySpec, VirtualHost};
use serin_api::{ResourceId, ResourceKind};

pub(crate) use error::DifferentialError;
use outcome::Outcome;
use request::Request;
use upstream::Arrivals;

/// Differences that are shown; the others are only counted.
const SHOWN: usize = 10;
/// Configurations that one Envoy has side by side.
const SIDE_BY_SIDE: usize = 500;

#[derive(Args)]
pub(crate) struct DifferentialOptions {
    /// How many configurations are tried
    #[arg(long, default_value_t = 200)]
    configs: usize,
    /// How many requests each of them gets
    #[arg(long, default_value_t = 20)]
    requests: usize,
    /// What everything is drawn from: the same seed is the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The Envoy to compare with, instead of the one on the PATH
    #[arg(long)]
    envoy: Option<PathBuf>,
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    requests: usize,
    differences: usize,
    accepted: BTreeMap<&'static str, usize>,
}

pub(crate) fn run(options: &DifferentialOptions) -> Result<(), DifferentialError> {
    let program = options.envoy.clone().or_else(on_path).ok_or(DifferentialError::NoEnvoy)?;
    let (our_arrivals, envoys_arrivals) = (Arrivals::default(), Arrivals::default());
    let (our_endpoints, envoys_endpoints) = (world::start(&our_arrivals)?, world::start(&envoys_arrivals)?);
    let mut tally = Tally::default();
    let numbers: Vec<usize> = (0..options.configs).collect();
    for numbers in numbers.chunks(SIDE_BY_SIDE) {
        let hosts: Vec<_> = numbers
            .iter()
            .map(|number| Arc::new(configurations::virtual_host(&mut random(options.seed, *number, 0), *number)))
            .collect();
        let spec = Arc::new(spec(&hosts));
        let (_plane, ours) = planes::ours(&spec, our_endpoints.clone())?;
        let (_envoy, envoys) = planes::envoy(&program, &spec, envoys_endpoints.clone())?;
        for listener in &spec.listeners {
            let address = |of: &planes::Addresses| {
                of.get(&listener.name).copied().ok_or_else(|| DifferentialError::NoListener(listener.name.clone()))
            };
            let sides = Sides { ours: (address(&ours)?, &our_arrivals), envoys: (address(&envoys)?, &envoys_arrivals) };
            for host in &listener.virtual_hosts {
                let number = hosts.iter().position(|other| Arc::ptr_eq(other, host)).unwrap_or_default();
                let number = numbers.get(number).copied().unwrap_or_default();
                let mut random = random(options.seed, number, 1);
                for _ in 0..options.requests {
                    let request = requests::request(&mut random, host);
                    compare(&sides, listener, host, request, &mut tally)?;
                }
            }
        }
    }
    let mut out = std::io::stdout().lock();
    for (rule, times) in &tally.accepted {
        writeln!(out, "accepted {times} times: {rule} (docs/differences.md)")?;
    }
    let Tally { requests, differences, .. } = tally;
    writeln!(out, "{} configurations, {requests} requests, {differences} differences", options.configs)?;
    if differences == 0 { Ok(()) } else { Err(DifferentialError::Different(differences)) }
}

/// Where both serve the same listener, and what reaches their upstreams.
struct Sides<'a> {
    ours: (SocketAddr, &'a Arrivals),
    envoys: (SocketAddr, &'a Arrivals),
}

impl Sides<'_> {
    fn play(&self, request: &Request, case: &str) -> (Outcome, Outcome) {
        let of = |(address, arrivals): (SocketAddr, &Arrivals)| Outcome::of(request, address, case, arrivals);
        (of(self.ours), of(self.envoys))
    }

    /// What differs and is not accepted.
    fn differ(&self, request: &Request, case: &str) -> Option<(Outcome, Outcome)> {
        let (ours, envoys) = self.play(request, case);
        (ours != envoys && accepted::rules(request, &ours, &envoys).is_empty()).then_some((ours, envoys))
    }
}

fn compare(
    sides: &Sides<'_>,
    listener: &Listener,
    host: &VirtualHost,
    request: Request,
    tally: &mut Tally,
) -> Result<(), DifferentialError> {
    tally.requests += 1;
    let case = tally.requests.to_string();
    let (ours, envoys) = sides.play(&request, &case);
    if ours == envoys {
        return Ok(());
    }
    let rules = accepted::rules(&request, &ours, &envoys);
    for rule in &rules {
        *tally.accepted.entry(rule).or_default() += 1;
    }
    if !rules.is_empty() {
        return Ok(());
    }
    tally.differences += 1;
    if tally.differences > SHOWN {
        return Ok(());
    }
    let (mut request, mut ours, mut envoys) = (request, ours, envoys);
    while let Some((smaller, outcomes)) =
        request.smaller().into_iter().find_map(|smaller| sides.differ(&smaller, &case).map(|found| (smaller, found)))
    {
        request = smaller;
        (ours, envoys) = outcomes;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "difference {} in {} on {}:", tally.differences, host.name, listener.name)?;
    writeln!(out, "    domains {:?}", host.domains)?;
    for route in &host.routes {
        writeln!(out, "    route {}", serde_json::to_string(route).unwrap_or_default())?;
    }
    writeln!(out, "    {request}\n    Serin: {ours}\n    Envoy: {envoys}\n")?;
    Ok(())
}

/// Chance for one purpose of one configuration: what is drawn for it does not depend on the others.
fn random(seed: u64, number: usize, purpose: u64) -> Rng {
    let number = u64::try_from(number).unwrap_or_default();
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 1) ^ purpose)
}

/// All configurations side by side, half of them on a listener that cuts ports off.
fn spec(hosts: &[Arc<VirtualHost>]) -> ProxySpec {
    let listener = |name: &str, bind_port, strip_any_host_port: bool| {
        let mine = hosts.iter().enumerate().filter(|(index, _)| (index % 2 == 1) == strip_any_host_port);
        Arc::new(Listener {
            name: format!("ns.{name}"),
            source: ResourceId::new(ResourceKind::Gateway, "ns", name),
            bind_address: "::".to_owned(),
            bind_port,
            ssl: false,
            tls: Vec::new(),
            strip_any_host_port,
            http: HttpSettings::default(),
            access_logs: Vec::new(),
            virtual_hosts: mine.map(|(_, host)| Arc::clone(host)).collect(),
        })
    };
    ProxySpec {
        listeners: vec![listener("plain", 8080, false), listener("strip", 8081, true)],
        clusters: world::clusters(),
        sources: BTreeMap::new(),
    }
}

/// The `envoy` on the PATH.
fn on_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|place| place.join("envoy")).find(|file| file.is_file())
}
