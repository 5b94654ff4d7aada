//! An upstream that keeps every byte it gets, and answers a request once all of it is there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;

/// What came in since it was last asked.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// The first lines of the requests that were complete.
    pub requests: Vec<String>,
}

/// A running recorder, which lasts as long as the test.
pub struct Recorder {
    pub address: SocketAddr,
    recorded: Arc<Mutex<Recorded>>,
}

impl Recorder {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let recorded = Arc::<Mutex<Recorded>>::default();
        let shared = Arc::clone(&recorded);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, recorded }
    }

    /// What came in since the last call.
    pub fn take(&self) -> Recorded {
        std::mem::take(&mut self.recorded.lock().expect("no panic"))
    }
}

fn serve(mut stream: TcpStream, recorded: &Mutex<Recorded>) {
    let mut input = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        recorded.lock().expect("no panic").bytes.extend_from_slice(&buffer[..n]);
        input.extend_from_slice(&buffer[..n]);
        while let Some(end) = complete(&input) {
            let whole: Vec<u8> = input.drain(..end).collect();
            let line = whole.split(|byte| *byte == b'\r').next().unwrap_or_default();
            recorded.lock().expect("no panic").requests.push(String::from_utf8_lossy(line).into_owned());
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

/// Where the request that `input` begins with ends.
fn complete(input: &[u8]) -> Option<usize> {
    let head_end = find(input, b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&input[..head_end]).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding: chunked\r\n") {
        return chunks_end(input, head_end);
    }
    let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let end = head_end + length.map_or(0, |length| length.parse::<usize>().expect("a length"));
    (input.len() >= end).then_some(end)
}

fn chunks_end(input: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let line_end = at + find(&input[at..], b"\r\n")?;
        let size = std::str::from_utf8(&input[at..line_end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk as we write them");
        at = line_end + 2;
        if size == 0 {
            loop {
                let end = at + find(&input[at..], b"\r\n")?;
                let empty = end == at;
                at = end + 2;
                if empty {
                    return Some(at);
                }
            }
        }
        at += size + 2;
        if at > input.len() {
            return None;
        }
    }
}

pub fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
