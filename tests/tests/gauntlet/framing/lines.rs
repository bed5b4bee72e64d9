//! The lines of a head, and what comes behind a request.

use super::{SMUGGLED, named, post};
use crate::case::{Case, Check, Expected, body, each, target};
use crate::judge::run;
use crate::stage::Stage;

/// Lines, folded, broken off, ended otherwise.
pub(super) fn lines() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, bytes) in [
        (
            "line feeds alone",
            "GET /public/x HTTP/1.1\nHost: a.localhost\nConnection: close\n\n",
        ),
        (
            "a line feed behind the request line",
            "GET /public/x HTTP/1.1\n<HOST>\r\n",
        ),
        (
            "a line feed behind a header",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\nX-B: 2\r\n\r\n",
        ),
        (
            "a line feed for the empty line",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n\n",
        ),
        (
            "a line feed at the very end",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\n\r\n",
        ),
        (
            "two line feeds at the end",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\n\n",
        ),
        (
            "carriage returns alone",
            "GET /public/x HTTP/1.1\rHost: a.localhost\rConnection: close\r\r",
        ),
        (
            "a carriage return in a value",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\rX-B: 2\r\n\r\n",
        ),
        ("a carriage return too many", "GET /public/x HTTP/1.1\r\r\n<HOST>\r\n"),
        (
            "a carriage return too many behind a header",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\r\n\r\n",
        ),
        (
            "a carriage return in the empty line",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n\r\r\n",
        ),
        (
            "line feed and carriage return",
            "GET /public/x HTTP/1.1\n\rHost: a.localhost\n\r\n\r",
        ),
        ("an empty line first", "\r\nGET /public/x HTTP/1.1\r\n<HOST>\r\n"),
        (
            "ten empty lines first",
            "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET /public/x HTTP/1.1\r\n<HOST>\r\n",
        ),
        ("a line feed first", "\nGET /public/x HTTP/1.1\r\n<HOST>\r\n"),
        ("a carriage return first", "\rGET /public/x HTTP/1.1\r\n<HOST>\r\n"),
        (
            "a folded header",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n 2\r\n\r\n",
        ),
        (
            "a header folded by a tab",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n\t2\r\n\r\n",
        ),
        (
            "a header folded at once",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A:\r\n 1\r\n\r\n",
        ),
        (
            "a first header that is folded",
            "GET /public/x HTTP/1.1\r\n Host: a.localhost\r\nConnection: close\r\n\r\n",
        ),
        (
            "a first header behind a tab",
            "GET /public/x HTTP/1.1\r\n\tX-A: 1\r\n<HOST>\r\n",
        ),
        ("a folded blank", "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n \r\n\r\n"),
        (
            "an identity in a folded line",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n X-Stagedoor-User: mallory\r\n\r\n",
        ),
        (
            "a space before a colon",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A : 1\r\n\r\n",
        ),
        (
            "a tab before a colon",
            "GET /public/x HTTP/1.1\r\n<HOST>X-A\t: 1\r\n\r\n",
        ),
        (
            "a space before a name",
            "GET /public/x HTTP/1.1\r\n<HOST> X-A: 1\r\n\r\n",
        ),
        ("no name", "GET /public/x HTTP/1.1\r\n<HOST>: 1\r\n\r\n"),
        ("no colon", "GET /public/x HTTP/1.1\r\n<HOST>X-A\r\n\r\n"),
        ("a name of two words", "GET /public/x HTTP/1.1\r\n<HOST>X A: 1\r\n\r\n"),
        ("NUL in a value", "GET /public/x HTTP/1.1\r\n<HOST>X-A: a\0b\r\n\r\n"),
        ("NUL in a name", "GET /public/x HTTP/1.1\r\n<HOST>X\0A: 1\r\n\r\n"),
        (
            "a header in quotes",
            "GET /public/x HTTP/1.1\r\n<HOST>\"X-A\": 1\r\n\r\n",
        ),
        (
            "a name in another script",
            "GET /public/x HTTP/1.1\r\n<HOST>X-\u{e9}: 1\r\n\r\n",
        ),
    ] {
        cases.push(Case::bytes(
            name,
            "C10 CVE-2023-25725",
            bytes,
            Expected::Refused(&[400, 505]),
        ));
    }
    // Who breaks off in the middle of a head may be answered or not.
    for (name, bytes) in [
        ("no end of the head", "GET /public/x HTTP/1.1\r\n<HOST>X-A: 1\r\n"),
        ("half a head", "GET /public/x HTTP/1.1\r\nHost: a.loc"),
        ("half a request line", "GET /pub"),
        ("a handshake of TLS", "\u{16}\u{3}\u{1}\0\u{5}hello"),
        ("the preface of HTTP/2 and more", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
        ("a line of HTTP/0.9", "GET /public/x\r\n"),
        ("nothing", ""),
        ("empty lines", "\r\n\r\n"),
    ] {
        cases.push(Case::bytes(name, "C10", bytes, Expected::Ended).then_end());
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_ends_in_crlf_and_a_header_is_one_line() {
    run(&Stage::open().await, lines()).await;
}

/// Hosts: none, several, malformed.
pub(super) fn hosts() -> Vec<Case> {
    let get = |hosts: &str| format!("GET /public/x HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
    let mut cases = Vec::new();
    for hosts in each(
        "¦Host:\r\n¦Host: \r\n¦Host: a.localhost\r\nHost: a.localhost\r\n¦\
        Host: a.localhost\r\nHost: b.localhost\r\n¦Host: a.localhost\r\nhost: a.localhost\r\n¦\
        Host: a.localhost\r\nHost:\r\n¦Host : a.localhost\r\n¦\x20Host: a.localhost\r\n¦Host_: a.localhost\r\n¦\
        Host: a.localhost, b.localhost\r\n¦Host: a.localhost b.localhost\r\n¦Host: a.localhost/\r\n¦\
        Host: a.localhost/public\r\n¦Host: a.localhost?x\r\n¦Host: a.localhost#x\r\n¦\
        Host: http://a.localhost\r\n¦Host: user@a.localhost\r\n¦Host: b.localhost@a.localhost\r\n¦\
        Host: a.localhost@b.localhost\r\n¦Host: a.localhost:\r\n¦Host: a.localhost:x\r\n¦\
        Host: a.localhost:99999\r\n¦Host: a.localhost:80:80\r\n¦Host: a.localhost:-1\r\n¦\
        Host: a.localhost:+80\r\n¦Host: a.localhost: 80\r\n¦Host: a.localhost:80@b.localhost\r\n¦\
        Host: a.localhost\\b\r\n¦Host: a.localhost\0\r\n¦Host: a.localhost\t\u{b}\r\n¦Host: a..localhost\r\n¦\
        Host: .a.localhost\r\n¦Host: %61.localhost\r\n¦Host: a%2elocalhost\r\n¦Host: a.localhost%00\r\n¦\
        Host: \"a.localhost\"\r\n¦Host: [::1\r\n¦Host: ::1\r\n¦Host: [::1]x\r\n¦Host: [a.localhost]\r\n¦\
        Host: a.localhost;x\r\n¦Host: a.local\r\n host\r\n¦Host: \u{ff41}.localhost\r\n¦\
        Host: a.loc\u{131}lhost\r\n¦Host: c.localhost\r\n¦Host: 127.0.0.1\r\n¦Host: localhost\r\n¦Host: *\r\n¦\
        Host: a.localhost.evil.example\r\n¦Host: a-localhost\r\n¦Host: aXlocalhost\r\n¦\
        X-Forwarded-Host: a.localhost\r\n",
    ) {
        cases.push(Case::bytes(
            named(hosts),
            "A12 B12",
            get(hosts),
            Expected::Refused(&[400, 421]),
        ));
    }
    for hosts in [
        "Host: A.Localhost\r\n",
        "Host: a.localhost:8080\r\n",
        "Host: a.localhost.\r\n",
        "Host:a.localhost\r\n",
        "Host: a.localhost \t\r\n",
    ] {
        cases.push(Case::bytes(
            named(hosts),
            "B12",
            get(hosts),
            Expected::RefusedOr(&[400, 421], target("/public/x")),
        ));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_there_once_and_is_one() {
    run(&Stage::open().await, hosts()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_a_request_is_the_next_one_or_nothing() {
    let clean = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a.localhost\r\n<COOKIE>\r\n");
    let last = |path: &str| format!("GET {path} HTTP/1.1\r\n<HOST>\r\n");
    let public = || -> Check {
        Box::new(|request| {
            let open = request.target.starts_with("/public/");
            if open {
                Ok(())
            } else {
                Err(format!("{} was not allowed", request.target))
            }
        })
    };
    let mut cases = vec![
        Case::bytes(
            "two that are allowed",
            "C24",
            [clean("/public/1"), last("/public/2")].concat(),
            Expected::AtMost(2, public()),
        ),
        Case::bytes(
            "one that is denied behind one that is allowed",
            "C24",
            [clean("/public/1"), last("/admin/2")].concat(),
            Expected::AtMost(1, public()),
        ),
        Case::bytes(
            "one that is allowed behind one that is denied",
            "C24",
            [clean("/admin/1"), last("/public/2")].concat(),
            Expected::AtMost(1, public()),
        ),
        Case::bytes(
            "ten",
            "C24",
            [clean("/public/1").repeat(9), last("/public/2")].concat(),
            Expected::AtMost(10, public()),
        ),
    ];
    for (name, hostile) in [
        ("nonsense", "nonsense\r\n\r\n".to_owned()),
        (
            "a request line with blanks",
            "GET  /admin HTTP/1.1\r\nHost: a.localhost\r\n\r\n".to_owned(),
        ),
        ("two lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a")),
        (
            "length and coding",
            post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ),
        ("line feeds", "GET /public/x HTTP/1.1\nHost: a.localhost\n\n".to_owned()),
        (
            "an absolute target elsewhere",
            "GET http://b.localhost/public/x HTTP/1.1\r\nHost: a.localhost\r\n\r\n".to_owned(),
        ),
        ("HTTP/0.9", "GET /public/x\r\n".to_owned()),
        ("a body nobody declared", SMUGGLED.to_owned()),
    ] {
        cases.push(
            Case::bytes(
                format!("{name} behind one that is allowed"),
                "C24",
                [clean("/public/1"), hostile.clone()].concat(),
                Expected::AtMost(1, public()),
            )
            .then_end(),
        );
        let posted = "POST /public/1 HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 3\r\n\r\nabc";
        cases.push(
            Case::bytes(
                format!("{name} behind a body"),
                "C24",
                format!("{posted}{hostile}"),
                Expected::AtMost(1, public()),
            )
            .then_end(),
        );
    }
    let upgrade = "GET /public/1 HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let pipelined = format!("{upgrade}{SMUGGLED}");
    cases.push(
        Case::bytes(
            "data behind an upgrade that is declined",
            "C12 CVE-2026-2833",
            pipelined,
            Expected::AtMost(1, public()),
        )
        .then_end(),
    );
    for line in [
        "Expect: 100-continue",
        "Expect: 200-ok",
        "Expect: 100-continue, x",
        "Expect:",
        "Expect : 100-continue",
        "Expect: 100-continue\r\nExpect: x",
    ] {
        let bytes = post(&format!("{line}\r\nContent-Length: 3\r\n"), "abc");
        cases.push(Case::bytes(
            line,
            "C22 Expect",
            bytes,
            Expected::RefusedOr(&[400, 417], body("abc")),
        ));
    }
    run(&Stage::open().await, cases).await;
}
