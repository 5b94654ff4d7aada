//! What reading promises beyond the scalars: documents, positions, limits, and that whatever is written can be read.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use serin_yaml::{Error, line_of, parse, to_string};

fn values(text: &str) -> Vec<Value> {
    parse(text).unwrap().into_iter().map(|document| document.value).collect()
}

fn refused(text: &str) -> Error {
    parse(text).unwrap_err()
}

#[test]
fn a_stream_has_many_documents() {
    let text = "# first\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n...\n---\n- c\n";
    let documents = parse(text).unwrap();
    let found: Vec<_> = documents.into_iter().map(|document| (document.line, document.value)).collect();
    assert_eq!(found, [(3, json!({"a": 1})), (8, json!({"b": 2})), (11, json!(["c"]))]);
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(values("{\"a\": \"\\ud83d\\ude00\"}\n\n{\"b\": 1.0}"), [json!({"a": "\u{1F600}"}), json!({"b": 1})]);
    assert_eq!(parse("{}\n\n {\"b\": 2}").unwrap()[1].line, 3);
    assert_eq!(refused("{\"a\": 1,\n \"a\": 2}").line, 2);
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    assert_eq!(values("\u{feff}a: b\r\nc: |\r\n  d\r\n"), [json!({"a": "b", "c": "d\n"})]);
}

#[test]
fn a_tab_may_stand_between_key_and_value() {
    assert_eq!(
        values("a:\tb\nc:\n  d:\t\te # f\ng: |\n  h:\ti\n"),
        [json!({"a": "b", "c": {"d": "e"}, "g": "h:\ti\n"})]
    );
}

#[test]
fn explicit_keys_win_over_merged_ones() {
    let text = "base: &base {a: 1, b: 2}\nafter:\n  <<: *base\n  b: 3\nbefore:\n  b: 3\n  <<: [*base, {a: 9, c: 9}]\n";
    let value = values(text).remove(0);
    assert_eq!(value["after"], json!({"a": 1, "b": 3}));
    assert_eq!(value["before"], json!({"a": 1, "b": 3, "c": 9}));
}

#[test]
fn an_error_says_where() {
    let error = refused("a: 1\nspec:\n  b: 1\n  b: 2\n");
    assert_eq!((error.line, error.column), (4, 3));
    assert_eq!(error.to_string(), "line 4, column 3: key \"b\" is already set in this mapping");
    assert_eq!(refused("a: 1\nb:\n\tc: 1\n").line, 3);
    assert_eq!(refused("a: .inf\n").column, 4);
    assert_eq!(refused("ok: 1\n---\na: *nowhere\n").line, 3);
    assert_eq!(refused("a: \"\u{1}\"").message, "control characters are not allowed");
}

#[test]
fn an_anchor_ends_with_its_document() {
    assert_eq!(refused("a: &x 1\n---\nb: *x\n").line, 3);
}

#[test]
fn an_alias_must_not_contain_itself() {
    assert!(refused("a: &a\n  b: *a\n").message.contains("contains itself"));
    assert!(refused("a: &a\n  <<: *a\n").message.contains("contains itself"));
}

#[test]
fn aliases_expand_within_bounds() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", "));
    }
    assert!(refused(&bomb).message.contains("expand to too much"));
}

#[test]
fn depth_is_bounded_for_text_and_for_aliases() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(127)).is_ok());
    assert!(refused(&nested(128)).message.contains("nest deeper"));
    assert!(refused(&"- ".repeat(100_000)).message.contains("nest deeper"));
    let aliased = format!("- &a {}\n- {}*a{}\n", nested(100), "[".repeat(100), "]".repeat(100));
    assert!(refused(&aliased).message.contains("nest deeper"));
}

#[test]
fn a_path_has_a_line() {
    let text = "---\na: 1\n---\nspec:\n  routes:\n  - matchers:\n    - prefix: /\n  - name: x\n    a.b/c: {d: 1}\n";
    assert_eq!(line_of(text, 4, "spec.routes[1]"), Some(8));
    assert_eq!(line_of(text, 4, "spec.routes[0].matchers[0].prefix"), Some(7));
    assert_eq!(line_of(text, 4, "spec.routes[1].a.b/c.d"), Some(9));
    assert_eq!(line_of(text, 4, "spec.routes[0].options.timeout"), Some(6));
    assert_eq!(line_of(text, 9, "spec"), None);
}

/// JSON as Kubernetes has it: a number is an integer when it is whole.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ \\n\\t:#'\"\\-?&*!|>%@{}\\[\\],a0.~é\u{1F600}\u{85}\u{2028}\\\\]{0,24}",
        "(word |[a-z]{1,12} ){0,40}",
        "[-+]?[0-9_.eExob:]{1,8}",
    ];
    let number = (any::<f64>()).prop_filter("whole numbers are integers", |float| float.fract() != 0.0);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number.prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn what_is_written_reads_back(value in any_value()) {
        let text = to_string(&value);
        let read = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let read = read.into_iter().next().map_or(Value::Null, |document| document.value);
        prop_assert_eq!(read, value, "{}", text);
    }

    #[test]
    fn no_text_is_too_odd(text in "[ \\n\\t:#'\"\\-?&*!|>%@{}\\[\\],a0.~<\\\\]{0,64}") {
        if let Ok(documents) = parse(&text) {
            for document in documents {
                to_string(&document.value);
            }
        }
    }
}
