//! A real kubectl against a real cluster: everything that `get` prints.

#[macro_use]
mod fixture;

use std::io::{BufRead, BufReader};

use fixture::objects::{config_map, widget, widgets};

#[test]
fn get_prints_every_form() {
    let f = fixture!();
    f.feed(&config_map("got", "a", "b"), &["apply", "-f", "-"]);
    let table = f.ok(&["get", "cm", "got"]);
    assert!(table.starts_with("NAME   DATA   AGE\ngot    1 "), "{table}");
    assert!(f.ok(&["get", "cm", "got", "-o", "yaml"]).contains("\ndata:\n  a: b\n"));
    assert!(f.ok(&["get", "cm", "got", "-o", "json"]).contains("\"a\": \"b\""));
    assert_eq!(f.ok(&["get", "cm", "got", "-o", "name"]), "configmap/got\n");
    assert_eq!(f.ok(&["get", "cm", "got", "-o", "jsonpath={.data.a}"]), "b");
    assert_eq!(
        f.ok(&["get", "cm", "got", "-o", "custom-columns=N:.metadata.name,A:.data.a", "--no-headers"]),
        "got   b\n"
    );
    assert_eq!(f.ok(&["get", "cm", "got", "-o", "go-template={{.data.a}}"]), "b");
    assert!(f.ok(&["get", "cm", "got", "--show-labels"]).contains("test=got"));
    assert_eq!(f.ok(&["get", "cm", "-l", "test=got", "-o", "name"]), "configmap/got\n");
    assert_eq!(f.ok(&["get", "cm", "-l", "test in (got,x),!y", "-o", "name"]), "configmap/got\n");
    assert_eq!(f.ok(&["get", "cm", "--field-selector", "metadata.name=got", "-o", "name"]), "configmap/got\n");
    let everywhere = f.ok(&["get", "cm", "-A", "-l", "test=got"]);
    assert!(everywhere.starts_with("NAMESPACE   NAME   DATA   AGE\ndefault     got    1 "), "{everywhere}");
    let unknown = f.fails(&["get", "cm", "--field-selector", "data.a=b"]);
    assert!(unknown.contains("field label not supported: data.a"), "{unknown}");
    assert!(f.fails(&["get", "nonsense"]).contains("doesn't have a resource type \"nonsense\""));
    assert!(f.fails(&["get", "cm", "gone"]).contains("configmaps \"gone\" not found"));
    assert!(f.ok(&["get", "ns", "default", "-o", "wide"]).contains("Active"));
    assert!(f.ok(&["get", "all", "-A"]).len() < 100_000);
}

#[test]
fn get_prints_the_columns_of_a_custom_kind() {
    let f = fixture!();
    widgets(f);
    f.feed(&widget("columns", "red"), &["apply", "-f", "-"]);
    let table = f.ok(&["get", "widgets", "columns"]);
    assert!(table.starts_with("NAME      COLOR   AGE\ncolumns   red "), "{table}");
    assert_eq!(f.ok(&["get", "wd", "-l", "test=columns", "--field-selector", "spec.color=green", "-o", "name"]), "");
    assert_eq!(
        f.ok(&["get", "wd", "-l", "test=columns", "--field-selector", "spec.color=red", "-o", "name"]),
        "widget.example.com/columns\n"
    );
}

#[test]
fn get_watches() {
    let f = fixture!();
    let mut watch = f.spawn(&["get", "cm", "-l", "test=watched", "-w", "--output-watch-events", "--no-headers"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    f.feed(&config_map("watched", "a", "b"), &["apply", "-f", "-"]);
    assert_eq!(next(), "ADDED watched");
    f.feed(&config_map("watched", "a", "c"), &["apply", "-f", "-"]);
    assert_eq!(next(), "MODIFIED watched");
    f.ok(&["label", "cm", "watched", "test-"]);
    assert_eq!(next(), "DELETED watched");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn get_pages_through_long_lists() {
    let f = fixture!();
    f.ok(&["create", "namespace", "pages"]);
    let maps: Vec<_> = (0..25).map(|i| config_map(&format!("page-{i}"), "a", "b")).collect();
    f.feed(&maps.join("---\n"), &["create", "-n", "pages", "-f", "-"]);
    let paged = f.ok(&["get", "cm", "-n", "pages", "--chunk-size=7", "-o", "name"]);
    assert_eq!(paged.lines().count(), 25, "{paged}");
    assert_eq!(f.ok(&["get", "cm", "-n", "pages", "-o", "name"]), paged);
}
