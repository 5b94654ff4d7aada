//! What clients of HTTP/1.1 send, in pieces: what passes is the same wherever it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_proxy::http1::RequestScan;

fn pass(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let (mut scan, mut passed) = (RequestScan::default(), Vec::new());
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let n = scan.feed(&mut bytes);
        assert!(n <= bytes.len());
        passed.extend_from_slice(&bytes[..n]);
    }
    (passed, scan.is_over())
}

fuzz_target!(|input: (&[u8], u16)| {
    let (bytes, cut) = input;
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let (whole, refused) = pass(&[bytes]);
    assert_eq!((&whole, refused), (&pass(&[first, second]).0, pass(&[first, second]).1));
    // Until something is refused, nothing is changed or kept back.
    assert!(refused || whole == bytes);
});
