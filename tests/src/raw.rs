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

/// What came back, where the peer may also fall silent: that is for the test to judge.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Whether the peer closed; else it neither spoke nor closed.
    pub closed: bool,
}

/// Sends bytes, piece by piece, and hears what comes back meanwhile and after, so that an early refusal is not lost behind a long request.
/// With `then_end`, the sending side is ended behind the bytes.
pub async fn hear<'a>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    pieces: impl Iterator<Item = &'a [u8]>,
    then_end: bool,
) -> Heard {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        for piece in pieces {
            if writing.write_all(piece).await.is_err() || writing.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if then_end {
            writing.shutdown().await.ok();
        }
    };
    let read = async {
        let mut heard = Heard {
            bytes: Vec::new(),
            closed: true,
        };
        let mut piece = [0; 16 * 1024];
        loop {
            match tokio::time::timeout(SILENCE, reading.read(&mut piece)).await {
                Ok(Ok(count)) if count > 0 => heard.bytes.extend_from_slice(&piece[..count]),
                Ok(_) => return heard,
                Err(_) => {
                    heard.closed = false;
                    return heard;
                }
            }
        }
    };
    tokio::pin!(read);
    tokio::select! {
        heard = &mut read => heard,
        () = write => read.await,
    }
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

/// Bytes with every occurrence of `what` replaced.
pub fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        all.extend_from_slice(&rest[..at]);
        all.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    all.extend_from_slice(rest);
    all
}
