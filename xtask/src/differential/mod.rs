//! `cargo xtask differential`: Serin's data plane and a real Envoy are given the same configurations and the same requests,
//! and must do the same with them.
//!
//! What differs is made as small as it can be and written into `xtask/cases`, which every run replays first.

mod accepted;
mod case;
mod chances;
mod configurations;
mod error;
mod hashing;
mod header_changes;
mod http2;
mod http2_upstream;
mod http_settings;
mod listeners;
mod manifests;
mod message;
mod outcome;
mod planes;
mod policies;
mod request;
mod requests;
mod round;
mod shares;
mod shrink;
mod tls;
mod upstream;
mod workers;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use fastrand::Rng;

use case::Case;
pub(crate) use error::DifferentialError;
use outcome::Outcome;
use planes::{Planes, Worlds};
use round::Round;

/// Differences that are made smaller, shown and kept; the others are only counted.
const SHOWN: usize = 10;
/// Tries to make a case smaller whose request is sent many times.
const MANY: usize = 40;
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
    /// Goes on with more configurations for as many minutes, whatever --configs says
    #[arg(long)]
    minutes: Option<u64>,
    /// The Envoy to compare with, instead of the one on the PATH
    #[arg(long)]
    envoy: Option<PathBuf>,
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    configurations: usize,
    requests: usize,
    differences: usize,
    passing: usize,
    accepted: BTreeMap<&'static str, usize>,
}

pub(crate) fn run(options: &DifferentialOptions) -> Result<(), DifferentialError> {
    let program = options.envoy.clone().or_else(serin_envoy_process::program).ok_or(DifferentialError::NoEnvoy)?;
    let worlds = Worlds::start()?;
    let mut tally = Tally::default();
    let kept = case::read_all(Path::new(case::CASES))?;
    play(&program, &worlds, options.seed, Round::of_cases(kept), &mut tally)?;
    let end = options.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let mut next = 0;
    while end.map_or(next < options.configs, |end| Instant::now() < end) {
        let last = if end.is_some() { next + SIDE_BY_SIDE } else { options.configs.min(next + SIDE_BY_SIDE) };
        let round = Round::drawn(options.seed, next..last, options.requests)?;
        play(&program, &worlds, options.seed, round, &mut tally)?;
        next = last;
    }
    let mut out = std::io::stdout().lock();
    for (rule, times) in &tally.accepted {
        writeln!(out, "accepted {times} times: {rule} (docs/differences.md)")?;
    }
    let Tally { configurations, requests, differences, passing, .. } = tally;
    if passing > 0 {
        writeln!(out, "{passing} differences did not show a second time")?;
    }
    writeln!(out, "{configurations} configurations, {requests} requests, {differences} differences")?;
    if differences == 0 { Ok(()) } else { Err(DifferentialError::Different(differences)) }
}

/// Plays a round and adds to the tally what came of it.
fn play(program: &Path, worlds: &Worlds, seed: u64, round: Round, tally: &mut Tally) -> Result<(), DifferentialError> {
    if round.cases.is_empty() {
        return Ok(());
    }
    let planes = Planes::start(program, worlds, &round.configuration)?;
    let found = round::play(&planes, &round)?;
    drop(planes);
    tally.configurations += round.configuration.hosts.len();
    tally.requests += round.requests();
    tally.passing += found.passing;
    for (rule, times) in found.accepted {
        *tally.accepted.entry(rule).or_default() += times;
    }
    let mut shown = BTreeSet::new();
    for (number, outcomes) in found.differences {
        tally.differences += 1;
        // What differs in one configuration differs there for one reason, most of the time.
        if shown.insert(round.cases[number].host) && shown.len() <= SHOWN {
            let case = round.case(number);
            let domain = case.host.source.name.clone();
            let case = case.renamed(&domain, case::DOMAIN);
            show(program, worlds, &case, &format!("seed-{seed}-{}", round.name(number)), &outcomes)?;
        }
    }
    Ok(())
}

/// Makes a case as small as can be, keeps it and shows it.
fn show(
    program: &Path,
    worlds: &Worlds,
    case: &Case,
    name: &str,
    (ours, envoys): &(Outcome, Outcome),
) -> Result<(), DifferentialError> {
    let mut planes = Planes::start(program, worlds, &case::alone(case))?;
    let gist = |(ours, envoys): (Outcome, Outcome)| (ours.gist(), envoys.gist());
    let first = round::differ(&planes, case, "first")?.map(gist);
    let mut tries = 0;
    // Listeners stay as they are while configurations are replaced.
    let http = case.http.clone();
    let mut differ = |case: &Case| {
        tries += 1;
        first.is_some()
            && (case.times.is_none() || tries < MANY)
            && case.is_whole()
            && case.http == http
            && planes.replace(&case::alone(case)).is_ok()
            && round::differ(&planes, case, &format!("shrink-{tries}")).ok().flatten().map(gist) == first
    };
    let small = shrink::shrink(case, &mut differ);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name} on {} {}:", small.listener, serde_json::to_string(&small.http).unwrap_or_default())?;
    planes.replace(&case::alone(&small))?;
    if let Some((ours, envoys)) = round::differ(&planes, &small, "shown")? {
        writeln!(out, "    host {}", serde_json::to_string(&small.host).unwrap_or_default())?;
        writeln!(out, "    {}\n    Serin: {ours}\n    Envoy: {envoys}", small.request)?;
        let file = small.write(Path::new(case::CASES), name)?;
        writeln!(out, "    kept as {}\n", file.display())?;
    } else {
        writeln!(out, "    host {}", serde_json::to_string(&case.host).unwrap_or_default())?;
        writeln!(out, "    {}\n    Serin: {ours}\n    Envoy: {envoys}", case.request)?;
        writeln!(out, "    it shows only beside other configurations\n")?;
    }
    Ok(())
}

/// Chance for one purpose of one configuration: what is drawn for it does not depend on the others.
fn random(seed: u64, number: usize, purpose: u64) -> Rng {
    let number = u64::try_from(number).unwrap_or_default();
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 1) ^ purpose)
}
