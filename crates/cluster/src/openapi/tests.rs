use serde_json::{Value, json};

use super::{Kind, v2_document, v3_document, v3_index};
use crate::schema::Schema;

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn deployment() -> Kind {
    Kind {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        plural: "deployments".into(),
        namespaced: true,
        verbs: VERBS.into(),
        status: true,
        scale: true,
        schema: Schema::builtin("apps", "v1", "Deployment").unwrap(),
    }
}

fn widget() -> Kind {
    let schema = json!({"type": "object", "description": "A widget.", "properties": {"spec": {
        "type": "object", "description": "What it is.", "required": ["size"],
        "properties": {"size": {"type": "integer", "description": "How big."}},
    }}});
    Kind {
        group: "example.com".into(),
        version: "v1".into(),
        kind: "Widget".into(),
        plural: "widgets".into(),
        namespaced: false,
        verbs: VERBS.into(),
        status: false,
        scale: false,
        schema: Schema::from_crd_version("example.com", "v1", "Widget", &schema).unwrap(),
    }
}

/// Every reference of a document must lead somewhere.
fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            map.values().for_each(|value| check_references(value, document));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(value, document)),
        _ => {}
    }
}

#[test]
fn a_v3_document_says_what_kubectl_asks() {
    let document: Value = serde_json::from_str(&v3_document(&[deployment()])).unwrap();
    check_references(&document, &document);
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(
        patch["x-kubernetes-group-version-kind"],
        json!({"group": "apps", "kind": "Deployment", "version": "v1"})
    );
    assert!(patch["requestBody"]["content"]["application/strategic-merge-patch+json"].is_object());
    let names: Vec<&str> = patch["parameters"].as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    let schemas = &document["components"]["schemas"];
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    assert_eq!(containers["x-kubernetes-patch-strategy"], "merge");
    assert_eq!(containers["x-kubernetes-list-type"], "map");
    assert_eq!(containers["items"], json!({"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"}));
    let deployment = &schemas["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(deployment["x-kubernetes-group-version-kind"][0]["kind"], "Deployment");
    assert_eq!(schemas["io.k8s.api.apps.v1.DeploymentList"]["required"], json!(["items"]));
}

#[test]
fn custom_kinds_have_no_strategic_patch_and_keep_their_docs() {
    let document: Value = serde_json::from_str(&v3_document(&[widget()])).unwrap();
    check_references(&document, &document);
    let content = &document["paths"]["/apis/example.com/v1/widgets/{name}"]["patch"]["requestBody"]["content"];
    assert_eq!(content.get("application/strategic-merge-patch+json"), None);
    let widget = &document["components"]["schemas"]["com.example.v1.Widget"];
    assert_eq!(widget["properties"]["spec"]["properties"]["size"]["description"], "How big.");
    assert_eq!(widget["properties"]["spec"]["required"], json!(["size"]));
}

#[test]
fn a_v2_document_refers_to_definitions() {
    let document: Value = serde_json::from_str(&v2_document(&[deployment(), widget()])).unwrap();
    check_references(&document, &document);
    assert!(document["definitions"]["com.example.v1.Widget"].is_object());
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert!(patch["consumes"].as_array().unwrap().contains(&json!("application/strategic-merge-patch+json")));
}

#[test]
fn the_index_changes_with_the_fingerprint() {
    let one = v3_index([("apps", "v1", "a")]);
    let address = one["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap();
    assert!(address.starts_with("/openapi/v3/apis/apps/v1?hash="), "{address}");
    assert_ne!(one, v3_index([("apps", "v1", "b")]));
    assert_eq!(one, v3_index([("apps", "v1", "a")]));
}
