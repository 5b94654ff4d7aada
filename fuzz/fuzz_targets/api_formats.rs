//! Format strings of access logs and header values, and lengths of time: any text is one, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_api::proxy::parse_format;
use serin_api::{GoDuration, LogFormat};

fuzz_target!(|text: &str| {
    if let Err(error) = LogFormat::parse(text) {
        assert!(!error.to_string().is_empty());
    }
    if let Err(reason) = parse_format(text) {
        assert!(!reason.is_empty());
    }
    if let Some(time) = GoDuration::parse(text) {
        assert!(!time.to_string().is_empty());
    }
});
