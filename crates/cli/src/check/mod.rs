//! `serin check`: a line per area, then whether there are problems.

mod area;
mod envoys;
mod health;
pub(crate) mod observed;
mod report;
mod verdict;

use clap::{Args, ValueEnum};

use crate::failure::{Failure, Outcome};
use crate::runtime;
use crate::target::Target;

/// Flags of `serin check`.
#[derive(Args, Debug)]
#[command(after_help = "Exits 1 when there are problems: resources that are rejected or not served as written, \
                        Upstreams none of whose endpoints is healthy, Envoys that are behind. Advice (a field that is not implemented, a \
                        hidden route, an endpoint that is passed over) is printed, and exits 0 unless --strict.\n\n\
                        Examples:\n  serin check\n  serin check -o json\n  serin check --context staging")]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    /// Count advice as a problem
    #[arg(long)]
    strict: bool,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    Json,
}

pub(crate) fn run(options: Options) -> Outcome {
    runtime::client(async {
        let config = options.target.config().await?;
        let server = config.cluster_url.clone();
        let client = crate::target::client(config)?;
        let config = observed::wait(&client, &server).await?;
        let mut areas = area::check_all(&client).await?;
        let upstreams = areas.iter_mut().find(|area| area.name == area::UPSTREAMS);
        if let (Some(upstreams), Some(config)) = (upstreams, &config) {
            upstreams.findings.extend(health::of_config(config));
        }
        let connected = config.as_ref().and_then(envoys::of_config);
        if let (Some(config), Some(connected)) = (&config, &connected) {
            areas.push(envoys::area(connected, config));
        }
        let connected = connected.unwrap_or_default();
        let wrong = areas.iter().any(|area| area.is_wrong(options.strict));
        match options.output {
            Some(Format::Json) => report::json(&areas, &connected, wrong),
            None => report::text(&areas, &connected, wrong),
        }
        if wrong { Err(Failure::reported()) } else { Ok(()) }
    })
}
