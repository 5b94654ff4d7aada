//! Who is let in: credentials, hosts, origins and limits, over real connections.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serin_cluster::{Cluster, ClusterOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A TLS client that trusts the cluster's authority, with its administrator's certificate or without.
fn connector(home: &Path, with_certificate: bool) -> TlsConnector {
    let pki = home.join("pki");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pki.join("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = if with_certificate {
        let certificate = CertificateDer::from_pem_file(pki.join("admin.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(pki.join("admin.key")).unwrap();
        builder.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    TlsConnector::from(Arc::new(config))
}

/// Sends a request as it stands and gives the whole answer.
async fn ask(address: SocketAddr, tls: &TlsConnector, request: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = tls.connect(name, stream).await.unwrap();
    // A server that has read enough may close before the rest is sent.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    // A server that closes without saying so in TLS has still answered.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn only_the_credential_of_the_home_gets_answers() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let cluster = Cluster::start(ClusterOptions { home: home.clone(), ..ClusterOptions::default() }).await.unwrap();
    let address = cluster.address();
    let host = format!("Host: {address}\r\n");
    let (admin, nobody) = (connector(&home, true), connector(&home, false));

    let answer = ask(address, &admin, &get("/api/v1/namespaces/default", &host)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    for path in ["/api/v1/namespaces/default", "/version", "/healthz", "/openapi/v3", "/"] {
        let answer = ask(address, &nobody, &get(path, &host)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
        assert!(answer.contains("\"kind\":\"Status\"") && answer.contains("\"reason\":\"Unauthorized\""), "{answer}");
    }
    for host in ["evil.example", &format!("evil.example:{}", address.port()), "10.0.0.1", ""] {
        let answer = ask(address, &admin, &get("/version", &format!("Host: {host}\r\n"))).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{host}: {answer}");
    }
    for origin in ["https://evil.example", "null", "http://localhost:1", "https://127.0.0.1:1"] {
        let answer = ask(address, &admin, &get("/version", &format!("{host}Origin: {origin}\r\n"))).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{origin}: {answer}");
    }
    let future = ask(address, &admin, &get("/api/v1/pods?resourceVersion=99999999", &host)).await;
    assert!(
        future.starts_with("HTTP/1.1 504 ") && future.contains("Too large resource version: 99999999, current: "),
        "{future}"
    );
    let own = format!("{host}Origin: https://{address}\r\n");
    assert!(ask(address, &admin, &get("/version", &own)).await.starts_with("HTTP/1.1 200 "));
    cluster.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_home_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let homes = ["a", "b"].map(|name| directory.path().join(name));
    let options = |home: &Path| ClusterOptions { home: home.to_owned(), ..ClusterOptions::default() };
    let a = Cluster::start(options(&homes[0])).await.unwrap();
    let b = Cluster::start(options(&homes[1])).await.unwrap();
    for file in ["admin.crt", "admin.key"] {
        std::fs::copy(homes[1].join("pki").join(file), homes[0].join("pki").join(file)).unwrap();
    }
    let answer = async {
        let stream = TcpStream::connect(a.address()).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = connector(&homes[0], true).connect(name, stream).await?;
        stream.write_all(get("/version", &format!("Host: {}\r\n", a.address())).as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    assert!(answer.await.is_err(), "the handshake has to fail");
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let cluster = Cluster::start(ClusterOptions { home: home.clone(), ..ClusterOptions::default() }).await.unwrap();
    let address = cluster.address();
    let head =
        format!("POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let announced = format!("{head}Content-Length: 4000000\r\n\r\n");
    let answer = ask(address, &connector(&home, true), &announced).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunk = "x".repeat(1 << 16);
    let chunks: String = (0..64).map(|_| format!("10000\r\n{chunk}\r\n")).collect();
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let answer = ask(address, &connector(&home, true), &chunked).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    cluster.stop().await;
}
