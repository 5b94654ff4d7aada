//! What the library Sprig itself made of the cases in `sprig/` (see `sprig/main.go` for how to re-make its answers).

#![allow(clippy::unwrap_used)]

mod compare;

use gotmpl::sprig;

#[test]
fn functions_give_what_sprig_gives() {
    let cases = include_str!("sprig/cases.jsonl");
    compare::compare(cases, include_str!("sprig/cases.golden"), include_str!("sprig/data.json"), sprig::functions);
}
