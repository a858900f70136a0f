//! The TCP connection under a client, so that it can be ended from outside and cannot hold anyone up.
//!
//! The libraries above write into a connection without a deadline, and closing a session of theirs needs room in the
//! very buffer that is full. So the connection itself knows when it has not taken data for too long, and has a handle
//! that ends it: gently (as if the client had closed the session, so that what is buffered is still written) or at once.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use dashmap::DashMap;
use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

const OPEN: u8 = 0;
/// The client's session is over; what is buffered is still written.
const FINISHED: u8 = 1;
const CUT: u8 = 2;

/// A WebSocket text frame, masked with zeros, that holds Engine.IO's close packet: what a client sends that closes its
/// session. The library then writes what is buffered and closes; at the mere end of the stream it would drop it.
const CLOSE_FRAME: [u8; 7] = [0x81, 0x81, 0, 0, 0, 0, b'1'];

/// The handle of one TCP connection. Every request of it carries one.
pub struct Transport {
    pub peer: SocketAddr,
    /// The session that has moved to it.
    session: OnceLock<String>,
    state: AtomicU8,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Transport {
    pub fn new(peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            peer,
            session: OnceLock::new(),
            state: AtomicU8::new(OPEN),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        })
    }

    /// Ends the WebSocket session on the connection after what is buffered was written.
    pub fn finish(&self) {
        self.end(FINISHED);
    }

    /// Ends the connection now.
    pub fn cut(&self) {
        self.end(CUT);
    }

    fn end(&self, state: u8) {
        self.state.fetch_max(state, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::SeqCst)
    }
}

/// The connections that sessions have moved to: a session that began with long-polling goes on over the one that was
/// upgraded to WebSocket.
#[derive(Default)]
pub struct Transports {
    upgraded: Arc<DashMap<String, Arc<Transport>>>,
}

impl Transports {
    /// Notes that a session moves to a connection. Forgotten when the connection ends.
    pub fn upgraded(&self, session: &str, transport: &Arc<Transport>) {
        if transport.session.set(session.to_owned()).is_ok() {
            self.upgraded
                .insert(session.to_owned(), Arc::clone(transport));
        }
    }

    pub fn of(&self, session: &str) -> Option<Arc<Transport>> {
        self.upgraded
            .get(session)
            .map(|transport| Arc::clone(&transport))
    }

    /// What is to be forgotten when the connection ends.
    pub fn forgetting(&self, transport: &Arc<Transport>) -> Forget {
        Forget {
            upgraded: Arc::clone(&self.upgraded),
            transport: Arc::clone(transport),
        }
    }
}

/// Forgets the session of a connection when dropped.
pub struct Forget {
    upgraded: Arc<DashMap<String, Arc<Transport>>>,
    transport: Arc<Transport>,
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(session) = self.transport.session.get() {
            self.upgraded.remove_if(session, |_, transport| {
                Arc::ptr_eq(transport, &self.transport)
            });
        }
    }
}

/// A TCP stream that heeds its [`Transport`] and fails when it takes no data for too long.
pub struct Stream<T> {
    tcp: TcpStream,
    transport: Arc<Transport>,
    patience: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    close_frame_read: bool,
    /// Freed when the stream ends.
    _held: T,
}

impl<T> Stream<T> {
    pub const fn new(
        tcp: TcpStream,
        transport: Arc<Transport>,
        patience: Duration,
        held: T,
    ) -> Self {
        Self {
            tcp,
            transport,
            patience,
            deadline: None,
            close_frame_read: false,
            _held: held,
        }
    }

    /// Passes a finished write on, and watches one that has to wait.
    fn watch<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let patience = self.patience;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        if deadline.as_mut().poll(cx).is_ready() {
            metrics::counter!("confab_slow_readers_total").increment(1);
            tracing::info!(peer = %self.transport.peer, "closing a connection that takes no data");
            self.transport.cut();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn refuse_if_cut(&self, cx: &Context<'_>) -> io::Result<()> {
        self.transport.writer.register(cx.waker());
        if self.transport.state() == CUT {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(())
        }
    }
}

impl<T: Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.transport.reader.register(cx.waker());
        match this.transport.state() {
            OPEN => Pin::new(&mut this.tcp).poll_read(cx, buf),
            FINISHED if !this.close_frame_read && buf.remaining() >= CLOSE_FRAME.len() => {
                this.close_frame_read = true;
                buf.put_slice(&CLOSE_FRAME);
                Poll::Ready(Ok(()))
            }
            FINISHED => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

impl<T: Unpin> AsyncWrite for Stream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.refuse_if_cut(cx)?;
        let written = Pin::new(&mut this.tcp).poll_write(cx, data);
        this.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.refuse_if_cut(cx)?;
        let written = Pin::new(&mut this.tcp).poll_write_vectored(cx, data);
        this.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.refuse_if_cut(cx)?;
        let flushed = Pin::new(&mut this.tcp).poll_flush(cx);
        this.watch(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}
