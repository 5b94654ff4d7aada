# Steps and counts for .ci/run: run a command under a name, time it, count what it ran, stop at the first that fails.
# shellcheck shell=bash

passed=0 failed=0 skipped=0
seconds() { date +%s; }
started=$(seconds)
logs=$(mktemp -d)
trap broken EXIT
count() { grep -cE -- "$1" "$2" || true; }

# sum PATTERN FILE: adds up the numbers that stand before PATTERN.
sum() { { grep -oE -- "[0-9]+ $1" "$2" || true; } | awk '{ n += $1 } END { print n + 0 }'; }

# step NAME MINUTES COUNTER COMMAND…: runs COMMAND without input, for MINUTES at most. COUNTER, a function, adds what the
# log says was run to the totals, given the log and the exit status. Anything failed or skipped ends the run.
step() {
  local name=$1 minutes=$2 counter=$3 log status began before
  shift 3
  log=$(mktemp "$logs/XXXXXX") began=$(seconds) before="$failed $skipped"
  printf '\n== %s\n   $ %s\n' "$name" "$*"
  set +e
  timeout --kill-after=20 "${minutes}m" "$@" </dev/null 2>&1 | tee "$log" | "show_$counter"
  status=${PIPESTATUS[0]}
  set -e
  "count_$counter" "$log" "$status"
  [ "$status" -ne 124 ] || printf '   not done within %s minutes\n' "$minutes"
  # A command that fails without naming a failure of its own is one.
  if [ "$status" -ne 0 ] && [ "$before" = "$failed $skipped" ]; then failed=$((failed + 1)); fi
  printf '== %s: %s s, exit status %s\n' "$name" "$(($(seconds) - began))" "$status"
  if [ "$before" != "$failed $skipped" ]; then
    "explain_$counter" "$log"
    printf '\nFAILED: %s\n' "$name"
    finish
  fi
}

# One check: it passed or it failed.
show_check() { cat; }
count_check() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }
explain_check() { :; }

# Preparation: counts for nothing unless it fails.
show_quiet() { tail -n 5; }
count_quiet() { if [ "$2" -ne 0 ]; then failed=$((failed + 1)); fi; }
explain_quiet() { tail -n 60 "$1"; }

# cargo test: every test is one; a test that said SKIPPED did not pass. Its whole log is long: the results show.
show_tests() { grep -E --line-buffered '^(test result: |     Running |   Doc-tests |test .* FAILED$|SKIPPED|error|warning: unused)' || true; }
count_tests() {
  local unable ignored
  unable=$(count '^SKIPPED' "$1") ignored=$(sum 'ignored;' "$1")
  passed=$((passed + $(sum 'passed;' "$1") - unable))
  failed=$((failed + $(sum 'failed;' "$1")))
  skipped=$((skipped + ignored + unable))
}
explain_tests() {
  grep -nE '^(SKIPPED|test .* \.\.\. (FAILED|ignored))' "$1" || true
  # From the first list of failures on, without the output of the tests that passed.
  awk '/^successes:$/ { quiet = 1 } /^(failures:|     Running |   Doc-tests )/ { quiet = 0 } !quiet && !/ \.\.\. ok$/' "$1" | tail -n 300
}

# The acceptance scripts end with "N passed, N failed".
show_acceptance() { cat; }
count_acceptance() {
  passed=$((passed + $(sum 'passed, [0-9]+ failed$' "$1")))
  failed=$((failed + $(sum 'failed$' "$1")))
  skipped=$((skipped + $(count '^ *SKIPPED' "$1")))
}
explain_acceptance() { :; }

# A fuzz target is one check; of what it writes, only how much it did is worth reading while it finds nothing.
show_fuzzing() { grep -E --line-buffered '^stat::(number_of_executed_units|average_exec_per_sec)|^SUMMARY' || true; }
count_fuzzing() { count_check "$@"; }
explain_fuzzing() { tail -n 80 "$1"; }

# finish: the totals, as the last line; success only when nothing failed or was skipped and something ran.
finish() {
  trap - EXIT
  rm -rf "$logs"
  printf '\nthe whole run took %s s\n' "$(($(seconds) - started))"
  printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "$passed" -gt 0 ] && exit 0
  exit 1
}

# When the script ends without `finish`, it is at fault itself, which must not look like success.
broken() {
  printf '\nFAILED: the script itself, before it had run everything\n'
  failed=$((failed + 1))
  finish
}
