//! How many WebSockets one may have, and from where.

use super::*;

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const AGREED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async fn handshake(wire: &mut Box<dyn stagedoor_tests::Wire>, lines: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\n{lines}{HANDSHAKE}\r\n");
    wire.write_all(request.as_bytes()).await.expect("it is open");
    raw::read_head(wire).await
}

async fn agreeing() -> Recorder {
    Recorder::answering(|_| AGREED.to_vec()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_as_many_websockets_as_the_limit_says_and_a_stranger_counts_by_address() {
    let limit = |plan: DoorPlan| plan.building("[limits]\nwebsockets_per_account_max = 2\n");
    let stage = Stage::before(agreeing().await, "", limit).await;
    let (ada, bob) = (
        stage.visitor(Way::Http1, "ada").await,
        stage.visitor(Way::Http1InTls, "bob").await,
    );
    let stranger = "Host: console.localhost\r\n".to_owned();
    for (way, visitor, lines) in [
        (Way::Http1, &ada, lines_of(&ada)),
        (Way::Http1InTls, &bob, lines_of(&bob)),
        (Way::Http1, &ada, stranger),
    ] {
        let mut open = Vec::new();
        for _ in 0..2 {
            let mut wire = stage.ways.wire(way, visitor).await;
            let answer = handshake(&mut wire, &lines, "/open/socket").await;
            assert_eq!(raw::status(&answer), 101, "{way:?}: {answer}");
            open.push(wire);
        }
        let mut wire = stage.ways.wire(way, visitor).await;
        let request = format!("GET /open/socket HTTP/1.1\r\n{lines}Accept: application/json\r\n{HANDSHAKE}\r\n");
        wire.write_all(request.as_bytes()).await.expect("it is open");
        let answer = raw::read_to_end(&mut wire).await;
        assert_eq!(raw::status(&answer), 429, "{way:?}: {answer}");
        assert!(answer.contains("too_many_websockets"), "{way:?}: {answer}");
        drop(open.pop());
        let again = soon("a seat comes back with its connection", async || {
            let mut wire = stage.ways.wire(way, visitor).await;
            let answer = handshake(&mut wire, &lines, "/open/socket").await;
            (raw::status(&answer) == 101).then_some(wire)
        });
        open.push(again.await);
        // Those of this account stay open while the next one's are counted.
        std::mem::forget(open);
    }
    assert!(stage.ways.door.metric("stagedoor_websockets_refused_total", &[]).await >= 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_a_handshake_that_was_declined_is_neither_a_request_nor_tunnelled() {
    let stage = Stage::before(Recorder::answering(by_path(Vec::new())).await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let before = stage.console.seen().len();
        let lines = lines_of(&ada);
        let bytes = format!("GET /socket HTTP/1.1\r\n{lines}{HANDSHAKE}\r\nGET /admin HTTP/1.1\r\n{lines}\r\n");
        let answer = raw::exchange_over(stage.ways.wire(way, &ada).await, bytes).await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{way:?}: {answer}");
        assert!(answer.ends_with("fine"), "{way:?}: {answer}");
        ada.get("/next").await.expect(200);
        let targets: Vec<_> = stage.console.seen().split_off(before);
        let targets: Vec<_> = targets.iter().map(Seen::target).collect();
        assert_eq!(targets, ["/socket", "/next"], "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_with_a_body_is_an_ordinary_request() {
    let stage = Stage::before(Recorder::answering(by_path(Vec::new())).await, "", |plan| plan).await;
    let ada = stage.visitor(Way::Http1, "ada").await;
    for start in ["POST /socket HTTP/1.1", "GET /socket HTTP/1.1"] {
        let bytes = format!("{start}\r\n{}{HANDSHAKE}Content-Length: 5\r\n\r\nhello", lines_of(&ada));
        let mut wire = stage.ways.wire(Way::Http1, &ada).await;
        wire.write_all(bytes.as_bytes()).await.expect("it is open");
        let (head, _) = read_answer(&mut wire).await;
        assert_eq!(raw::status(&head), 200, "{start}: {head}");
        let seen = stage.console.last();
        assert_eq!(seen.body, b"hello", "{start}");
        assert!(seen.values("upgrade").is_empty(), "{start}: {}", seen.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_opens_no_websocket_by_any_way() {
    let stage = Stage::before(agreeing().await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let before = stage.console.bytes();
        let port = match way {
            Way::Http1 | Way::Http2InClear => stage.ways.door.http,
            Way::Http1InTls | Way::Http2 => stage.ways.door.https.expect("TLS"),
        };
        let cookies = ada.cookie_header().expect("ada is signed in");
        let lines = format!("Host: console.localhost:{port}\r\nCookie: {cookies}\r\n");
        let own = format!("https://console.localhost:{port}");
        for origin in [
            "null".to_owned(),
            String::new(),
            "https://evil.test".to_owned(),
            "https://console.localhost".to_owned(),
            format!("https://console.localhost:{}", port + 1),
            format!("https://console.localhost:{port}.evil.test"),
            format!("https://console.localhost:{port}/"),
            format!("https://x@console.localhost:{port}"),
            format!("ftp://console.localhost:{port}"),
            format!("{own} {own}"),
            format!("{own}\r\nOrigin: {own}"),
            format!("{own}\r\nOrigin: https://evil.test"),
        ] {
            let mut wire = stage.ways.wire(way, &ada).await;
            let answer = handshake(&mut wire, &format!("{lines}Origin: {origin}\r\n"), "/socket").await;
            assert_eq!(raw::status(&answer), 403, "{way:?} {origin:?}: {answer}");
        }
        assert_eq!(stage.console.bytes(), before, "{way:?}");
        let mut wire = stage.ways.wire(way, &ada).await;
        let answer = handshake(&mut wire, &format!("{lines}Origin: {own}\r\n"), "/socket").await;
        assert_eq!(raw::status(&answer), 101, "{way:?}: {answer}");
    }
}
