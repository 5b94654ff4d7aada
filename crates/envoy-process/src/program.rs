//! Which Envoy is meant, and what happens where there is none.

use std::path::PathBuf;

/// The variable that names the program.
const NAMED: &str = "SERIN_TEST_ENVOY";

/// The Envoy to test with: `$SERIN_TEST_ENVOY`, else the one on the `PATH`.
pub fn program() -> Option<PathBuf> {
    std::env::var_os(NAMED).map(PathBuf::from).or_else(on_path)
}

/// The `envoy` on the `PATH`.
fn on_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|place| place.join("envoy")).find(|file| file.is_file())
}

/// The Envoy to test with; `None`, and a loud word, where there is none.
///
/// # Panics
/// Without one where `$CI` is `true`.
#[expect(clippy::print_stderr, reason = "whoever runs the tests has to see it")]
pub fn program_or_skip() -> Option<PathBuf> {
    let found = program();
    if found.is_none() {
        let missing = "envoy is missing: put it on the PATH (.ci/tools envoy) or name it in $SERIN_TEST_ENVOY";
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{missing}");
        eprintln!("SKIPPED: {missing}");
    }
    found
}
