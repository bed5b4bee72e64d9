//! Lengths, bodies and trailers.

use stagedoor_tests::http2::Frame;

use crate::case::{Case, Expected, Field, Peer, block, body, both, each, field, without};
use crate::judge::run;
use crate::stage::Stage;

/// A POST that declares lengths, and the pieces of its body.
fn post(lengths: &'static [&'static str], pieces: &'static [&'static str]) -> impl Fn(&Peer) -> Vec<Frame> {
    move |peer| {
        let lengths: Vec<Field> = lengths.iter().map(|length| field("content-length", length)).collect();
        let mut frames = vec![Frame::headers(
            1,
            peer.request("POST", "/public/x", &lengths),
            pieces.is_empty(),
        )];
        for (number, piece) in pieces.iter().enumerate() {
            frames.push(Frame::data(1, *piece, number + 1 == pieces.len()));
        }
        frames
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_is_not_that_of_the_body_never_makes_a_second_request() {
    const WRONG: &str = "C16 haproxy h2_desync_attacks";
    let cut_off = || Expected::CutOff(&[400]);
    let mut cases = vec![
        Case::frames(
            "no length",
            "C16",
            post(&[], &["abc", "de"]),
            Expected::Arrives(body("abcde")),
        ),
        Case::frames(
            "the right length",
            "C16",
            post(&["5"], &["abc", "de"]),
            Expected::Arrives(body("abcde")),
        ),
        Case::frames(
            "the right length, an empty end",
            "C16 pingora#935",
            post(&["5"], &["abcde", ""]),
            Expected::Arrives(body("abcde")),
        ),
        Case::frames(
            "no length, an empty end",
            "C16 pingora#935",
            post(&[], &["abcde", ""]),
            Expected::Arrives(body("abcde")),
        ),
        Case::frames(
            "no length, an empty body",
            "C16 pingora#935",
            post(&[], &[""]),
            Expected::Arrives(body("")),
        ),
        Case::frames(
            "length 0, an empty body",
            "C16",
            post(&["0"], &[""]),
            Expected::Arrives(body("")),
        ),
        Case::frames(
            "length 0, no body",
            "C16",
            post(&["0"], &[]),
            Expected::Arrives(body("")),
        ),
        Case::frames("too short", WRONG, post(&["9"], &["abc"]), cut_off()),
        Case::frames(
            "too short, in pieces",
            WRONG,
            post(&["9"], &["abc", "de", ""]),
            cut_off(),
        ),
        Case::frames("too long", WRONG, post(&["3"], &["abcde"]), cut_off()),
        Case::frames("too long, in pieces", WRONG, post(&["3"], &["abc", "de"]), cut_off()),
        Case::frames(
            "length 0 and a body",
            WRONG,
            post(&["0"], &["GET /admin HTTP/1.1\r\nHost: a.localhost\r\n\r\n"]),
            Expected::AtMost(1, body("")),
        ),
        Case::frames("a length and no body", WRONG, post(&["5"], &[]), cut_off()),
        Case::frames("two lengths that agree", "C01", post(&["3", "3"], &["abc"]), cut_off()),
        Case::frames(
            "two lengths that differ",
            "C01",
            post(&["3", "5"], &["abcde"]),
            cut_off(),
        ),
    ];
    for length in each(
        "¦\x20¦+5¦-5¦\x205¦5 ¦5\t¦05¦0x5¦5,5¦5, 5¦5.0¦5e0¦1_0¦five¦18446744073709551621¦99999999999999999999¦\
        4294967301¦\u{665}¦5;a¦\"5\"¦5\u{b}¦-0¦+0¦00",
    ) {
        let frames = move |peer: &Peer| {
            let head = peer.request("POST", "/public/x", &[field("content-length", length)]);
            vec![Frame::headers(1, head, false), Frame::data(1, "abcde", true)]
        };
        // Nobody but a reader of its own digits agrees on blanks around a number that HTTP/1 does not have.
        cases.push(Case::frames(format!("length {length:?}"), "C01", frames, cut_off()));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_reach_no_console_and_those_that_claim_something_least_of_all() {
    let mut cases = Vec::new();
    for (name, value) in [
        ("x-stagedoor-user", "mallory"),
        ("x_stagedoor_user", "mallory"),
        ("remote-user", "mallory"),
        ("x-forwarded-for", "mallory"),
        ("cookie", "stagedoor=mallory"),
        ("authorization", "mallory"),
        ("content-length", "7"),
        ("host", "mallory"),
        ("transfer-encoding", "chunked"),
        ("x-harmless", "mallory"),
        (":path", "/mallory"),
        (":status", "200"),
        ("connection", "mallory"),
        ("X-Upper", "mallory"),
        ("x-a", "mallory\r\nX-B: 2"),
    ] {
        let frames = move |peer: &Peer| {
            vec![
                Frame::headers(1, peer.request("POST", "/public/x", &[]), false),
                Frame::data(1, "abc", false),
                Frame::headers(1, block(&[field(name, value)]), true),
            ]
        };
        // Trailers come when the head is long on its way: they are dropped, or the request is never finished.
        let safe = Expected::AtMost(1, both(without("mallory"), body("abc")));
        cases.push(Case::frames(format!("trailer {name}: {value:?}"), "B20", frames, safe));
    }
    cases.push(Case::frames(
        "trailers that do not end the stream",
        "RFC 9113 8.1",
        |peer| {
            vec![
                Frame::headers(1, peer.request("POST", "/public/x", &[]), false),
                Frame::headers(1, block(&[field("x-a", "1")]), false),
                Frame::data(1, "abc", true),
            ]
        },
        Expected::CutOff(&[400]),
    ));
    run(&Stage::open().await, cases).await;
}
