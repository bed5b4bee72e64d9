//! The PROXY protocol: exactly the header is read, and it says an address or that the proxy speaks for itself. Byte 1: how
//! the rest, the connection, is cut.
#![no_main]

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use stagedoor::listener::proxy_protocol::{Announced, Unreadable, read};
use tokio::io::{AsyncRead, ReadBuf};

/// How a header of version 2 begins, with its length in the last two of 16 bytes.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1, in bytes (`proxy-protocol.txt`, section 2.1).
const LINE_BYTES_MAX: usize = 107;
/// The longest header of version 2 that the door reads, in bytes.
const BINARY_BYTES_MAX: usize = 16 + 2048;

fuzz_target!(|input: &[u8]| {
    let Some((cut, connection)) = input.split_first() else {
        return;
    };
    let (announced, used) = read_from(connection, usize::MAX);
    assert_eq!(
        (announced, used),
        read_from(connection, usize::from(*cut).max(1)),
        "the cut mattered"
    );
    let is_binary = connection.starts_with(SIGNATURE);
    assert!(used <= if is_binary { BINARY_BYTES_MAX } else { LINE_BYTES_MAX });
    let Ok(announced) = announced else { return };

    let header = &connection[..used];
    if is_binary {
        assert_eq!(used, 16 + usize::from(u16::from_be_bytes([header[14], header[15]])));
    } else {
        assert!(header.starts_with(b"PROXY "));
        assert_eq!(header.windows(2).position(|pair| pair == b"\r\n"), Some(used - 2));
    }
    assert_eq!(
        read_from(header, usize::MAX),
        (Ok(announced), used),
        "what follows mattered"
    );
    assert!(
        read_from(&header[..used - 1], usize::MAX).0.is_err(),
        "more was read than the header"
    );
    if let Announced::Visitor(visitor) = announced {
        let written = written(visitor);
        assert_eq!(read_from(&written, usize::MAX), (Ok(announced), written.len()));
    }
});

/// The header of version 1 that announces this visitor.
fn written(visitor: SocketAddr) -> Vec<u8> {
    let (family, ip) = match visitor {
        SocketAddr::V4(visitor) => ("TCP4", visitor.ip().to_string()),
        SocketAddr::V6(visitor) => ("TCP6", visitor.ip().to_string()),
    };
    format!("PROXY {family} {ip} {ip} {} 443\r\n", visitor.port()).into_bytes()
}

/// What is announced and how many bytes that took, where so many come at once.
fn read_from(connection: &[u8], bytes_at_once: usize) -> (Result<Announced, Unreadable>, usize) {
    let mut pieces = Pieces {
        rest: connection,
        bytes_at_once,
    };
    let read = pin!(read(&mut pieces)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(announced) = read else {
        panic!("waited for a connection that never lets wait");
    };
    (announced, connection.len() - pieces.rest.len())
}

/// A connection on which so many bytes come at once, and then the end.
struct Pieces<'i> {
    rest: &'i [u8],
    bytes_at_once: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = self.bytes_at_once.min(self.rest.len()).min(to.remaining());
        let (piece, rest) = self.rest.split_at(bytes);
        to.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}
