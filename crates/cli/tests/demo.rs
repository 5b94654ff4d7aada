//! The demo, from beginning to end.
#![allow(clippy::unwrap_used)]

mod instance;

use instance::{Instance, text};

#[test]
fn the_demo_ends_well_and_prints_no_colours_into_a_pipe() {
    let home = Instance::home();
    let output = home.serin(&["demo"]).env("TMPDIR", home.path().parent().unwrap()).output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains("Every answer was as expected."), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    let left = std::fs::read_dir(home.path().parent().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
