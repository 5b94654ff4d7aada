//! The same configuration for a real Envoy and for our own data plane, and the same requests to both.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use serin_api::proxy::{Endpoint, EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};

use super::Stage;

/// Headers that differ from one answer to the next. Of those that begin with `x-envoy-`, most are Envoy's alone.
const OWN: [&str; 4] = ["date", "server", "x-request-id", "x-forwarded-for"];
const SHARED: &str = "x-envoy-attempt-count";

/// Both data planes behind one upstream, the cluster `up`.
pub struct Both {
    _stage: Stage,
    _plane: DataPlane,
    pub ours: SocketAddr,
    pub envoys: SocketAddr,
    pub arrivals: Receiver<String>,
}

/// What a proxy serves with one listener, and clusters of these names, all in the namespace `test`.
pub fn spec(listener: &Value, clusters: &[&str]) -> ProxySpec {
    let cluster = |name: &&str| {
        let source = json!({"kind": "Upstream", "namespace": "test", "name": name});
        let cluster = json!({"name": name, "source": source, "endpoints": {"fixed": []}, "subsets": null,
                             "loadBalancing": "roundRobin"});
        ((*name).to_owned(), cluster)
    };
    let clusters: serde_json::Map<_, _> = clusters.iter().map(cluster).collect();
    serde_json::from_value(json!({"listeners": [listener], "clusters": clusters, "sources": []})).unwrap()
}

/// What became of a request: the messages that reached the upstream, and the answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    pub arrivals: Vec<String>,
    pub answer: String,
}

impl Both {
    /// Both serve `spec`; `answer` is what the upstream says to a message. Clusters of `away` refuse connections. `None`
    /// where there is no Envoy.
    pub fn serve(spec: &ProxySpec, away: &[&str], answer: fn(&str) -> String) -> Option<Self> {
        Self::serve_each(spec, spec, away, answer)
    }

    /// As [`serve`](Self::serve), where something has to be another for the Envoy, such as a file.
    pub fn serve_each(spec: &ProxySpec, envoys: &ProxySpec, away: &[&str], answer: fn(&str) -> String) -> Option<Self> {
        let stage = Stage::set(false)?;
        let (up, arrivals) = upstream(answer);
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoints: EndpointMap = spec
            .clusters
            .keys()
            .map(|name| {
                let address = if away.contains(&name.as_str()) { nobody } else { up };
                let host = address.ip().to_string();
                let endpoint = Endpoint { host, port: address.port(), labels: BTreeMap::new(), weight: 1 };
                (name.clone(), vec![endpoint].into())
            })
            .collect();
        let plane = DataPlane::start(DataPlaneOptions {
            workers: 1,
            bind: Ipv4Addr::LOCALHOST.into(),
            port_map: spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect(),
            ..DataPlaneOptions::default()
        })
        .unwrap();
        plane.set_endpoints(endpoints.clone());
        plane.apply(spec.clone().into()).unwrap();
        let ours = plane.listeners()[0].address;
        let number = stage.publish(envoys.clone(), endpoints);
        stage.settled(number);
        let envoys = stage.address(&spec.listeners[0].name);
        Some(Self { _stage: stage, _plane: plane, ours, envoys, arrivals })
    }

    /// What both do with `request`, which has to be the same. `messages`: how many reach the upstream.
    pub fn agree(&self, request: &str, messages: usize) -> Heard {
        let ours = self.hear(self.ours, request, messages);
        let envoys = self.hear(self.envoys, request, messages);
        assert_eq!(ours, envoys, "ours is on the left, for {request}");
        ours
    }

    /// Sends `request` and waits for the answer and for so many messages at the upstream.
    pub fn hear(&self, address: SocketAddr, request: &str, messages: usize) -> Heard {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let own = address.to_string();
        let mut arrivals: Vec<_> = (0..messages)
            .map(|_| normal(&self.arrivals.recv_timeout(Duration::from_secs(20)).expect("a message"), &own))
            .collect();
        arrivals.sort();
        assert!(self.arrivals.try_recv().is_err(), "more than {messages} messages");
        Heard { arrivals, answer: normal(&String::from_utf8_lossy(&answer), &own) }
    }
}

/// A message in terms that both data planes can share: headers by name, without those that are the data plane's own.
fn normal(message: &str, own: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut lines = head.lines();
    // The words after a status are nobody's business.
    let first = lines.next().unwrap_or_default();
    let first =
        if first.starts_with("HTTP/") { first.split(' ').take(2).collect::<Vec<_>>().join(" ") } else { first.into() };
    let mut headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().replace(own, "SELF")))
        .filter(|(name, _)| !OWN.contains(&name.as_str()) && (name == SHARED || !name.starts_with("x-envoy-")))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    format!("{first}\n{}\n\n{body}", headers.join("\n"))
}

/// An upstream that answers each message on a connection of its own, and tells of it.
pub fn upstream(answer: fn(&str) -> String) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let message = read_message(&mut stream);
                let answer = answer(&message);
                let _ = tell.send(message);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    (address, told)
}

/// A message with its body, by length or in chunks.
fn read_message(stream: &mut TcpStream) -> String {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let whole = match length {
                Some(length) => body.len() >= length,
                None if head.contains("transfer-encoding: chunked") => {
                    body.starts_with("0\r\n") || body.contains("\r\n0\r\n")
                }
                None => true,
            };
            if whole {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => seen.extend_from_slice(&buffer[..n]),
            _ => return text,
        }
    }
}
