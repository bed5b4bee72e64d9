//! HTTP/1 by hand: what no client library would send, and the very bytes that come back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a peer may stay silent before it is taken to have said all.
const SILENCE: Duration = Duration::from_secs(10);

/// Sends bytes and returns all that comes back until the peer closes.
pub async fn exchange(at: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    exchange_over(TcpStream::connect(at).await.expect("somebody listens"), bytes).await
}

/// [`exchange`], over a connection that is there already.
pub async fn exchange_over(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: impl AsRef<[u8]>) -> String {
    // A peer that refuses early may close before it has read everything: what it said is still to be read.
    stream.write_all(bytes.as_ref()).await.ok();
    read_to_end(&mut stream).await
}

/// Everything until the peer closes; fails the test when it neither speaks nor closes.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let read = tokio::time::timeout(SILENCE, stream.read(&mut piece)).await;
        match read.unwrap_or_else(|_| panic!("the peer is silent after: {}", String::from_utf8_lossy(&all))) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&all).into_owned(),
            Ok(count) => all.extend_from_slice(&piece[..count]),
        }
    }
}

/// One head, up to and with its empty line, read byte by byte so that nothing after it is taken.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(SILENCE, stream.read_u8()).await;
        match byte.unwrap_or_else(|_| panic!("the peer is silent after: {}", String::from_utf8_lossy(&head))) {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// The number in a status line, 0 where there is none.
pub fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
