//! After a switch of protocols: bytes both ways until both sides are done, or nothing has moved for too long.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};

use super::carrier::Carrier;
use super::exchange::Exchange;
use crate::access_log::Outcome;
use crate::worker::ConnectionState;

/// The upstream's side of a tunnel, before the client's is ready.
pub(crate) struct Tunnel {
    upstream: Carrier,
    /// The exchange lasts as long as the tunnel.
    exchange: Exchange,
    counted: Counted,
}

/// A tunnel that its connection knows of.
struct Counted(Rc<ConnectionState>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.end_tunnel();
    }
}

impl Tunnel {
    pub(super) fn new(upstream: Carrier, exchange: Exchange) -> Self {
        exchange.connection.begin_tunnel();
        Self { upstream, counted: Counted(Rc::clone(&exchange.connection)), exchange }
    }

    /// Joins `client` to the upstream. `first` is what the client has sent already.
    pub(crate) async fn run(self, client: impl AsyncRead + AsyncWrite + Unpin, first: Bytes) {
        let Self { upstream, mut exchange, counted: _counted } = self;
        match upstream {
            Carrier::Http1(mut connection) => {
                // It takes up its room until the end.
                let _held = connection.held.take();
                let (socket, early) = connection.into_socket();
                join(&mut exchange, client, &first, socket, &early).await;
            }
            Carrier::Http2(stream) => {
                if let Some(pipe) = stream.into_pipe() {
                    join(&mut exchange, client, &first, pipe, &[]).await;
                }
            }
        }
    }
}

/// How long a tunnel may stand still; `None`: for ever.
fn idle(exchange: &Exchange) -> Option<Duration> {
    let set = exchange.policy.as_ref().and_then(|policy| policy.idle_timeout());
    let set = set.or_else(|| exchange.connection.stream_idle());
    Some(set.unwrap_or(exchange.worker.limits.stall_time)).filter(|idle| !idle.is_zero())
}

async fn join(
    exchange: &mut Exchange,
    client: impl AsyncRead + AsyncWrite + Unpin,
    from_client: &[u8],
    upstream: impl AsyncRead + AsyncWrite + Unpin,
    from_upstream: &[u8],
) {
    let (received, sent) = (Cell::new(from_client.len() as u64), Cell::new(from_upstream.len() as u64));
    let mut client = Counting { inner: client, read: &received };
    let mut upstream = Counting { inner: upstream, read: &sent };
    let idle = idle(exchange);
    let until = |idle: Duration| exchange.worker.deadlines.after(idle);
    let mut deadline = idle.map(until);
    let last = exchange.time_left().map(until);
    let mut seen = 0;
    let cut_off = {
        let mut copying = pin!(copy(&mut client, from_client, &mut upstream, from_upstream));
        poll_fn(|cx| {
            if copying.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            let moved = received.get() + sent.get();
            if moved != seen {
                (seen, deadline) = (moved, idle.map(until));
            }
            if last.as_ref().is_some_and(|last| last.poll_passed(cx)) {
                return Poll::Ready(Some(Outcome::Expired));
            }
            match deadline.as_ref().is_some_and(|deadline| deadline.poll_passed(cx)) {
                true => Poll::Ready(Some(Outcome::Standstill)),
                false => Poll::Pending,
            }
        })
        .await
    };
    if let Some(outcome) = cut_off {
        exchange.outcome = outcome;
    }
    if let Some(record) = exchange.record() {
        record.received += received.get();
        record.sent += sent.get();
    }
}

/// What one side has sent already goes to the other first. Each side's end is passed on by itself.
async fn copy(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    from_client: &[u8],
    upstream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    from_upstream: &[u8],
) -> io::Result<()> {
    upstream.write_all(from_client).await?;
    upstream.flush().await?;
    client.write_all(from_upstream).await?;
    client.flush().await?;
    copy_bidirectional(client, upstream).await?;
    Ok(())
}

/// One side, and how many bytes came from it.
struct Counting<'c, T> {
    inner: T,
    read: &'c Cell<u64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counting<'_, T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        self.read.set(self.read.get() + (buffer.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counting<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
