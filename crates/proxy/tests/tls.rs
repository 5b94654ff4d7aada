//! HTTPS towards real clients: which certificate is served to whom, who is turned away, and what rotates.

mod certificates;
mod stage;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use certificates::{Authority, Identity, map};
use serin_api::proxy::{ProxySpec, ServerTls, TlsVersion, VirtualHost};
use serin_api::{Ref, ResourceKind};
use serin_proxy::{DataPlane, DataPlaneOptions};
use stage::upstream::Upstream;
use stage::*;

/// The chain for `names` (none: the default) with the credential `secret`, for the hosts of that name.
fn chain(secret: &str, names: &[&str]) -> ServerTls {
    ServerTls {
        sources: [source(ResourceKind::VirtualService, secret)].into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        default: names.is_empty(),
        credential: serin_api::proxy::CredentialSource::Secret(Ref::new("test", secret)),
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
        verify_clients: true,
        client_names: Vec::new(),
        resumption: true,
    }
}

fn secure(hosts: Vec<Arc<VirtualHost>>, chains: Vec<ServerTls>) -> Arc<ProxySpec> {
    let mut spec = spec(hosts, &["up"]);
    let mut listener = (*spec.listeners[0]).clone();
    (listener.ssl, listener.tls) = (true, chains.into_iter().map(Arc::new).collect());
    spec.listeners = vec![Arc::new(listener)];
    Arc::new(spec)
}

fn says(name: &str, domains: &[&str]) -> Arc<VirtualHost> {
    host(name, domains, vec![route("/", respond(200, name))])
}

/// What curl says to `https://name/path`: the body, or its exit status.
fn fetch(plane: &DataPlane, authority: &Authority, name: &str, more: &[&str]) -> Result<String, i32> {
    let port = address(plane).port();
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "20", "--resolve", &format!("{name}:{port}:127.0.0.1"), "--cacert"])
        .arg(authority.path())
        .args(more)
        .arg(format!("https://{name}:{port}/path"))
        .output()
        .expect("curl runs");
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        code => Err(code.unwrap_or_default()),
    }
}

/// curl's exit status for a handshake that the server broke off.
const NO_HANDSHAKE: i32 = 35;

#[test]
fn the_certificate_is_that_of_the_name_the_client_asks_for() {
    let authority = Authority::new();
    let plane = data_plane();
    plane.set_credentials(map(&[
        ("exact", &authority.issue(&["a.test"])),
        ("wild", &authority.issue(&["b.test", "*.test", "x.y.test"])),
    ]));
    let hosts = vec![says("exact", &["a.test", "a.test:*"]), says("wild", &["*"])];
    let (exact, wild) = (chain("exact", &["a.test"]), chain("wild", &["*.test"]));
    plane.apply(secure(hosts.clone(), vec![exact.clone(), wild.clone()])).expect("applied");
    for (name, answer) in
        [("a.test", Ok("exact")), ("b.test", Ok("wild")), ("x.y.test", Ok("wild")), ("a.other", Err(NO_HANDSHAKE))]
    {
        let got = fetch(&plane, &authority, name, &[]);
        assert_eq!(got.as_deref().map_err(|code| *code), answer, "{name}");
    }
    // A client that names none gets nothing, until there is a default.
    let nameless = format!("https://127.0.0.1:{}/", address(&plane).port());
    let output = || Command::new("curl").args(["-ksS", "--max-time", "20", &nameless]).output().expect("curl runs");
    assert_eq!(output().status.code(), Some(NO_HANDSHAKE));
    // A connection is closed before it is counted.
    eventually("both are counted", || metrics(&plane).contains("serin_tls_handshake_failures_total 2\n"));
    plane.apply(secure(hosts, vec![exact, ServerTls { default: true, ..wild }])).expect("applied");
    assert_eq!(String::from_utf8_lossy(&output().stdout), "wild");
}

#[test]
fn requests_are_served_as_https_by_either_protocol() {
    let authority = Authority::new();
    let upstream = Upstream::start("one");
    let plane = data_plane();
    plane.set_credentials(map(&[("vs", &authority.issue(&["a.test"]))]));
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
    let hosts = vec![host("vs", &["*"], vec![route("/", to("up"))])];
    plane.apply(secure(hosts.clone(), vec![chain("vs", &[])])).expect("applied");
    for (protocol, version) in [("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1"), ("--tlsv1.3", "2")] {
        let got = fetch(&plane, &authority, "a.test", &[protocol, "-w", "%{http_version}"]).expect("an answer");
        assert!(got.contains("x-forwarded-proto: https"), "{protocol}: {got}");
        assert!(got.ends_with(version), "{protocol}: {got}");
    }
    // Bodies that take many records, either way.
    let file = authority.file("body", &[b'x'; 300_000]);
    for protocol in ["--http2", "--http1.1"] {
        let upload = ["--data-binary", &format!("@{file}"), "--request-target", "/upload", protocol];
        let got = fetch(&plane, &authority, "a.test", &upload).expect("an answer");
        assert_eq!(got, "300000 36000000 ", "{protocol}");
        let big = ["--request-target", "/big", "-o", "/dev/null", "-w", "%{size_download}", protocol];
        assert_eq!(fetch(&plane, &authority, "a.test", &big).as_deref(), Ok("10485760"), "{protocol}");
    }
    // Nothing of what is offered is spoken: served as if the client had not asked.
    let only = ServerTls { alpn: vec!["acme".to_owned()], ..chain("vs", &[]) };
    plane.apply(secure(hosts.clone(), vec![only])).expect("applied");
    let got = fetch(&plane, &authority, "a.test", &["-w", "%{http_version}"]).expect("an answer");
    assert!(got.ends_with("1.1"), "{got}");
    // Versions that are not asked for are not spoken.
    let newest = ServerTls { minimum: TlsVersion::V1_3, ..chain("vs", &[]) };
    plane.apply(secure(hosts, vec![newest])).expect("applied");
    assert!(fetch(&plane, &authority, "a.test", &["--tls-max", "1.2"]).is_err());
    assert!(fetch(&plane, &authority, "a.test", &["--tlsv1.3"]).is_ok());
}

#[test]
fn clients_show_a_certificate_where_roots_are_given() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let guarded = Identity { authority: clients.pem(), ..authority.issue(&["mine.test"]) };
    let plane = data_plane();
    plane.set_credentials(map(&[("guarded", &guarded), ("open", &authority.issue(&["open.test"]))]));
    let hosts = vec![says("guarded", &["mine.test", "mine.test:*"]), says("open", &["open.test", "open.test:*"])];
    let open = chain("open", &["open.test"]);
    let asks = chain("guarded", &["mine.test"]);
    plane.apply(secure(hosts.clone(), vec![asks.clone(), open.clone()])).expect("applied");
    let mine = clients.issue_client("me.test").files(&clients, "mine");
    let theirs = strangers.issue_client("me.test").files(&strangers, "theirs");
    let with = |pair: &(String, String), more: &[&str]| {
        let mut arguments = vec!["--cert", pair.0.as_str(), "--key", pair.1.as_str()];
        arguments.extend(more);
        fetch(&plane, &authority, "mine.test", &arguments)
    };
    assert_eq!(with(&mine, &[]).as_deref(), Ok("guarded"));
    assert!(with(&theirs, &[]).is_err(), "another root");
    assert!(fetch(&plane, &authority, "mine.test", &[]).is_err(), "no certificate");
    assert_eq!(fetch(&plane, &authority, "open.test", &[]).as_deref(), Ok("open"));
    // Not even by way of another name, over HTTP/1.1 or 2.
    for protocol in ["--http1.1", "--http2"] {
        let fronted = ["-H", "host: mine.test", "-o", "/dev/null", "-w", "%{http_code}", protocol];
        assert_eq!(fetch(&plane, &authority, "open.test", &fronted).as_deref(), Ok("421"), "{protocol}");
    }
    // One of the certificate's names must be among those asked for.
    for (names, passes) in [(vec!["me.test"], true), (vec!["x", "ME.test"], true), (vec!["e.test"], false)] {
        let client_names = names.iter().map(|name| (*name).to_owned()).collect();
        let asks = ServerTls { client_names, ..asks.clone() };
        plane.apply(secure(hosts.clone(), vec![asks, open.clone()])).expect("applied");
        assert_eq!(with(&mine, &[]).is_ok(), passes, "{names:?}");
    }
    let one_way = ServerTls { verify_clients: false, ..asks };
    plane.apply(secure(hosts, vec![one_way, open])).expect("applied");
    assert_eq!(fetch(&plane, &authority, "mine.test", &[]).as_deref(), Ok("guarded"));
}

#[test]
fn a_certificate_rotates_under_load_without_a_failed_request() {
    let authority = Authority::new();
    let plane = Arc::new(data_plane());
    plane.set_credentials(map(&[("vs", &authority.issue(&["a.test"]))]));
    plane.apply(secure(vec![says("vs", &["*"])], vec![chain("vs", &["a.test"])])).expect("applied");
    let (address, config) = (address(&plane), authority.client());
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|keeps| {
            let (stop, served, config) = (Arc::clone(&stop), Arc::clone(&served), config.clone());
            std::thread::spawn(move || {
                let mut kept = (keeps % 2 == 0).then(|| certificates::connect(address, "a.test", config.clone()));
                while !stop.load(Ordering::Relaxed) {
                    let answer = match &mut kept {
                        Some(stream) => certificates::exchange(stream),
                        None => certificates::exchange(&mut certificates::connect(address, "a.test", config.clone())),
                    };
                    assert_eq!(answer, "vs");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..5 {
        let before = served.load(Ordering::Relaxed);
        eventually("requests are served", || served.load(Ordering::Relaxed) > before + 20);
        let next = authority.issue(&["a.test"]);
        plane.set_credentials(map(&[("vs", &next)]));
        let presented = certificates::connect(address, "a.test", config.clone())
            .conn
            .peer_certificates()
            .map(|all| all.first().map(|certificate| certificate.to_vec()).unwrap_or_default());
        assert_eq!(presented.as_deref(), Some(next.der().as_slice()), "the new one is served at once");
    }
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().expect("no request failed"));
    // A certificate that is gone is served no more.
    plane.set_credentials(BTreeMap::new());
    assert_eq!(fetch(&plane, &authority, "a.test", &[]), Err(NO_HANDSHAKE));
}

#[test]
fn a_handshake_has_a_time_limit_and_counts_as_a_connection() {
    let authority = Authority::new();
    let limits = serin_proxy::Limits { header_time: std::time::Duration::from_millis(300), ..Default::default() };
    let plane = DataPlane::start(DataPlaneOptions {
        workers: 1,
        port_map: BTreeMap::from([(8080, 0)]),
        limits: serin_proxy::Limits { connections_per_worker: 1, ..limits },
        ..DataPlaneOptions::default()
    })
    .expect("a data plane");
    plane.set_credentials(map(&[("vs", &authority.issue(&["a.test"]))]));
    plane.apply(secure(vec![says("vs", &["*"])], vec![chain("vs", &[])])).expect("applied");
    let silent = connect(address(&plane));
    eventually("it is counted", || metrics(&plane).contains("serin_connections_active 1\n"));
    assert!(fetch(&plane, &authority, "a.test", &[]).is_err(), "there is no room for a second one");
    eventually("it is given up", || metrics(&plane).contains("serin_connections_active 0\n"));
    assert_eq!(fetch(&plane, &authority, "a.test", &[]).as_deref(), Ok("vs"));
    drop(silent);
}

#[test]
fn a_listener_that_begins_to_speak_tls_serves_nothing_in_plain_text() {
    let authority = Authority::new();
    let plane = data_plane();
    plane.set_credentials(map(&[("vs", &authority.issue(&["a.test"]))]));
    plane.apply(Arc::new(spec(vec![says("plain", &["*"])], &[]))).expect("applied");
    let before = get(address(&plane), "/");
    assert_eq!(body(&before), "plain");
    plane.apply(secure(vec![says("vs", &["*"])], vec![chain("vs", &[])])).expect("applied");
    assert_eq!(get(address(&plane), "/").find("HTTP/1"), None, "plain text is no handshake");
    assert_eq!(fetch(&plane, &authority, "a.test", &[]).as_deref(), Ok("vs"));
    let openssl = Command::new("openssl")
        .args(["s_client", "-connect", &address(&plane).to_string(), "-servername", "a.test", "-CAfile"])
        .arg(authority.path())
        .stdin(Stdio::null())
        .output()
        .expect("openssl runs");
    assert!(String::from_utf8_lossy(&openssl.stdout).contains("Verify return code: 0 (ok)"));
}
