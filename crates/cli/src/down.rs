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
    if wait(&home, Duration::from_secs(options.timeout)) {
        wait_for_exit(process);
        out::note("Stopped.");
        return Ok(());
    }
    out::warning(format!("process {pid} did not stop within {} s; it is killed", options.timeout));
    signal(process, Signal::KILL)?;
    if wait(&home, Duration::from_secs(10)) {
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

/// Whether the home was let go of in time.
fn wait(home: &Home, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while home.is_held() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    true
}

/// Gives a process that has let its home go the moment it takes to end, so that whoever called `down` finds nothing of it.
/// Not longer: by then another process might bear its number.
fn wait_for_exit(process: Pid) {
    let end = Instant::now() + Duration::from_secs(5);
    while runs(process) && Instant::now() < end {
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Whether the process runs; one that has ended and whose parent has not asked for its result (a zombie) does not.
fn runs(process: Pid) -> bool {
    let is_zombie = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|fields| fields.trim_start().starts_with('Z')))
    };
    test_kill_process(process).is_ok() && !is_zombie()
}
