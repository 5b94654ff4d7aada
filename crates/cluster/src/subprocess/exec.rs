//! `__pod-exec`: the moment between the shim and the program.

use super::kinship;
use rustix::process::Signal;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, ExitCode};

/// Exit code of a program that could not be started, as a shell has it.
const NOT_STARTED: u8 = 127;

/// `__pod-exec <shim's pid> <program> [<argument>…]`: becomes the program, to be killed when the shim ends.
///
/// That the program cannot be started is said on the standard error stream, which is the container's log.
pub fn pod_exec(args: Vec<OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let shim = args.next().and_then(|pid| pid.to_str()?.parse::<i32>().ok());
    let (Some(shim), Some(program)) = (shim, args.next()) else {
        return fail("serin: __pod-exec is started by serin itself");
    };
    if !kinship::die_with_parent(shim, Signal::KILL) {
        return ExitCode::from(NOT_STARTED);
    }
    let error = become_program(Command::new(&program).args(args));
    fail(&format!("serin: cannot run {}: {error}", program.display()))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(NOT_STARTED)
}
