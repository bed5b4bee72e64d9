//! H08: who does not finish what he began. The door waits as long as its settings say and no longer; what the visitor waits
//! for here is the door's own answer.

use stagedoor_tests::http2::Frame;
use stagedoor_tests::{Way, raw};
use tokio::io::AsyncWriteExt as _;

use crate::case::{Case, Expected, Peer};
use crate::judge::run;
use crate::stage::Stage;

/// Short, so that the test is; long enough for an honest request on a busy machine.
const DEADLINES: &str =
    "[limits]\nheader_deadline = \"3s\"\nbody_deadline = \"3s\"\nhandshake_deadline = \"3s\"\nkeepalive = \"3s\"\n";
const TOO_SLOW: Expected = Expected::Refused(&[408]);

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_finish_a_head_is_told_so_and_let_go() {
    let begun = |bytes: &str| Case::bytes(format!("{bytes:?} and no more"), "H07 pingora#447", bytes, TOO_SLOW);
    let headers = |peer: &Peer| vec![Frame::headers_begun(1, peer.get("/public/x", &[]), true)];
    let cases = vec![
        begun("GET /pub"),
        begun("GET /public/x HTTP/1.1\r\n<HOST>"),
        begun("GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n\r").on_a_used_connection(),
        Case::frames("HEADERS without their end", "H02", headers, Expected::Ended),
        Case::frames("no request", "H07", |_| Vec::new(), Expected::Ended),
        Case::frames("PING alone", "H07", |_| vec![Frame::ping()], Expected::Ended),
    ];
    run(&Stage::with(DEADLINES).await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_finish_a_body_is_let_go_and_the_console_never_has_a_whole_request() {
    let cut_off = || Expected::CutOff(&[408]);
    let post = |lines: &str| format!("POST /public/x HTTP/1.1\r\n<HOST>{lines}\r\n\r\n3\r\na");
    let cases = vec![
        Case::bytes("half a body", "H08", post("Content-Length: 500"), cut_off()),
        Case::bytes("half a chunk", "H08", post("Transfer-Encoding: chunked"), cut_off()),
        Case::frames(
            "half a body in frames",
            "H08",
            |peer| {
                vec![
                    Frame::headers(1, peer.request("POST", "/public/x", &[]), false),
                    Frame::data(1, "a", false),
                ]
            },
            cut_off(),
        ),
        Case::frames(
            "no body",
            "H08",
            |peer| vec![Frame::headers(1, peer.request("POST", "/public/x", &[]), false)],
            cut_off(),
        ),
    ];
    run(&Stage::with(DEADLINES).await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_nothing_is_let_go_by_every_listener() {
    let stage = Stage::with(DEADLINES).await;
    let door = &stage.ways.door;
    let in_clear = door.visitor("a").connect().await;
    let before_tls = stage.ways.visitor(Way::Http1InTls, "a").connect().await;
    let in_tls = stage.ways.visitor(Way::Http1InTls, "a").connect_tls().await;
    let mut half_a_hello = stage.ways.visitor(Way::Http1InTls, "a").connect().await;
    half_a_hello
        .write_all(b"\x16\x03\x01\x02\x00\x01")
        .await
        .expect("it is open");
    let nothing = std::iter::empty;
    let (clear, tcp, hello, tls) = tokio::join!(
        raw::hear(in_clear, nothing(), false),
        raw::hear(before_tls, nothing(), false),
        raw::hear(half_a_hello, nothing(), false),
        raw::hear(in_tls, nothing(), false),
    );
    for (name, heard) in [
        ("in clear", clear),
        ("before TLS", tcp),
        ("half a hello", hello),
        ("in TLS", tls),
    ] {
        assert!(
            heard.closed,
            "{name}: still open after {:?}",
            String::from_utf8_lossy(&heard.bytes)
        );
    }
    assert_eq!(stage.console.bytes(), 0);
    door.visitor("a").get("/public/x").await.expect(200);
}
