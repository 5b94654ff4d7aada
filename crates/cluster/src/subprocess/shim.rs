//! `__pod-shim`: supervises one container's program, and outlives nothing.
//!
//! Its standard input is a socket to the node. The node writes single bytes, [`TERMINATE`] and [`KILL`]; the shim answers
//! with lines, `pid N` once the program is started, and at last `exit CODE` or `signal NUMBER`, when the program has ended and
//! everything it left behind is gone too. When the socket closes, `serin` is gone (however it went), and so is the container.

use super::{POD_EXEC, kinship};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGTERM};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

/// Sent by the node: pass SIGTERM on to the program.
pub(crate) const TERMINATE: u8 = b'T';
/// Sent by the node: end the program and all that descends from it, now.
pub(crate) const KILL: u8 = b'K';

/// `__pod-shim <parent's pid> <program> [<argument>…]`: runs the program until it ends, or until the parent does.
pub fn pod_shim(args: Vec<OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let parent = args.next().and_then(|pid| pid.to_str()?.parse::<i32>().ok());
    let (Some(parent), Some(program)) = (parent, args.next()) else {
        let _ = writeln!(io::stderr(), "serin: __pod-shim is started by serin itself");
        return ExitCode::FAILURE;
    };
    match supervise(parent, program, args.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "serin: cannot supervise the container's program: {error}");
            ExitCode::FAILURE
        }
    }
}

fn supervise(parent: i32, program: OsString, args: Vec<OsString>) -> io::Result<()> {
    let _ = rustix::process::setsid();
    let child_ended = on_signal(SIGCHLD)?;
    let asked_to_end = on_signal(SIGTERM)?;
    let parent_ended = on_signal(SIGHUP)?;
    if !kinship::die_with_parent(parent, Signal::HUP) {
        return Ok(());
    }
    kinship::adopt_orphans();

    let control = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?);
    control.set_nonblocking(true)?;
    let program = start(&program, &args)?;
    // An answer that nobody reads is no reason to leave the program alone: the socket's end is seen below.
    let _ = writeln!(&control, "pid {program}");

    let mut ended = None;
    while ended.is_none() {
        let mut watched = [
            PollFd::new(&control, PollFlags::IN),
            PollFd::new(&child_ended, PollFlags::IN),
            PollFd::new(&asked_to_end, PollFlags::IN),
            PollFd::new(&parent_ended, PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let said = watched[0].revents().is_empty();
        let kill = !said && obey(&control, program);
        if kill || drain(&parent_ended) {
            break;
        }
        if drain(&asked_to_end) {
            kinship::signal(program, Signal::TERM);
        }
        if drain(&child_ended) {
            ended = reap(program);
        }
    }
    let ended = end_all(program, ended);
    let answer = match ended.map(|status| (status.exit_status(), status.terminating_signal())) {
        Some((Some(code), _)) => format!("exit {code}\n"),
        Some((None, Some(signal))) => format!("signal {signal}\n"),
        _ => "signal 9\n".to_owned(),
    };
    let _ = (&control).write_all(answer.as_bytes());
    Ok(())
}

/// Starts the program by way of `__pod-exec`, in a process group of its own.
fn start(program: &OsString, args: &[OsString]) -> io::Result<i32> {
    let child = Command::new(std::env::current_exe()?)
        .arg(POD_EXEC)
        .arg(std::process::id().to_string())
        .arg(program)
        .args(args)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

/// Does what the node says; true when that is to end everything, also because the node is gone.
fn obey(mut control: &UnixStream, program: i32) -> bool {
    let mut bytes = [0; 16];
    match control.read(&mut bytes) {
        Ok(0) => true,
        Ok(count) => {
            let said = &bytes[..count];
            if said.contains(&TERMINATE) {
                kinship::signal(program, Signal::TERM);
            }
            said.contains(&KILL)
        }
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}

/// Collects the children that ended; the program's status when it is among them.
fn reap(program: i32) -> Option<WaitStatus> {
    let mut found = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid.as_raw_pid() == program {
            found = Some(status);
        }
    }
    found
}

/// Kills whatever descends from this process until nothing does. The program's status, if it was not known yet.
fn end_all(program: i32, mut ended: Option<WaitStatus>) -> Option<WaitStatus> {
    let own = rustix::process::getpid().as_raw_pid();
    loop {
        if let Some(group) = Pid::from_raw(program) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        for pid in kinship::descendants(own) {
            kinship::signal(pid, Signal::KILL);
        }
        // A process that forked while this one read /proc is found in the next round.
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_pid() == program => ended = Some(status),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return ended,
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// A socket that becomes readable when `signal` arrives.
fn on_signal(signal: i32) -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal, write)?;
    Ok(read)
}

/// Empties a signal's socket; true when there was something in it.
fn drain(mut socket: &UnixStream) -> bool {
    let mut bytes = [0; 64];
    let mut any = false;
    while matches!(socket.read(&mut bytes), Ok(count) if count > 0) {
        any = true;
    }
    any
}
