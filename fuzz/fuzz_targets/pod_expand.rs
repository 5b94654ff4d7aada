//! `$(NAME)` in a pod's commands, arguments and values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::node::expand;

fuzz_target!(|input: (&str, &str)| {
    let (text, value) = input;
    let unknown = expand(text, |_| None);
    if !text.contains('$') {
        assert_eq!(unknown, text);
    }
    // Nothing is lost but the dollar that stands before another one.
    let dollars = |text: &str| text.matches('$').count();
    assert_eq!(unknown.replace('$', ""), text.replace('$', ""));
    assert!(dollars(&unknown) <= dollars(text) && dollars(text) <= 2 * dollars(&unknown));
    // What a value holds is not expanded again.
    let known = expand(text, |_| Some(value));
    assert!(known.len() <= unknown.len() + text.matches("$(").count() * value.len());
});
