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
    let console = Recorder::answering(by_path(none_of_these())).await;
    let stage = Stage::before(console, "", |plan| plan).await;
    for way in Way::ALL {
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

/// Answers with more behind them than they announced, and what a visitor may get of each.
fn more_than_announced() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with = |start: &str| format!("HTTP/1.1 {start}{SMUGGLED}").into_bytes();
    vec![
        ("/length", with("200 OK\r\nContent-Length: 2\r\n\r\nok"), "ok"),
        ("/nothing", with("200 OK\r\nContent-Length: 0\r\n\r\n"), ""),
        (
            "/chunks",
            with("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            "ok",
        ),
        (
            "/chunks-trailer",
            with(
                "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Stagedoor-User: root\r\nSet-Cookie: stagedoor=1\r\n\r\n",
            ),
            "ok",
        ),
        (
            "/chunks-and-length",
            with("200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 200\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            "ok",
        ),
        ("/empty", with("204 No Content\r\n\r\n"), ""),
        ("/unchanged", with("304 Not Modified\r\nETag: \"1\"\r\n\r\n"), ""),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_an_answer_reach_nobody_and_end_its_connection() {
    let answers = more_than_announced();
    let told = answers
        .iter()
        .map(|(path, answer, _)| (*path, answer.clone()))
        .collect();
    let stage = Stage::before(Recorder::answering(by_path(told)).await, "", |plan| plan).await;
    for way in Way::ALL {
        let (ada, bob) = (stage.visitor(way, "ada").await, stage.visitor(way, "bob").await);
        for (path, _, body) in &answers {
            let answer = ada.get(path).await;
            assert!(
                answer.text() == *body || answer.status == StatusCode::BAD_GATEWAY,
                "{way:?} {path}: {} {:?}",
                answer.status,
                answer.text()
            );
            assert_eq!(answer.header("x-stagedoor-user"), None, "{way:?} {path}");
            let bad = stage.console.last().connection;
            assert_eq!(bob.get("/fine").await.expect(200).text(), "fine", "{way:?} {path}");
            assert_ne!(stage.console.last().connection, bad, "{way:?} {path}: used again");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_behind_the_answer_to_a_head_request_reaches_nobody() {
    let stage = Stage::before(Recorder::answering(by_path(Vec::new())).await, "", |plan| plan).await;
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let request = format!("HEAD /page HTTP/1.1\r\n{}Connection: close\r\n\r\n", lines_of(&ada));
        let answer = raw::exchange_over(stage.ways.wire(way, &ada).await, request).await;
        assert!(answer.ends_with("\r\n\r\n"), "{way:?}: {answer}");
        let bad = stage.console.last().connection;
        assert_eq!(ada.get("/fine").await.expect(200).text(), "fine", "{way:?}");
        assert_ne!(stage.console.last().connection, bad, "{way:?}: used again");
    }
}
