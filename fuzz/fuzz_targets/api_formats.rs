//! Format strings of access logs and header values, and lengths of time: any text is one, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_api::{Format, GoDuration};

fuzz_target!(|text: &str| {
    for made in [Format::parse(text), Format::parse_header(text)] {
        if let Err(error) = made {
            assert!(!error.to_string().is_empty());
        }
    }
    if let Some(time) = GoDuration::parse(text) {
        assert!(!time.to_string().is_empty());
    }
});
