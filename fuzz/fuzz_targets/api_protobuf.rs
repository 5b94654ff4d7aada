//! Kubernetes' protobuf bodies: any bytes are an object, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::server::protobuf::decode;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes);
    // Behind a sound envelope more of the bytes get looked at.
    let kind = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12";
    if let Ok(length) = u8::try_from(bytes.len()) {
        if length < 128 {
            let object = [&kind[..], &[length], bytes].concat();
            if let Ok(object) = decode(&object) {
                assert_eq!(object["kind"], "Pod");
            }
        }
    }
});
