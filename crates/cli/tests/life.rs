//! Starting, stopping and finding an instance, and what is said when that fails.
#![allow(clippy::unwrap_used)]

mod instance;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use instance::{Instance, get, is_alive, text};

#[test]
fn an_instance_is_found_by_its_home_and_leaves_nothing_running() {
    let instance = Instance::start();
    let pid = instance.says("/pid").as_u64().unwrap();
    assert!(is_alive(pid));
    let mode = |name: &str| std::fs::metadata(instance.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("kubeconfig"), mode("instance.json")), (0o700, 0o600, 0o600));

    let kubeconfig = instance.ok(&["kubeconfig"]);
    assert_eq!(kubeconfig.trim(), instance.path().join("kubeconfig").to_str().unwrap());
    let address = instance.ok(&["proxy", "address"]);
    assert_eq!(instance.ok(&["proxy", "url"]), format!("http://{address}"));
    assert!(instance.ok(&["status"]).contains("running"));
    assert!(instance.refused(&["proxy", "url", "--name", "nope"]).contains("gloo-system.gateway-proxy"));
    assert_eq!(instance.ask("/nobody"), (404, String::new()));

    instance.ok(&["down"]);
    assert!(!is_alive(pid));
    assert!(instance.refused(&["proxy", "url"]).contains("serin up"));
    assert!(instance.refused(&["kubeconfig"]).contains("no gateway is running"));
    instance.ok(&["down"]);
}

#[test]
fn a_second_one_on_the_same_home_is_told_who_has_it() {
    let instance = Instance::start();
    let pid = instance.says("/pid").to_string();
    let second = instance.up(&[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains(&pid), "{}", text(&second.stderr));
    assert_eq!(instance.says("/pid").to_string(), pid);
    assert_eq!(instance.ask("/nobody").0, 404);
}

#[test]
fn a_port_in_use_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--http-port", "--https-port", "--api-port", "--admin-port"] {
        let instance = Instance::home();
        let others = ["--http-port", "--https-port", "--api-port", "--admin-port"];
        let others = others.iter().filter(|other| **other != flag).flat_map(|other| [*other, "0"]);
        let started = instance.serin(&["up", "--detach", flag, &port]).args(others).output().unwrap();
        let said = text(&started.stderr);
        assert_eq!(started.status.code(), Some(1), "{said}");
        assert!(said.contains(flag) && said.contains(&port), "{said}");
    }
}

#[test]
fn a_home_that_cannot_be_used_is_named() {
    let instance = Instance::home();
    // A file where the directory should be: not even root can write into that.
    std::fs::write(instance.path(), "").unwrap();
    let started = instance.up(&[]);
    assert_eq!(started.status.code(), Some(1));
    let said = text(&started.stderr);
    assert!(said.contains(instance.path().to_str().unwrap()) && said.contains("SERIN_HOME"), "{said}");
}

#[test]
fn a_corrupt_store_is_named_and_kept() {
    let instance = Instance::home();
    std::fs::create_dir_all(instance.path()).unwrap();
    let store = instance.path().join("store.redb");
    let garbage = vec![b'x'; 8192];
    std::fs::write(&store, &garbage).unwrap();
    let started = instance.up(&[]);
    assert_eq!(started.status.code(), Some(1));
    assert!(text(&started.stderr).contains("store.redb"), "{}", text(&started.stderr));
    assert_eq!(std::fs::read(&store).unwrap(), garbage);
}

#[test]
fn a_program_that_is_missing_is_named() {
    let instance = Instance::home();
    let started = instance.up(&["--image", "my/app=/no/such/program"]);
    assert!(!started.status.success());
    assert!(text(&started.stderr).contains("/no/such/program"), "{}", text(&started.stderr));
}

#[test]
fn the_admin_port_answers_to_this_machine_alone() {
    let instance = Instance::start();
    let admin = instance.says("/admin").as_str().unwrap().to_owned();
    assert_eq!(get(&admin, "/ready", &admin), (200, "ready\n".to_owned()));
    assert!(get(&admin, "/metrics", "localhost").1.contains("serin_control_translations_total"));
    assert_eq!(get(&admin, "/config", "evil.example").0, 403);
}

#[test]
fn a_request_under_way_is_finished_though_somebody_holds_the_admin_port() {
    let instance = Instance::start();
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = backend.local_addr().unwrap().port();
    instance.apply(&format!(
        "apiVersion: gloo.solo.io/v1\nkind: Upstream\nmetadata: {{name: slow, namespace: gloo-system}}\nspec:\n  static:\n    \
         hosts: [{{addr: 127.0.0.1, port: {port}}}]\n---\napiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: \
         {{name: slow, namespace: gloo-system}}\nspec:\n  virtualHost:\n    domains: ['*']\n    routes:\n    - matchers: \
         [{{prefix: /probe}}]\n      directResponseAction: {{status: 200, body: there}}\n    - matchers: [{{prefix: /}}]\n      \
         routeAction: {{single: {{upstream: {{name: slow, namespace: gloo-system}}}}}}\n"
    ));
    instance.until("/probe", 200, "there");
    let mut admin = TcpStream::connect(instance.says("/admin").as_str().unwrap()).unwrap();
    admin.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    assert_ne!(admin.read(&mut [0; 16]).unwrap(), 0);

    let gateway = instance.ok(&["proxy", "address"]);
    let request = std::thread::spawn(move || get(gateway.trim(), "/slow", "gateway.test"));
    let (mut upstream, _) = backend.accept().unwrap();
    assert_ne!(upstream.read(&mut [0; 1024]).unwrap(), 0);
    let down = instance.serin(&["down"]).spawn().unwrap();
    // The instance withdraws before it drains, so from here on the request is one of those under way.
    let end = std::time::Instant::now() + instance::PATIENCE;
    while instance.path().join("instance.json").exists() {
        assert!(std::time::Instant::now() < end, "it does not stop");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    upstream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").unwrap();
    assert_eq!(request.join().unwrap(), (200, "done".to_owned()));
    assert!(down.wait_with_output().unwrap().status.success());
    drop(admin);
}

#[test]
fn links_behave_as_the_tools_they_are_named_after() {
    let instance = Instance::start();
    let directory = instance.path();
    let run = |name: &str, words: &[&str]| {
        let link = directory.join(name);
        std::os::unix::fs::symlink(instance::SERIN, &link).unwrap();
        let mut command = std::process::Command::new(&link);
        command.args(words).env("SERIN_HOME", &directory).env_remove("KUBECONFIG").stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    };
    let (ok, said) = run("glooctl", &["check"]);
    assert!(ok && said.ends_with("No problems detected.\n"), "{said}");
    let (ok, said) = run("kubectl", &["get", "ns", "gloo-system", "-o", "name"]);
    assert!(ok && said == "namespace/gloo-system\n", "{said}");
    let (ok, said) = run("helm", &["list"]);
    assert!(!ok && said.contains("later"), "{said}");
}
