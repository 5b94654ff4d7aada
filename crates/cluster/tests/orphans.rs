//! Nothing that a pod has started outlives serin, however serin ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod fixture;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that starts `sleep`s in every way there is to get away from a parent; `$MARK` is how they are found.
const SCRIPT: &str = "
sleep 86401.$MARK &
setsid sleep 86402.$MARK &
(setsid sh -c 'sleep 86403.$MARK & sleep 86404.$MARK' &)
trap '' TERM HUP
exec sleep 86405.$MARK";

struct Serin {
    process: Child,
    kubeconfig: String,
}

fn start(home: &Path) -> Serin {
    let mut process = Command::new(fixture::subprocess())
        .arg("cluster")
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    Serin { process, kubeconfig: line.trim().to_owned() }
}

fn apply(kubectl: &Path, serin: &Serin, mark: &str) {
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: runaway}}\nspec:\n  containers:\n  - name: c\n    image: shell\n    \
         args: ['-c', {}]\n    env: [{{name: MARK, value: '{mark}'}}]\n",
        serde_json::to_string(SCRIPT).unwrap()
    );
    let mut apply = Command::new(kubectl)
        .args(["apply", "-f", "-"])
        .env("KUBECONFIG", &serin.kubeconfig)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    apply.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(apply.wait().unwrap().success());
}

/// How many processes have `mark` in their arguments.
fn alive(mark: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let sleeps = format!(".{mark}");
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| {
            line.split(|&byte| byte == 0).any(|arg| arg.starts_with(b"8640") && arg.ends_with(sleeps.as_bytes()))
        })
        .count()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nothing_outlives_a_killed_serin_nor_an_orderly_end() {
    let Some(kubectl) = fixture::kubectl() else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path().join("home");
    let mark = std::process::id().to_string();

    let mut serin = start(&home);
    apply(&kubectl, &serin, &mark);
    wait_until("all of it runs", || alive(&mark) == 5);
    serin.process.kill().unwrap();
    serin.process.wait().unwrap();
    wait_until("nothing outlives kill -9", || alive(&mark) == 0);

    // The pod is still in the store: it starts again, and counts that as a restart.
    let mut serin = start(&home);
    wait_until("all of it runs again", || alive(&mark) == 5);
    let restarts = || {
        let path = "jsonpath={.status.containerStatuses[0].restartCount}";
        let output = Command::new(&kubectl)
            .args(["get", "pod", "runaway", "-o", path])
            .env("KUBECONFIG", &serin.kubeconfig)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    wait_until("the restart is counted", || restarts() == "1");
    drop(serin.process.stdin.take());
    assert!(serin.process.wait().unwrap().success());
    assert_eq!(alive(&mark), 0);
}
