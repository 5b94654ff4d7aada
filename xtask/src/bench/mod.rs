//! The benchmark: every proxy before the same upstream, with the same routes and the same requests.
//!
//! One processor is the proxy's alone; load and upstream share another. The proxies of a scenario run side by side and are
//! measured in turn, several times over, so that what the machine does meanwhile falls on all of them; medians count.

mod accounting;
mod error;
mod identity;
mod load;
mod machine;
mod probe;
mod proxy;
mod report;
mod scenario;
mod server;
mod upstream;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use error::BenchError;
use identity::Identity;
use load::Load;
use machine::Cores;
use proxy::{Proxy, RunningProxy, Site};
use report::Row;
use scenario::{Request, Scenario};
use upstream::Upstream;

/// How long a proxy rests before its memory counts as memory at rest.
const REST: Duration = Duration::from_secs(5);

/// The flags of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct BenchOptions {
    /// What to measure; everything when none is named
    scenarios: Vec<Scenario>,
    /// Writes the medians as a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How often each proxy is measured in each scenario
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How long one measurement takes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Which proxies to measure
    #[arg(long, value_delimiter = ',', default_value = "serin,nginx,haproxy,envoy")]
    proxies: Vec<Proxy>,
    /// Connections that the load keeps open
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// One run of one second for each: shows that everything works, the figures mean little
    #[arg(long)]
    quick: bool,
    /// The serin to measure; built in release mode when not given
    #[arg(long, value_name = "PROGRAM")]
    serin: Option<PathBuf>,
}

/// The programs of this machine that a benchmark needs.
struct Programs {
    wrk: PathBuf,
    proxies: Vec<(Proxy, PathBuf)>,
}

/// Measures what the options name, prints the figures and writes them where asked.
pub(crate) fn run(options: &BenchOptions) -> Result<(), BenchError> {
    let programs = find_programs(options)?;
    let cores = Cores::choose();
    say(&format!(
        "on {}; proxy on processor {}, load and upstream on {}",
        machine::describe(),
        cores.proxy,
        cores.load
    ));
    if cores.shared() {
        say("there is only one processor: the load takes from the proxy, and only CPU time a request can be compared");
    }
    let directory = TempDir::with_prefix("serin-bench-")?;
    let upstream = Upstream::start(directory.path(), cores.load)?;
    let identity = Identity::make(directory.path())?;
    let scenarios = if options.scenarios.is_empty() { &Scenario::ALL[..] } else { &options.scenarios };
    let mut rows = Vec::new();
    for scenario in scenarios {
        let identity = scenario.is_secure().then_some(&identity);
        let bench = Bench { options, programs: &programs, cores, upstream: &upstream, identity, scenario: *scenario };
        rows.extend(bench.measure(&directory.path().join(scenario.to_string()))?);
    }
    writeln!(std::io::stdout(), "{}", report::render(&rows))?;
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&rows).map_err(std::io::Error::from)? + "\n";
        fs::write(path, text).map_err(|source| BenchError::Write { path: path.clone(), source })?;
    }
    Ok(())
}

/// One scenario under measurement.
struct Bench<'a> {
    options: &'a BenchOptions,
    programs: &'a Programs,
    cores: Cores,
    upstream: &'a Upstream,
    /// Who the proxies are, where clients speak TLS to them.
    identity: Option<&'a Identity>,
    scenario: Scenario,
}

impl Bench<'_> {
    /// The medians of every proxy, in the order the proxies were named.
    fn measure(&self, directory: &Path) -> Result<Vec<Row>, BenchError> {
        let (runs, seconds, warm_up) =
            if self.options.quick { (1, 1, None) } else { (self.options.runs, self.options.seconds, Some(1)) };
        let requests = self.scenario.requests();
        fs::create_dir(directory)?;
        let (wrk, core, tls) = (&self.programs.wrk, self.cores.load, self.identity.is_some());
        let load = Load::prepare(wrk, directory, &requests, core, self.options.connections, tls)?;
        let mut running = Vec::new();
        for (proxy, program) in &self.programs.proxies {
            say(&format!("{}: starting {proxy}", self.scenario));
            running.push((*proxy, self.start(*proxy, program, directory, &requests)?));
        }
        let mut figures: Vec<Vec<Row>> = running.iter().map(|_| Vec::new()).collect();
        if self.scenario.is_idle() {
            std::thread::sleep(REST);
        }
        for run in 1..=runs {
            for ((proxy, server), rows) in running.iter().zip(&mut figures) {
                if let (false, Some(warm_up)) = (self.scenario.is_idle(), warm_up) {
                    load.run(&proxy.to_string(), server.port, warm_up)?;
                }
                let row = self.measure_once(*proxy, server, &load, seconds)?;
                if let (Some(cpu), Some(rate)) = (row.cpu_us_per_request, row.requests_per_second) {
                    say(&format!(
                        "{} {run}/{runs}: {proxy} {cpu:.1} us a request, {rate:.0} requests/s",
                        self.scenario
                    ));
                }
                rows.push(row);
            }
        }
        Ok(figures.iter().filter_map(|rows| report::median_row(rows)).collect())
    }

    fn start(
        &self,
        proxy: Proxy,
        program: &Path,
        directory: &Path,
        requests: &[Request],
    ) -> Result<RunningProxy, BenchError> {
        let directory = directory.join(proxy.to_string());
        fs::create_dir(&directory)?;
        let rules = self.scenario.rules();
        let site = Site {
            rules: &rules,
            ports: self.upstream.ports,
            identity: self.identity,
            directory: &directory,
            core: self.cores.proxy,
            program,
        };
        // Some from the beginning, with all kinds of them, and some from everywhere.
        let step = (requests.len() / 16).max(1);
        let probes: Vec<Request> = requests.iter().take(4).chain(requests.iter().step_by(step)).cloned().collect();
        proxy.start(&site, &probes)
    }

    fn measure_once(&self, proxy: Proxy, running: &RunningProxy, load: &Load, seconds: u64) -> Result<Row, BenchError> {
        let pid = running.server.pid();
        let usage = || accounting::usage_of_tree(pid).ok_or_else(|| BenchError::Gone { proxy: proxy.to_string(), pid });
        let before = usage()?;
        let figures =
            if self.scenario.is_idle() { None } else { Some(load.run(&proxy.to_string(), running.port, seconds)?) };
        let after = usage()?;
        if let Some(figures) = figures
            && (figures.errors > 0 || figures.requests == 0)
        {
            return Err(BenchError::FailedRequests {
                proxy: proxy.to_string(),
                scenario: self.scenario.to_string(),
                errors: figures.errors,
                requests: figures.requests,
            });
        }
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        Ok(Row {
            scenario: self.scenario.to_string(),
            proxy: proxy.to_string(),
            cpu_us_per_request: figures.map(|seen| micros(after.cpu - before.cpu) / seen.requests as f64),
            requests_per_second: figures.map(|seen| seen.requests as f64 / seen.duration.as_secs_f64()),
            p99_us: figures.map(|seen| micros(seen.p99)),
            rss_mb: after.resident_kib as f64 / 1024.0,
        })
    }
}

/// Finds every program before anything starts, and names all that are missing at once.
fn find_programs(options: &BenchOptions) -> Result<Programs, BenchError> {
    let mut missing = Vec::new();
    let mut find = |name: &str, found: Option<PathBuf>, how: &str| {
        if found.is_none() {
            missing.push(format!("  {name}: {how}"));
        }
        found
    };
    let wrk = find("wrk", server::find_program("wrk"), "apt-get install wrk");
    find("taskset", server::find_program("taskset"), "apt-get install util-linux");
    let mut proxies = Vec::new();
    for proxy in &options.proxies {
        let program = match proxy {
            Proxy::Serin => options.serin.clone().map_or_else(build_serin, Ok).map(Some)?,
            other => other.find(),
        };
        if let Some(program) = find(&proxy.to_string(), program, proxy.how_to_install()) {
            proxies.push((*proxy, program));
        }
    }
    match wrk {
        Some(wrk) if missing.is_empty() => Ok(Programs { wrk, proxies }),
        _ => {
            missing.push("Without a proxy: `--proxies` with the names of the others.".into());
            Err(BenchError::MissingTools(missing.join("\n")))
        }
    }
}

/// Builds the program as it is released; gives its path.
fn build_serin() -> Result<PathBuf, BenchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What `cargo run` says of xtask would make build scripts run again, and everything after them.
    for (name, _) in std::env::vars_os() {
        let ours =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if ours {
            command.env_remove(name);
        }
    }
    let status = command
        .args(["build", "--quiet", "--release", "--package", "serin"])
        .status()
        .map_err(|source| BenchError::Start { program: "cargo".into(), source })?;
    if !status.success() {
        return Err(BenchError::Command {
            command: "cargo build --release --package serin".into(),
            status: status.to_string(),
            output: "see above".into(),
        });
    }
    // xtask itself was built in release mode, into the same directory.
    Ok(std::env::current_exe()?.with_file_name("serin"))
}

/// A line about how far the benchmark is; the figures go to the standard output, this does not.
fn say(text: &str) {
    // Nobody is left to tell when the terminal itself is gone.
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}
