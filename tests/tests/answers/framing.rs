//! Answers that are none, or more than one.

use super::*;

/// Each under a path of its own: nothing of these may be passed on.
fn none_of_these() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let with = |headers: &str| bytes(&format!("HTTP/1.1 200 OK\r\n{headers}\r\nhello"));
    vec![
        (
            "/switch",
            bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        ),
        (
            "/switch-late",
            bytes("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\nhello"),
        ),
        ("/twice", with("Content-Length: 5\r\nContent-Length: 5\r\n")),
        ("/differing", with("Content-Length: 5\r\nContent-Length: 6\r\n")),
        ("/listed", with("Content-Length: 5, 5\r\n")),
        ("/signed", with("Content-Length: +5\r\n")),
        ("/hex", with("Content-Length: 0x5\r\n")),
        ("/no-length", with("Content-Length: \r\n")),
        ("/huge", with("Content-Length: 99999999999999999999999\r\n")),
        ("/coding-list", with("Transfer-Encoding: gzip, chunked\r\n")),
        (
            "/coding-twice",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "/coding-and-length",
            bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "/length-and-coding",
            bytes("HTTP/1.1 200 OK\r\nContent-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ),
        ("/chunk-blank", with("Transfer-Encoding: chunked\r\n\r\n5 \r\n")),
        ("/chunk-line-feed", with("Transfer-Encoding: chunked\r\n\r\n5\n")),
        ("/chunk-hex", with("Transfer-Encoding: chunked\r\n\r\n0x5\r\n")),
        ("/folded", with("Name: a\r\n b\r\nContent-Length: 5\r\n")),
        ("/name-blank-colon", with("Content-Length : 5\r\n")),
        ("/line-feed", with("Name: a\nSet-Cookie: b=1\r\nContent-Length: 5\r\n")),
        ("/coding-odd", with("Transfer-Encoding: xchunked\r\n")),
        ("/coding-identity", with("Transfer-Encoding: identity\r\n")),
        ("/coding-parameter", with("Transfer-Encoding: chunked;q=1\r\n")),
        (
            "/coding-old",
            bytes("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "/empty-with-length",
            bytes("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (
            "/empty-in-chunks",
            bytes("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "/interim-with-length",
            bytes("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (
            "/status-words",
            bytes("HTTP/1.1 OK 200\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (
            "/status-short",
            bytes("HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (
            "/status-beyond",
            bytes("HTTP/1.1 600 Beyond\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (
            "/status-version",
            bytes("HTTP/3.7 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        ("/status-none", bytes("ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello")),
        ("/name-blank", with("Na me: x\r\nContent-Length: 5\r\n")),
        ("/name-empty", with(": x\r\nContent-Length: 5\r\n")),
        ("/name-bytes", with("Na\u{e9}(me: x\r\nContent-Length: 5\r\n")),
        ("/no-colon", with("Name\r\nContent-Length: 5\r\n")),
        ("/value-nul", with("Name: a\0b\r\nContent-Length: 5\r\n")),
        (
            "/value-return",
            with("Name: a\rSet-Cookie: b=1\r\nContent-Length: 5\r\n"),
        ),
        (
            "/header-bytes",
            with(&format!("Name: {}\r\nContent-Length: 5\r\n", "x".repeat(70 * 1024))),
        ),
        (
            "/header-megabyte",
            with(&"Name: 0123456789012345678901234567890123456789\r\n".repeat(30_000)),
        ),
        (
            "/header-count",
            with(&format!("{}Content-Length: 5\r\n", "a: 1\r\n".repeat(201))),
        ),
        (
            "/interim-flood",
            bytes(&format!(
                "{}{}",
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000),
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
            )),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_is_a_502_and_its_connection_is_not_used_again() {
    for (stage, way) in stages(|| by_path(none_of_these())).await {
        let ada = stage.visitor(way, "ada").await;
        for (path, _) in none_of_these() {
            let answer = ada.get(path).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_GATEWAY,
                "{way:?} {path}: {}",
                answer.text()
            );
            assert!(!answer.text().contains("hello"), "{way:?} {path}");
            assert!(
                answer.json()["support_code"].is_string(),
                "{way:?} {path}: {}",
                answer.text()
            );
            let bad = stage.console.last().connection;
            let next = ada.get("/fine").await.expect(200);
            assert_eq!(next.text(), "fine", "{way:?} {path}");
            assert_ne!(stage.console.last().connection, bad, "{way:?} {path}: used again");
        }
    }
}

const SMUGGLED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";

/// Answers with more behind them than they announced.
fn more_than_announced() -> Vec<(&'static str, Vec<u8>)> {
    let with = |start: &str| format!("HTTP/1.1 {start}{SMUGGLED}").into_bytes();
    vec![
        ("/length", with("200 OK\r\nContent-Length: 2\r\n\r\nok")),
        ("/nothing", with("200 OK\r\nContent-Length: 0\r\n\r\n")),
        (
            "/chunks",
            with("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        ),
        (
            "/chunks-trailer",
            with("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"),
        ),
        ("/empty", with("204 No Content\r\n\r\n")),
        ("/unchanged", with("304 Not Modified\r\nETag: \"1\"\r\n\r\n")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_bytes_behind_it_is_a_502_and_its_connection_is_not_used_again() {
    for (stage, way) in stages(|| by_path(more_than_announced())).await {
        let (ada, bob) = (stage.visitor(way, "ada").await, stage.visitor(way, "bob").await);
        for (path, _) in more_than_announced() {
            let answer = ada.get(path).await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{way:?} {path}");
            assert!(!answer.text().contains("smuggled"), "{way:?} {path}");
            let bad = stage.console.last().connection;
            assert_eq!(bob.get("/fine").await.expect(200).text(), "fine", "{way:?} {path}");
            assert_ne!(stage.console.last().connection, bad, "{way:?} {path}: used again");
        }
        let head = Request::head("/fine").body(body_of("")).expect("a request");
        assert_eq!(
            ada.send(head).await.status,
            StatusCode::BAD_GATEWAY,
            "{way:?}: a body for a HEAD"
        );
        assert_eq!(bob.get("/fine").await.expect(200).text(), "fine", "{way:?}");
    }
}

/// Too long to come along with its head.
const LONG: usize = 300_000;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_an_answer_that_has_begun_reach_nobody_and_end_its_connection() {
    let body = "x".repeat(LONG);
    let with = |start: &str, end: &str| format!("HTTP/1.1 200 OK\r\n{start}\r\n{body}{end}{SMUGGLED}").into_bytes();
    let answers = vec![
        ("/length", with(&format!("Content-Length: {LONG}\r\n"), "")),
        (
            "/chunks",
            with(
                &format!("Transfer-Encoding: chunked\r\n\r\n{LONG:x}"),
                "\r\n0\r\nX-Stagedoor-User: root\r\nSet-Cookie: stagedoor=1\r\n\r\n",
            ),
        ),
    ];
    for (stage, way) in stages(|| by_path(answers.clone())).await {
        let (ada, bob) = (stage.visitor(way, "ada").await, stage.visitor(way, "bob").await);
        for path in ["/length", "/chunks"] {
            let answer = ada.get(path).await.expect(200);
            assert_eq!(answer.text(), body, "{way:?} {path}");
            assert_eq!(answer.header("x-stagedoor-user"), None, "{way:?} {path}");
            let bad = stage.console.last().connection;
            assert_eq!(bob.get("/fine").await.expect(200).text(), "fine", "{way:?} {path}");
            assert_ne!(stage.console.last().connection, bad, "{way:?} {path}: used again");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_answers_are_whole_is_used_again() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nfine\r\n0\r\nX: y\r\n\r\n";
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    let answers = vec![
        ("/chunks", chunks.as_bytes().to_vec()),
        ("/interim", interim.as_bytes().to_vec()),
        ("/empty", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        (
            "/unchanged",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n".to_vec(),
        ),
        (
            "/long",
            format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n{}", "x".repeat(LONG)).into_bytes(),
        ),
    ];
    for (stage, way) in stages(|| by_path(answers.clone())).await {
        let ada = stage.visitor(way, "ada").await;
        for path in ["/chunks", "/interim", "/empty", "/unchanged", "/long", "/fine"] {
            // The connection goes back a moment after the visitor has the answer.
            let used_again = async || {
                let answer = ada.get(path).await;
                assert!(answer.status.is_success() || path == "/unchanged", "{way:?} {path}");
                let connection = stage.console.last().connection;
                ada.post("/fine", "a body").await.expect(200);
                (stage.console.last().connection == connection).then_some(())
            };
            soon(&format!("{path} leaves a connection that is used again"), used_again).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_closes_after_each_answer_without_saying_so_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let console = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                raw::read_head(&mut stream).await;
                stream.write_all(FINE).await.expect("it is open");
            });
        }
    });
    let plan = Door::plan().site("console", &url).policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    let nobody = ways.visitor(Way::Http1, "console");
    for _ in 0..100 {
        assert_eq!(nobody.get("/open/page").await.expect(200).text(), "fine");
    }
    console.abort();
}
