//! Frames where they should not be.

use stagedoor_tests::http2::{Frame, indexed, kind};

use crate::case::{Ask, BAD_REQUEST, Case, Expected, Peer, Who, anything, body, both, once, target};
use crate::judge::run;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn frames_out_of_order_end_the_connection_before_anything_is_asked() {
    let mut cases = Vec::new();
    let mut case = |name: &str, frames: fn(&Peer) -> Vec<Frame>| {
        cases.push(Case::frames(name, "RFC 9113 5, 6", frames, BAD_REQUEST));
    };
    let get = |peer: &Peer| peer.get("/public/x", &[]);
    case("DATA before HEADERS", |_| vec![Frame::data(1, "abc", true)]);
    case("HEADERS on stream 0", |peer| {
        vec![Frame::headers(0, peer.get("/public/x", &[]), true)]
    });
    case("CONTINUATION alone", |peer| {
        vec![Frame::continuation(1, peer.get("/public/x", &[]), true)]
    });
    case("PING between HEADERS and CONTINUATION", |peer| {
        let block = peer.get("/public/x", &[]);
        vec![
            Frame::headers_begun(1, block, true),
            Frame::ping(),
            Frame::continuation(1, Vec::new(), true),
        ]
    });
    case("CONTINUATION of another stream", |peer| {
        vec![
            Frame::headers_begun(1, peer.get("/public/x", &[]), true),
            Frame::continuation(3, Vec::new(), true),
        ]
    });
    case("a block cut within a field", |peer| {
        let mut block = peer.get("/public/x", &[]);
        block.truncate(block.len() - 3);
        vec![Frame::headers(1, block, true)]
    });
    case("a place of the table that is not there", |_| {
        vec![Frame::headers(1, indexed(70), true)]
    });
    case("place 0 of the table", |_| vec![Frame::headers(1, indexed(0), true)]);
    case("an integer without end", |_| {
        vec![Frame::headers(1, [&[0x7f][..], &[0xff; 64]].concat(), true)]
    });
    case("a table larger than allowed", |peer| {
        let block = [&[0x3f, 0xff, 0xff, 0xff, 0x7f][..], &peer.get("/public/x", &[])].concat();
        vec![Frame::headers(1, block, true)]
    });
    case("a Huffman code that does not end", |_| {
        vec![Frame::headers(1, vec![0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, b'x'], true)]
    });
    case("padding longer than the frame", |peer| {
        let block = [&[0xff][..], &peer.get("/public/x", &[])[..40]].concat();
        vec![Frame::new(kind::HEADERS, 0x0d, 1, block)]
    });
    case("SETTINGS of seven bytes", |_| {
        vec![Frame::new(kind::SETTINGS, 0, 0, vec![0; 7])]
    });
    case("SETTINGS on a stream", |_| {
        vec![Frame::new(kind::SETTINGS, 0, 1, Vec::new())]
    });
    case("SETTINGS with a window that is too large", |_| {
        vec![Frame::settings(&[(4, 0x8000_0000)])]
    });
    case("SETTINGS with frames that are too small", |_| {
        vec![Frame::settings(&[(5, 1)])]
    });
    case("SETTINGS that push is 2", |_| vec![Frame::settings(&[(2, 2)])]);
    case("an acknowledgement with a payload", |_| {
        vec![Frame::new(kind::SETTINGS, 1, 0, vec![0; 6])]
    });
    case("PING of seven bytes", |_| {
        vec![Frame::new(kind::PING, 0, 0, vec![0; 7])]
    });
    case("PING on a stream", |_| vec![Frame::new(kind::PING, 0, 1, vec![0; 8])]);
    case("PUSH_PROMISE by a client", |peer| {
        vec![Frame::new(kind::PUSH_PROMISE, 4, 1, peer.get("/public/x", &[]))]
    });
    case("an even stream", |peer| {
        vec![Frame::headers(2, peer.get("/public/x", &[]), true)]
    });
    case("RST_STREAM on a stream that is not there", |_| vec![Frame::reset(1)]);
    case("WINDOW_UPDATE by nothing", |_| vec![Frame::window_update(0, 0)]);
    case("WINDOW_UPDATE past the end", |_| {
        vec![
            Frame::window_update(0, 0x7fff_ffff),
            Frame::window_update(0, 0x7fff_ffff),
        ]
    });
    case("GOAWAY on a stream", |_| {
        vec![Frame::new(kind::GOAWAY, 0, 1, vec![0; 8])]
    });
    case("HEADERS that wait for themselves", |peer| {
        let block = [&[0, 0, 0, 1, 16][..], &peer.get("/public/x", &[])].concat();
        vec![Frame::new(kind::HEADERS, 0x25, 1, block)]
    });
    case("a frame longer than allowed", |_| {
        vec![Frame::data(1, vec![0; 20_000], false)]
    });
    case("DATA behind the end of a stream", |peer| {
        vec![
            Frame::headers(1, peer.get("/unknown", &[]), true),
            Frame::data(1, "abc", true),
        ]
    });
    let in_pieces = move |peer: &Peer| {
        let block = get(peer);
        let (first, rest) = block.split_at(7);
        let mut frames = vec![Frame::headers_begun(1, first.to_vec(), true)];
        frames.extend(
            rest.iter()
                .map(|byte| Frame::continuation(1, vec![*byte], false))
                .take(8),
        );
        frames.push(Frame::continuation(1, rest[8..].to_vec(), true));
        frames
    };
    cases.push(Case::frames(
        "a block in ten pieces",
        "H02",
        in_pieces,
        Expected::RefusedOr(&[400], target("/public/x")),
    ));
    let unknown = |peer: &Peer| {
        vec![
            Frame::new(77, 255, 0, vec![1; 100]),
            Frame::headers(1, peer.get("/public/x", &[]), true),
        ]
    };
    cases.push(Case::frames(
        "a kind of frame nobody knows",
        "RFC 9113 4.1",
        unknown,
        Expected::Arrives(target("/public/x")),
    ));
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reset_right_behind_its_head_harms_nobody() {
    let harmless = || Expected::AtMost(1, anything());
    let cases = vec![
        Case::frames(
            "reset at once",
            "CVE-2023-44487",
            |peer| {
                let get = peer.get("/public/x", &[]);
                vec![
                    Frame::headers(1, get, true),
                    Frame::reset(1),
                    Frame::data(1, "abc", true),
                ]
            },
            harmless(),
        ),
        Case::frames(
            "two requests, the first of which is denied",
            "C24",
            |peer| {
                vec![
                    Frame::headers(1, peer.get("/admin", &[]), true),
                    Frame::headers(3, peer.get("/public/x", &[]), true),
                ]
            },
            harmless(),
        ),
        Case::frames(
            "one request of bob's and one of nobody's",
            "C20",
            |peer| {
                let nobody = Peer {
                    cookie: None,
                    ..peer.clone()
                };
                vec![
                    Frame::headers(3, nobody.get("/app/nobody", &[]), true),
                    Frame::headers(1, peer.get("/app/bob", &[]), true),
                ]
            },
            BAD_REQUEST,
        )
        .by(Who::Bob),
        Case::frames(
            "one request of nobody's behind one of bob's",
            "C20",
            |peer| {
                let nobody = Peer {
                    cookie: None,
                    ..peer.clone()
                };
                vec![
                    Frame::headers(1, peer.get("/app/bob", &[]), true),
                    Frame::headers(3, nobody.get("/app/nobody", &[]), true),
                ]
            },
            Expected::Arrives(both(target("/app/bob"), once("x-stagedoor-user", "bob"))),
        )
        .by(Who::Bob),
        Case::ask(
            "a clean POST",
            "C16",
            Ask::new("POST", "/public/x").body("abc"),
            Expected::Arrives(body("abc")),
        ),
    ];
    run(&Stage::open().await, cases).await;
}
