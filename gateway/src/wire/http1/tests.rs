use std::future::poll_fn;

use proptest::prelude::*;
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use super::*;

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 2000,
    count_max: 10,
};

/// A visitor's end, and what stands between it and pingora.
struct Wire {
    visitor: DuplexStream,
    stream: DuplexStream,
    reader: Http1,
    turn: Turn,
}

impl Wire {
    fn new() -> Self {
        let (visitor, stream) = tokio::io::duplex(64 * 1024);
        let turn = Turn::default();
        turn.listen();
        Self {
            visitor,
            stream,
            reader: Http1::new(LIMITS, BytesMut::new()),
            turn,
        }
    }

    async fn with(bytes: &[u8]) -> Self {
        let mut wire = Self::new();
        wire.visitor.write_all(bytes).await.unwrap();
        wire
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.visitor.write_all(bytes).await.unwrap();
    }

    /// What pingora gets from one read of so many bytes; `None` while there is nothing.
    async fn read(&mut self, room: usize) -> Option<io::Result<Vec<u8>>> {
        let mut space = vec![0_u8; room];
        let mut to = ReadBuf::new(&mut space);
        let polled =
            poll_fn(|context| Poll::Ready(self.reader.poll_read(&mut self.stream, &self.turn, context, &mut to))).await;
        match polled {
            Poll::Pending => None,
            Poll::Ready(Err(error)) => Some(Err(error)),
            Poll::Ready(Ok(())) => Some(Ok(to.filled().to_vec())),
        }
    }

    /// Everything pingora gets until there is nothing more.
    async fn read_all(&mut self, room: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(Ok(bytes)) = self.read(room).await {
            if bytes.is_empty() {
                break;
            }
            all.extend(bytes);
        }
        all
    }
}

const GET: &[u8] = b"GET /one HTTP/1.1\r\nHost: a.test\r\n\r\n";
const POST: &[u8] = b"POST /two HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &[u8] =
    b"POST /three HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

#[tokio::test]
async fn one_request_is_handed_on_and_the_next_when_it_is_its_turn() {
    for first in [GET, POST, CHUNKED] {
        let mut wire = Wire::with(&[first, GET, POST].concat()).await;
        assert_eq!(wire.read_all(4096).await, first);
        assert_eq!(wire.turn.stage(), super::super::Stage::Answer);
        wire.turn.listen();
        assert_eq!(wire.read_all(7).await, GET);
        wire.turn.listen();
        assert_eq!(wire.read_all(4096).await, POST);
        assert_eq!(wire.turn.fault(), None);
    }
}

#[tokio::test]
async fn nothing_of_a_head_is_handed_on_before_all_of_it_is_there() {
    let mut wire = Wire::new();
    for byte in &GET[..GET.len() - 1] {
        wire.send(&[*byte]).await;
        assert!(wire.read(4096).await.is_none());
    }
    wire.send(b"\n").await;
    assert_eq!(wire.read(4096).await.unwrap().unwrap(), GET);
}

#[tokio::test]
async fn what_is_refused_is_replaced_and_nothing_of_it_is_handed_on() {
    for (bytes, fault) in [
        (&b"GET /one HTTP/1.1\nHost: a.test\n\n"[..], WireFault::LineEnd),
        (b"\r\nGET /one HTTP/1.1\r\nHost: a.test\r\n\r\n", WireFault::RequestLine),
        (b"\nGET /one HTTP/1.1\r\nHost: a.test\r\n\r\n", WireFault::LineEnd),
        (b"GET /one HTTP/1.1\r\nHost: a.test\r\nX: 1\n\r\n", WireFault::LineEnd),
        (b"GET /one HTTP/1.1\r\nHost: a.test\r\n\n", WireFault::LineEnd),
        (b"GET /one\rtwo HTTP/1.1\r\nHost: a.test\r\n\r\n", WireFault::LineEnd),
        (b"GET /one HTTP/1.1\rHost: a.test\r\r", WireFault::LineEnd),
        (b"GET /one HTTP/1.1\r\nHost: a.test\r\n\r\r\n", WireFault::LineEnd),
        (b"GET /one\r\n", WireFault::HeadIncomplete),
        (
            b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3;\nxx\r\nabc\r\n0\r\n\r\n",
            WireFault::Chunk,
        ),
        (
            &[b"GET /one HTTP/1.1\r\nX: ", &[b'x'; 3000][..]].concat(),
            WireFault::HeadTooLarge,
        ),
        (
            &[b"GET /one HTTP/1.1\r\nX: ", &[b'x'; 3000][..], b"\r\n\r\n"].concat(),
            WireFault::HeadTooLarge,
        ),
    ] {
        let mut wire = Wire::with(bytes).await;
        wire.visitor.shutdown().await.unwrap();
        assert_eq!(wire.read_all(20).await, STAND_IN, "{}", bytes.escape_ascii());
        assert_eq!(wire.turn.fault(), Some(fault), "{}", bytes.escape_ascii());
        assert!(wire.reader.leaves_something_unread());
        // Nor is there ever a next one.
        wire.turn.listen();
        assert_eq!(wire.read(100).await.unwrap().unwrap(), b"");
    }
}

#[tokio::test]
async fn a_chunk_that_turns_out_malformed_later_breaks_the_body_off() {
    let mut wire = Wire::with(CHUNKED.strip_suffix(b"0\r\n\r\n").unwrap()).await;
    wire.read_all(4096).await;
    wire.send(b"0;x\r\n\r\n").await;
    assert!(wire.read(4096).await.unwrap().is_err());
    assert_eq!(wire.turn.fault(), Some(WireFault::Chunk));
}

#[tokio::test]
async fn a_request_that_waits_for_a_100_is_handed_on_without_its_body() {
    let head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    let mut wire = Wire::with(head).await;
    assert_eq!(wire.read_all(4096).await, head);
    wire.send(b"0\r\n\r\n").await;
    assert_eq!(wire.read_all(4096).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn a_head_that_came_too_slowly_is_answered_and_silence_is_not() {
    let mut wire = Wire::with(b"GET /o").await;
    assert!(wire.read(100).await.is_none());
    assert_eq!(wire.turn.stage(), super::super::Stage::Head);
    wire.turn.refuse(WireFault::HeadTooSlow);
    assert_eq!(wire.read_all(4096).await, STAND_IN);
    let mut wire = Wire::new();
    assert!(wire.read(100).await.is_none());
    wire.turn.refuse(WireFault::HeadTooSlow);
    assert_eq!(wire.read(100).await.unwrap().unwrap(), b"");
}

#[tokio::test]
async fn a_body_that_came_too_slowly_is_broken_off() {
    let mut wire = Wire::with(&POST[..POST.len() - 2]).await;
    wire.read_all(4096).await;
    assert_eq!(
        (wire.turn.stage(), wire.turn.body_bytes()),
        (super::super::Stage::Body, 3)
    );
    wire.turn.refuse(WireFault::BodyTooSlow);
    assert!(wire.read(100).await.unwrap().is_err());
}

#[tokio::test]
async fn a_body_nobody_read_is_never_taken_for_the_next_request() {
    let mut wire = Wire::with(&POST[..POST.len() - 5]).await;
    wire.read_all(4096).await;
    wire.turn.listen();
    wire.send(b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(wire.read(100).await.unwrap().is_err());
    assert_eq!(wire.turn.fault(), Some(WireFault::OutOfStep));
}

#[tokio::test]
async fn while_the_door_answers_only_the_end_is_noticed() {
    let mut wire = Wire::with(GET).await;
    wire.read_all(4096).await;
    assert!(wire.read(1).await.is_none());
    wire.send(GET).await;
    assert!(wire.read(1).await.is_none());
    wire.visitor.shutdown().await.unwrap();
    assert_eq!(wire.read(1).await.unwrap().unwrap(), b"");
    wire.turn.listen();
    assert_eq!(wire.read_all(4096).await, GET);
}

#[tokio::test]
async fn a_tunnel_passes_everything_as_it_is() {
    let mut wire = Wire::with(&[GET, b"\0\n\xff not http"].concat()).await;
    wire.read_all(4096).await;
    assert!(wire.read(100).await.is_none());
    wire.turn.becomes_tunnel();
    assert_eq!(wire.read_all(4096).await, b"\0\n\xff not http");
}

#[tokio::test]
async fn an_absolute_target_is_handed_on_in_origin_form() {
    let mut wire = Wire::with(b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(wire.read_all(4096).await, b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
}

/// Pingora is never handed a head that it would refuse or mangle itself, which no stage would see.
#[test]
fn every_byte_that_passes_in_a_target_pingora_takes_as_it_is() {
    for byte in 0..=255_u8 {
        for (before, after) in [(&b"/a"[..], &b"b"[..]), (b"/a?b", b"c")] {
            let target = [before, &[byte], after].concat();
            let head = [b"GET ", &target[..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
            if head::check(&head, 10, b"").is_ok() {
                let request = pingora::http::RequestHeader::build("GET", &target, None);
                let kept = request.is_ok_and(|request| request.raw_path() == target);
                assert!(kept, "{}", target.escape_ascii());
            }
        }
    }
}

proptest! {
    #[test]
    fn however_requests_are_cut_and_read_they_are_handed_on_one_by_one(
        which in prop::collection::vec(0_usize..3, 1..5),
        cuts in prop::collection::vec(1_usize..30, 1..100),
        room in 1_usize..50,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let requests: Vec<&[u8]> = which.iter().map(|number| [GET, POST, CHUNKED][*number]).collect();
            let (stream, mut cuts) = (requests.concat(), cuts.into_iter().cycle());
            let (mut wire, mut sent) = (Wire::new(), 0);
            for request in requests {
                let mut got = wire.read_all(room).await;
                while got.len() < request.len() {
                    let end = (sent + cuts.next().unwrap()).min(stream.len());
                    wire.send(&stream[sent..end]).await;
                    sent = end;
                    got.extend(wire.read_all(room).await);
                }
                assert_eq!(got, request);
                wire.turn.listen();
            }
        });
    }

    #[test]
    fn no_bytes_panic_it_and_only_whole_heads_or_the_stand_in_come_out(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b' '), Just(b':')], 0..400),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut wire = Wire::with(&[b"GET / HTTP/1.1\r\nHost: a\r\n", &bytes[..]].concat()).await;
            wire.visitor.shutdown().await.unwrap();
            let handed_on = wire.read_all(100).await;
            assert!(handed_on == STAND_IN || handed_on.starts_with(b"GET / HTTP/1.1\r\nHost: a\r\n"));
        });
    }
}
