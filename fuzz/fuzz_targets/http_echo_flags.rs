//! The arguments of a pod that runs `hashicorp/http-echo`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::subprocess::check_http_echo_arguments;

fuzz_target!(|text: &str| {
    let arguments = text.split('\n').map(str::to_owned).collect();
    if let Err(message) = check_http_echo_arguments(arguments) {
        assert!(!message.is_empty());
    }
});
