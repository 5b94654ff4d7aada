//! Probes: asking a container once, and drawing the conclusion from several answers.

use super::process::{Launch, Spawner};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// What a probe of a container needs.
pub(crate) struct Target<'a> {
    pub(crate) ip: IpAddr,
    pub(crate) container: &'a Container,
    /// The container's program; a command to execute is started the same way.
    pub(crate) launch: &'a Launch,
    pub(crate) spawner: &'a Spawner,
}

/// How long and how often, with Kubernetes' defaults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) initial_delay: Duration,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) success_threshold: i32,
    pub(crate) failure_threshold: i32,
}

impl Timing {
    pub(crate) fn of(probe: &Probe) -> Timing {
        let seconds = |value: Option<i32>, default: u64| match value.and_then(|value| u64::try_from(value).ok()) {
            None | Some(0) => Duration::from_secs(default),
            Some(value) => Duration::from_secs(value),
        };
        Timing {
            initial_delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            timeout: seconds(probe.timeout_seconds, 1),
            success_threshold: probe.success_threshold.unwrap_or(1).max(1),
            failure_threshold: probe.failure_threshold.unwrap_or(3).max(1),
        }
    }
}

/// What a probe that is not supported asks for, and what to use instead.
pub(crate) fn unsupported(probe: &Probe) -> Option<&'static str> {
    if probe.grpc.is_some() {
        return Some("grpc probes are not supported here; use httpGet, tcpSocket or exec");
    }
    let https = probe.http_get.as_ref().is_some_and(|get| get.scheme.as_deref() == Some("HTTPS"));
    https.then_some("httpGet probes with scheme HTTPS are not supported here; use scheme HTTP, tcpSocket or exec")
}

/// Asks once. The error says why the answer is no, in the kubelet's words.
pub(crate) async fn ask(probe: &Probe, target: &Target<'_>) -> Result<(), String> {
    let timeout = Timing::of(probe).timeout;
    if let Some(get) = &probe.http_get {
        return match tokio::time::timeout(timeout, http_get(get, target)).await {
            Ok(Ok(status)) if (200..400).contains(&status) => Ok(()),
            Ok(Ok(status)) => Err(format!("HTTP probe failed with statuscode: {status}")),
            Ok(Err(error)) => Err(format!("Get \"{}\": {error}", url(get, target))),
            Err(_) => Err(format!("Get \"{}\": no answer within {timeout:?}", url(get, target))),
        };
    }
    if let Some(socket) = &probe.tcp_socket {
        let port = port(&socket.port, target.container)?;
        let host = socket.host.clone().unwrap_or_else(|| target.ip.to_string());
        return match tokio::time::timeout(timeout, TcpStream::connect((host.as_str(), port))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("dial tcp {host}:{port}: {error}")),
            Err(_) => Err(format!("dial tcp {host}:{port}: no answer within {timeout:?}")),
        };
    }
    if let Some(exec) = &probe.exec {
        return execute(exec.command.as_deref().unwrap_or_default(), target, timeout).await;
    }
    Ok(())
}

/// Sends a GET; the status of the answer.
pub(crate) async fn http_get(get: &HTTPGetAction, target: &Target<'_>) -> Result<u16, String> {
    let port = port(&get.port, target.container)?;
    let host = get.host.clone().unwrap_or_else(|| target.ip.to_string());
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let path = get.path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut request = http::Request::get(path).header(http::header::USER_AGENT, "kube-probe/serin");
    let mut named_host = false;
    for header in get.http_headers.iter().flatten() {
        named_host |= header.name.eq_ignore_ascii_case("host");
        request = request.header(&header.name, &header.value);
    }
    if !named_host {
        request = request.header(http::header::HOST, format!("{host}:{port}"));
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    driver.abort();
    answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
}

/// Runs a command as the container would; fine when it exits with 0 in time.
pub(crate) async fn execute(command: &[String], target: &Target<'_>, timeout: Duration) -> Result<(), String> {
    let Some((program, args)) = command.split_first() else { return Err("the command is empty".to_owned()) };
    let launch =
        Launch { program: program.into(), args: args.iter().map(OsString::from).collect(), ..target.launch.clone() };
    let (process, mut stdout, mut stderr) = target.spawner.spawn(launch).await.map_err(|error| error.to_string())?;
    let mut printed = Vec::new();
    let mut complained = Vec::new();
    let output = async {
        tokio::join!(read_some(&mut stdout, &mut printed), read_some(&mut stderr, &mut complained), process.ended()).2
    };
    match tokio::time::timeout(timeout, output).await {
        Ok(outcome) if outcome.code() == 0 => Ok(()),
        Ok(outcome) => {
            printed.extend(complained);
            let said = String::from_utf8_lossy(&printed).trim().to_owned();
            Err(if said.is_empty() { format!("command exited with {}", outcome.code()) } else { said })
        }
        Err(_) => {
            process.kill().await;
            Err(format!("command {command:?} timed out after {timeout:?}"))
        }
    }
}

/// Reads everything, and keeps the beginning.
async fn read_some(source: &mut (impl tokio::io::AsyncRead + Unpin), kept: &mut Vec<u8>) {
    use tokio::io::AsyncReadExt;
    let mut bytes = [0; 4096];
    while let Ok(count) = source.read(&mut bytes).await {
        if count == 0 {
            break;
        }
        let room = 1024usize.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..count.min(room)]);
    }
}

/// A port by its number or by the name that the container gives it.
fn port(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let named = container.ports.iter().flatten().find(|port| port.name.as_ref() == Some(name));
            named
                .map(|port| port.container_port)
                .ok_or_else(|| format!("the container has no port named \"{name}\""))?
        }
    };
    u16::try_from(number).map_err(|_| format!("{number} is not a port"))
}

fn url(get: &HTTPGetAction, target: &Target<'_>) -> String {
    let host = get.host.clone().unwrap_or_else(|| target.ip.to_string());
    let port = port(&get.port, target.container).map_or_else(|_| "?".to_owned(), |port| port.to_string());
    format!("http://{host}:{port}{}", get.path.as_deref().unwrap_or("/"))
}

/// Several answers in a row make up a verdict.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    successes: i32,
    failures: i32,
}

impl Verdict {
    /// Counts an answer: `Some(true)` once there are enough good ones in a row, `Some(false)` once there are enough bad ones.
    pub(crate) fn count(&mut self, good: bool, timing: &Timing) -> Option<bool> {
        if good {
            (self.successes, self.failures) = (self.successes.saturating_add(1), 0);
            (self.successes >= timing.success_threshold).then_some(true)
        } else {
            (self.successes, self.failures) = (0, self.failures.saturating_add(1));
            (self.failures >= timing.failure_threshold).then_some(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thresholds_count_answers_in_a_row() {
        let probe: Probe = serde_json::from_value(json!({"successThreshold": 2, "failureThreshold": 3})).unwrap();
        let timing = Timing::of(&probe);
        let mut verdict = Verdict::default();
        let answers = [true, false, true, true, false, false, true, false, false, false];
        let verdicts: Vec<_> = answers.iter().map(|&good| verdict.count(good, &timing)).collect();
        let yes = Some(true);
        assert_eq!(verdicts, [None, None, None, yes, None, None, None, None, None, Some(false)]);
    }

    #[test]
    fn defaults_are_kubernetes_own() {
        let timing = Timing::of(&Probe::default());
        assert_eq!((timing.period.as_secs(), timing.timeout.as_secs()), (10, 1));
        assert_eq!((timing.success_threshold, timing.failure_threshold), (1, 3));
    }
}
