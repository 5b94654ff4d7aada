//! Who descends from whom, and dying together: the few things that the shim asks of the operating system.
//!
//! Linux gives all of it without `unsafe`: a signal at the parent's death, subreapers, `/proc`. Elsewhere the shim still sees
//! that its parent is gone (its control socket closes) and ends the program's process group.

use rustix::process::{Pid, Signal, getppid, kill_process};

/// Asks for `signal` when the parent ends. False when the parent, `expected`, is gone already.
pub(super) fn die_with_parent(expected: i32, signal: Signal) -> bool {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(signal)) {
        tracing::debug!(%error, "no parent-death signal");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
    // The parent may have ended before the request was made: then no signal comes, and this process has another parent.
    getppid().map(Pid::as_raw_pid) == Some(expected)
}

/// Orphans among this process's descendants become its own children.
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "not a subreaper");
    }
}

/// Every process that descends from `root`, which itself is not among them.
#[cfg(target_os = "linux")]
pub(crate) fn descendants(root: i32) -> Vec<i32> {
    let mut children: std::collections::HashMap<i32, Vec<i32>> = std::collections::HashMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read(entry.path().join("stat")) else { continue };
        if let Some(parent) = parent_in_stat(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        let own = children.remove(&parent).unwrap_or_default();
        found.extend(&own);
        next.extend(own);
    }
    found
}

/// Every process that descends from `root`: not known on this platform.
#[cfg(not(target_os = "linux"))]
pub(crate) fn descendants(_root: i32) -> Vec<i32> {
    Vec::new()
}

/// The parent's id in a line of `/proc/<pid>/stat`: the second field after the command, which stands in parentheses and may
/// hold anything, parentheses too.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn parent_in_stat(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&stat[end + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Sends `signal` to `pid`; that it is gone already is no matter.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_stands_after_the_last_parenthesis() {
        assert_eq!(parent_in_stat(b"42 (a) b (c) S 7 42 42 0"), Some(7));
        assert_eq!(parent_in_stat(b"42 (a) S"), None);
        assert_eq!(parent_in_stat(b""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_and_its_child_are_descendants() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let mut found = Vec::new();
        while std::time::Instant::now() < deadline {
            found = descendants(i32::try_from(child.id()).unwrap());
            if !found.is_empty() {
                break;
            }
            std::thread::yield_now();
        }
        assert_eq!(found.len(), 1);
        assert!(descendants(i32::try_from(std::process::id()).unwrap()).contains(&found[0]));
        signal(found[0], Signal::KILL);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
