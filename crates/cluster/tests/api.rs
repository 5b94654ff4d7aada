//! The API's machinery, request by request: what kube-apiserver answers, this answers.
#![allow(clippy::unwrap_used)]

use futures::StreamExt;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use serin_cluster::{Cluster, ClusterOptions};

struct Api {
    client: kube::Client,
    cluster: Cluster,
    home: tempfile::TempDir,
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

impl Api {
    async fn start() -> Api {
        Api::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(home: tempfile::TempDir) -> Api {
        let options = ClusterOptions { home: home.path().join("home"), ..ClusterOptions::default() };
        let cluster = Cluster::start(options).await.unwrap();
        let kubeconfig = kube::config::Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        Api { client: kube::Client::try_from(config).unwrap(), cluster, home }
    }

    async fn stop(self) -> tempfile::TempDir {
        drop(self.client);
        self.cluster.stop().await;
        self.home
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Response<Body> {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.client.send(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let response = self.send(method, path, headers, body).await;
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, &[], &Value::Null).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, &[("content-type", "application/json")], body).await
    }

    async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("PUT", path, &[("content-type", "application/json")], body).await
    }

    async fn merge(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("PATCH", path, &[("content-type", "application/merge-patch+json")], body).await
    }

    async fn delete(&self, path: &str, options: &Value) -> (u16, Value) {
        self.ask("DELETE", path, &[("content-type", "application/json")], options).await
    }

    /// The next events of a watch, as kind and object, until `enough`.
    async fn watch(&self, path: &str, enough: usize) -> Vec<(String, Value)> {
        let mut body = self.send("GET", path, &[], &Value::Null).await.into_body().into_data_stream();
        let mut text = Vec::new();
        let lines = |text: &[u8]| text.iter().filter(|b| **b == b'\n').count();
        while lines(&text) < enough {
            match tokio::time::timeout(std::time::Duration::from_secs(20), body.next()).await.unwrap() {
                Some(chunk) => text.extend_from_slice(&chunk.unwrap()),
                None => break,
            }
        }
        let text = String::from_utf8(text).unwrap();
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| (event["type"].as_str().unwrap().to_owned(), event["object"].clone())).collect()
    }
}

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn errors_are_worded_as_kube_apiserver_words_them() {
    let api = Api::start().await;
    let (code, status) = api.get(&format!("{MAPS}/gone")).await;
    assert_eq!((code, text(&status["message"])), (404, "configmaps \"gone\" not found"));
    assert_eq!(status["details"], json!({"name": "gone", "kind": "configmaps"}));
    assert_eq!((text(&status["kind"]), text(&status["reason"])), ("Status", "NotFound"));

    let (code, made) = api.post(MAPS, &map("x", "1")).await;
    assert_eq!(code, 201, "{made}");
    let (code, status) = api.post(MAPS, &map("x", "1")).await;
    assert_eq!((code, text(&status["message"])), (409, "configmaps \"x\" already exists"));

    let mut stale = made.clone();
    api.merge(&format!("{MAPS}/x"), &json!({"data": {"b": "2"}})).await;
    stale["data"]["a"] = "3".into();
    let (code, status) = api.put(&format!("{MAPS}/x"), &stale).await;
    let message = "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to the latest version and try again";
    assert_eq!((code, text(&status["message"]), text(&status["reason"])), (409, message, "Conflict"));

    let (code, status) = api.put(&format!("{MAPS}/x"), &map("y", "1")).await;
    assert_eq!(code, 400);
    assert_eq!(text(&status["message"]), "the name of the object (y) does not match the name on the URL (x)");
    let (code, status) = api.post("/api/v1/namespaces/nowhere/configmaps", &map("x", "1")).await;
    assert_eq!((code, text(&status["message"])), (404, "namespaces \"nowhere\" not found"));
    let (code, status) =
        api.post(MAPS, &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}})).await;
    assert_eq!(code, 400, "{status}");
    let (code, status) = api.post(MAPS, &map("Not_A_Name", "1")).await;
    assert_eq!((code, text(&status["details"]["causes"][0]["field"])), (422, "metadata.name"));
    let (code, status) = api.get("/apis/nothing.example/v1/things").await;
    assert_eq!((code, text(&status["message"])), (404, "the server could not find the requested resource"));
    assert_eq!(api.ask("PUT", MAPS, &[], &Value::Null).await.0, 405);
    let strategic = [("content-type", "text/html")];
    assert_eq!(api.ask("PATCH", &format!("{MAPS}/x"), &strategic, &json!({})).await.0, 415);
    assert_eq!(api.ask("GET", MAPS, &[("accept", "text/html")], &Value::Null).await.0, 406);
    api.stop().await;
}

#[tokio::test]
async fn identity_versions_and_generations() {
    let api = Api::start().await;
    let (_, a) = api.post(MAPS, &json!({"metadata": {"generateName": "made-"}})).await;
    assert!(text(&a["metadata"]["name"]).starts_with("made-") && text(&a["metadata"]["name"]).len() == 10, "{a}");
    assert_eq!((text(&a["apiVersion"]), text(&a["kind"])), ("v1", "ConfigMap"));
    let path = format!("{MAPS}/{}", text(&a["metadata"]["name"]));
    // A write that changes nothing is none.
    let (_, b) = api.merge(&path, &json!({"metadata": {"uid": a["metadata"]["uid"]}})).await;
    assert_eq!(a["metadata"]["resourceVersion"], b["metadata"]["resourceVersion"]);
    let (code, status) = api.merge(&path, &json!({"metadata": {"uid": "other"}})).await;
    assert!(
        code == 409 && text(&status["message"]).contains("Precondition failed: UID in precondition: other"),
        "{status}"
    );

    let deployment = json!({"metadata": {"name": "d"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let path = "/apis/apps/v1/namespaces/default/deployments/d";
    let (code, made) = api.post("/apis/apps/v1/namespaces/default/deployments", &deployment).await;
    assert_eq!((code, &made["metadata"]["generation"]), (201, &json!(1)), "{made}");
    assert_eq!(made["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
    let (_, labelled) = api.merge(path, &json!({"metadata": {"labels": {"x": "y"}}})).await;
    assert_eq!(labelled["metadata"]["generation"], 1);
    let (_, status) = api
        .merge(&format!("{path}/status"), &json!({"status": {"observedGeneration": 7}, "spec": {"paused": true}}))
        .await;
    assert_eq!((&status["status"]["observedGeneration"], &status["spec"]["paused"]), (&json!(7), &Value::Null));
    let (_, changed) = api.merge(path, &json!({"spec": {"paused": true}, "status": {"observedGeneration": 9}})).await;
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_ne!(changed["status"]["observedGeneration"], 9);
    let (_, scale) = api.get(&format!("{path}/scale")).await;
    assert_eq!((text(&scale["kind"]), text(&scale["status"]["selector"])), ("Scale", "a=b"));
    let (code, status) = api.merge(path, &json!({"spec": {"selector": {"matchLabels": {"a": "c"}}}})).await;
    assert_eq!(code, 422, "{status}");
    api.stop().await;
}

#[tokio::test]
async fn pages_show_one_moment() {
    let api = Api::start().await;
    for i in 0..10 {
        api.post(MAPS, &map(&format!("m{i}"), "1")).await;
    }
    let (_, first) = api.get(&format!("{MAPS}?limit=4")).await;
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|item| text(&item["metadata"]["name"]).to_owned()).collect()
    };
    assert_eq!(names(&first), ["m0", "m1", "m2", "m3"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 6);
    // What changes meanwhile does not show in the later pages.
    api.delete(&format!("{MAPS}/m5"), &Value::Null).await;
    api.post(MAPS, &map("m55", "1")).await;
    let next = |list: &Value| format!("{MAPS}?limit=4&continue={}", text(&list["metadata"]["continue"]));
    let (_, second) = api.get(&next(&first)).await;
    assert_eq!(names(&second), ["m4", "m5", "m6", "m7"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let (_, third) = api.get(&next(&second)).await;
    assert_eq!(names(&third), ["m8", "m9"]);
    assert_eq!(third["metadata"]["continue"], Value::Null);
    let version = text(&first["metadata"]["resourceVersion"]);
    let (_, then) = api.get(&format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")).await;
    assert_eq!(names(&then).len(), 10);
    assert_eq!(api.get(&format!("{MAPS}?continue=nonsense")).await.0, 400);
    assert_eq!(api.get(&format!("{MAPS}?resourceVersionMatch=Exact")).await.0, 400);
    api.stop().await;
}

#[tokio::test]
async fn watches_resume_and_expire() {
    let api = Api::start().await;
    let (_, list) = api.get(MAPS).await;
    let version = text(&list["metadata"]["resourceVersion"]).to_owned();
    api.post(MAPS, &map("w", "1")).await;
    api.merge(&format!("{MAPS}/w"), &json!({"metadata": {"labels": {"on": "yes"}}})).await;
    api.merge(&format!("{MAPS}/w"), &json!({"metadata": {"labels": {"on": null}}})).await;
    api.delete(&format!("{MAPS}/w"), &Value::Null).await;
    let kinds = |events: &[(String, Value)]| events.iter().map(|(kind, _)| kind.clone()).collect::<Vec<_>>();
    let events = api.watch(&format!("{MAPS}?watch=1&resourceVersion={version}"), 4).await;
    assert_eq!(kinds(&events), ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]);
    // With a selector, beginning and ceasing to match are what happens.
    let events = api.watch(&format!("{MAPS}?watch=1&resourceVersion={version}&labelSelector=on"), 2).await;
    assert_eq!(kinds(&events), ["ADDED", "DELETED"]);
    assert_eq!(events[1].1["metadata"]["labels"]["on"], "yes");

    api.post(MAPS, &map("there", "1")).await;
    let initial = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    let events = api.watch(&format!("{MAPS}?{initial}"), 2).await;
    assert_eq!(kinds(&events), ["ADDED", "BOOKMARK"]);
    assert_eq!(events[1].1["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let events = api.watch(&format!("{MAPS}?watch=1&timeoutSeconds=1"), 99).await;
    assert_eq!(kinds(&events), ["ADDED"]);
    assert_eq!(api.get(&format!("{MAPS}?watch=1&sendInitialEvents=true")).await.0, 422);

    // After a restart the past is gone, and whoever asks for it is told to list again.
    let home = api.stop().await;
    let api = Api::start_in(home).await;
    let events = api.watch(&format!("{MAPS}?watch=1&resourceVersion={version}"), 1).await;
    assert_eq!((events[0].0.as_str(), text(&events[0].1["reason"])), ("ERROR", "Expired"));
    assert_eq!(events[0].1["code"], 410);
    let (_, list) = api.get(MAPS).await;
    assert_eq!(list["items"][0]["metadata"]["name"], "there");
    api.stop().await;
}

#[tokio::test]
async fn answers_take_other_forms() {
    let api = Api::start().await;
    api.post(MAPS, &map("f", "1")).await;
    let form = |accept: &'static str| [("accept", accept)];
    let metadata = form("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json");
    let (_, list) = api.ask("GET", MAPS, &metadata, &Value::Null).await;
    assert_eq!((text(&list["kind"]), &list["items"][0]["data"]), ("PartialObjectMetadataList", &Value::Null));
    let table = form("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    let (_, rows) = api.ask("GET", &format!("{MAPS}?includeObject=None"), &table, &Value::Null).await;
    assert_eq!((text(&rows["kind"]), &rows["rows"][0]["cells"][0]), ("Table", &json!("f")));
    assert_eq!(rows["rows"][0]["object"], Value::Null);
    let response = api.send("GET", &format!("{MAPS}/f"), &form("application/yaml"), &Value::Null).await;
    let yaml = response.into_body().collect().await.unwrap().to_bytes();
    assert!(yaml.starts_with(b"apiVersion: v1\ndata:\n  a: \"1\"\n"), "{yaml:?}");
    let discovery = form("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
    let (_, groups) = api.ask("GET", "/apis", &discovery, &Value::Null).await;
    assert_eq!(
        (text(&groups["kind"]), text(&groups["apiVersion"])),
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    );
    let (_, groups) = api.get("/apis").await;
    assert_eq!(text(&groups["kind"]), "APIGroupList");
    let (_, resources) = api.get("/apis/apps/v1").await;
    assert!(resources["resources"].as_array().unwrap().iter().any(|r| r["name"] == "deployments/scale"));
    api.stop().await;
}

#[tokio::test]
async fn built_in_kinds_have_their_ways() {
    let api = Api::start().await;
    let service = |name: &str, ip: Value| json!({"metadata": {"name": name}, "spec": {"clusterIP": ip, "ports": [{"port": 80}], "selector": {"a": "b"}}});
    let services = "/api/v1/namespaces/default/services";
    let (code, made) = api.post(services, &service("one", Value::Null)).await;
    assert_eq!(code, 201, "{made}");
    let ip = made["spec"]["clusterIP"].clone();
    assert!(text(&ip).starts_with("10.96.") && made["spec"]["clusterIPs"] == json!([ip]), "{made}");
    let (code, status) = api.post(services, &service("two", ip.clone())).await;
    assert!(code == 422 && text(&status["message"]).contains("provided IP is already allocated"), "{status}");
    let (_, updated) = api.put(&format!("{services}/one"), &service("one", Value::Null)).await;
    assert_eq!(updated["spec"]["clusterIP"], ip);
    let (_, headless) = api.post(services, &service("three", json!("None"))).await;
    assert_eq!(headless["spec"]["clusterIP"], "None");

    let secret = json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}});
    let (_, secret) = api.post("/api/v1/namespaces/default/secrets", &secret).await;
    assert_eq!(
        (&secret["data"]["k"], &secret["stringData"], &secret["type"]),
        (&json!("dg=="), &Value::Null, &json!("Opaque"))
    );

    let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "elsewhere", "containers": [{"name": "c", "image": "i"}]}});
    let (_, pod) = api.post("/api/v1/namespaces/default/pods", &pod).await;
    assert_eq!((text(&pod["status"]["phase"]), text(&pod["spec"]["restartPolicy"])), ("Pending", "Always"));
    let path = "/api/v1/namespaces/default/pods/p";
    let (code, going) = api.delete(path, &json!({"gracePeriodSeconds": 20})).await;
    assert_eq!((code, &going["metadata"]["deletionGracePeriodSeconds"]), (200, &json!(20)));
    assert_eq!(api.get(path).await.0, 200);
    let (_, going) = api.delete(path, &json!({"gracePeriodSeconds": 0, "preconditions": {"uid": "other"}})).await;
    assert_eq!(going["reason"], "Conflict");
    api.delete(path, &json!({"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}})).await;
    assert_eq!(api.get(path).await.0, 404);
    api.stop().await;
}

#[tokio::test]
async fn a_namespace_on_its_way_out_takes_nothing_in() {
    let api = Api::start().await;
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": "out"}})).await;
    let maps = "/api/v1/namespaces/out/configmaps";
    let mut held = map("held", "1");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    api.post(maps, &held).await;
    let (_, namespace) = api.delete("/api/v1/namespaces/out", &Value::Null).await;
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let (code, status) = api.post(maps, &map("new", "1")).await;
    assert_eq!(code, 403);
    assert_eq!(
        text(&status["message"]),
        "configmaps \"new\" is forbidden: unable to create new content in namespace out because it is being terminated"
    );
    assert_eq!(status["details"]["causes"][0]["reason"], "NamespaceTerminating");
    api.merge(&format!("{maps}/held"), &json!({"metadata": {"finalizers": null}})).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while api.get("/api/v1/namespaces/out").await.0 != 404 {
        assert!(std::time::Instant::now() < deadline, "the namespace stays");
    }
    api.stop().await;
}

#[tokio::test]
async fn versions_of_a_custom_kind_are_one() {
    let api = Api::start().await;
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}})
    };
    let definition = json!({"metadata": {"name": "things.example.com"}, "spec": {"group": "example.com", "scope": "Cluster",
        "names": {"plural": "things", "kind": "Thing"}, "versions": [version("v1", true), version("v1beta1", false)]}});
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (code, made) = api.post(crds, &definition).await;
    assert_eq!((code, &made["spec"]["names"]["listKind"]), (201, &json!("ThingList")), "{made}");
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    // Served at once.
    let (code, made) = api
        .post("/apis/example.com/v1beta1/things", &json!({"metadata": {"name": "t"}, "spec": {"n": 1, "m": 2}}))
        .await;
    assert_eq!((code, text(&made["apiVersion"]), &made["spec"]), (201, "example.com/v1beta1", &json!({"n": 1})));
    let (_, other) = api.get("/apis/example.com/v1/things/t").await;
    assert_eq!((text(&other["apiVersion"]), &other["spec"]["n"]), ("example.com/v1", &json!(1)));
    let (code, status) =
        api.put("/apis/example.com/v1/things/t", &json!({"metadata": {"name": "t"}, "spec": {"n": 2}})).await;
    assert!(code == 422 && text(&status["message"]).contains("metadata.resourceVersion: Invalid value: 0"), "{status}");
    let strict = api
        .post(
            "/apis/example.com/v1/things?fieldValidation=Strict",
            &json!({"metadata": {"name": "u"}, "spec": {"m": 2}}),
        )
        .await;
    assert!(
        strict.0 == 400 && text(&strict.1["message"]).contains("strict decoding error: unknown field \"spec.m\""),
        "{}",
        strict.1
    );
    let (code, status) =
        api.post("/apis/example.com/v1/things", &json!({"metadata": {"name": "u"}, "spec": {"n": "text"}})).await;
    assert!(code == 422 && text(&status["message"]).contains("spec.n"), "{status}");
    let mut broken = definition.clone();
    broken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({"properties": {}});
    broken["metadata"]["name"] = json!("broken.example.com");
    broken["spec"]["names"] = json!({"plural": "broken", "kind": "Broken"});
    let (code, status) = api.post(crds, &broken).await;
    assert!(code == 422 && text(&status["message"]).contains("spec.versions[0].schema.openAPIV3Schema"), "{status}");
    api.stop().await;
}

#[tokio::test]
async fn collections_are_deleted_by_selector() {
    let api = Api::start().await;
    for (name, tier) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut map = map(name, "1");
        map["metadata"]["labels"] = json!({"tier": tier});
        api.post(MAPS, &map).await;
    }
    let (code, deleted) = api.delete(&format!("{MAPS}?labelSelector=tier%3Dx"), &Value::Null).await;
    assert_eq!((code, deleted["items"].as_array().unwrap().len()), (200, 2));
    let (_, left) = api.get(MAPS).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    api.stop().await;
}

#[tokio::test]
async fn many_writers_lose_no_update() {
    let api = Api::start().await;
    api.post(MAPS, &map("counted", "1")).await;
    let patches = (0..50).map(|i| {
        let patch = json!({"data": {format!("k{i}"): "v"}});
        let api = &api;
        async move { api.merge(&format!("{MAPS}/counted"), &patch).await.0 }
    });
    let codes = futures::future::join_all(patches).await;
    assert!(codes.iter().all(|code| *code == 200), "{codes:?}");
    let (_, counted) = api.get(&format!("{MAPS}/counted")).await;
    assert_eq!(counted["data"].as_object().unwrap().len(), 51);
    api.stop().await;
}
