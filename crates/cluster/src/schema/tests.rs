use serde_json::{Value, json};

use super::{Schema, duplicate_fields, structural_errors};

fn widget() -> std::sync::Arc<Schema> {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
        "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
        "port": {"x-kubernetes-int-or-string": true},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "maxItems": 3},
        "parts": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "count": {"type": "integer", "default": 1},
            }},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "maybe": {"type": "string", "nullable": true},
    }}}});
    Schema::from_crd_version("example.com", "v1", "Widget", &schema).unwrap()
}

fn texts(schema: &Schema, object: &Value) -> Vec<String> {
    schema.validate(object).iter().map(ToString::to_string).collect()
}

fn with_spec(spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec})
}

#[test]
fn faults_are_worded_as_kube_apiserver_words_them() {
    let schema = widget();
    assert_eq!(texts(&schema, &with_spec(json!({"size": 3}))), Vec::<String>::new());
    let cases = [
        (json!({}), "spec.size: Required value"),
        (
            json!({"size": "big"}),
            r#"spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#,
        ),
        (json!({"size": 0}), "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        (json!({"size": 11}), "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"),
        (
            json!({"size": 1, "color": "green"}),
            r#"spec.color: Unsupported value: "green": supported values: "red", "blue""#,
        ),
        (json!({"size": 1, "name": "toolong"}), "spec.name: Too long: may not be more than 5 bytes"),
        (
            json!({"size": 1, "name": "A"}),
            r#"spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'"#,
        ),
        (json!({"size": 1, "tags": ["a", "b", "c", "d"]}), "spec.tags: Too many: 4: must have at most 3 items"),
        (json!({"size": 1, "tags": ["a", "a"]}), r#"spec.tags[1]: Duplicate value: "a""#),
        (json!({"size": 1, "parts": [{"id": "x"}, {"id": "x"}]}), r#"spec.parts[1]: Duplicate value: {"id":"x"}"#),
        (
            json!({"size": 1, "port": true}),
            r#"spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#,
        ),
        (
            json!({"size": 1, "labels": {"a": 1}}),
            r#"spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer""#,
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(texts(&schema, &with_spec(spec.clone())), [expected], "{spec}");
    }
}

#[test]
fn unknown_fields_are_named_and_pruned_and_free_form_is_kept() {
    let schema = widget();
    let mut object = with_spec(json!({
        "size": 1, "colour": "x", "free": {"any": {"thing": 1}}, "parts": [{"id": "a", "b": 1}], "labels": {"k": "v"},
    }));
    object["extra"] = json!(1);
    object["metadata"]["nope"] = json!(1);
    let expected =
        ["extra", "metadata.nope", "spec.colour", "spec.parts[0].b"].map(|path| format!("unknown field \"{path}\""));
    assert_eq!(schema.unknown_fields(&object), expected);
    schema.prune(&mut object);
    assert_eq!(schema.unknown_fields(&object), Vec::<String>::new());
    assert_eq!(object["spec"]["free"], json!({"any": {"thing": 1}}));
    assert_eq!(object["spec"]["parts"], json!([{"id": "a"}]));
    assert_eq!(object["spec"]["labels"], json!({"k": "v"}));
}

#[test]
fn defaults_fill_gaps_and_nulls_that_are_not_allowed_go() {
    let schema = widget();
    let mut object = with_spec(json!({"size": 1, "color": null, "name": null, "maybe": null, "parts": [{"id": "a"}]}));
    schema.apply_defaults(&mut object);
    assert_eq!(object["spec"], json!({"size": 1, "color": "red", "maybe": null, "parts": [{"id": "a", "count": 1}]}));
}

#[test]
fn defaults_bring_in_no_unknown_fields() {
    let spec = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "default": {"a": 1, "typo": 2}});
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    let schema = Schema::from_crd_version("example.com", "v1", "Widget", &schema).unwrap();
    let mut object = json!({"metadata": {"name": "w"}});
    schema.apply_defaults(&mut object);
    assert_eq!(object["spec"], json!({"a": 1}));
}

#[test]
fn null_in_a_list_of_objects_counts_as_an_empty_object() {
    let schema = Schema::builtin("", "v1", "Service").unwrap();
    let mut object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"ports": [null]}});
    schema.apply_defaults(&mut object);
    assert_eq!(object["spec"]["ports"][0]["protocol"], "TCP");
    let once = object.clone();
    schema.apply_defaults(&mut object);
    assert_eq!(object, once);
}

#[test]
fn a_schema_that_is_not_structural_is_refused() {
    let schema = json!({"type": "object", "properties": {"a": {"properties": {}}, "b": {"type": "array"}}});
    let errors: Vec<String> = structural_errors("s", &schema).iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "s.properties[a].type: Required value: must not be empty for specified object fields",
            "s.properties[b].items: Required value: must be specified",
        ]
    );
}

#[test]
fn built_in_kinds_know_their_fields() {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "creationTimestamp": null},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "foo": 1, "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i", "bar": 1, "ports": [{"containerPort": 80}]}]},
        }},
    });
    let expected = ["unknown field \"spec.foo\"", "unknown field \"spec.template.spec.containers[0].bar\""];
    assert_eq!(schema.unknown_fields(&object), expected);
    schema.prune(&mut object);
    schema.apply_defaults(&mut object);
    let again = {
        let mut again = object.clone();
        schema.apply_defaults(&mut again);
        again
    };
    assert_eq!(object, again, "defaulting twice changes nothing");
    assert_eq!(object["metadata"], json!({"name": "d"}));
    assert_eq!(object["spec"]["replicas"], 1);
    assert_eq!(object["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["imagePullPolicy"], "Always");
    assert_eq!(container["ports"], json!([{"containerPort": 80, "protocol": "TCP"}]));
    assert_eq!(schema.validate(&object), []);
}

#[test]
fn wrong_types_in_built_in_kinds_are_decode_errors() {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    let object = json!({"spec": {"replicas": "three"}});
    let expected = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32";
    assert_eq!(schema.decode_error(&object).unwrap(), expected);
    let object = json!({"spec": {"template": {"spec": {"containers": {}}}}});
    let expected = "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container";
    assert_eq!(schema.decode_error(&object).unwrap(), expected);
    assert_eq!(schema.decode_error(&json!({"spec": {"replicas": 3}})), None);
}

#[test]
fn every_served_kind_has_a_schema_that_knows_its_metadata() {
    for (group, version, kind) in [
        ("", "v1", "Pod"),
        ("", "v1", "Namespace"),
        ("", "v1", "Service"),
        ("", "v1", "Endpoints"),
        ("", "v1", "ConfigMap"),
        ("", "v1", "Secret"),
        ("", "v1", "ServiceAccount"),
        ("", "v1", "Event"),
        ("", "v1", "Node"),
        ("apps", "v1", "ReplicaSet"),
        ("discovery.k8s.io", "v1", "EndpointSlice"),
        ("coordination.k8s.io", "v1", "Lease"),
        ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
        ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
        ("autoscaling", "v1", "Scale"),
        ("events.k8s.io", "v1", "Event"),
        ("", "v1", "Status"),
    ] {
        let schema = Schema::builtin(group, version, kind).unwrap_or_else(|| panic!("{group}/{version} {kind}"));
        assert!(schema.root().field("metadata").is_some(), "{kind}");
        assert_eq!(
            schema.unknown_fields(&json!({"metadata": {"labels": {"a": "b"}}})).len(),
            usize::from(kind == "Status"),
            "{kind}"
        );
    }
    assert!(Schema::builtin("", "v1", "Nothing").is_none());
}

#[test]
fn a_crds_own_schema_is_free_where_json_is() {
    let schema = Schema::builtin("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
    let object = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {
        "type": "object", "properties": {"a": {"items": {"type": "string"}, "default": {"x": 1}, "enum": ["a", 1]}},
        "additionalProperties": {"type": "object", "nope": 1},
    }}}]}});
    assert_eq!(schema.decode_error(&object), None);
    let unknown = schema.unknown_fields(&object);
    assert!(unknown.iter().all(|text| text.ends_with("additionalProperties.nope\"")), "{unknown:?}");
}

#[test]
fn duplicates_are_found_by_path() {
    let text = r#"{"a": 1, "b": [{"c": 1, "c": 2}], "a": 2, "a": 3}"#;
    assert_eq!(duplicate_fields(text), ["duplicate field \"b[0].c\"", "duplicate field \"a\""]);
    assert_eq!(duplicate_fields("{"), Vec::<String>::new());
}

fn deployment(change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},
        }},
    });
    change(&mut object);
    Schema::builtin("apps", "v1", "Deployment").unwrap().apply_defaults(&mut object);
    object
}

#[test]
fn the_usual_mistakes_in_a_deployment_are_named() {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    assert_eq!(texts(&schema, &deployment(|_| ())), Vec::<String>::new());
    type Case = (fn(&mut Value), &'static str);
    let cases: [Case; 9] = [
        (
            |d| d["spec"]["template"]["metadata"]["labels"] = json!({"a": "c"}),
            "spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match template `labels`",
        ),
        (|d| d["spec"]["replicas"] = json!(-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (|d| d["spec"]["template"]["spec"]["containers"] = json!([]), "spec.template.spec.containers: Required value"),
        (
            |d| d["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Sometimes"),
            "spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        (
            |d| d["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 70000}]),
            "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            |d| d["spec"]["template"]["spec"]["containers"][0]["name"] = json!("C_"),
            "spec.template.spec.containers[0].name: Invalid value: \"C_\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ),
        (
            |d| d["spec"]["template"]["spec"]["restartPolicy"] = json!("Never"),
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
        ),
        (
            |d| {
                d["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
                    json!([{"name": "v", "mountPath": "/v"}])
            },
            "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
        ),
        (
            |d| d["metadata"]["labels"] = json!({"a b": "c"}),
            "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(texts(&schema, &deployment(change)), [expected]);
    }
    let without = deployment(|d| d["spec"]["selector"] = Value::Null);
    let expected = [
        "spec.selector: Required value".to_owned(),
        "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"
            .to_owned(),
    ];
    assert_eq!(texts(&schema, &without), expected);
}

#[test]
fn what_may_not_change_is_refused() {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    let old = deployment(|_| ());
    let new = deployment(|d| {
        d["spec"]["selector"]["matchLabels"] = json!({"x": "y"});
        d["spec"]["template"]["metadata"]["labels"] = json!({"x": "y"});
    });
    let errors: Vec<String> = schema.validate_update(&new, &old).iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["spec.selector: Invalid value: {\"matchLabels\":{\"x\":\"y\"}}: field is immutable"]);
}

#[test]
fn services_secrets_and_definitions_are_checked() {
    let cases = [
        ("", "Service", json!({"spec": {}}), "spec.ports: Required value"),
        (
            "",
            "Service",
            json!({"spec": {"ports": [{"port": 0}]}}),
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            "",
            "Service",
            json!({"spec": {"ports": [{"port": 80, "targetPort": "1"}]}}),
            "spec.ports[0].targetPort: Invalid value: \"1\": must contain at least one letter (a-z)",
        ),
        ("", "Secret", json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}), "data[tls.key]: Required value"),
        (
            "",
            "ConfigMap",
            json!({"data": {"a b": "c"}}),
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            json!({"metadata": {"name": "as.b.c"}, "spec": {
                "group": "b.c", "scope": "Namespaced", "names": {"plural": "as", "kind": "A"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"properties": {}}}}],
            }}),
            "spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root",
        ),
    ];
    for (group, kind, mut object, expected) in cases {
        if object["metadata"].is_null() {
            object["metadata"] = json!({"name": "x"});
        }
        let schema = Schema::builtin(group, "v1", kind).unwrap();
        schema.apply_defaults(&mut object);
        let found = texts(&schema, &object);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{found:?}");
    }
}
