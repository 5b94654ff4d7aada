//! Delegation that would never end, or come to too much.

use serin_api::StatusState::Rejected;

use crate::fixture::ask::get;
use crate::fixture::{ALL_TABLES, World, answers, app, delegate, replacing, table};

#[test]
fn a_cycle_is_an_error_on_the_ancestor_and_on_the_table_that_closes_it() {
    let mut world = World::new();
    world.apply(&replacing());
    world.apply(&table(
        "a",
        "",
        "",
        &format!("[{}, {}]", delegate("/x/y", "ref: {name: b, namespace: team}"), answers("{prefix: /x}", "a")),
    ));
    world.apply(&table(
        "b",
        "",
        "",
        &format!(
            "[{}, {}]",
            answers("{prefix: /x/y/fine}", "b"),
            delegate("/x/y/z", "ref: {name: a, namespace: team}")
        ),
    ));
    world.apply(&app(&format!("[{}]", delegate("/x", "ref: {name: a, namespace: team}")))).serve();
    let sentence = "delegation cycle detected: [team.a] -> [team.b] -> [team.a]";
    for (state, reason) in [world.table_status("a"), world.table_status("b"), world.vs_status()] {
        assert_eq!(state, Rejected);
        assert!(reason.contains(sentence), "{reason}");
    }
    // The siblings live; what would go round is replaced.
    assert_eq!(world.answer(&get("/x")), "200 a");
    assert_eq!(world.answer(&get("/x/y/fine")), "200 b");
    assert_eq!(world.answer(&get("/x/y/z")), "404 replaced");
    assert_eq!(world.order(), ["b", "404", "a"]);
}

#[test]
fn a_table_that_is_its_own_child_is_a_cycle() {
    let mut world = World::new();
    world.apply(&table("a", "", "", &format!("[{}]", delegate("/", ALL_TABLES))));
    world.apply(&app(&format!("[{}]", delegate("/", ALL_TABLES))));
    let (state, reason) = world.table_status("a");
    assert_eq!(state, Rejected);
    assert_eq!(reason, "1 error occurred:\n\t* invalid route: delegation cycle detected: [team.a] -> [team.a]");
}

#[test]
fn tables_that_multiply_are_stopped() {
    let mut world = World::new();
    for level in 0..24 {
        let next = format!("ref: {{name: t{}, namespace: team}}", level + 1);
        world.apply(&table(
            &format!("t{level}"),
            "",
            "",
            &format!("[{}, {}]", delegate("/", &next), delegate("/", &next)),
        ));
    }
    world.apply(&table("t24", "", "", &format!("[{}]", answers("{prefix: /}", "leaf"))));
    world.apply(&app(&format!("[{}]", delegate("/", "ref: {name: t0, namespace: team}"))));
    let translation = world.translate();
    assert!(translation.is_invalid());
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains(&format!("more than {} routes", serin_translate::MAX_ROUTES)), "{reason}");
}

#[test]
fn a_branch_that_is_too_deep_is_stopped() {
    let mut world = World::new();
    world.apply(&replacing());
    for level in 0..40 {
        let next = format!("ref: {{name: t{}, namespace: team}}", level + 1);
        world.apply(&table(&format!("t{level}"), "", "", &format!("[{}]", delegate("/", &next))));
    }
    world.apply(&app(&format!("[{}]", delegate("/", "ref: {name: t0, namespace: team}")))).serve();
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains("more than 32 tables deep at RouteTable team.t32"), "{reason}");
    assert_eq!(world.answer(&get("/")), "404 replaced");
}
