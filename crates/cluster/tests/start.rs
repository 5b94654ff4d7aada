//! Starting and stopping: the home directory, who may have it, and what survives.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serin_cluster::{Cluster, ClusterOptions, HomeError, StartError};

fn options(home: &Path) -> ClusterOptions {
    ClusterOptions { home: home.to_owned(), ..ClusterOptions::default() }
}

async fn refused(options: ClusterOptions) -> StartError {
    match Cluster::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_home_belongs_to_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("deep/home");
    let cluster = Cluster::start(options(&home)).await.unwrap();
    let error = refused(options(&home)).await;
    let pid = std::process::id().to_string();
    assert!(matches!(&error, StartError::Home(HomeError::Taken { pid: p, .. }) if *p == pid), "{error}");
    assert!(error.to_string().contains(&pid) && error.to_string().contains("serin down"), "{error}");
    cluster.stop().await;
    Cluster::start(options(&home)).await.unwrap().stop().await;
}

#[tokio::test]
async fn only_the_owner_can_read_a_home() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let cluster = Cluster::start(options(&home)).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for directory in [home.clone(), home.join("pki")] {
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        }
    }
    assert_eq!(cluster.kubeconfig(), home.join("kubeconfig"));
    cluster.stop().await;
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refused(options(&file.join("home"))).await;
    assert!(matches!(error, StartError::Home(HomeError::NotWritable { .. })), "{error}");
    assert!(error.to_string().contains("SERIN_HOME"), "{error}");
}

#[tokio::test]
async fn a_corrupt_store_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    Cluster::start(options(&home)).await.unwrap().stop().await;
    std::fs::write(home.join("store.redb"), "rubbish").unwrap();
    let error = refused(options(&home)).await;
    assert!(error.to_string().contains("is corrupt"), "{error}");
    assert_eq!(std::fs::read_to_string(home.join("store.redb")).unwrap(), "rubbish");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api_port = taken.local_addr().unwrap().port();
    let error = refused(ClusterOptions { api_port, ..options(&directory.path().join("home")) }).await;
    assert!(matches!(error, StartError::Bind { port, .. } if port == api_port), "{error}");
}

#[tokio::test]
async fn credentials_stay_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let cluster = Cluster::start(options(&home)).await.unwrap();
    let port = cluster.address().port();
    let before = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    cluster.stop().await;
    let cluster = Cluster::start(ClusterOptions { api_port: port, ..options(&home) }).await.unwrap();
    assert_eq!(std::fs::read_to_string(cluster.kubeconfig()).unwrap(), before);
    cluster.stop().await;
}
