//! Bytes to and from a console: in clear, or inside TLS.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;
use tokio_rustls::client::TlsStream;

/// Of each buffer of a connection that waits for its next exchange, in bytes.
const BUFFER_BYTES_KEPT_MAX: usize = 16 * 1024;

/// What is kept from one exchange to the next, so that none has to ask for memory.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Came from the console and was not handed on yet.
    pub held: BytesMut,
    /// Not sent yet.
    pub unsent: BytesMut,
}

impl Buffers {
    /// For the next exchange. What one long head needed is not kept for ever.
    pub fn cleared(mut self) -> Self {
        for buffer in [&mut self.held, &mut self.unsent] {
            buffer.clear();
            if buffer.capacity() > BUFFER_BYTES_KEPT_MAX {
                *buffer = BytesMut::new();
            }
        }
        self
    }
}

/// A connection to a console.
#[derive(Debug)]
pub enum Link {
    /// In clear.
    Clear(TcpStream),
    /// Inside TLS, the console's certificate verified.
    Secured(Box<TlsStream<TcpStream>>),
}

impl Link {
    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Secured(stream) => stream.get_ref().0,
        }
    }

    /// Whether the console has neither closed it nor said anything; what TLS says of its own accord does not count.
    pub fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        let mut room = ReadBuf::new(&mut byte);
        let reading = poll_fn(|context| Pin::new(&mut *self).poll_read(context, &mut room));
        unconstrained(reading).now_or_never().is_none()
    }
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_read(context, to),
            Self::Secured(stream) => Pin::new(stream).poll_read(context, to),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Secured(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_flush(context),
            Self::Secured(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Secured(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
