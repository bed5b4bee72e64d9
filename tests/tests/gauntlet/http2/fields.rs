//! The other headers, which become lines of HTTP/1.

use stagedoor_tests::http2::Frame;

use super::{lone, more};
use crate::case::{BAD_REQUEST, Case, DENIED, Expected, Field, Peer, Who, anything, field, once, without};
use crate::judge::run;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_the_connection_have_no_place_in_http2() {
    let mut cases = Vec::new();
    for (name, value) in [
        ("connection", "close"),
        ("connection", "keep-alive"),
        ("connection", "x-stagedoor-user"),
        ("connection", "host, cookie"),
        ("connection", "upgrade"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("transfer-encoding", "gzip, chunked"),
        ("transfer-encoding", ""),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
        ("te", "chunked"),
        ("te", "trailers;q=0.5"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABk"),
    ] {
        let safe = if name == "http2-settings" {
            Expected::RefusedOr(&[400], without("http2-settings"))
        } else {
            BAD_REQUEST
        };
        cases.push(more(
            &format!("{name}: {value}"),
            "ASVS 4.2.3",
            vec![field(name, value)],
            safe,
        ));
    }
    cases.push(more(
        "te: trailers",
        "RFC 9113 8.2.2",
        vec![field("te", "trailers")],
        Expected::RefusedOr(&[400], anything()),
    ));
    for body in [
        "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.localhost\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "",
    ] {
        let smuggle = move |peer: &Peer| {
            let head = peer.request("POST", "/public/x", &[field("transfer-encoding", "chunked")]);
            vec![Frame::headers(1, head, false), Frame::data(1, body, true)]
        };
        cases.push(Case::frames(
            format!("TE over HTTP/2, body {body:?}"),
            "C04 H2.TE",
            smuggle,
            BAD_REQUEST,
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_or_value_that_would_be_several_lines_of_http1_is_refused() {
    let mut cases = Vec::new();
    for byte in 0..=255_u8 {
        let harmless = byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let name = [b"x", &[byte][..], b"y"].concat();
        let safe = if harmless {
            Expected::Arrives(anything())
        } else {
            BAD_REQUEST
        };
        cases.push(more(
            &format!("byte {byte:#04x} in a name"),
            "ASVS 4.2.4",
            vec![field(&name, "1")],
            safe,
        ));
        for (place, value) in [
            ("at the beginning of", vec![byte, b'b']),
            ("in", vec![b'a', byte, b'b']),
            ("at the end of", vec![b'a', byte]),
        ] {
            let safe = match byte {
                // A blank at an edge is no part of the value in HTTP/1.
                b' ' | b'\t' | 0x80.. => Expected::RefusedOr(&[400], anything()),
                0x21..=b'~' => Expected::Arrives(anything()),
                _ => BAD_REQUEST,
            };
            cases.push(more(
                &format!("byte {byte:#04x} {place} a value"),
                "ASVS 4.2.4",
                vec![field("x-a", value)],
                safe,
            ));
        }
    }
    for (name, value) in [
        ("", "1"),
        (" ", "1"),
        ("x-a: b\r\nx-b", "1"),
        ("x-a\r\n", "1"),
        ("x-a", "1\r\nX-Stagedoor-User: alice"),
        ("x-a", "1\nX-B: 2"),
        ("x-a", "1\rX-B: 2"),
        ("x-a", "\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.localhost"),
        ("X-A", "1"),
        ("Host", "b.localhost"),
        ("x-a ", "1"),
        (" x-a", "1"),
        ("x-a:", "1"),
        ("x\u{212a}", "1"),
        ("content-length ", "5"),
        ("Content-Length", "5"),
        ("cookie", "a=1\r\nX-B: 2"),
        ("user-agent", "a\0b"),
    ] {
        cases.push(more(
            &format!("{name:?}: {value:?}"),
            "C10",
            vec![field(name, value)],
            BAD_REQUEST,
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_in_crumbs_are_one_line_and_two_sessions_are_none() {
    let crumbs = |crumbs: &'static [&'static str]| {
        move |peer: &Peer| {
            let crumbs: Vec<Field> = crumbs.iter().map(|crumb| field("cookie", crumb)).collect();
            lone(peer.get("/app/x", &crumbs))
        }
    };
    let ours = |peer: &Peer| peer.cookie.clone().unwrap_or_default();
    let cases = vec![
        Case::frames(
            "crumbs of the console's",
            "B16 pingora#892",
            crumbs(&["a=1", "b=2"]),
            Expected::Arrives(once("cookie", "a=1; b=2")),
        )
        .by(Who::Bob),
        Case::frames(
            "an empty crumb",
            "B16",
            crumbs(&["", "a=1"]),
            Expected::RefusedOr(&[400, 401], once("cookie", "a=1")),
        )
        .by(Who::Bob),
        Case::frames(
            "no crumb but ours",
            "B16",
            crumbs(&[]),
            Expected::Arrives(without("cookie")),
        )
        .by(Who::Bob),
        Case::frames(
            "an own session and an evil one",
            "B16",
            crumbs(&["__Host-stagedoor=evil", "stagedoor=evil"]),
            DENIED,
        )
        .by(Who::Bob),
        Case::frames(
            "the same session twice",
            "B16",
            move |peer| lone(peer.get("/app/x", &[field("cookie", ours(peer))])),
            DENIED,
        )
        .by(Who::Bob),
        Case::frames(
            "the session cut in two crumbs",
            "B16",
            move |peer| {
                let cookie = ours(peer);
                let (first, second) = cookie.split_at(cookie.len() / 2);
                let bare = Peer {
                    cookie: None,
                    ..peer.clone()
                };
                lone(bare.get("/app/x", &[field("cookie", first), field("cookie", second)]))
            },
            DENIED,
        )
        .by(Who::Bob),
    ];
    run(&Stage::open().await, cases).await;
}
