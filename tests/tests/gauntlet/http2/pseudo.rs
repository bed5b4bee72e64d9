//! The pseudo-headers: what is asked of whom.

use stagedoor_tests::http2::{Frame, indexed, kind};

use super::{fields, lone, more};
use crate::case::{BAD_REQUEST, Case, DENIED, Expected, Field, Peer, Who, block, each, field, once, target, without};
use crate::judge::run;
use crate::stage::Stage;

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
    for value in each("¦ftp¦HTTPS¦https ¦https://a.localhost/¦javascript¦http\r\nX-A: 1¦x y¦a\0b¦file") {
        // No console is told a scheme: one that is a word harms nobody.
        let word = value.bytes().all(|byte| byte.is_ascii_alphabetic());
        let safe = if word {
            Expected::RefusedOr(&[400], target("/public/x"))
        } else {
            BAD_REQUEST
        };
        let behind = move |_: &Peer| vec![method(), field(":scheme", value), authority(), path()];
        cases.push(fields(&format!("scheme {value:?}"), "RFC 9113 8.3.1", behind, safe));
    }
    for value in each("¦GET ¦\x20GET¦GET\t¦G\0T¦GET /admin HTTP/1.1\r\nX-A:¦G T¦GET\r\n¦\u{e9}") {
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
    for authority in each(
        "¦\x20¦a.localhost@b.localhost¦user@a.localhost¦user:pw@a.localhost¦@a.localhost¦a.localhost/¦\
        a.localhost/x¦a.localhost?x¦a.localhost#x¦http://a.localhost¦a.localhost:¦a.localhost:x¦\
        a.localhost:99999¦a.localhost:80:80¦a.localhost a.localhost¦\x20a.localhost¦a.localhost ¦a.localhost\t¦\
        a.localhost,b.localhost¦a.localhost\\¦[::1¦::1¦a.localhost\r\nX-A: 1¦a.localhost\0¦a..localhost¦\
        .a.localhost¦%61.localhost¦a.localhost%00¦a_.localhost¦c.localhost¦localhost¦127.0.0.1¦xn--a.localhost¦\
        a.localhost.evil.example¦-a.localhost¦\u{ff41}.localhost¦*",
    ) {
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
    for path in each(
        "¦*¦admin¦public/x¦?x=/admin¦//public/x¦http://a.localhost/public/x¦https://b.localhost/public/x¦\
        /public/x#y¦/public#/../admin¦#/public/x¦/public/a b¦\x20/public/x¦/public/x ¦/public/x\t¦\t/public/x¦\
        /public/x HTTP/1.1\r\nX-A: 1\r\n¦/public/x\r\n¦/public/x\n¦/public/x\r¦/public/\0x¦/public/\u{7f}x¦\
        /public/\u{e9}¦/public/x?\u{e9}¦/public/x?a b¦/public/x?\r\nX-A: 1¦a.localhost:443¦/public/x\u{b}¦\
        \\public\\x¦/public/..\\admin¦/public/%¦%2fpublic/x¦@/public/x¦:443/public/x¦/public/x?#/admin¦\
        /../admin¦/public/%2e%2e/admin¦/public/;/x¦/public../admin",
    ) {
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
    for path in ["/admin?/public/", "/%61dmin", "/publicx/admin", "/"] {
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
async fn a_fragment_is_refused_however_its_block_is_sent() {
    let get = |peer: &Peer| peer.get("/public/x#y", &[]);
    let case = |name: &str, frames: fn(&Peer) -> Vec<Frame>| Case::frames(name, "A02", frames, BAD_REQUEST);
    let mut cases = vec![
        case("a fragment behind padding and priority", |peer| {
            let block = [
                &[3, 0, 0, 0, 0, 16][..],
                &peer.get("/public/x#y", &[]),
                &peer.get("/public/x", &[])[..3],
            ];
            vec![Frame::new(kind::HEADERS, 0x2d, 1, block.concat())]
        }),
        case(
            "a fragment before the other fields, in the table and out of it again",
            |peer| {
                let mut others = peer.pseudo(b"GET", b"");
                others.retain(|(name, _)| name != b":path");
                let first = [&[0x44, 11][..], b"/public/x#y", &block(&others)].concat();
                let again = [indexed(62), block(&others)].concat();
                vec![Frame::headers(1, first, true), Frame::headers(3, again, true)]
            },
        ),
        case("a fragment beside requests for others", |peer| {
            vec![
                Frame::headers(1, peer.get("/public/x#y", &[]), true),
                Frame::headers(3, peer.get("/.stagedoor/nowhere", &[]), true),
            ]
        }),
    ];
    for cut in 1..14 {
        let in_two = move |peer: &Peer| {
            let mut first = get(peer);
            let rest = first.split_off(5 * cut);
            vec![Frame::headers_begun(1, first, true), Frame::continuation(1, rest, true)]
        };
        cases.push(Case::frames(
            format!("a fragment in two frames, {cut}"),
            "A02",
            in_two,
            BAD_REQUEST,
        ));
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
