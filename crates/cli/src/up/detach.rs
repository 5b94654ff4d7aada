//! `serin up --detach`: starts the same command in the background and waits until it is ready or has failed.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use super::announce::Message;
use crate::failure::{Failure, Outcome, While};
use crate::home::Home;
use crate::out;

pub(super) fn run(home: &Home) -> Outcome {
    home.prepare()?;
    super::refuse_second(home)?;
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(home.log());
    let log = log.or_fail(|| format!("{} cannot be written", home.log().display()))?;
    let program = std::env::current_exe().or_fail(|| "this program cannot be found again".to_owned())?;
    let words = std::env::args_os().skip(1).filter(|word| word != "--detach" && word != "-d");
    let mut child = Command::new(program)
        .args(words)
        .arg("--announce")
        .env("SERIN_HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .or_fail(|| "the gateway cannot be started".to_owned())?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).or_fail(|| "the gateway cannot be listened to".to_owned())?;
    }
    match serde_json::from_str(&line) {
        Ok(Message::Ready) => {
            welcome(home)?;
            Ok(())
        }
        Ok(Message::Failed(reason)) => {
            // It is on its way out; waiting leaves no zombie and lets go of the home first.
            let _ = child.wait();
            Err(Failure::new(reason))
        }
        Err(_) => {
            let status = child.wait().or_fail(|| "the gateway cannot be waited for".to_owned())?;
            let failure = Failure::new(format!("the gateway stopped while it was starting ({status})"));
            Err(failure.hint(format!("its log is {}", home.log().display())))
        }
    }
}

/// What to do next.
fn welcome(home: &Home) -> Outcome {
    crate::status::describe(home, &home.running()?);
    out::line("");
    out::line("Next:");
    for step in [
        "export KUBECONFIG=$(serin kubeconfig)",
        "kubectl apply -f app.yaml",
        "curl $(serin proxy url)/",
        "serin check",
    ] {
        out::line(format!("  {}", out::command(step)));
    }
    out::line(format!("`serin down` stops it. Its log is {}.", home.log().display()));
    Ok(())
}
