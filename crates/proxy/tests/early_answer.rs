//! Answers that are ready before the request's body has come.

mod stage;

use std::io::{Read, Write};

use stage::*;

#[test]
fn an_answer_is_read_by_a_client_that_was_still_sending() {
    let plane = data_plane();
    plane.apply(std::sync::Arc::new(spec(vec![host("vs", &["h"], Vec::new())], &[]))).expect("applied");
    for _ in 0..5 {
        let mut client = connect(address(&plane));
        client.write_all(b"POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n").unwrap();
        let mut start = [0; 12];
        client.peek(&mut start).unwrap();
        for _ in 0..20 {
            client.write_all(&[b'x'; 10_000]).expect("the connection is still open");
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("nothing took the answer back");
        assert_eq!(status(&answer), 404, "{answer}");
    }
}
