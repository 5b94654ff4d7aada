//! Deployments and pods, with real processes and a real kubectl.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[macro_use]
mod fixture;

use fixture::Fixture;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A Deployment of http-echo and its Service.
fn echo(name: &str, text: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: echo
        image: hashicorp/http-echo:1.0
        args: ['-text={text}', '-listen=:8080']
        ports: [{{name: http, containerPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: http}}]
"
    )
}

/// A pod that runs a shell script.
fn shell(name: &str, script: &str, more: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - name: main
    image: shell
    args: ['-c', {script}]
{more}
"
    )
}

fn available(f: &Fixture, name: &str) {
    f.ok(&["wait", "--for=condition=Available", &format!("deployment/{name}"), "--timeout=30s"]);
}

fn pods(f: &Fixture, name: &str, path: &str) -> Vec<String> {
    let path = format!("jsonpath={{range .items[*]}}{path}{{\"\\n\"}}{{end}}");
    f.ok(&["get", "pods", "-l", &format!("app={name}"), "-o", &path]).lines().map(str::to_owned).collect()
}

/// Addresses of the Service's endpoints that are ready.
fn ready(f: &Fixture, service: &str) -> Vec<String> {
    let path = "jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]}{\"\\n\"}{end}";
    let out = f.ok(&["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={service}"), "-o", path]);
    out.lines().map(str::to_owned).collect()
}

fn get(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((address, 8080))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_deployment_runs_is_scaled_and_replaces_what_is_deleted() {
    let f = fixture!();
    f.feed(&echo("one", "version:one", 2), &["apply", "-f", "-"]);
    available(f, "one");
    let addresses = ready(f, "one");
    assert_eq!(addresses.len(), 2);
    assert_ne!(addresses[0], addresses[1]);
    for address in &addresses {
        assert_eq!(get(address).unwrap(), "version:one\n");
    }
    let endpoints = f.ok(&["get", "endpoints", "one", "-o", "jsonpath={.subsets[0].addresses[*].ip}"]);
    assert_eq!(endpoints.split(' ').count(), 2);
    let line = f.ok(&["get", "pods", "-l", "app=one", "--no-headers"]);
    let name = line.split_whitespace().next().unwrap().to_owned();
    assert!(regex_like(&name, "one"), "{name}");
    assert!(line.contains("1/1") && line.contains("Running"), "{line}");

    f.ok(&["scale", "deployment/one", "--replicas=3"]);
    wait_until("three are ready", || ready(f, "one").len() == 3);
    f.ok(&["delete", "pod", &name]);
    wait_until("three again", || {
        let names = pods(f, "one", "{.metadata.name}");
        names.len() == 3 && !names.contains(&name) && ready(f, "one").len() == 3
    });
    f.ok(&["scale", "deployment/one", "--replicas=0"]);
    wait_until("none left", || pods(f, "one", "{.metadata.name}").is_empty());
    f.ok(&["delete", "deployment,service", "one"]);
    wait_until("everything is gone", || {
        f.ok(&["get", "rs,endpoints,endpointslices", "-l", "app=one", "-o", "name"]).is_empty()
            && f.ok(&["get", "endpointslices", "-l", "kubernetes.io/service-name=one", "-o", "name"]).is_empty()
    });
}

fn regex_like(name: &str, deployment: &str) -> bool {
    let parts: Vec<&str> = name.rsplitn(3, '-').collect();
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    parts.len() == 3 && parts[2] == deployment && plain(parts[0]) && parts[0].len() == 5 && plain(parts[1])
}

#[test]
fn a_rolling_update_keeps_serving_and_can_be_undone() {
    let f = fixture!();
    f.feed(&echo("roll", "first", 3), &["apply", "-f", "-"]);
    f.ok(&["rollout", "status", "deployment/roll", "--timeout=30s"]);
    let mut update = f.command(&["apply", "-f", "-"]);
    let mut update = update.stdin(std::process::Stdio::piped()).spawn().unwrap();
    update.stdin.take().unwrap().write_all(echo("roll", "second", 3).as_bytes()).unwrap();
    let mut seen = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let addresses = ready(f, "roll");
        // 25% of three is none that may be missing.
        assert!(addresses.len() >= 3, "{addresses:?}");
        let answers: Vec<_> = addresses.iter().filter_map(|address| get(address).ok()).collect();
        seen += answers.len();
        if answers.len() == 3 && answers.iter().all(|answer| answer == "second\n") {
            break;
        }
        assert!(Instant::now() < deadline, "{answers:?}");
    }
    assert!(update.wait().unwrap().success() && seen > 0);
    f.ok(&["rollout", "status", "deployment/roll", "--timeout=30s"]);
    assert!(f.ok(&["rollout", "history", "deployment/roll"]).contains('2'));

    f.ok(&["rollout", "undo", "deployment/roll"]);
    f.ok(&["rollout", "status", "deployment/roll", "--timeout=30s"]);
    for address in ready(f, "roll") {
        assert_eq!(get(&address).unwrap(), "first\n");
    }
    let before = pods(f, "roll", "{.metadata.uid}");
    f.ok(&["rollout", "restart", "deployment/roll"]);
    f.ok(&["rollout", "status", "deployment/roll", "--timeout=30s"]);
    wait_until("other pods", || pods(f, "roll", "{.metadata.uid}").iter().all(|uid| !before.contains(uid)));
    f.ok(&["delete", "deployment,service", "roll", "--wait=false"]);
}

#[test]
fn strategy_recreate_has_no_two_versions_at_once() {
    let f = fixture!();
    let recreate =
        |text: &str| echo("again", text, 2).replace("  replicas: 2", "  replicas: 2\n  strategy: {type: Recreate}");
    f.feed(&recreate("a"), &["apply", "-f", "-"]);
    available(f, "again");
    f.feed(&recreate("b"), &["apply", "-f", "-"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answers: Vec<_> = ready(f, "again").iter().filter_map(|address| get(address).ok()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        if answers.len() == 2 && answers[0] == "b\n" {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    f.ok(&["delete", "deployment,service", "again", "--wait=false"]);
}

#[test]
fn logs_are_kept_and_followed() {
    let f = fixture!();
    let script = "echo one; echo two >&2; while ! [ -e go ]; do sleep 0.05; done; echo three; exec sleep 100";
    f.feed(&shell("talk", script, ""), &["apply", "-f", "-"]);
    f.ok(&["wait", "--for=condition=Ready", "pod/talk", "--timeout=20s"]);
    f.until(&["logs", "talk"], |text| text.contains("one\n") && text.contains("two\n"));
    assert_eq!(f.ok(&["logs", "talk", "--tail=1"]).lines().count(), 1);
    let stamped = f.ok(&["logs", "talk", "--timestamps", "--tail=1"]);
    assert!(stamped.starts_with("20"), "{stamped}");
    let mut follower = f.spawn(&["logs", "-f", "talk"]);
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut first: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    first.sort();
    assert_eq!(first, ["one", "two"]);
    let uid = f.ok(&["get", "pod", "talk", "-o", "jsonpath={.metadata.uid}"]);
    std::fs::write(f.home.path().join("home/pods").join(uid).join("go"), "").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "three");
    f.ok(&["delete", "pod", "talk", "--now"]);
    assert!(follower.wait().unwrap().success());
}

#[test]
fn a_container_that_keeps_ending_backs_off() {
    let f = fixture!();
    f.feed(&shell("crash", "echo run $POD_NAME; exit 3", ""), &["apply", "-f", "-"]);
    f.until(&["get", "pod", "crash"], |text| text.contains("CrashLoopBackOff"));
    let last = ".status.containerStatuses[0].lastState.terminated";
    let path = format!("jsonpath={{{last}.exitCode}} {{{last}.reason}}");
    assert_eq!(f.ok(&["get", "pod", "crash", "-o", &path]), "3 Error");
    f.until(&["get", "pod", "crash", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"], |n| n >= "2");
    assert_eq!(f.ok(&["logs", "crash"]), "run crash\n");
    assert_eq!(f.ok(&["logs", "crash", "--previous"]), "run crash\n");
    assert!(f.ok(&["describe", "pod", "crash"]).contains("Back-off restarting failed container"));
    f.ok(&["delete", "pod", "crash", "--now"]);
}

#[test]
fn a_pod_that_shall_not_restart_ends() {
    let f = fixture!();
    for (name, code, phase) in [("fine", 0, "Succeeded"), ("ill", 4, "Failed")] {
        f.feed(&shell(name, &format!("exit {code}"), "  restartPolicy: Never"), &["apply", "-f", "-"]);
        f.ok(&["wait", &format!("--for=jsonpath={{.status.phase}}={phase}"), &format!("pod/{name}"), "--timeout=20s"]);
        f.ok(&["delete", "pod", name]);
    }
}

#[test]
fn an_image_that_nobody_mapped_says_how_to_map_it() {
    let f = fixture!();
    let pod = shell("unmapped", "true", "").replace("image: shell", "image: my/app:1.2");
    f.feed(&pod, &["apply", "-f", "-"]);
    f.until(&["get", "pod", "unmapped"], |text| text.contains("ErrImagePull"));
    let says = |text: &str| text.contains("serin up --image my/app=PATH");
    f.until(&["get", "pod", "unmapped", "-o", "jsonpath={.status.containerStatuses[0].state.waiting.message}"], says);
    f.until(&["describe", "pod", "unmapped"], |text| text.contains("Failed") && says(text));
    assert_eq!(f.ok(&["get", "pod", "unmapped", "-o", "jsonpath={.status.phase}"]), "Pending");
    f.ok(&["delete", "pod", "unmapped"]);
}

#[test]
fn probes_decide_on_readiness_and_restarts() {
    let f = fixture!();
    let probes = "    readinessProbe: {exec: {command: [test, -e, ready]}, periodSeconds: 1}
    livenessProbe: {exec: {command: [sh, -c, '! [ -e dead ]']}, periodSeconds: 1, failureThreshold: 1}";
    f.feed(&shell("probed", "rm -f dead; exec sleep 100", probes), &["apply", "-f", "-"]);
    f.until(&["get", "pod", "probed"], |text| text.contains("0/1") && text.contains("Running"));
    f.until(&["describe", "pod", "probed"], |text| text.contains("Readiness probe failed"));
    let uid = f.ok(&["get", "pod", "probed", "-o", "jsonpath={.metadata.uid}"]);
    let directory = f.home.path().join("home/pods").join(uid);
    std::fs::write(directory.join("ready"), "").unwrap();
    f.ok(&["wait", "--for=condition=Ready", "pod/probed", "--timeout=20s"]);
    std::fs::write(directory.join("dead"), "").unwrap();
    f.until(&["get", "pod", "probed", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"], |n| n == "1");
    f.until(&["describe", "pod", "probed"], |text| text.contains("failed liveness probe, will be restarted"));
    f.ok(&["delete", "pod", "probed", "--now"]);
}

#[test]
fn probes_ask_over_http_and_tcp() {
    let f = fixture!();
    let probed = |name: &str, probe: &str| {
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
  - name: echo
    image: docker.io/hashicorp/http-echo
    args: ['--text', hi, -listen, ':7070', '-status-code=503']
    ports: [{{name: web, containerPort: 7070}}]
    {probe}
"
        )
    };
    let good = "readinessProbe: {httpGet: {path: /health, port: web}, periodSeconds: 1}\n    \
                startupProbe: {tcpSocket: {port: 7070}, periodSeconds: 1}";
    f.feed(&probed("healthy", good), &["apply", "-f", "-"]);
    f.ok(&["wait", "--for=condition=Ready", "pod/healthy", "--timeout=20s"]);
    f.feed(
        &probed("sick", "readinessProbe: {httpGet: {path: /, port: 7070}, periodSeconds: 1}"),
        &["apply", "-f", "-"],
    );
    f.until(&["describe", "pod", "sick"], |text| {
        text.contains("Readiness probe failed: HTTP probe failed with statuscode: 503")
    });
    f.feed(&probed("remote", "livenessProbe: {grpc: {port: 7070}}"), &["apply", "-f", "-"]);
    f.until(&["describe", "pod", "remote"], |text| text.contains("grpc probes are not supported here"));
    f.until(&["logs", "sick"], |text| {
        text.contains("kube-probe/serin") && text.contains("server is listening on :7070")
    });
    f.ok(&["delete", "pod", "healthy", "sick", "remote", "--now"]);
}

#[test]
fn a_pod_with_a_finalizer_ends_and_stays_until_it_is_let_go() {
    let f = fixture!();
    let pod =
        shell("held", "echo up; exec sleep 100", "").replace("labels:", "finalizers: [example.com/hold], labels:");
    f.feed(&pod, &["apply", "-f", "-"]);
    f.ok(&["wait", "--for=condition=Ready", "pod/held", "--timeout=20s"]);
    f.ok(&["delete", "pod", "held", "--now", "--wait=false"]);
    f.until(&["get", "pod", "held", "-o", "jsonpath={.metadata.deletionGracePeriodSeconds}"], |grace| grace == "0");
    let ended = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}";
    f.until(&["get", "pod", "held", "-o", ended], |code| !code.is_empty());
    f.ok(&["patch", "pod", "held", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"]);
    f.until(&["get", "pod", "held"], |text| text.contains("not found"));
}

#[test]
fn a_pod_that_listens_on_all_addresses_is_told_about_its_own() {
    let f = fixture!();
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 is missing");
        return;
    }
    let script =
        "exec python3 -c 'import socket,time; s=socket.socket(); s.bind((\"0.0.0.0\",0)); s.listen(); time.sleep(100)'";
    f.feed(&shell("wild", script, ""), &["apply", "-f", "-"]);
    f.until(&["get", "pod", "wild", "-o", "jsonpath={.status.message}"], |text| text.contains("$POD_IP"));
    f.until(&["describe", "pod", "wild"], |text| text.contains("ListensOnAllAddresses"));
    f.ok(&["delete", "pod", "wild", "--now"]);
}

#[test]
fn the_environment_is_the_pods_and_not_serins() {
    let f = fixture!();
    f.feed(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {greeting: hello}\n",
        &["apply", "-f", "-"],
    );
    let env = "    env:
    - {name: GREETING, valueFrom: {configMapKeyRef: {name: words, key: greeting}}}
    - {name: WHERE, value: '$(POD_IP):80'}";
    f.feed(&shell("env", "env | sort; exec sleep 100", env), &["apply", "-f", "-"]);
    let text = f.until(&["logs", "env"], |text| text.contains("WHERE="));
    let names: Vec<&str> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let given = ["GREETING", "HOME", "HOSTNAME", "PATH", "POD_IP", "POD_NAME", "POD_NAMESPACE", "WHERE"];
    // A shell adds these by itself.
    let own = ["OLDPWD", "PWD", "SHLVL", "_"];
    assert!(names.iter().all(|name| given.contains(name) || own.contains(name)), "{names:?}");
    assert!(text.contains("GREETING=hello\n") && text.contains("HOSTNAME=env\n"));
    f.ok(&["delete", "pod", "env", "--now"]);
}

#[test]
fn init_containers_and_sidecars_come_first() {
    let f = fixture!();
    let more = "  initContainers:
  - {name: prepare, image: shell, args: ['-c', 'echo prepared > file']}
  - {name: helper, image: shell, restartPolicy: Always, args: ['-c', 'exec sleep 100']}";
    f.feed(&shell("ordered", "cat file; exec sleep 100", more), &["apply", "-f", "-"]);
    f.ok(&["wait", "--for=condition=Ready", "pod/ordered", "--timeout=20s"]);
    f.until(&["logs", "ordered", "-c", "main"], |text| text == "prepared\n");
    f.until(&["get", "pod", "ordered"], |text| text.contains("2/2"));
    f.ok(&["delete", "pod", "ordered", "--now"]);
}

#[test]
fn a_pod_may_take_its_grace_to_end_and_is_killed_after() {
    let f = fixture!();
    let polite = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    f.feed(&shell("polite", polite, ""), &["apply", "-f", "-"]);
    f.feed(&shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.05; done", ""), &["apply", "-f", "-"]);
    f.until(&["logs", "polite"], |text| text.contains("up"));
    f.until(&["logs", "deaf"], |text| text.contains("up"));
    let mut follower = f.spawn(&["logs", "-f", "polite"]);
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    // It follows from before the end on.
    assert_eq!(lines.next().unwrap().unwrap(), "up");
    f.ok(&["delete", "pod", "polite"]);
    assert_eq!(lines.next().unwrap().unwrap(), "bye");
    follower.wait().unwrap();
    f.ok(&["delete", "pod", "deaf", "--grace-period=1", "--timeout=20s"]);
}
