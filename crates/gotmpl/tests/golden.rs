//! What Go's text/template itself made of the cases in `golden/` (see `golden/main.go` for how to re-make its answers).

#![allow(clippy::unwrap_used)]

mod compare;
mod stage;

const CASES: &str = include_str!("golden/cases.jsonl");

#[test]
fn renders_what_go_renders() {
    assert!(CASES.lines().count() >= 600);
    compare::compare(CASES, include_str!("golden/cases.golden"), include_str!("golden/data.json"), stage::functions);
}
