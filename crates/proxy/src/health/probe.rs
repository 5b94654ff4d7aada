//! Asks an endpoint whether it is well: by HTTP, by gRPC's own protocol for it, or by a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, TE, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serin_api::proxy::{HttpQuestion, Question};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::course::Failure;
use crate::dial::{Dial, connect};

/// Bytes of an answer that are read at most.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// Where an answer says of which service it is.
const SERVICE: &str = "x-envoy-upstream-healthchecked-cluster";
/// gRPC's word for an endpoint that is well.
const SERVING: u8 = 1;

/// Whom to ask.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) dial: Option<Arc<Dial>>,
    /// The host that is asked for.
    pub(super) host: String,
}

/// A connection that may be used for the next question too.
#[derive(Default)]
pub(super) enum Line {
    #[default]
    None,
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// An answer by HTTP.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

/// Asks once. `line` is what was left of the last time.
pub(super) async fn ask(target: &Target, question: &Question, line: &mut Line) -> Result<(), Failure> {
    match question {
        Question::Http(http) => {
            let request =
                http_request(target, http).ok_or_else(|| Failure::Silence("it cannot be asked".to_owned()))?;
            let answer = send(target, request, http.http2, line).await.map_err(Failure::Silence)?;
            if let Some(other) = other_service(&answer.headers, &http.service) {
                return Err(Failure::Answer(format!(
                    "its health check is answered by {other}, not by {}",
                    http.service
                )));
            }
            let status = answer.status.as_u16();
            match http.expected.iter().any(|(start, end)| (*start..*end).contains(&status)) {
                true => Ok(()),
                false => Err(Failure::Answer(format!("its health check answers {status}"))),
            }
        }
        Question::Grpc { service, authority: _, metadata } => {
            let request = grpc_request(target, service, metadata)
                .ok_or_else(|| Failure::Silence("it cannot be asked".to_owned()))?;
            let answer = send(target, request, true, line).await.map_err(Failure::Silence)?;
            says_serving(answer.status, &answer.headers, &answer.trailers, &answer.body).map_err(Failure::Answer)
        }
        Question::Tcp { send, receive } => talk(target, send, receive).await.map_err(Failure::Silence),
    }
}

fn http_request(target: &Target, question: &HttpQuestion) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::from_bytes(question.method.as_bytes()).ok()?;
    set_target(&mut request, target, &question.path, question.http2)?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("Serin/HC"));
    for name in &question.remove_headers {
        headers.remove(name.as_str());
    }
    add(headers, &question.add_headers)?;
    Some(request)
}

fn add(headers: &mut HeaderMap, added: &[(String, String, bool)]) -> Option<()> {
    for (name, value, append) in added {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        match append {
            true => drop(headers.append(name, value)),
            false => drop(headers.insert(name, value)),
        }
    }
    Some(())
}

/// Who answered, where that is not somebody of `service`; empty: anybody is.
fn other_service<'h>(headers: &'h HeaderMap, service: &str) -> Option<&'h str> {
    let who = headers.get(SERVICE).and_then(|who| who.to_str().ok()).unwrap_or("nobody that says who it is");
    (!service.is_empty() && !who.starts_with(service)).then_some(who)
}

/// HTTP/2 has the host in the target, HTTP/1.1 in a header.
fn set_target(request: &mut Request<Full<Bytes>>, target: &Target, path: &str, http2: bool) -> Option<()> {
    if http2 {
        let scheme = if target.dial.is_some() { "https" } else { "http" };
        *request.uri_mut() = format!("{scheme}://{}{path}", target.host).parse().ok()?;
        *request.version_mut() = Version::HTTP_2;
    } else {
        *request.uri_mut() = path.parse::<Uri>().ok()?;
        request.headers_mut().insert(HOST, HeaderValue::from_str(&target.host).ok()?);
    }
    Some(())
}

fn grpc_request(target: &Target, service: &str, metadata: &[(String, String, bool)]) -> Option<Request<Full<Bytes>>> {
    // The one field of the message: its number and kind, its length, the name.
    let mut message = Vec::with_capacity(service.len() + 8);
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push((length & 0x7f | 0x80) as u8);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(service.as_bytes());
    }
    let mut body = vec![0];
    body.extend_from_slice(&u32::try_from(message.len()).ok()?.to_be_bytes());
    body.extend_from_slice(&message);
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = Method::POST;
    set_target(&mut request, target, "/grpc.health.v1.Health/Check", true)?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(USER_AGENT, HeaderValue::from_static("Serin/HC"));
    add(headers, metadata)?;
    Some(request)
}

/// Whether an answer by gRPC's protocol for health says that its endpoint serves.
///
/// # Errors
/// What it says instead, for people.
pub fn says_serving(status: StatusCode, headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    if status != StatusCode::OK {
        return Err(format!("its health check answers {}", status.as_u16()));
    }
    let status = trailers.get("grpc-status").or_else(|| headers.get("grpc-status"));
    match status.map(HeaderValue::as_bytes) {
        Some(b"0") => {}
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            return Err(format!("its health check answers grpc-status {other}"));
        }
        None => return Err("its health check answers without grpc-status".to_owned()),
    }
    // A frame of five bytes, then the one field: its number and kind, and the value, which is left out when it is 0.
    match body.get(5..) {
        Some([0x08, SERVING, ..]) => Ok(()),
        _ => Err("its health check answers that it does not serve".to_owned()),
    }
}

/// Sends a request on the line, or on a new one.
async fn send(target: &Target, request: Request<Full<Bytes>>, http2: bool, line: &mut Line) -> Result<Answer, String> {
    let mut open = std::mem::take(line);
    let ready = match &mut open {
        Line::None => false,
        Line::Http1(sender) => sender.ready().await.is_ok(),
        Line::Http2(sender) => sender.ready().await.is_ok(),
    };
    if !ready {
        open = call(target, http2).await?;
    }
    let broken = |error: hyper::Error| format!("its health check breaks off ({error})");
    let (response, open) = match open {
        Line::Http1(mut sender) => (sender.send_request(request).await.map_err(broken)?, Line::Http1(sender)),
        Line::Http2(mut sender) => (sender.send_request(request).await.map_err(broken)?, Line::Http2(sender)),
        Line::None => return Err("it cannot be connected to".to_owned()),
    };
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| format!("its health check breaks off ({error})"))?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    *line = open;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes(), trailers })
}

/// A new connection. It is driven by a task of its own, which ends with it.
async fn call(target: &Target, http2: bool) -> Result<Line, String> {
    let socket = connect(target.address, target.dial.as_deref()).await;
    let socket = TokioIo::new(socket.map_err(|_| "it cannot be connected to".to_owned())?);
    let unspoken = |error: hyper::Error| format!("its health check cannot begin ({error})");
    if http2 {
        let (sender, connection) =
            http2::Builder::new(TokioExecutor::new()).handshake(socket).await.map_err(unspoken)?;
        tokio::spawn(connection);
        return Ok(Line::Http2(sender));
    }
    let (sender, connection) = http1::handshake(socket).await.map_err(unspoken)?;
    tokio::spawn(connection);
    Ok(Line::Http1(sender))
}

/// Connects, sends, and waits until everything expected came.
async fn talk(target: &Target, send: &[u8], expected: &[Vec<u8>]) -> Result<(), String> {
    let socket = connect(target.address, target.dial.as_deref()).await;
    let mut socket = socket.map_err(|_| "it cannot be connected to".to_owned())?;
    let broken = |error: std::io::Error| format!("its health check breaks off ({error})");
    socket.write_all(send).await.map_err(broken)?;
    let mut seen = Vec::new();
    while !has_all(&seen, expected) {
        let read = socket.read_buf(&mut seen).await.map_err(broken)?;
        if read == 0 || seen.len() > LONGEST_ANSWER {
            return Err("its health check does not answer what is expected".to_owned());
        }
    }
    Ok(())
}

/// Whether all of `expected` came, one after the other.
#[must_use]
pub fn has_all(mut seen: &[u8], expected: &[Vec<u8>]) -> bool {
    expected.iter().all(|bytes| match memchr::memmem::find(seen, bytes) {
        Some(at) => {
            seen = &seen[at + bytes.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_comes_in_its_order() {
        let has = |seen: &str, expected: &[&str]| {
            has_all(seen.as_bytes(), &expected.iter().map(|one| one.as_bytes().to_vec()).collect::<Vec<_>>())
        };
        assert!(has("", &[]) && has("x+OKy.", &["OK", "."]) && has("aa", &["a", "a"]));
        assert!(!has("", &["O"]) && !has(".OK", &["OK", "."]) && !has("a", &["a", "a"]));
    }

    #[test]
    fn an_answer_is_of_a_service() {
        let said = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(SERVICE), HeaderValue::from_static(name))])
        };
        assert_eq!(other_service(&said("shop-v1"), "shop"), None);
        assert_eq!(other_service(&said("cart"), "shop"), Some("cart"));
        assert_eq!(other_service(&HeaderMap::new(), "shop"), Some("nobody that says who it is"));
        assert_eq!(other_service(&HeaderMap::new(), ""), None);
    }

    fn grpc(body: &[u8], status: &'static str) -> Result<(), String> {
        let trailers =
            HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))]);
        says_serving(StatusCode::OK, &HeaderMap::new(), &trailers, body)
    }

    #[test]
    fn grpc_answers_are_read() {
        assert_eq!(grpc(&[0, 0, 0, 0, 2, 8, 1], "0"), Ok(()));
        for (body, status) in [
            (&[0, 0, 0, 0, 2, 8, 2][..], "0"),
            (&[0, 0, 0, 0, 0], "0"),
            (&[], "0"),
            (&[], "12"),
            (&[0, 0, 0, 0, 2, 8, 1], "5"),
        ] {
            assert!(grpc(body, status).is_err(), "{body:?} {status}");
        }
    }
}
