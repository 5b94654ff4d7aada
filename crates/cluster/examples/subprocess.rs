//! Stands in for the `serin` binary in this crate's tests: the hidden subcommands, and a cluster (`cluster HOME`).
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use serin_cluster::{Cluster, ClusterOptions};
use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = serin_cluster::subprocess::dispatch(std::env::args_os().skip(1)) {
        return code;
    }
    let home = std::env::args_os().nth(2).unwrap_or_default();
    let self_exe = std::env::current_exe().unwrap();
    let images = [("shell".to_owned(), "/bin/sh".into())].into();
    let options = ClusterOptions { home: home.into(), self_exe, images, ..ClusterOptions::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cluster = Cluster::start(options).await.unwrap();
        println!("{}", cluster.kubeconfig().display());
        // The end of the standard input is the sign to end in an orderly way.
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
        cluster.stop().await;
    });
    ExitCode::SUCCESS
}
