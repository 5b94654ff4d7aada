//! What the demo plays on: a directory, a gateway in it, and the commands that are shown and run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::manifests;
use crate::failure::{Failure, Outcome, While};
use crate::home::Home;
use crate::http_client;
use crate::out;

/// How long an answer may take to become the expected one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(5);
/// How many times in a row an answer has to be the expected one.
const REPEATS: usize = 5;

/// A gateway of the demo's own, and where its files are.
pub(super) struct Stage {
    directory: PathBuf,
    program: PathBuf,
    gateway: SocketAddr,
}

impl Stage {
    /// Makes the directory and writes the manifests.
    pub(super) fn build() -> Outcome<Self> {
        let directory = std::env::temp_dir().join(format!("serin-demo-{}", std::process::id()));
        let program = std::env::current_exe().or_fail(|| "this program cannot be found again".to_owned())?;
        let unwritable = || format!("{} cannot be written", directory.display());
        std::fs::create_dir_all(&directory).or_fail(unwritable)?;
        for (name, text) in manifests::ALL {
            std::fs::write(directory.join(name), text).or_fail(unwritable)?;
        }
        Ok(Self { directory, program, gateway: SocketAddr::from(([127, 0, 0, 1], 0)) })
    }

    /// Starts the gateway.
    pub(super) async fn start(&mut self) -> Outcome {
        let ports = ["--http-port", "0", "--https-port", "0", "--api-port", "0", "--admin-port", "0"];
        let started = self.command(&["up", "--detach", "--workers", "1"]).args(ports).output().await;
        let started = started.or_fail(|| "the gateway cannot be started".to_owned())?;
        if !started.status.success() {
            return Err(Failure::new(String::from_utf8_lossy(&started.stderr).trim().to_owned()));
        }
        let instance = self.home().running()?;
        let gateway = instance.gateway.values().next();
        self.gateway = *gateway.ok_or_else(|| Failure::new("the gateway listens nowhere"))?;
        Ok(())
    }

    fn home(&self) -> Home {
        Home::at(self.directory.join("home"))
    }

    /// `serin` with these words, for the demo's own gateway.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(&self.directory).env("SERIN_HOME", self.home().path());
        command.env_remove("KUBECONFIG").stdin(Stdio::null());
        command
    }

    /// Shows a kubectl command, runs it, and shows what it prints. It has to succeed.
    pub(super) async fn kubectl(&self, words: &[&str]) -> Outcome {
        let typed: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        show_command(&format!("kubectl {}", typed.join(" ")));
        let words: Vec<&str> = ["kubectl"].iter().chain(words).copied().collect();
        let output = self.command(&words).output().await.or_fail(|| "kubectl's verbs cannot be run".to_owned())?;
        show_output(&String::from_utf8_lossy(&output.stdout));
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Shows and runs `serin check`, whose output has to hold these lines.
    pub(super) async fn check(&self, wanted: &[&str]) -> Outcome {
        show_command("serin check");
        let end = Instant::now() + PATIENCE;
        loop {
            let output = self.command(&["check"]).output().await.or_fail(|| "serin check cannot be run".to_owned())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let met = wanted.iter().all(|line| text.contains(line));
            if !met && Instant::now() < end {
                tokio::time::sleep(ASK_AGAIN).await;
                continue;
            }
            // The areas without a finding are of little interest here.
            let lines: Vec<&str> = text.lines().filter(|line| !line.ends_with("... OK")).collect();
            show_output(&lines.join("\n"));
            return if met {
                Ok(())
            } else {
                Err(Failure::new(format!("expected `serin check` to say: {}", wanted.join(", "))))
            };
        }
    }

    /// Shows a request, sends it until the answer is the expected one, and shows the answer.
    pub(super) async fn request(&self, path: &str, canary: bool, wanted: &str) -> Outcome {
        let header = if canary { " -H 'stage: canary'" } else { "" };
        show_command(&format!("curl $(serin proxy url){path}{header}"));
        let end = Instant::now() + PATIENCE;
        let mut right = 0;
        loop {
            let got = self.ask(path, canary).await?;
            if got == wanted {
                right += 1;
                if right == REPEATS {
                    show_output(&format!("{got}   {}", out::good("as expected")));
                    return Ok(());
                }
            } else {
                right = 0;
                if Instant::now() > end {
                    show_output(&format!("{got}   {}", out::bad("not as expected")));
                    return Err(Failure::new(format!("GET {path}{header} answers {got:?}; expected {wanted:?}")));
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        }
    }

    /// Sends many requests and shows how they fall; so many of them have to be the expected answer.
    pub(super) async fn count(
        &self,
        path: &str,
        total: usize,
        wanted: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Outcome {
        show_command(&format!("for i in $(seq {total}); do curl -s $(serin proxy url){path}; done | sort | uniq -c"));
        let mut answers = std::collections::BTreeMap::<String, usize>::new();
        for _ in 0..total {
            *answers.entry(self.ask(path, false).await?).or_default() += 1;
        }
        let hits = answers.get(wanted).copied().unwrap_or(0);
        let right = range.contains(&hits);
        let remark = if right { out::good("as expected") } else { out::bad("not as expected") };
        let lines: Vec<String> = answers.iter().map(|(answer, count)| format!("{count:>4} {answer}")).collect();
        show_output(&format!("{}   {remark}", lines.join("\n")));
        if right {
            Ok(())
        } else {
            Err(Failure::new(format!("{hits} of {total} answers are {wanted:?}; expected {range:?}")))
        }
    }

    async fn ask(&self, path: &str, canary: bool) -> Outcome<String> {
        let headers: &[(&str, &str)] = if canary { &[("stage", "canary")] } else { &[] };
        let answer = http_client::get(self.gateway, path, headers).await?;
        Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
    }

    /// Says how to go on.
    pub(super) fn leave_open(&self) {
        out::line("Everything is left running. Go on with:");
        let home = self.home();
        for step in [
            format!("cd {}", self.directory.display()),
            format!("export SERIN_HOME={}", home.path().display()),
            "export KUBECONFIG=$(serin kubeconfig)".to_owned(),
            "kubectl get routetables -A          # or: serin kubectl get routetables -A".to_owned(),
            "curl $(serin proxy url)/echo".to_owned(),
            "serin down                          # stops it".to_owned(),
        ] {
            out::line(format!("  {}", out::command(&step)));
        }
    }

    /// Stops the gateway and removes the directory.
    pub(super) async fn take_down(&self) {
        let stopped = self.command(&["down"]).output().await;
        if !stopped.is_ok_and(|output| output.status.success()) {
            out::warning(format!("the gateway in {} may still be running", self.home().path().display()));
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            out::warning(format!("{} cannot be removed: {error}", self.directory.display()));
        }
    }
}

fn show_command(text: &str) {
    out::line(format!("  {} {}", out::faint("$"), out::command(text)));
}

fn show_output(text: &str) {
    for line in text.lines() {
        out::line(format!("    {line}"));
    }
}

/// A word as it is typed in a shell.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|it| it.is_ascii_alphanumeric() || "-_./=:,".contains(it));
    if plain { word.to_owned() } else { format!("'{word}'") }
}
