//! A client's HTTP/1.1 bytes on their way to hyper, behind a reader that is stricter than hyper.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::Worker;
use crate::http1::RequestScan;

/// A connection whose requests are screened.
pub(crate) struct ScreenedIo<T> {
    inner: T,
    scan: RequestScan,
    worker: Rc<Worker>,
}

impl<T> ScreenedIo<T> {
    pub(crate) fn new(inner: T, worker: Rc<Worker>) -> Self {
        Self { inner, scan: RequestScan::default(), worker }
    }

    /// The connection, for what is no longer requests.
    pub(crate) fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Read + Unpin> Read for ScreenedIo<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // After a refusal there is nothing more, which reads as the end.
        if this.scan.is_over() {
            return Poll::Ready(Ok(()));
        }
        let mut scratch = this.worker.scratch.borrow_mut();
        let room = buf.remaining().min(scratch.len());
        let n = {
            let mut read = ReadBuf::new(&mut scratch[..room]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, read.unfilled()))?;
            read.filled().len()
        };
        let n = this.scan.feed(&mut scratch[..n]);
        buf.put_slice(&scratch[..n]);
        Poll::Ready(Ok(()))
    }
}

impl<T: Write + Unpin> Write for ScreenedIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }
}
