//! H: too much of anything. It is refused or ended in bounded time, nothing of it reaches a console, and the next visitor
//! does not notice. Floods are bounded, and go to this machine alone.

use stagedoor_tests::http2::{Frame, kind};

use crate::case::{Ask, Case, Expected, Peer, anything, body, both, target, without};
use crate::judge::run;
use crate::stage::Stage;

/// Frames in a flood: far more than any client has reason to send, and a second's work at most.
const FLOOD: usize = 20_000;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The head is larger than the door takes.
const TOO_LARGE: Expected = Expected::Refused(&[431]);
/// So much is refused before it is read to its end.
const FAR_TOO_LARGE: Expected = Expected::Refused(&[400, 431]);

fn with_headers(count: usize, value: &str) -> Ask {
    (0..count).fold(Ask::get("/public/x"), |ask, number| {
        ask.with(format!("x-{number}"), value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_a_limit_in_bytes_and_in_lines_by_every_way() {
    let long = |bytes: usize| "x".repeat(bytes);
    let mut cases = vec![
        Case::ask(
            "80 headers",
            "H10",
            with_headers(80, "1"),
            Expected::Arrives(anything()),
        ),
        Case::ask("130 headers", "H10", with_headers(130, "1"), TOO_LARGE),
        Case::ask("260 headers", "H10", with_headers(260, "1"), FAR_TOO_LARGE),
        Case::ask("2000 headers", "H10", with_headers(2000, "1"), FAR_TOO_LARGE),
        Case::ask("20000 headers", "H10", with_headers(20_000, "1"), FAR_TOO_LARGE),
        Case::ask(
            "70 headers of 1 KiB",
            "H10 B22",
            with_headers(70, &long(KIB)),
            TOO_LARGE,
        ),
    ];
    for kib in [70, 200, 900, 2 * KIB, 5 * KIB] {
        let limit = || if kib < 100 { TOO_LARGE } else { FAR_TOO_LARGE };
        let value = Ask::get("/public/x").with("x-a", long(kib * KIB));
        cases.push(Case::ask(
            format!("a value of {kib} KiB"),
            "H10 pingora#993",
            value,
            limit(),
        ));
        let name = Ask::get("/public/x").with(long(kib * KIB), "1");
        cases.push(Case::ask(format!("a name of {kib} KiB"), "H10", name, FAR_TOO_LARGE));
        let cookie = Ask::get("/public/x").with("cookie", format!("a={}", long(kib * KIB)));
        cases.push(Case::ask(format!("a cookie of {kib} KiB"), "D18", cookie, limit()));
    }
    for kib in [5, 20, 70, 900, 2 * KIB] {
        let too_long = || Expected::Refused(&[400, 414, 431]);
        let path = Ask::get(format!("/public/{}", long(kib * KIB)));
        cases.push(Case::ask(format!("a path of {kib} KiB"), "H16", path, too_long()));
        let deep = Ask::get(format!("/public{}", "/a".repeat(kib * KIB / 2)));
        cases.push(Case::ask(
            format!("{} segments", kib * KIB / 2),
            "H16 CVE-2026-56860",
            deep,
            too_long(),
        ));
        if kib > 16 {
            let query = Ask::get(format!("/public/x?{}", long(kib * KIB)));
            cases.push(Case::ask(format!("a query of {kib} KiB"), "H16", query, too_long()));
        }
        let method = Ask::new("G".repeat(kib * KIB), "/public/x");
        cases.push(Case::ask(
            format!("a method of {kib} KiB"),
            "H16",
            method,
            Expected::Refused(&[400, 405, 414, 431, 501]),
        ));
    }
    run(&Stage::with("[limits]\nheader_count_max = 100\n").await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_lines_and_lines_without_an_end_are_not_read_for_ever() {
    let filler = |text: &str, bytes: usize| text.repeat(bytes / text.len());
    let mut cases = Vec::new();
    for (name, text) in [
        ("empty lines", "\r\n"),
        ("line feeds", "\n"),
        ("blanks", " "),
        ("NULs", "\0"),
        ("letters", "a"),
    ] {
        let bytes = format!("{}GET /public/x HTTP/1.1\r\n<HOST>\r\n", filler(text, 2 * MIB));
        cases.push(Case::bytes(
            format!("2 MiB of {name} first"),
            "H10",
            bytes,
            Expected::Refused(&[400, 405, 414, 431]),
        ));
    }
    for (name, line) in [
        ("folded lines", " a\r\n"),
        ("headers without a name", ": a\r\n"),
        ("headers", "a: b\r\n"),
    ] {
        let bytes = format!(
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n{}\r\n",
            filler(line, 2 * MIB)
        );
        cases.push(Case::bytes(format!("2 MiB of {name}"), "H10", bytes, FAR_TOO_LARGE));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_a_limit_however_it_is_framed() {
    let chunked = |body: &str| format!("POST /public/x HTTP/1.1\r\n<HOST>Transfer-Encoding: chunked\r\n\r\n{body}");
    let long = "x".repeat(64 * KIB);
    let one_by_one = "1\r\nx\r\n".repeat(100 * KIB);
    let mut cases = vec![
        Case::ask(
            "2 MiB and their length",
            "H08",
            Ask::new("POST", "/public/x").body("x".repeat(2 * MIB)),
            Expected::CutOff(&[413]),
        ),
        Case::bytes(
            "2 MiB in chunks",
            "H08",
            chunked(&format!("10000\r\n{long}\r\n").repeat(32)),
            Expected::CutOff(&[413]),
        ),
        Case::bytes(
            "100 KiB in chunks of one byte",
            "H08",
            chunked(&format!("{one_by_one}0\r\n\r\n")),
            Expected::AtMost(1, anything()),
        ),
        Case::bytes(
            "an extension of 1 MiB",
            "C08 CVE-2023-39326",
            chunked(&format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(MIB))),
            Expected::CutOff(&[400]),
        ),
        Case::bytes(
            "a size of 1 MiB of zeros",
            "C08",
            chunked(&format!("{}3\r\nabc\r\n0\r\n\r\n", "0".repeat(MIB))),
            Expected::CutOff(&[400]),
        ),
    ];
    let trailers = format!("3\r\nabc\r\n0\r\n{}\r\n", "X-A: mallory\r\n".repeat(100_000));
    let dropped = Expected::AtMost(1, both(without("mallory"), body("abc")));
    cases.push(Case::bytes("1 MiB of trailers", "B20", chunked(&trailers), dropped).then_end());
    let in_frames = |peer: &Peer| {
        let mut frames = vec![Frame::headers(1, peer.request("POST", "/public/x", &[]), false)];
        frames.extend((0..3).map(|number| Frame::data(1, vec![b'x'; 16 * KIB], number == 2)));
        frames
    };
    cases.push(Case::frames(
        "48 KiB in frames",
        "H08",
        in_frames,
        Expected::Arrives(anything()),
    ));
    run(&Stage::open().await, cases).await;
}

/// Frames behind a request that is open, and then its end.
fn flood(frame: impl Fn(usize) -> Frame + 'static) -> impl Fn(&Peer) -> Vec<Frame> {
    move |peer| {
        let mut frames: Vec<Frame> = (0..FLOOD).map(&frame).collect();
        frames.push(Frame::headers(1, peer.get("/public/x", &[]), true));
        frames
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_that_have_to_be_answered_ends_the_connection() {
    let odd = |number: usize| u32::try_from(2 * number + 1).expect("a stream");
    let cases = vec![
        Case::frames("PING", "H06 CVE-2019-9512", flood(|_| Frame::ping()), Expected::Ended),
        Case::frames(
            "SETTINGS",
            "H06 CVE-2019-9515",
            flood(|_| Frame::settings(&[(4, 65_535)])),
            Expected::Ended,
        ),
        Case::frames(
            "empty SETTINGS",
            "H06 CVE-2019-9515",
            flood(|_| Frame::settings(&[])),
            Expected::Ended,
        ),
        Case::frames(
            "requests reset at once",
            "CVE-2023-44487",
            move |peer| {
                let request = peer.get("/unknown", &[]);
                let both = |number| {
                    [
                        Frame::headers(odd(number), request.clone(), true),
                        Frame::reset(odd(number)),
                    ]
                };
                (1..2_000).flat_map(both).collect()
            },
            Expected::Ended,
        ),
        Case::frames(
            "malformed requests",
            "CVE-2019-9514 CVE-2025-8671",
            move |peer| {
                let request = peer.get("/unknown", &[crate::case::field("connection", "x")]);
                (1..2_000)
                    .map(|number| Frame::headers(odd(number), request.clone(), true))
                    .collect()
            },
            Expected::Ended,
        ),
        Case::frames(
            "windows that make the door reset",
            "CVE-2025-8671",
            move |peer| {
                let request = peer.get("/unknown", &[]);
                let both = |number| {
                    [
                        Frame::headers(odd(number), request.clone(), false),
                        Frame::window_update(odd(number), 0),
                    ]
                };
                (1..2_000).flat_map(both).collect()
            },
            Expected::Ended,
        ),
    ];
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_that_mean_nothing_is_ended_or_borne() {
    let borne = || Expected::AtMost(1, target("/public/x"));
    let cases = vec![
        Case::frames(
            "PRIORITY",
            "CVE-2019-9513",
            flood(|number| Frame::priority(u32::try_from(2 * number + 3).unwrap_or(3), 0)),
            borne(),
        ),
        Case::frames("WINDOW_UPDATE", "H06", flood(|_| Frame::window_update(0, 1)), borne()),
        Case::frames(
            "frames of an unknown kind",
            "H06",
            flood(|_| Frame::new(200, 0, 0, Vec::new())),
            borne(),
        ),
        Case::frames(
            "acknowledgements",
            "H06",
            flood(|_| Frame::new(kind::SETTINGS, 1, 0, Vec::new())),
            borne(),
        ),
        Case::frames(
            "answers to PING",
            "H06",
            flood(|_| Frame::new(kind::PING, 1, 0, vec![7; 8])),
            borne(),
        ),
    ];
    run(&Stage::open().await, cases).await;
}

/// A request whose block goes on in so many pieces.
fn pieces(count: usize, piece: Vec<u8>, end: bool) -> impl Fn(&Peer) -> Vec<Frame> {
    move |peer| {
        let mut frames = vec![Frame::headers_begun(1, peer.get("/public/x", &[]), true)];
        frames.extend((0..count).map(|number| Frame::continuation(1, piece.clone(), end && number + 1 == count)));
        frames
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_http2_has_a_limit_in_frames_and_once_unpacked() {
    let field = crate::case::block(&[crate::case::field("x-a", "x".repeat(15 * KIB))]);
    let cases = vec![
        Case::frames(
            "empty CONTINUATION",
            "H02 RUSTSEC-2024-0332",
            pieces(FLOOD, Vec::new(), true),
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "CONTINUATION of one byte",
            "H02",
            pieces(FLOOD, vec![0x20], true),
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "CONTINUATION without end",
            "H02",
            pieces(200, field.clone(), false),
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "1.5 MiB in CONTINUATION",
            "H02",
            pieces(100, field, true),
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "a bomb of references",
            "CVE-2016-6581",
            |peer| {
                let value = [&[0x40, 3][..], b"x-a", &[0x7f, 0xa1, 0x1e], &[b'x'; 4000]].concat();
                let block = [&peer.get("/public/x", &[])[..], &value, &[0xbe; 8000]].concat();
                vec![Frame::headers(1, block, true)]
            },
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "crumbs of cookies",
            "CVE-2019-9516",
            |peer| {
                let block = [peer.get("/public/x", &[]), [0xa0].repeat(8000)].concat();
                vec![Frame::headers(1, block, true)]
            },
            FAR_TOO_LARGE,
        ),
        Case::frames(
            "empty DATA",
            "H04 RUSTSEC-2026-0258",
            |peer| {
                let mut frames = vec![Frame::headers(1, peer.request("POST", "/public/x", &[]), false)];
                frames.extend((0..FLOOD).map(|_| Frame::data(1, Vec::new(), false)));
                frames
            },
            Expected::CutOff(&[400]),
        ),
    ];
    run(&Stage::open().await, cases).await;
}
