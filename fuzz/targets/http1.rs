//! The strict reader of HTTP/1: what is handed on are whole requests in their order, or the stand-in once and then nothing.
//! Byte 1: how the rest, the connection, is cut; byte 2: how much room the reader's reader has.
#![no_main]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use stagedoor::wire::http1::chunks::Chunks;
use stagedoor::wire::http1::head::{Body, check};
use stagedoor::wire::http1::{Http1, STAND_IN};
use stagedoor::wire::{HeadLimits, Stage, Turn, WireFault};
use tokio::io::{AsyncRead, ReadBuf};

/// Small, so that an input comes across them.
const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 300,
    count_max: 8,
};

fuzz_target!(|input: &[u8]| {
    let [cut, room, connection @ ..] = input else { return };
    let whole = read_all(connection, usize::MAX, 4096);
    let in_parts = read_all(connection, usize::from(*cut).max(1), usize::from(*room).max(1));
    assert_eq!(whole.requests, in_parts.requests, "the cut mattered");
    assert_eq!(whole.fault.is_some(), in_parts.fault.is_some(), "the cut mattered");
    if whole.fault.is_none() {
        assert_eq!(whole.last, in_parts.last, "the cut mattered");
    }
    for read in [whole, in_parts] {
        let mut sent = connection;
        for request in &read.requests {
            assert!(is_whole(request), "{}", request.escape_ascii());
            sent = without(sent, request).expect("the next request, as it was sent");
        }
        match read.fault {
            Some(_) if read.last == STAND_IN => {}
            Some(fault) => {
                assert!(
                    fault == WireFault::Chunk || fault == WireFault::HeadTooLarge,
                    "{fault:?}"
                );
                assert!(!is_whole(&read.last) && without(sent, &read.last).is_some());
            }
            // The visitor went away: between two requests, or within a body.
            None => assert!(without(sent, &read.last).is_some_and(<[u8]>::is_empty)),
        }
    }
});

/// What is handed on of a connection.
struct Read {
    requests: Vec<Vec<u8>>,
    /// What is no whole request, or one that was refused.
    last: Vec<u8>,
    fault: Option<WireFault>,
}

fn read_all(connection: &[u8], bytes_at_once: usize, room: usize) -> Read {
    let mut pieces = Pieces {
        rest: connection,
        bytes_at_once,
    };
    let (mut reader, turn) = (Http1::new(LIMITS, bytes::BytesMut::new()), Turn::default());
    let mut requests = Vec::new();
    loop {
        turn.listen();
        let (mut handed_on, mut space) = (Vec::new(), vec![0; room]);
        let mut read = || {
            let mut to = ReadBuf::new(&mut space);
            match reader.poll_read(&mut pieces, &turn, &mut Context::from_waker(Waker::noop()), &mut to) {
                Poll::Ready(Ok(())) => to.filled().to_vec(),
                Poll::Ready(Err(_)) => Vec::new(),
                Poll::Pending => panic!("waited for a connection that never lets wait"),
            }
        };
        while turn.stage() != Stage::Answer {
            let bytes = read();
            if bytes.is_empty() {
                break;
            }
            handed_on.extend(bytes);
        }
        let fault = turn.fault();
        if turn.stage() == Stage::Answer && fault.is_none() {
            requests.push(handed_on);
            continue;
        }
        turn.listen();
        assert!(read().is_empty(), "something came after the end");
        return Read {
            requests,
            last: handed_on,
            fault,
        };
    }
}

/// Whether these bytes are one request in origin form, and nothing else.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = request.split_at(end + 4);
    let Ok(head) = check(head, LIMITS.count_max, b"") else {
        return false;
    };
    assert!(head.absolute_prefix.is_empty(), "another form of target");
    match head.body {
        Body::None => body.is_empty(),
        Body::Length(bytes) => body.len() as u64 == bytes,
        Body::Chunked => {
            let mut chunks = Chunks::default();
            chunks.follow(body) == Ok(body.len()) && chunks.is_over()
        }
    }
}

/// What was sent behind this, which was handed on as it was sent, but for a target in absolute form.
fn without<'s>(sent: &'s [u8], handed_on: &[u8]) -> Option<&'s [u8]> {
    if let Some(behind) = sent.strip_prefix(handed_on) {
        return Some(behind);
    }
    let method = handed_on.iter().position(|byte| *byte == b' ')? + 1;
    let (method, from_target) = handed_on.split_at(method);
    let absolute = sent.strip_prefix(method)?;
    let host = absolute.windows(3).position(|three| three == b"://")? + 3;
    let path = host + absolute[host..].iter().position(|byte| *byte == b'/')?;
    absolute[path..].strip_prefix(from_target)
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
