//! One connection from a client: which protocol it speaks, and serving it until it ends.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serin_api::proxy::Codec;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

use super::client_io::ClientIo;
use super::client_stream::ClientStream;
use super::screened_io::ScreenedIo;
use super::{ConnectionState, Ending, Worker};
use crate::forward::{Tunnel, respond};

/// What an HTTP/2 connection begins with when the client knows beforehand (RFC 9113, 3.3).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes read to tell the protocol; a usual request fits, so that hyper finds all of it.
const FIRST_READ: usize = 2048;

/// For how many bytes a client that was refused is listened to before its connection is closed.
const LINGER_BYTES: usize = 256 * 1024;

/// Runs a future on the worker's own thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves the connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, state: Rc<ConnectionState>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (stream, first, http2) = {
        let mut opening = pin!(open(&worker, &state, stream));
        let result = poll_fn(|cx| {
            state.register(cx);
            match state.ending() {
                Ending::Stay => opening.as_mut().poll(cx),
                // Nothing was asked yet, so there is nothing to finish.
                Ending::Graceful | Ending::Now => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            }
        })
        .await;
        match result {
            Ok(opened) => opened,
            Err(_) => return,
        }
    };
    let io = ClientIo::new(stream, first, Rc::clone(&state), Rc::clone(&worker));
    if http2 {
        state.multiplexes();
        serve_http2(worker, state, io).await;
    } else {
        serve_http1(worker, state, io).await;
    }
}

/// The stream to serve, the first bytes on it, and whether they begin HTTP/2.
async fn open(worker: &Worker, state: &ConnectionState, stream: TcpStream) -> io::Result<(ClientStream, Bytes, bool)> {
    let mut stream = match state.listener.tls() {
        None => ClientStream::Plain(stream),
        // Apart from the task, whose memory a plain connection has for as long as it lives.
        Some(table) => Box::pin(ClientStream::accept(stream, &table, worker, state)).await?,
    };
    let codec = state.table().codecs.codec;
    let (first, shown) = opening(&mut stream).await?;
    let http2 = match codec {
        Codec::Auto => shown,
        Codec::Http1 => false,
        Codec::Http2 => true,
    };
    Ok((stream, first, http2))
}

/// The first bytes, and whether they begin HTTP/2.
async fn opening(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Bytes, bool)> {
    let mut first = BytesMut::with_capacity(FIRST_READ);
    loop {
        if stream.read_buf(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let common = first.len().min(HTTP2_PREFACE.len());
        let begins = first[..common] == HTTP2_PREFACE[..common];
        if !begins || common == HTTP2_PREFACE.len() {
            return Ok((first.freeze(), begins));
        }
    }
}

async fn serve_http1(worker: Rc<Worker>, state: Rc<ConnectionState>, io: ClientIo) {
    let service = {
        let (worker, state) = (Rc::clone(&worker), Rc::clone(&state));
        service_fn(move |request| respond(Rc::clone(&worker), Rc::clone(&state), request))
    };
    let io = ScreenedIo::new(io, Rc::clone(&worker));
    let mut connection = state.table().codecs.http1.serve_connection(io, service);
    let mut leaving = false;
    let ended = poll_fn(|cx| {
        state.register(cx);
        match state.ending() {
            Ending::Stay => {}
            Ending::Graceful if leaving => {}
            Ending::Graceful => {
                leaving = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            Ending::Now => return Poll::Ready(None),
        }
        Pin::new(&mut connection).poll(cx).map(Some)
    })
    .await;
    let tunnel = state.tunnel.take();
    match (ended, tunnel) {
        // A switch of protocols ends hyper's part, and leaves the socket open.
        (Some(Ok(())), Some(tunnel)) => {
            let parts = connection.into_parts();
            run_tunnel(&state, tunnel, TokioIo::new(parts.io.into_inner()), parts.read_buf).await;
        }
        (Some(Err(error)), _) if error.is_parse() => linger(&state, connection.into_parts().io.into_inner()).await,
        (Some(Ok(())), None) if state.may_be_sent_more() => {
            linger(&state, connection.into_parts().io.into_inner()).await;
        }
        _ => {}
    }
}

/// Reads what a client still sends that was answered: closing before that would take back the answer (RFC 9112, 9.6).
async fn linger(state: &ConnectionState, client: ClientIo) {
    let time = state.table().codecs.linger;
    let mut client = TokioIo::new(client);
    let _ = tokio::time::timeout(time, drain(&mut client)).await;
}

async fn drain(client: &mut TokioIo<ClientIo>) {
    let mut left = LINGER_BYTES;
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = client.read(&mut buffer).await {
        left = left.saturating_sub(n);
        if left == 0 {
            return;
        }
    }
}

async fn run_tunnel(state: &ConnectionState, tunnel: Tunnel, client: TokioIo<ClientIo>, first: Bytes) {
    let mut run = pin!(tunnel.run(client, first));
    poll_fn(|cx| {
        state.register(cx);
        if state.ending() == Ending::Now {
            return Poll::Ready(());
        }
        run.as_mut().poll(cx)
    })
    .await;
}

async fn serve_http2(worker: Rc<Worker>, state: Rc<ConnectionState>, io: ClientIo) {
    let service = {
        let (worker, state) = (Rc::clone(&worker), Rc::clone(&state));
        service_fn(move |request| respond(Rc::clone(&worker), Rc::clone(&state), request))
    };
    let mut connection = pin!(state.table().codecs.http2.serve_connection(io, service));
    let mut leaving = false;
    poll_fn(|cx| {
        state.register(cx);
        match state.ending() {
            Ending::Stay => {}
            Ending::Graceful if leaving => {}
            Ending::Graceful => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            Ending::Now => return Poll::Ready(()),
        }
        connection.as_mut().poll(cx).map(|_| ())
    })
    .await;
}
