//! After a switch of protocols: bytes both ways until either side is done.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};

use super::exchange::Exchange;
use super::upstream::UpstreamConnection;
use crate::dial::Socket;

/// The upstream's side of a connection that switched protocols.
pub(crate) struct Tunnel {
    pub(crate) upstream: Box<UpstreamConnection>,
    /// The exchange lasts as long as the tunnel.
    pub(crate) exchange: Exchange,
}

impl Tunnel {
    /// Joins `client` to the upstream. `first` is what the client has sent already.
    pub(crate) async fn run(mut self, mut client: impl AsyncRead + AsyncWrite + Unpin, first: Bytes) {
        // It takes up its room until the end.
        let _held = self.upstream.held.take();
        let (mut upstream, from_upstream) = self.upstream.into_socket();
        let until = self.exchange.time_left().map(|left| self.exchange.worker.deadlines.after(left));
        let mut joined = pin!(join(&mut client, &first, &mut upstream, &from_upstream));
        poll_fn(|cx| {
            if until.as_ref().is_some_and(|until| until.poll_passed(cx)) {
                return Poll::Ready(());
            }
            joined.as_mut().poll(cx).map(drop)
        })
        .await;
    }
}

async fn join(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    from_client: &[u8],
    upstream: &mut Socket,
    from_upstream: &[u8],
) -> std::io::Result<()> {
    upstream.write_all(from_client).await?;
    upstream.flush().await?;
    client.write_all(from_upstream).await?;
    client.flush().await?;
    copy_bidirectional(client, upstream).await?;
    Ok(())
}
