//! A TCP stream that is read byte by byte, for what is said before STARTTLS.
//!
//! Whoever sits on the line can send more than the server's answer to STARTTLS. A reader that takes all there is would keep
//! the rest and read it, once the connection is encrypted, as if the server had said it. Read byte by byte, nothing is ever
//! kept: what follows the answer is left to the TLS handshake, which fails on it. An answer has a few hundred bytes, a
//! handshake a few thousand: the cost is nothing beside a letter's.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// See the module.
#[derive(Debug)]
pub(super) struct Narrow(pub(super) TcpStream);

impl AsyncRead for Narrow {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut byte = [0_u8; 1];
        let wanted = buf.remaining().min(byte.len());
        let mut one = ReadBuf::new(byte.get_mut(..wanted).unwrap_or_default());
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Narrow {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_reader_that_wants_all_there_is_gets_one_byte_and_the_rest_stays() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut narrow, mut server) = (Narrow(client.unwrap()), server.unwrap().0);
        server.write_all(b"220 go ahead\r\n250 forged\r\n").await.unwrap();
        drop(server);
        let mut buffer = [0_u8; 64];
        assert_eq!(narrow.read(&mut buffer).await.unwrap(), 1);
        let mut rest = Vec::new();
        narrow.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"20 go ahead\r\n250 forged\r\n");
    }
}
