//! Which cluster a command means: its flags, then `$KUBECONFIG`, then the running `serin up` of `SERIN_HOME`.
//! `~/.kube/config` is read only when `--context` names one of its contexts, so that a command on a laptop never
//! reaches production by accident.

use std::path::{Path, PathBuf};

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::failure::{Failure, Outcome, While};
use crate::home::Home;

/// Flags that say which cluster is meant.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Target {
    /// The kubeconfig file to use
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context to use, of --kubeconfig, else of $KUBECONFIG, else of ~/.kube/config
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) context: Option<String>,
}

impl Target {
    /// Whether a flag or the environment names a cluster, so that the instance of SERIN_HOME is not meant.
    pub(crate) fn is_named(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some() || env_is_set("KUBECONFIG")
    }

    /// The client's configuration for the cluster meant.
    pub(crate) async fn config(&self) -> Outcome<Config> {
        let kubeconfig = match &self.kubeconfig {
            Some(path) => read(path)?,
            None if env_is_set("KUBECONFIG") => from_environment()?,
            None if self.context.is_some() => read(&default_file()?)?,
            None => {
                let home = Home::find()?;
                home.running().map_err(|failure| {
                    failure.hint(
                        "start one with `serin up --detach`, or name a cluster: --kubeconfig FILE, --context NAME, or \
                         the variable KUBECONFIG",
                    )
                })?;
                read(&home.kubeconfig())?
            }
        };
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .or_fail(|| "the kubeconfig does not lead to a cluster".to_owned())
    }

    /// A client of the cluster meant.
    pub(crate) async fn client(&self) -> Outcome<Client> {
        client(self.config().await?)
    }

    /// As [`Target::client`], for a process that may itself run in the cluster that it means.
    pub(crate) async fn client_or_incluster(&self) -> Outcome<Client> {
        if !self.is_named() && env_is_set("KUBERNETES_SERVICE_HOST") {
            let config = Config::incluster().or_fail(|| "this pod's own cluster cannot be reached".to_owned())?;
            return client(config);
        }
        self.client().await
    }
}

/// A client with TLS set up.
pub(crate) fn client(config: Config) -> Outcome<Client> {
    crate::tls::install();
    Client::try_from(config).or_fail(|| "no client can be made of the kubeconfig".to_owned())
}

/// The kubeconfig in `path`.
pub(crate) fn read(path: &Path) -> Outcome<Kubeconfig> {
    Kubeconfig::read_from(path).or_fail(|| format!("the kubeconfig {} cannot be used", path.display()))
}

fn from_environment() -> Outcome<Kubeconfig> {
    let read = Kubeconfig::from_env().or_fail(|| "the kubeconfig that KUBECONFIG names cannot be used".to_owned())?;
    read.ok_or_else(|| {
        Failure::new("KUBECONFIG names no file that exists").hint("unset it to use the running `serin up`")
    })
}

fn default_file() -> Outcome<PathBuf> {
    let home =
        std::env::home_dir().ok_or_else(|| Failure::new("there is no home directory to read .kube/config from"))?;
    Ok(home.join(".kube/config"))
}

fn env_is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
