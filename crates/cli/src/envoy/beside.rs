//! An Envoy beside the data plane: started with the gateway, fed by it, kept running, and ended with it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serin_cluster::companion::{Companion, CompanionOptions, CompanionState};
use serin_cluster::node::BackOff;
use serin_xds::DiscoveryServer;
use serin_xds::bootstrap::Bootstrap;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Program, discovery};
use crate::failure::{Failure, Outcome, While};
use crate::home::Home;
use crate::http_client;

/// Who the Envoy says it is.
pub(crate) const NODE: &str = "serin-up";
/// How long it waits before it starts again.
const BACK_OFF: BackOff = BackOff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    forgiven_after: Duration::from_secs(60),
};
/// How often it is asked whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What `instance.json` says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvoyInstance {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its version.
    pub(crate) version: String,
    /// Whether it runs.
    pub(crate) running: bool,
    /// How often it was started.
    pub(crate) starts: u32,
    /// Its listeners, by Gateway as `namespace.name`.
    pub(crate) gateway: BTreeMap<String, SocketAddr>,
    /// Its admin interface, once it is open.
    pub(crate) admin: Option<SocketAddr>,
}

/// The Envoy, running.
pub(crate) struct Beside {
    program: Program,
    companion: Companion,
    view: View,
    news: watch::Receiver<u64>,
    tasks: JoinSet<()>,
    log: PathBuf,
}

/// What tells whether it serves.
#[derive(Clone)]
struct View {
    server: DiscoveryServer,
    admin_file: PathBuf,
}

impl View {
    /// Where its admin interface listens, which it writes into a file.
    fn admin(&self) -> Option<SocketAddr> {
        std::fs::read_to_string(&self.admin_file).ok()?.trim().parse().ok()
    }

    /// Whether it says that it is there and has the configuration.
    async fn serves(&self) -> bool {
        let fed = self.server.nodes().iter().any(|node| node.node == NODE && node.snapshot > 0);
        let Some(admin) = self.admin().filter(|_| fed) else { return false };
        http_client::get(admin, "/ready", &[]).await.is_ok_and(|answer| answer.status == 200)
    }

    async fn until_it_serves(&self) {
        while !self.serves().await {
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Counts up when it has ended, and when it serves again.
    async fn follow(self, mut state: watch::Receiver<CompanionState>, news: watch::Sender<u64>) {
        loop {
            let running = state.borrow_and_update().running;
            news.send_modify(|count| *count += 1);
            let serving = async {
                match running {
                    true => self.until_it_serves().await,
                    false => std::future::pending().await,
                }
                news.send_modify(|count| *count += 1);
                std::future::pending::<()>().await
            };
            tokio::select! {
                () = serving => {}
                changed = state.changed() => if changed.is_err() { return },
            }
        }
    }
}

impl Beside {
    /// Starts the Envoy, and a discovery server for it alone.
    pub(crate) async fn start(
        home: &Home,
        program: Program,
        server: DiscoveryServer,
        admin_port: u16,
        workers: usize,
    ) -> Outcome<Self> {
        let mut tasks = JoinSet::new();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let discovery = discovery::serve(home, server.clone(), SocketAddr::new(loopback, 0), &mut tasks).await?;

        let directory = home.path().join("envoy");
        let bootstrap = Bootstrap {
            node_id: NODE.to_owned(),
            node_cluster: super::CLUSTER.to_owned(),
            discovery: discovery.into(),
            tls: Some(discovery::node_identity(home, NODE)?),
            admin: SocketAddr::new(loopback, admin_port),
            delta: true,
        };
        let file = directory.join("bootstrap.yaml");
        let admin_file = directory.join("admin-address");
        prepare(&directory, &file, &bootstrap.to_yaml())
            .or_fail(|| format!("{} cannot be written", directory.display()))?;
        // One that was killed leaves its own behind.
        let _ = std::fs::remove_file(&admin_file);
        let mut args = vec!["--disable-hot-restart".into(), "--config-path".into(), file.into_os_string()];
        args.extend(["--admin-address-path".into(), admin_file.clone().into_os_string()]);
        if workers > 0 {
            args.extend(["--concurrency".into(), workers.to_string().into()]);
        }
        let log = home.path().join("logs/envoy.log");
        let companion = CompanionOptions {
            name: "the Envoy beside the gateway".to_owned(),
            program: program.path.clone(),
            args,
            log: log.clone(),
            directory,
            self_exe: std::env::current_exe().or_fail(|| "this program cannot be found again".to_owned())?,
            back_off: BACK_OFF,
        };
        let companion =
            Companion::start(companion).or_fail(|| format!("{} cannot be started", program.path.display()))?;
        let view = View { server, admin_file };
        let (sender, news) = watch::channel(0);
        tasks.spawn(view.clone().follow(companion.state(), sender));
        Ok(Self { program, companion, view, news, tasks, log })
    }

    /// Waits until it serves what the data plane serves.
    pub(crate) async fn ready(&self) -> Outcome {
        let mut state = self.companion.state();
        tokio::select! {
            () = self.view.until_it_serves() => Ok(()),
            ended = state.wait_for(|state| state.ended.is_some()) => {
                let how = ended.ok().and_then(|state| state.ended.clone()).unwrap_or_default();
                let failure = Failure::new(format!("the Envoy {} {how}", self.program.path.display()));
                let last = last_line(&self.log);
                let failure = if last.is_empty() { failure } else { failure.because(last) };
                Err(failure.hint(format!("its log is {}", self.log.display())))
            }
        }
    }

    /// Changes when it ends, and when it serves again.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// What `instance.json` says of it.
    pub(crate) fn instance(&self) -> EnvoyInstance {
        let CompanionState { running, starts, .. } = *self.companion.state().borrow();
        EnvoyInstance {
            program: self.program.path.clone(),
            version: self.program.version.clone(),
            running,
            starts,
            gateway: self.view.server.current().map(|snapshot| snapshot.listening()).unwrap_or_default(),
            admin: self.view.admin(),
        }
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) {
        self.companion.stop().await;
        self.tasks.shutdown().await;
    }
}

/// Writes the bootstrap, for this user alone.
fn prepare(directory: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

/// The last thing that the log says.
fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}
