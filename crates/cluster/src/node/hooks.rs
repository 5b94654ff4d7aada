//! A container's hooks: what it wants done after it has started and before it is stopped.

use super::probe::{Target, execute, http_get};
use k8s_openapi::api::core::v1::LifecycleHandler;
use std::time::Duration;
use tokio::net::TcpStream;

/// No hook runs for longer; a stop's grace is shorter most of the time.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs a hook to its end. The error says what went wrong.
pub(super) async fn run(hook: &LifecycleHandler, target: &Target<'_>) -> Result<(), String> {
    if let Some(exec) = &hook.exec {
        return execute(exec.command.as_deref().unwrap_or_default(), target, LONGEST).await;
    }
    if let Some(get) = &hook.http_get {
        return match http_get(get, target).await? {
            status if status < 400 => Ok(()),
            status => Err(format!("the answer's status is {status}")),
        };
    }
    if let Some(sleep) = &hook.sleep {
        tokio::time::sleep(Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0))).await;
        return Ok(());
    }
    if let Some(socket) = &hook.tcp_socket {
        let k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::Int(port) = socket.port else {
            return Err("a tcpSocket hook needs a port number".to_owned());
        };
        let port = u16::try_from(port).map_err(|_| format!("{port} is not a port"))?;
        return TcpStream::connect((target.ip, port)).await.map(drop).map_err(|error| error.to_string());
    }
    Ok(())
}
