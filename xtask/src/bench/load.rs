//! The load: wrk on its own processor, with connections that stay open.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::error::BenchError;
use super::probe;
use super::scenario::Request;
use super::server::pinned;

const DRIVER: &str = include_str!("load.lua");

/// What wrk saw in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) duration: Duration,
    /// Time to answer that 99 of 100 requests stayed under.
    pub(crate) p99: Duration,
    /// Requests that failed or were answered with another status than 2xx or 3xx.
    pub(crate) errors: u64,
}

/// A load ready to be put on one proxy after another.
pub(crate) struct Load {
    program: PathBuf,
    driver: PathBuf,
    requests: PathBuf,
    core: usize,
    connections: usize,
    tls: bool,
}

impl Load {
    pub(crate) fn prepare(
        program: &Path,
        directory: &Path,
        requests: &[Request],
        core: usize,
        connections: usize,
        tls: bool,
    ) -> Result<Load, BenchError> {
        let driver = directory.join("load.lua");
        fs::write(&driver, DRIVER)?;
        let file = directory.join("requests.txt");
        let lines: String = requests
            .iter()
            .map(|request| {
                let headers: String =
                    probe::headers(request).iter().map(|(name, value)| format!("\t{name}:{value}")).collect();
                let close = if request.new_connection { "\tConnection:close" } else { "" };
                format!("{}{headers}{close}\n", request.path)
            })
            .collect();
        fs::write(&file, lines)?;
        Ok(Load { program: program.to_owned(), driver, requests: file, core, connections, tls })
    }

    /// Sends requests to `port` for `seconds`.
    pub(crate) fn run(&self, proxy: &str, port: u16, seconds: u64) -> Result<Figures, BenchError> {
        let output = pinned(&self.program, self.core)
            .args(["--threads", "1", "--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--timeout", "10s"])
            .arg("--script")
            .arg(&self.driver)
            .arg(format!("{}://127.0.0.1:{port}", if self.tls { "https" } else { "http" }))
            .arg("--")
            .arg(&self.requests)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| BenchError::Start { program: "wrk".into(), source })?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text).ok_or_else(|| BenchError::Report {
            proxy: proxy.to_owned(),
            output: format!("{text}{}", String::from_utf8_lossy(&output.stderr)),
        })
    }
}

/// Finds the driver's line among what wrk prints.
fn parse(output: &str) -> Option<Figures> {
    let line = output.lines().find_map(|line| line.strip_prefix("figures "))?;
    let mut numbers = line.split(' ').map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    Some(Figures {
        requests: next()?,
        duration: Duration::from_micros(next()?),
        p99: Duration::from_micros(next()?),
        errors: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_found_among_what_wrk_says() {
        let output = "Running 1s test\n  2 requests in 1.00s\nfigures 2 1000123 450 0\n";
        let figures = Figures {
            requests: 2,
            duration: Duration::from_micros(1_000_123),
            p99: Duration::from_micros(450),
            errors: 0,
        };
        assert_eq!(parse(output), Some(figures));
        assert_eq!(parse("unable to connect\n"), None);
    }
}
