//! What a process and its children have used: CPU time and resident memory, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// What a tree of processes uses.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// User and system time since the processes began, all threads, those that ended too.
    pub(crate) cpu: Duration,
    /// Resident memory now, in KiB. Pages that two processes share count twice.
    pub(crate) resident_kib: u64,
}

/// The usage of `root` and everything below it, or `None` when `root` is gone.
pub(crate) fn usage_of_tree(root: u32) -> Option<Usage> {
    let processes = processes();
    processes.get(&root)?;
    let mut total = Usage::default();
    let mut pending = vec![root];
    while let Some(pid) = pending.pop() {
        if let Some(process) = processes.get(&pid) {
            total.cpu += process.cpu;
            total.resident_kib += resident_kib(pid).unwrap_or(0);
        }
        pending.extend(processes.iter().filter(|(_, process)| process.parent == pid).map(|(child, _)| *child));
    }
    Some(total)
}

struct Process {
    parent: u32,
    cpu: Duration,
}

fn processes() -> BTreeMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            // A process that ended between the listing and here is left out.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parse_stat(&stat)?))
        })
        .collect()
}

/// The fields are those of proc_pid_stat(5): after the name, which may hold anything, comes the state as the third.
fn parse_stat(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<u64>().ok());
    let ticks = field(14)? + field(15)?;
    let cpu = Duration::from_micros(ticks * 1_000_000 / rustix::param::clock_ticks_per_second());
    Some(Process { parent: u32::try_from(field(4)?).ok()?, cpu })
}

fn resident_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_shifts_no_field() {
        let stat = "42 (a) b (c) S 7 1 1 0 -1 4194560 1 0 0 0 150 50 9 9 20 0 1 0 100 1 1";
        let process = parse_stat(stat).expect("parsed");
        assert_eq!(process.parent, 7);
        assert_eq!(process.cpu, Duration::from_micros(200 * 1_000_000 / rustix::param::clock_ticks_per_second()));
    }

    #[test]
    fn this_process_has_memory_and_its_children_count() {
        let alone = usage_of_tree(std::process::id()).expect("this process");
        assert!(alone.resident_kib > 0);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let together = usage_of_tree(std::process::id()).expect("this process");
        let of_child = usage_of_tree(child.id()).expect("the child");
        child.kill().expect("killed");
        child.wait().expect("waited");
        assert!(together.resident_kib >= of_child.resident_kib);
        assert!(usage_of_tree(child.id()).is_none());
    }
}
