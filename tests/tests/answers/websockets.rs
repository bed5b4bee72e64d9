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
async fn what_stands_behind_a_handshake_is_neither_a_request_nor_tunnelled() {
    let stage = Stage::before(Recorder::answering(by_path(Vec::new())).await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let before = stage.console.seen().len();
        let lines = lines_of(&ada);
        let bytes = format!("GET /socket HTTP/1.1\r\n{lines}{HANDSHAKE}\r\nGET /admin HTTP/1.1\r\n{lines}\r\n");
        let answer = raw::exchange_over(stage.ways.wire(way, &ada).await, bytes).await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{way:?}: {answer}");
        assert_eq!(raw::status(&answer), 400, "{way:?}: {answer}");
        ada.get("/next").await.expect(200);
        let targets: Vec<_> = stage.console.seen().split_off(before);
        let targets: Vec<_> = targets.iter().map(Seen::target).collect();
        assert_eq!(targets, ["/next"], "{way:?}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_not_whole_opens_no_tunnel_and_reaches_no_console() {
    let stage = Stage::before(agreeing().await, "", |plan| plan).await;
    let (connection, upgrade) = ("Connection: Upgrade\r\n", "Upgrade: websocket\r\n");
    let version = "Sec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let short = "Sec-WebSocket-Key: c2hvcnQ=\r\n";
    let bare = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n";
    let old = "Sec-WebSocket-Version: 8\r\n";
    let (malformed, unknown) = ("websocket_handshake_malformed", "websocket_version_not_supported");
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let (lines, before) = (lines_of(&ada), stage.console.bytes());
        for (parts, status, code) in [
            (&[upgrade, version, key][..], 400, malformed),
            (&["Connection: keep-alive\r\n", upgrade, version, key], 400, malformed),
            (&[connection, upgrade, version], 400, malformed),
            (&[connection, upgrade, version, key, key], 400, malformed),
            (&[connection, upgrade, version, short], 400, malformed),
            (&[connection, upgrade, version, bare], 400, malformed),
            (&[connection, upgrade, key], 400, malformed),
            (&[connection, upgrade, version, version, key], 400, malformed),
            (&[connection, upgrade, version, old, key], 400, malformed),
            (
                &["Connection: Upgrade, Sec-WebSocket-Key\r\n", upgrade, version, key],
                400,
                malformed,
            ),
            (&[connection, upgrade, old, key], 426, unknown),
        ] {
            let parts = parts.concat();
            let bytes = format!("GET /socket HTTP/1.1\r\n{lines}Accept: application/json\r\n{parts}\r\n");
            let answer = raw::exchange_over(stage.ways.wire(way, &ada).await, bytes).await;
            assert_eq!(raw::status(&answer), status, "{way:?} {parts:?}: {answer}");
            assert!(answer.contains(code), "{way:?} {parts:?}: {answer}");
            let offered = answer.to_ascii_lowercase().contains("sec-websocket-version: 13\r\n");
            assert_eq!(offered, status == 426, "{way:?} {parts:?}: {answer}");
        }
        assert_eq!(stage.console.bytes(), before, "{way:?}");
    }
    soon("the audit has them", async || {
        let events = stage.ways.door.admin().audit("event=request.refused&limit=50").await;
        let has = |code| events.iter().any(|event| event["reason"] == code);
        (has(malformed) && has(unknown)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_to_something_else_than_was_asked_for_opens_no_tunnel() {
    let agreed = String::from_utf8_lossy(AGREED).into_owned();
    let with = |line: &str| agreed.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n")).into_bytes();
    let without = |line: &str| agreed.replace(&format!("{line}\r\n"), "").into_bytes();
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let answers = vec![
        ("/accept", agreed.replace("s3pP", "S3pP").into_bytes()),
        ("/no-accept", without(accept)),
        ("/two-accepts", with(accept)),
        ("/no-connection", without("Connection: Upgrade")),
        ("/no-upgrade", without("Upgrade: websocket")),
        (
            "/h2c",
            agreed.replace("Upgrade: websocket", "Upgrade: h2c").into_bytes(),
        ),
        ("/protocol", with("Sec-WebSocket-Protocol: other")),
        ("/extension", with("Sec-WebSocket-Extensions: x-other")),
        (
            "/fine",
            with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x-a; b=1"),
        ),
    ];
    let paths: Vec<_> = answers.iter().map(|(path, _)| *path).collect();
    let stage = Stage::before(Recorder::answering(by_path(answers)).await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let asks = "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: x-a, x-b\r\n";
        let lines = format!("{}{asks}", lines_of(&ada));
        for path in &paths {
            let mut wire = stage.ways.wire(way, &ada).await;
            let answer = handshake(&mut wire, &lines, path).await;
            let expected = if *path == "/fine" { 101 } else { 502 };
            assert_eq!(raw::status(&answer), expected, "{way:?} {path}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_sends_before_its_handshake_is_answered_reaches_no_console() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let ways = Ways::open(Door::plan().site("console", &url).policy(POLICY), &["console"]).await;
    for way in Way::BY_HAND {
        let visitor = ways.visitor(way, "console");
        let mut wire = ways.wire(way, &visitor).await;
        let lines = "Host: console.localhost\r\nAccept: application/json\r\n";
        let request = format!("GET /open/socket HTTP/1.1\r\n{lines}{HANDSHAKE}\r\n");
        wire.write_all(request.as_bytes()).await.expect("it is open");
        let (mut console, _) = listener.accept().await.expect("the door comes");
        raw::read_head(&mut console).await;
        let early = b"GET /admin HTTP/1.1\r\nHost: console.localhost\r\n\r\n";
        wire.write_all(early).await.expect("it is open");
        let answer = raw::read_to_end(&mut wire).await;
        assert_eq!(raw::status(&answer), 400, "{way:?}: {answer}");
        assert!(answer.contains("websocket_handshake_overtaken"), "{way:?}: {answer}");
        // The door goes away, with nothing more said.
        assert_eq!(raw::read_to_end(&mut console).await, "", "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_console_says_right_behind_its_agreement_reaches_the_visitor() {
    let at_once = [AGREED, b"\x81\x05hello"].concat();
    let stage = Stage::before(Recorder::answering(move |_| at_once.clone()).await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let mut wire = stage.ways.wire(way, &ada).await;
        let answer = handshake(&mut wire, &lines_of(&ada), "/socket").await;
        assert_eq!(raw::status(&answer), 101, "{way:?}: {answer}");
        let mut frame = [0; 7];
        wire.read_exact(&mut frame).await.expect("the frame comes");
        assert_eq!(&frame, b"\x81\x05hello", "{way:?}");
    }
}
