//! Starts the parts in order, waits, and stops them in order.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use serin_cluster::{Cluster, ClusterOptions};
use serin_control::{Control, ControlOptions, EnvoyFeed, Listening};
use serin_proxy::{DataPlane, DataPlaneOptions};
use serin_xds::DiscoveryServer;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::Options;
use super::announce::Announcement;
use crate::envoy::{Beside, Program, discovery};
use crate::failure::{Failure, Outcome, While};
use crate::home::{Home, Instance};
use crate::{out, target};

/// The ports that the two Gateways of the start ask for.
const HTTP_PORT: u16 = 8080;
/// As [`HTTP_PORT`], with TLS.
const HTTPS_PORT: u16 = 8443;
/// How long a start may take until it is given up.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A data plane and the control plane that configures it.
pub(crate) struct Gateway {
    pub(crate) data_plane: Arc<DataPlane>,
    pub(crate) control: Control,
}

impl Gateway {
    /// Starts both for the cluster that `client` reaches.
    pub(crate) async fn start(
        client: Client,
        data_plane: DataPlaneOptions,
        envoys: Vec<EnvoyFeed>,
        admin_port: u16,
    ) -> Outcome<Self> {
        let data_plane = DataPlane::start(data_plane).or_fail(|| "the data plane did not start".to_owned())?;
        let data_plane = Arc::new(data_plane);
        let admin = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), admin_port);
        let options = ControlOptions { client, data_plane: data_plane.clone(), envoys, admin };
        let control = Control::start(options).await.map_err(|error| {
            let failure = Failure::new("the control plane did not start").because(error);
            failure.hint("`--admin-port PORT` changes the admin port; 0 takes a free one")
        })?;
        Ok(Self { data_plane, control })
    }
}

/// The embedded cluster and the gateway in front of it, running.
pub(crate) struct Running {
    pub(crate) cluster: Cluster,
    pub(crate) gateway: Gateway,
    pub(crate) envoy: Option<Beside>,
    xds: Option<SocketAddr>,
    tasks: JoinSet<()>,
}

/// Starts everything and waits until it is ready.
pub(crate) async fn start(home: &Home, options: &Options) -> Outcome<Running> {
    crate::tls::install();
    let envoy = options.envoy.program.as_deref().map(Program::find).transpose()?;
    let cluster = Cluster::start(cluster_options(home, options)?).await;
    let cluster = cluster.map_err(|error| Failure::new("the cluster did not start").because(error))?;
    let config = target::read(cluster.kubeconfig())?;
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await;
    let client = target::client(config.or_fail(|| "the cluster's own kubeconfig cannot be used".to_owned())?)?;
    let (server, fleet) = (DiscoveryServer::new(), DiscoveryServer::new());
    let mut feeds = Vec::new();
    if envoy.is_some() {
        feeds.push(EnvoyFeed { server: server.clone(), listening: beside(options) });
    }
    let (mut tasks, mut xds) = (JoinSet::new(), None);
    if let Some(port) = options.xds.port {
        let address = SocketAddr::new(options.xds.bind, port);
        xds = Some(discovery::serve(home, fleet.clone(), address, &mut tasks).await?);
        feeds.push(EnvoyFeed { server: fleet, listening: Listening::AsAsked });
    }
    let gateway = Gateway::start(client, data_plane_options(options), feeds, options.admin_port).await?;
    if tokio::time::timeout(START_LIMIT, gateway.control.ready()).await.is_err() {
        let awaited = gateway.control.awaited().join("; ");
        return Err(Failure::new(format!("not ready after {} s, still waiting for: {awaited}", START_LIMIT.as_secs())));
    }
    let envoy = match envoy {
        Some(program) => Some(start_envoy(home, options, program, server).await?),
        None => None,
    };
    Ok(Running { cluster, gateway, envoy, xds, tasks })
}

/// Starts the Envoy beside the gateway and waits until it serves.
async fn start_envoy(home: &Home, options: &Options, program: Program, server: DiscoveryServer) -> Outcome<Beside> {
    let envoy = Beside::start(home, program, server, options.envoy.admin_port, options.workers).await?;
    match tokio::time::timeout(START_LIMIT, envoy.ready()).await {
        Ok(result) => result.map(|()| envoy),
        Err(_) => {
            let failure = Failure::new(format!("Envoy is not ready after {} s", START_LIMIT.as_secs()));
            Err(failure.hint(format!("its log is {}", home.path().join("logs/envoy.log").display())))
        }
    }
}

impl Running {
    /// What `instance.json` says of it.
    pub(crate) fn instance(&self) -> Instance {
        let open = self.gateway.data_plane.listeners().into_iter();
        let gateway: BTreeMap<String, SocketAddr> = open.map(|listener| (listener.name, listener.address)).collect();
        Instance {
            pid: std::process::id(),
            version: crate::version::VERSION.to_owned(),
            api: self.cluster.address(),
            tls: self.gateway.control.tls_listeners(),
            gateway,
            admin: self.gateway.control.admin(),
            xds: self.xds,
            envoy: self.envoy.as_ref().map(Beside::instance),
        }
    }

    /// Finishes what is under way, then stops the pods and the API.
    pub(crate) async fn stop(mut self, drain: Duration) {
        drain_and_stop(self.gateway, drain).await;
        if let Some(envoy) = self.envoy {
            envoy.stop().await;
        }
        self.tasks.shutdown().await;
        self.cluster.stop().await;
    }
}

/// Finishes what is under way and stops.
pub(crate) async fn drain_and_stop(gateway: Gateway, drain: Duration) {
    gateway.control.stop().await;
    gateway.data_plane.drain(drain).await;
}

/// Runs until told to stop.
pub(super) async fn run(home: &Home, options: &Options, announcement: &Announcement) -> Outcome {
    let running = tokio::select! {
        running = start(home, options) => running?,
        result = until_told() => return result,
    };
    home.announce(&running.instance())?;
    announcement.ready();
    if announcement.is_terminal() {
        crate::status::describe(home, &running.instance());
        out::note("ctrl-c stops it.");
    }
    let mut configurations = running.gateway.control.configurations();
    let mut envoy = running.envoy.as_ref().map(Beside::news);
    loop {
        tokio::select! {
            result = until_told() => {
                result?;
                break;
            }
            // Gateways come and go; whoever asks for an address should find the present ones.
            _ = configurations.changed() => home.announce(&running.instance())?,
            () = changed(&mut envoy) => home.announce(&running.instance())?,
        }
    }
    home.withdraw();
    if announcement.is_terminal() {
        out::note("Finishing what is under way; ctrl-c again does not wait.");
    }
    tokio::select! {
        () = running.stop(Duration::from_secs(options.drain)) => {}
        _ = until_told() => out::warning("stopped without waiting"),
    }
    Ok(())
}

/// Returns when an Envoy ended or was started again; never where there is none.
async fn changed(envoy: &mut Option<tokio::sync::watch::Receiver<u64>>) {
    let known = match envoy {
        Some(news) => news.changed().await.is_ok(),
        None => false,
    };
    if !known {
        std::future::pending().await
    }
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn until_told() -> Outcome {
    let listen = |kind| signal(kind).or_fail(|| "signals cannot be listened to".to_owned());
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn cluster_options(home: &Home, options: &Options) -> Outcome<ClusterOptions> {
    Ok(ClusterOptions {
        home: home.path().to_owned(),
        api_port: options.api_port,
        images: options.images.iter().cloned().collect(),
        crds: serin_api::crd_stream().map(|definition| definition.to_string().into()).collect(),
        objects: serin_api::bootstrap_objects(),
        self_exe: std::env::current_exe().or_fail(|| "this program cannot be found again".to_owned())?,
        ..ClusterOptions::default()
    })
}

fn data_plane_options(options: &Options) -> DataPlaneOptions {
    DataPlaneOptions {
        workers: options.workers,
        bind: options.bind,
        port_map: BTreeMap::from([(HTTP_PORT, options.http_port), (HTTPS_PORT, options.https_port)]),
        drain: Duration::from_secs(options.drain),
        ..DataPlaneOptions::default()
    }
}

/// Where an Envoy beside the data plane listens.
fn beside(options: &Options) -> Listening {
    let ports = [(HTTP_PORT, options.envoy.http_port), (HTTPS_PORT, options.envoy.https_port)];
    Listening::Beside { bind: options.bind, ports: ports.into() }
}
