//! The steps of the demo, in order, in plain words.

use std::time::Instant;

use super::stage::Stage;
use crate::failure::Outcome;
use crate::out;

/// The body of a route that was replaced, as `settings.yaml` sets it.
const REPLACED: &str = "This route is misconfigured; `serin check` says how.";

/// Plays every step. The first answer that is not the expected one ends it.
pub(super) async fn play(stage: &Stage) -> Outcome {
    let started = Instant::now();
    out::line(out::bold("Two teams, one domain, two rollouts side by side"));
    out::line("");
    explain(&[
        "A gateway and a small Kubernetes-style API were started just for this, on free ports.",
        "Behind every command below stands the real thing: real processes, real requests.",
    ]);
    both_teams(stage).await?;
    first_phase(stage).await?;
    second_phase(stage).await?;
    mistake(stage).await?;
    replacement(stage).await?;
    finish(stage).await?;
    out::line(format!("{} {:.1} s.", out::good("Every answer was as expected."), started.elapsed().as_secs_f64()));
    Ok(())
}

async fn both_teams(stage: &Stage) -> Outcome {
    step("Both teams are in service");
    explain(&["Team echo and team foxtrot each deploy version 1 of their program, in a namespace of their own."]);
    for team in ["echo", "foxtrot"] {
        stage.kubectl(&["apply", "-f", &format!("{team}.yaml")]).await?;
    }
    for team in ["echo", "foxtrot"] {
        available(stage, team, "v1").await?;
    }
    explain(&[
        "The platform team says which path belongs to whom: a VirtualService delegates /echo and /foxtrot to whatever",
        "route tables are in those teams' namespaces. From here on it has nothing to do.",
    ]);
    stage.kubectl(&["apply", "-f", "platform.yaml"]).await?;
    stage.kubectl(&["apply", "-f", "echo-routes.yaml"]).await?;
    stage.kubectl(&["apply", "-f", "foxtrot-routes.yaml"]).await?;
    stage.request("/echo", false, "echo v1").await?;
    stage.request("/foxtrot", false, "foxtrot v1").await
}

async fn first_phase(stage: &Stage) -> Outcome {
    step("Phase 1: only requests that ask for it");
    explain(&[
        "Team foxtrot deploys version 2 beside version 1. Its route table sends a request to version 2 only if it carries",
        "the header `stage: canary`, so the team can try version 2 in production, and nobody else sees it.",
    ]);
    stage.kubectl(&["apply", "-f", "foxtrot-v2.yaml"]).await?;
    available(stage, "foxtrot", "v2").await?;
    stage.kubectl(&["apply", "-f", "foxtrot-header.yaml"]).await?;
    stage.request("/foxtrot", true, "foxtrot v2").await?;
    stage.request("/foxtrot", false, "foxtrot v1").await
}

async fn second_phase(stage: &Stage) -> Outcome {
    step("Phase 2: a share of all requests");
    explain(&["Version 2 looks good. Team foxtrot gives it a fifth of all requests by weight."]);
    stage.kubectl(&["apply", "-f", "foxtrot-weights.yaml"]).await?;
    stage.request("/foxtrot", true, "foxtrot v2").await?;
    stage.count("/foxtrot", 200, "foxtrot v2", 10..=80).await?;
    explain(&["Meanwhile team echo begins a rollout of its own. Neither team asks the other, or the platform team."]);
    stage.kubectl(&["apply", "-f", "echo-v2.yaml"]).await?;
    available(stage, "echo", "v2").await?;
    stage.kubectl(&["apply", "-f", "echo-header.yaml"]).await?;
    stage.request("/echo", true, "echo v2").await?;
    stage.request("/echo", false, "echo v1").await
}

async fn mistake(stage: &Stage) -> Outcome {
    step("A mistake");
    explain(&["Team echo misspells an Upstream. At the same time team foxtrot moves all requests to version 2."]);
    stage.kubectl(&["apply", "-f", "echo-mistake.yaml"]).await?;
    stage.kubectl(&["apply", "-f", "foxtrot-shifted.yaml"]).await?;
    explain(&["The check names the table at fault, and why."]);
    stage.check(&["echo echo-routes", "*v1.Upstream {ecko gloo-system} not found", "Problems detected!"]).await?;
    explain(&[
        "Nothing breaks: by default the last good configuration is served, whole. The price is that team foxtrot's change",
        "waits until team echo mends its table.",
    ]);
    stage.request("/echo", true, "echo v2").await?;
    stage.count("/foxtrot", 200, "foxtrot v2", 10..=80).await
}

async fn replacement(stage: &Stage) -> Outcome {
    step("Nobody waits for anybody");
    explain(&[
        "One setting changes that: only the invalid route answers with an error, and every other change takes effect. Team",
        "echo's other route, and team foxtrot, are in service.",
    ]);
    stage
        .kubectl(&[
            "patch",
            "settings",
            "default",
            "-n",
            "gloo-system",
            "--type",
            "merge",
            "--patch-file",
            "settings.yaml",
        ])
        .await?;
    stage.request("/foxtrot", false, "foxtrot v2").await?;
    stage.request("/echo", true, REPLACED).await?;
    stage.request("/echo", false, "echo v1").await
}

async fn finish(stage: &Stage) -> Outcome {
    step("The end of one rollout, and a repair");
    explain(&["Team foxtrot is done: its table names version 2 alone, and version 1 goes. Team echo mends its table."]);
    stage.kubectl(&["apply", "-f", "foxtrot-done.yaml"]).await?;
    stage.kubectl(&["delete", "deployment", "foxtrot-v1", "-n", "foxtrot"]).await?;
    stage.kubectl(&["apply", "-f", "echo-header.yaml"]).await?;
    stage.check(&["No problems detected."]).await?;
    stage.request("/foxtrot", false, "foxtrot v2").await?;
    stage.request("/echo", true, "echo v2").await?;
    stage.request("/echo", false, "echo v1").await?;
    out::line("");
    Ok(())
}

async fn available(stage: &Stage, team: &str, version: &str) -> Outcome {
    let deployment = format!("deployment/{team}-{version}");
    stage.kubectl(&["wait", "--for=condition=Available", &deployment, "-n", team, "--timeout=30s"]).await
}

fn step(title: &str) {
    out::line("");
    out::line(out::bold(title));
}

fn explain(lines: &[&str]) {
    for line in lines {
        out::line(format!("  {line}"));
    }
}
