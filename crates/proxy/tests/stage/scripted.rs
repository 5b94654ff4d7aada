//! Upstreams that follow a script, byte by byte.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// An upstream that plays `script` on each connection, and tells what it was sent first there.
pub fn scripted(script: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let _ = tell.send(read_head(&mut stream));
            script(number, &mut stream);
        }
    });
    (address, told)
}

/// Everything up to the empty line, or up to the end.
pub fn read_head(stream: &mut TcpStream) -> String {
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        seen.push(byte[0]);
    }
    String::from_utf8(seen).expect("text")
}
