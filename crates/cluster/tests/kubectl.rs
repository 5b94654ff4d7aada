//! A real kubectl against a real cluster.

mod fixture;

use fixture::Fixture;

macro_rules! fixture {
    () => {
        match Fixture::shared() {
            Some(fixture) => fixture,
            None => return,
        }
    };
}

#[test]
fn create_get_and_delete() {
    let f = fixture!();
    let map = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}, "data": {"a": "b"}}"#;
    f.feed(map, &["create", "-f", "-"]);
    assert_eq!(f.ok(&["get", "configmap", "made", "-o", "jsonpath={.data.a}"]), "b");
    f.ok(&["delete", "configmap", "made"]);
    assert!(f.fails(&["get", "configmap", "made"]).contains("configmaps \"made\" not found"));
}
