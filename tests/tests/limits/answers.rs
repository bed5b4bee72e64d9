//! Who takes an answer slowly, and who only waits for one.

use http_body_util::BodyExt as _;
use stagedoor_tests::{Way, Ways, soon};
use tokio::net::TcpListener;

use super::*;

const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Faster than any reader here, so that whoever holds an answer up is too slow, after a second.
const HASTY: &str = "[limits]\nanswer_bytes_per_second_min = 1000000000\nanswer_stall_max = \"1s\"\n";

async fn ways_to(url: &str, limits: &str) -> Ways {
    let plan = Door::plan().site("console", url).policy(POLICY);
    Ways::open(plan.building(limits), &["console"]).await
}

async fn ways_before(console: &Recorder, limits: &str) -> Ways {
    let plan = Door::plan().site_with("console", &console.url(), &console.settings());
    Ways::open(plan.policy(POLICY).building(limits), &["console"]).await
}

fn long_answer() -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {ANSWER_BYTES}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; ANSWER_BYTES]].concat()
}

async fn with_a_long_answer() -> Recorder {
    Recorder::answering(|_| long_answer()).await
}

/// The same, inside TLS.
async fn with_a_long_answer_in_tls() -> Recorder {
    Recorder::answering_in_tls(|_| long_answer()).await
}

fn ask() -> Request<stagedoor_tests::Body> {
    Request::get("/long").body(body_of("")).expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_taken_too_slowly_is_broken_off_by_every_way() {
    let consoles = [with_a_long_answer().await, with_a_long_answer_in_tls().await];
    for (console, way) in consoles.iter().flat_map(|console| Way::ALL.map(|way| (console, way))) {
        let ways = ways_before(console, HASTY).await;
        let mut body = ways.visitor(way, "console").open(ask()).await.into_body();
        let mut taken = 0;
        let mut take = async |most: usize| {
            for _ in 0..most {
                match body.frame().await {
                    Some(Ok(frame)) => taken += frame.into_data().map_or(0, |data| data.len()),
                    Some(Err(_)) => return Some(taken),
                    None => panic!("{way:?}: the answer came to its end after {taken} bytes"),
                }
            }
            None
        };
        let (family, label) = ("stagedoor_connections_broken_total", "answer_too_slow");
        soon("it is broken off", async || {
            // Something is taken all the while.
            take(1).await;
            (counted(&ways.door, family, label).await >= 1.0).then_some(())
        })
        .await;
        let taken = tokio::time::timeout(SOON, take(usize::MAX)).await.expect("it ends");
        assert!(taken.is_some_and(|bytes| bytes < ANSWER_BYTES), "{way:?}: {taken:?}");
        soon("the audit has it", async || {
            let events = ways.door.admin().audit("event=request.refused&limit=5").await;
            events
                .iter()
                .any(|event| event["reason"] == "answer_too_slow")
                .then_some(())
        })
        .await;
        ways.visitor(way, "console").get("/.stagedoor/whoami").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_a_window_is_reset_and_its_connection_goes_on() {
    use stagedoor_tests::http2::{self, Ended, Frame};
    let console = with_a_long_answer().await;
    let ways = ways_to(&console.url(), HASTY).await;
    for way in Way::BY_FRAMES {
        let visitor = ways.visitor(way, "console");
        let scheme = if way.is_secure() { "https" } else { "http" };
        let block = http2::literal(&[
            (b":method", b"GET"),
            (b":scheme", scheme.as_bytes()),
            (b":authority", b"console.localhost"),
            (b":path", b"/long"),
        ]);
        let bytes = Frame::headers(1, block, true).encode();
        let answer = http2::converse(ways.wire(way, &visitor).await, &bytes, 1).await;
        assert_eq!(answer.status, 200, "{way:?}");
        assert!(matches!(answer.ended, Ended::Reset(_)), "{way:?}: {:?}", answer.ended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_slow_is_waited_for_however_fast_answers_have_to_be_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                raw::read_head(&mut stream).await;
                let mut said = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n").await;
                for _ in 0..25 {
                    // Three times as long in all as a visitor may stall.
                    tokio::time::sleep(Duration::from_millis(120)).await;
                    said = said.and(stream.write_all(b"x").await);
                }
            });
        }
    });
    let ways = ways_to(&url, HASTY).await;
    let answers = Way::ALL.map(|way| {
        let visitor = ways.visitor(way, "console");
        async move { visitor.get("/slow").await.expect(200).text() }
    });
    for (way, answer) in Way::ALL.iter().zip(futures_util::future::join_all(answers).await) {
        assert_eq!(answer, "x".repeat(25), "{way:?}");
    }
    assert_eq!(
        counted(&ways.door, "stagedoor_connections_broken_total", "answer_too_slow").await,
        0.0
    );
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_that_is_taken_comes_whole() {
    let console = with_a_long_answer().await;
    let ways = ways_to(&console.url(), "").await;
    for way in Way::ALL {
        let answer = ways.visitor(way, "console").get("/long").await.expect(200);
        assert_eq!(answer.text().len(), ANSWER_BYTES, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_is_not_read_is_ended() {
    let console = Recorder::answering(|_| {
        let agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        [agreed.to_vec(), b"\x82\x7e\x10\0".repeat(ANSWER_BYTES / 4)].concat()
    })
    .await;
    for way in Way::BY_HAND {
        let ways = ways_to(&console.url(), HASTY).await;
        let mut wire = ways.wire(way, &ways.visitor(way, "console")).await;
        let ask = "GET /socket HTTP/1.1\r\nHost: console.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        wire.write_all(ask.as_bytes()).await.expect("it is open");
        let answer = raw::read_head(&mut wire).await;
        assert_eq!(raw::status(&answer), 101, "{way:?}: {answer}");
        let family = "stagedoor_connections_broken_total";
        soon("it is ended", async || {
            (counted(&ways.door, family, "answer_too_slow").await >= 1.0).then_some(())
        })
        .await;
        assert!(until_closed(&mut wire).await.len() < ANSWER_BYTES, "{way:?}");
    }
}
