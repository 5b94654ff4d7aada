//! The cases of h2spec, against a real data plane. `SERIN_TEST_H2SPEC` names the program; else it is looked for on PATH.
//!
//! What fails for a reason is in `docs/differences.md`, and in [`KNOWN`].
#![allow(clippy::print_stderr)]

mod stage;

use std::process::Command;

use stage::upstream::Upstream;
use stage::*;

/// What may fail, in h2spec's words.
const KNOWN: [&str; 1] = ["Sends invalid connection preface"];

#[test]
fn h2spec_passes() {
    let program = std::env::var("SERIN_TEST_H2SPEC").unwrap_or_else(|_| "h2spec".to_owned());
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let output = Command::new(&program)
        .args(["--host", &address.ip().to_string(), "--port", &address.port().to_string(), "--timeout", "5"])
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: h2spec is missing: .ci/tools h2spec builds it");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(" tests, "), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // Failures are told once more below, after this line.
    let passed = said.split("Failures:").next().unwrap_or_default();
    let failed: Vec<&str> = passed
        .lines()
        .map(str::trim)
        .filter(|line| line.contains('×') && !KNOWN.iter().any(|known| line.contains(known)))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}\n{said}");
}
