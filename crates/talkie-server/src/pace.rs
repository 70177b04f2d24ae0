//! A stream that ends when its client dawdles.
//!
//! Two things must not take for ever: a request's head once its first byte has come (a client that
//! sends a byte now and then would hold a connection at no cost), and taking what was written. A
//! connection that rests between two requests is neither; HTTP's idle timeout ends it.
//!
//! The stream outlives its HTTP connection when that becomes a WebSocket, so it also holds the
//! connection's place among the others and ends when the server does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::ConnectionLimits;
use crate::connections::Admission;

/// Where the conversation is; shared with the code that serves the requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<AtomicU8>);

const NEW: u8 = 0;
const READING: u8 = 1;
const SERVING: u8 = 2;
const RESTING: u8 = 3;

impl Pace {
    /// A whole request has come; its head's clock stops.
    pub(crate) fn serving(&self) {
        self.0.store(SERVING, Ordering::Relaxed);
    }

    /// The answer is ready; the next byte read begins the next request.
    pub(crate) fn resting(&self) {
        self.0.store(RESTING, Ordering::Relaxed);
    }

    fn at(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn reading(&self) {
        self.0.store(READING, Ordering::Relaxed);
    }
}

/// See the [module](self).
pub(crate) struct Paced<S> {
    stream: S,
    pace: Pace,
    _place: Arc<Admission>,
    /// Gone once it has come: a future is not asked again.
    end: Option<End>,
    head: Duration,
    stall: Duration,
    head_clock: Pin<Box<Sleep>>,
    stall_clock: Option<Pin<Box<Sleep>>>,
}

/// Resolves when the server ends its connections.
pub(crate) type End = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S> Paced<S> {
    /// The first request's clock starts now.
    pub(crate) fn new(
        stream: S,
        pace: Pace,
        place: Arc<Admission>,
        end: End,
        limits: &ConnectionLimits,
    ) -> Self {
        let (head, stall) = (limits.request_head, limits.write_stall);
        let head_clock = Box::pin(sleep_until(Instant::now() + head));
        let end = Some(end);
        Self { stream, pace, _place: place, end, head, stall, head_clock, stall_clock: None }
    }

    /// Whether the server has ended its connections; if not yet, the task is woken then.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready()) {
            self.end = None;
        }
        self.end.is_none()
    }

    /// Passes a write's outcome on, or ends it when the client has taken nothing for too long or
    /// the server waits no longer.
    fn stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stall_clock = None;
            return poll;
        }
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let until = self.stall;
        let clock =
            self.stall_clock.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + until)));
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        let poll = Pin::new(&mut this.stream).poll_read(cx, buf);
        if poll.is_ready() && this.pace.at() == RESTING && buf.filled().len() > before {
            this.pace.reading();
            this.head_clock.as_mut().reset(Instant::now() + this.head);
        }
        // Bytes that keep coming must not hide that the time is over.
        if matches!(this.pace.at(), NEW | READING) && this.head_clock.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.stalled(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.stalled(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.stalled(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.stalled(cx, poll)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;
    use crate::connections::Connections;
    use crate::proxies::Proxies;

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_ends_with_the_server() {
        let limits = ConnectionLimits::default();
        let connections = Connections::new(limits.clone(), Proxies::default());
        let (place, _) = connections.admit([192, 0, 2, 1].into()).expect("the first");
        let (stop, stopped) = oneshot::channel::<()>();
        let end = Box::pin(async { drop(stopped.await) });
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut paced = Paced::new(ours, Pace::default(), Arc::new(place), end, &limits);
        let mut write = Box::pin(paced.write_all(&[0; 64]));
        assert!(timeout(Duration::from_secs(20), &mut write).await.is_err(), "it waits");
        stop.send(()).expect("it is waited for");
        let ended = timeout(Duration::from_secs(1), &mut write).await.expect("it ends");
        assert_eq!(ended.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionAborted));
    }
}
