//! What only HTTP/2 can express. A malformed request ends its stream or its connection, or is answered 400; none of it
//! reaches a console, which is always asked in HTTP/1.

use stagedoor_tests::http2::{Frame, indexed, kind};

use crate::case::{
    Ask, BAD_REQUEST, Case, DENIED, Expected, Field, Peer, Who, anything, block, body, both, field, once, target,
    without,
};
use crate::judge::run;
use crate::stage::Stage;

/// One HEADERS frame that ends the request.
fn lone(block: Vec<u8>) -> Vec<Frame> {
    vec![Frame::headers(1, block, true)]
}

/// A case of fields of our choice.
fn fields(
    name: &str,
    source: &'static str,
    fields: impl Fn(&Peer) -> Vec<Field> + 'static,
    expected: Expected,
) -> Case {
    Case::frames(name, source, move |peer| lone(block(&fields(peer))), expected)
}

/// A case of fields behind those of a request for a page that is open to everybody.
fn more(name: &str, source: &'static str, more: Vec<Field>, expected: Expected) -> Case {
    Case::frames(name, source, move |peer| lone(peer.get("/public/x", &more)), expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pseudo_headers_are_there_once_first_and_known() {
    let (method, scheme) = (|| field(":method", "GET"), |peer: &Peer| field(":scheme", peer.scheme));
    let (authority, path) = (|| field(":authority", "a.localhost"), || field(":path", "/public/x"));
    let whole = move |peer: &Peer| vec![method(), scheme(peer), authority(), path()];
    let mut cases = vec![
        fields(
            "no method",
            "RFC 9113 8.3.1",
            move |peer| vec![scheme(peer), authority(), path()],
            BAD_REQUEST,
        ),
        fields(
            "no scheme",
            "RFC 9113 8.3.1",
            move |_| vec![method(), authority(), path()],
            BAD_REQUEST,
        ),
        fields(
            "no path",
            "RFC 9113 8.3.1",
            move |peer| vec![method(), scheme(peer), authority()],
            BAD_REQUEST,
        ),
        fields("nothing", "RFC 9113 8.3.1", |_| Vec::new(), BAD_REQUEST),
        fields(
            "a pseudo-header behind a header",
            "RFC 9113 8.3",
            move |peer| vec![method(), scheme(peer), authority(), field("x-a", "1"), path()],
            BAD_REQUEST,
        ),
        fields(
            "a second path behind a header",
            "RFC 9113 8.3",
            move |peer| [whole(peer), vec![field("x-a", "1"), field(":path", "/admin")]].concat(),
            BAD_REQUEST,
        ),
    ];
    for (name, value) in [
        (":method", "DELETE"),
        (":scheme", "ftp"),
        (":authority", "b.localhost"),
        (":authority", "a.localhost"),
        (":path", "/admin"),
        (":path", "/public/x"),
        (":status", "200"),
        (":protocol", "websocket"),
        (":unknown", "1"),
        (":", "1"),
        (":Path", "/admin"),
        (":host", "a.localhost"),
        (":version", "HTTP/1.1"),
        (":path ", "/admin"),
        (": path", "/admin"),
    ] {
        let title = format!("one more {name}: {value}");
        let behind = move |peer: &Peer| [whole(peer), vec![field(name, value)]].concat();
        cases.push(fields(&title, "RFC 9113 8.3.1", behind, BAD_REQUEST));
        let before = move |peer: &Peer| [vec![field(name, value)], whole(peer)].concat();
        cases.push(fields(
            &format!("{title}, first"),
            "RFC 9113 8.3.1",
            before,
            BAD_REQUEST,
        ));
    }
    for value in [
        "",
        "ftp",
        "HTTPS",
        "https ",
        "https://a.localhost/",
        "javascript",
        "http\r\nX-A: 1",
        "x y",
        "a\0b",
        "file",
    ] {
        let behind = move |_: &Peer| vec![method(), field(":scheme", value), authority(), path()];
        cases.push(fields(
            &format!("scheme {value:?}"),
            "RFC 9113 8.3.1",
            behind,
            BAD_REQUEST,
        ));
    }
    for value in [
        "",
        "GET ",
        " GET",
        "GET\t",
        "G\0T",
        "GET /admin HTTP/1.1\r\nX-A:",
        "G T",
        "GET\r\n",
        "\u{e9}",
    ] {
        let behind = move |peer: &Peer| vec![field(":method", value), scheme(peer), authority(), path()];
        cases.push(fields(
            &format!("method {value:?}"),
            "RFC 9113 8.3.1",
            behind,
            Expected::Refused(&[400, 405, 501]),
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_one_host_and_no_header_says_otherwise() {
    const MISDIRECTED: Expected = Expected::Refused(&[400, 421]);
    let with = |authority: Option<&'static str>, hosts: &'static [&'static str]| {
        move |peer: &Peer| {
            let mut fields = vec![field(":method", "GET"), field(":scheme", peer.scheme)];
            fields.extend(authority.map(|authority| field(":authority", authority)));
            fields.push(field(":path", "/public/x"));
            fields.extend(hosts.iter().map(|host| field("host", host)));
            fields
        }
    };
    let mut cases = vec![
        fields("no authority and no host", "B12", with(None, &[]), BAD_REQUEST),
        fields(
            "a host alone",
            "B12",
            with(None, &["a.localhost"]),
            Expected::RefusedOr(&[400], once("host", "a.localhost")),
        ),
        fields(
            "two hosts",
            "B12",
            with(None, &["a.localhost", "a.localhost"]),
            BAD_REQUEST,
        ),
        fields(
            "two hosts that differ",
            "B12",
            with(None, &["a.localhost", "b.localhost"]),
            BAD_REQUEST,
        ),
        fields(
            "the same as host",
            "B12",
            with(Some("a.localhost"), &["a.localhost"]),
            Expected::RefusedOr(&[400], once("host", "a.localhost")),
        ),
        fields(
            "the same as host, twice",
            "B12",
            with(Some("a.localhost"), &["a.localhost", "a.localhost"]),
            BAD_REQUEST,
        ),
        fields(
            "another host",
            "B12",
            with(Some("a.localhost"), &["b.localhost"]),
            BAD_REQUEST,
        ),
        fields(
            "another host, and the same",
            "B12",
            with(Some("a.localhost"), &["a.localhost", "b.localhost"]),
            BAD_REQUEST,
        ),
        fields("an empty host", "B12", with(Some("a.localhost"), &[""]), BAD_REQUEST),
        fields(
            "a host with another port",
            "B12",
            with(Some("a.localhost"), &["a.localhost:81"]),
            BAD_REQUEST,
        ),
        fields(
            "an unknown host",
            "B12",
            with(Some("a.localhost"), &["c.localhost"]),
            BAD_REQUEST,
        ),
    ];
    for authority in [
        "",
        " ",
        "a.localhost@b.localhost",
        "user@a.localhost",
        "user:pw@a.localhost",
        "@a.localhost",
        "a.localhost/",
        "a.localhost/x",
        "a.localhost?x",
        "a.localhost#x",
        "http://a.localhost",
        "a.localhost:",
        "a.localhost:x",
        "a.localhost:99999",
        "a.localhost:80:80",
        "a.localhost a.localhost",
        " a.localhost",
        "a.localhost ",
        "a.localhost\t",
        "a.localhost,b.localhost",
        "a.localhost\\",
        "[::1",
        "::1",
        "a.localhost\r\nX-A: 1",
        "a.localhost\0",
        "a..localhost",
        ".a.localhost",
        "%61.localhost",
        "a.localhost%00",
        "a_.localhost",
        "c.localhost",
        "localhost",
        "127.0.0.1",
        "xn--a.localhost",
        "a.localhost.evil.example",
        "-a.localhost",
        "\u{ff41}.localhost",
        "*",
    ] {
        cases.push(fields(
            &format!("authority {authority:?}"),
            "B12",
            with(Some(authority), &[]),
            MISDIRECTED,
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_http2_is_one_that_http1_could_ask_for() {
    let mut cases = Vec::new();
    for path in [
        "",
        "*",
        "admin",
        "public/x",
        "?x=/admin",
        "//public/x",
        "http://a.localhost/public/x",
        "https://b.localhost/public/x",
        "/public/x#y",
        "/public#/../admin",
        "#/public/x",
        "/public/a b",
        " /public/x",
        "/public/x ",
        "/public/x\t",
        "\t/public/x",
        "/public/x HTTP/1.1\r\nX-A: 1\r\n",
        "/public/x\r\n",
        "/public/x\n",
        "/public/x\r",
        "/public/\0x",
        "/public/\u{7f}x",
        "/public/\u{e9}",
        "/public/x?\u{e9}",
        "/public/x?a b",
        "/public/x?\r\nX-A: 1",
        "a.localhost:443",
        "/public/x\u{b}",
        "\\public\\x",
        "/public/..\\admin",
        "/public/%",
        "%2fpublic/x",
        "@/public/x",
        ":443/public/x",
        "/public/x?#/admin",
        "/../admin",
        "/public/%2e%2e/admin",
        "/public/;/x",
    ] {
        for who in [Who::Nobody, Who::Bob] {
            let case = Case::frames(
                format!("path {path:?}"),
                "A12",
                move |peer| lone(peer.get(path, &[])),
                BAD_REQUEST,
            );
            cases.push(case.by(who));
        }
    }
    for path in ["/ADMIN", "/admin?/public/", "/%61dmin", "/public../admin", "/"] {
        cases.push(
            Case::frames(
                format!("path {path:?}"),
                "A10",
                move |peer| lone(peer.get(path, &[])),
                DENIED,
            )
            .by(Who::Bob),
        );
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tunnel_is_opened_by_http2() {
    const NO_METHOD: Expected = Expected::Refused(&[400, 403, 405, 501]);
    let connect = |more: Vec<Field>| {
        move |_: &Peer| {
            [
                vec![field(":method", "CONNECT"), field(":authority", "a.localhost")],
                more.clone(),
            ]
            .concat()
        }
    };
    let url = |peer: &Peer| vec![field(":scheme", peer.scheme), field(":path", "/public/x")];
    let mut cases = vec![
        fields("CONNECT", "C14 CVE-2026-71324", connect(Vec::new()), NO_METHOD),
        fields(
            "CONNECT to a port",
            "C14",
            |_| vec![field(":method", "CONNECT"), field(":authority", "127.0.0.1:22")],
            NO_METHOD,
        ),
        fields(
            "CONNECT without authority",
            "C14",
            |_| vec![field(":method", "CONNECT")],
            NO_METHOD,
        ),
        fields(
            "CONNECT with scheme and path",
            "C14",
            move |peer| [connect(Vec::new())(peer), url(peer)].concat(),
            NO_METHOD,
        ),
    ];
    for protocol in ["websocket", "connect-udp", "webtransport", "", "h2c"] {
        let whole = move |peer: &Peer| [connect(vec![field(":protocol", protocol)])(peer), url(peer)].concat();
        cases.push(fields(
            &format!("extended CONNECT {protocol:?}"),
            "C14 CVE-2025-64763",
            whole,
            NO_METHOD,
        ));
        let with_data = move |peer: &Peer| {
            let smuggled = "GET /admin HTTP/1.1\r\nHost: a.localhost\r\n\r\n";
            vec![
                Frame::headers(1, block(&whole(peer)), false),
                Frame::data(1, smuggled, false),
            ]
        };
        cases.push(Case::frames(
            format!("extended CONNECT {protocol:?} and data"),
            "C14 CVE-2026-73548",
            with_data,
            NO_METHOD,
        ));
    }
    for value in ["websocket", "h2c"] {
        let upgrade = vec![field("upgrade", value)];
        cases.push(more(
            &format!("upgrade: {value}"),
            "RFC 9113 8.2.2",
            upgrade,
            Expected::RefusedOr(&[400], without("upgrade")),
        ));
    }
    run(&Stage::open().await, cases).await;
}

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
                0x21..0x7f => Expected::Arrives(anything()),
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
            cut_off(),
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
    for length in [
        "",
        " ",
        "+5",
        "-5",
        " 5",
        "5 ",
        "5\t",
        "05",
        "0x5",
        "5,5",
        "5, 5",
        "5.0",
        "5e0",
        "1_0",
        "five",
        "18446744073709551621",
        "99999999999999999999",
        "4294967301",
        "\u{665}",
        "5;a",
        "\"5\"",
        "5\u{b}",
        "-0",
        "+0",
        "00",
    ] {
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
        let safe = if name.starts_with(':') || name.starts_with("X-U") {
            Expected::CutOff(&[400])
        } else {
            safe
        };
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

#[tokio::test(flavor = "multi_thread")]
async fn frames_out_of_order_end_the_connection_before_anything_is_asked() {
    let mut cases = Vec::new();
    let mut case = |name: &str, frames: fn(&Peer) -> Vec<Frame>| {
        cases.push(Case::frames(name, "RFC 9113 5, 6", frames, BAD_REQUEST))
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
        Case::ask(
            "a clean POST",
            "C16",
            Ask::new("POST", "/public/x").body("abc"),
            Expected::Arrives(body("abc")),
        ),
    ];
    run(&Stage::open().await, cases).await;
}
