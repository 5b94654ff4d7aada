//! The gateway alone, against a cluster that somebody else runs.
#![allow(clippy::unwrap_used)]

mod instance;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use instance::{Instance, get};

const MANIFEST: &str = "\
apiVersion: gateway.solo.io/v1
kind: VirtualService
metadata: {name: answers, namespace: gloo-system}
spec:
  virtualHost:
    domains: ['*']
    routes:
    - matchers: [{prefix: /answer}]
      directResponseAction: {status: 200, body: still here}
";

#[test]
fn a_gateway_serves_another_cluster_and_goes_on_when_that_is_gone() {
    let cluster = Instance::start();
    cluster.apply(MANIFEST);
    cluster.until("/answer", 200, "still here");

    let kubeconfig = cluster.ok(&["kubeconfig"]);
    let flags =
        ["--bind", "127.0.0.1", "--map-port", "8080=0", "--map-port", "8443=0", "--admin-port", "0", "--workers", "1"];
    let mut gateway = cluster
        .serin(&["gateway", "--kubeconfig", kubeconfig.trim()])
        .args(flags)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(gateway.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address =
        said.find_map(|line| Some(line.split_once(" listens on ")?.1.trim_end_matches('.').to_owned())).unwrap();
    // Whatever it has to say from now on, it does not wait for a reader.
    std::thread::spawn(move || said.for_each(drop));
    assert_eq!(get(&address, "/answer", "any").0, 200);

    let signal = |pid: &str, name: &str| assert!(Command::new("kill").args([name, pid]).status().unwrap().success());
    signal(&cluster.says("/pid").to_string(), "-KILL");
    for _ in 0..20 {
        assert_eq!(get(&address, "/answer", "any"), (200, "still here".to_owned()));
    }
    signal(&gateway.id().to_string(), "-TERM");
    assert!(gateway.wait().unwrap().success());
}
