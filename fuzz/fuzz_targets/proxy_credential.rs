//! Certificates and keys as Secrets have them: any bytes are a credential, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_proxy::{Credential, Pem};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----\n";
const END: &[u8] = b"\n-----END CERTIFICATE-----\n";

fuzz_target!(|input: (&[u8], &[u8])| {
    let (first, second) = input;
    let framed = [BEGIN, first, END].concat();
    for chain in [first, &framed] {
        for pem in
            [Pem { certificate: chain, key: second, ..Pem::default() }, Pem { authority: chain, ..Pem::default() }]
        {
            match Credential::new(pem) {
                Ok(credential) => {
                    let _ = (credential.names(), credential.validity());
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
});
