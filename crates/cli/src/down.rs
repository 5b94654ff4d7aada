//! `serin down`: asks the running instance to drain and waits until it is gone.

use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::failure::{Failure, Outcome, While};
use crate::home::Home;
use crate::out;

/// Flags of `serin down`.
#[derive(Args, Debug)]
#[command(after_help = "Requests under way are finished first, and pods are stopped. What was applied is kept in \
                        SERIN_HOME for the next `serin up`.")]
pub(crate) struct Options {
    /// How long to wait, in seconds, before the process is killed
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// How often the lock is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub(crate) fn run(options: &Options) -> Outcome {
    let home = Home::find()?;
    let Some(pid) = home.holder() else {
        if home.is_held() {
            return Err(Failure::new(format!(
                "something holds {}, and does not say what it is",
                home.path().display()
            )));
        }
        out::note(format!("No gateway is running in {}.", home.path().display()));
        return Ok(());
    };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| Failure::new(format!("{pid} is no process")))?;
    signal(process, Signal::TERM)?;
    if until(Duration::from_secs(options.timeout), || !home.is_held()) {
        // What let its home go takes a moment to end, and whoever called finds nothing of it. It is not waited for long: in
        // time another process may bear its number.
        until(Duration::from_secs(5), || !runs(process));
        out::note("Stopped.");
        return Ok(());
    }
    out::warning(format!("process {pid} did not stop within {} s; it is killed", options.timeout));
    signal(process, Signal::KILL)?;
    if until(Duration::from_secs(10), || !home.is_held()) {
        Ok(())
    } else {
        Err(Failure::new(format!("process {pid} cannot be stopped")))
    }
}

fn signal(process: Pid, signal: Signal) -> Outcome {
    match kill_process(process, signal) {
        // It is gone already.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        result => result.or_fail(|| format!("process {} cannot be asked to stop", process.as_raw_nonzero())),
    }
}

/// Whether `gone` came to hold within `limit`.
fn until(limit: Duration, gone: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !gone() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    true
}

/// Whether the process runs; one that has ended and whose parent has not asked for its result (a zombie) does not.
fn runs(process: Pid) -> bool {
    let is_zombie = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|fields| fields.trim_start().starts_with('Z')))
    };
    test_kill_process(process).is_ok() && !is_zombie()
}
