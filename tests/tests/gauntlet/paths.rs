//! A: what is asked for. One target is judged and forwarded, or none.

use crate::case::{Ask, BAD_REQUEST, Case, DENIED, Expected, Who, anything, both, each, target, without};
use crate::judge::run;
use crate::stage::Stage;

/// Every spelling of a dot that somebody decodes.
const DOTS: [&str; 7] = [".", "%2e", "%2E", "%252e", "%c0%ae", "%e0%80%ae", "%u002e"];
/// Every spelling of what divides segments, for some server.
const DIVIDERS: [&str; 22] = [
    "/", "//", "\\", "%2f", "%2F", "%5c", "%5C", "%252f", "%255c", "%c0%af", "%c1%9c", "%u2215", ";/", ";x=1/", "%3b/",
    "/;/", "/./", "/%2e/", "%00/", "%09/", "%20/../", "%0d/",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_dots_and_slashes_leads_from_one_area_to_another() {
    let mut cases = Vec::new();
    for who in [Who::Nobody, Who::Bob] {
        for divider in DIVIDERS {
            // A dot of its own is of no use where nothing divides it.
            for dot in DOTS {
                let path = format!("/public/{dot}{dot}{divider}admin/users");
                cases.push(Case::ask(&path, "A02-A06", Ask::get(&path), BAD_REQUEST).by(who));
            }
            if divider != "/" {
                for path in [
                    format!("/public{divider}admin"),
                    format!("/public/x{divider}..{divider}admin"),
                ] {
                    cases.push(Case::ask(&path, "A04", Ask::get(&path), BAD_REQUEST).by(who));
                }
            }
        }
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_some_server_reads_otherwise_is_refused() {
    let mut cases = Vec::new();
    for (source, paths) in [
        (
            "A02 CVE-2026-41059",
            "/admin#/public/x¦/public#/../admin¦/admin/s#x.png¦/admin%23/public¦/public/x#",
        ),
        (
            "A04 CVE-2025-47952",
            "/public/%2e%2e/admin¦/public/.%2E/admin¦/public/%2e./admin¦/public/%2e%2e¦/.¦/..",
        ),
        (
            "A05",
            "/public/./admin¦/public/..¦/public/.¦/./admin¦/../admin¦/public/../../admin¦/public/.../../admin",
        ),
        (
            "A06 CVE-2025-0108",
            "/unauth/%252e%252e/php/ztp_gate.php/PAN_help/x.css¦/public/%252e%252e/admin¦/%2561dmin¦\
                /public/%25",
        ),
        (
            "A08 CVE-2020-13933",
            "/public/..;/admin/¦/public/..;x=1/admin¦/;/admin¦/admin;jsessionid=1/users¦/adm;x=y/in¦\
                /tmui/login.jsp/..;/tmui/¦/public/x;¦/public;/x¦/public/%3bx¦/public/x%3Bjsessionid=1",
        ),
        (
            "A16",
            "/static..%2fapp.conf¦/public..%2f..%2fadmin¦/public%2f..%2fadmin¦/public../admin¦/static../admin\
                ¦/public/x../y¦/public/x..",
        ),
        (
            "A18 CVE-2022-22978",
            "/admin/x%0a¦/admin/%0d¦/public%0a/admin¦/public/%0d%0aX:%20y¦/public/x%e2%80%a8%0a¦\
                /public/%c2%85",
        ),
        (
            "A22 CVE-2023-33189",
            "/.stagedoor/../admin¦/.stagedoor%2flogin¦/%2estagedoor/login¦/.stagedoor//login",
        ),
        (
            "A01",
            "//admin¦///admin¦/public//admin¦/public///¦//evil.example/public/x¦/\\evil.example¦\
                /public/\\..\\x",
        ),
        (
            "A03",
            "/public/%¦/public/%2¦/public/%g0¦/public/%0g¦/public/%%32e¦/public/%u0041¦/public/x%¦\
                /public/%-1¦/public/%+2¦/public/% 2",
        ),
        (
            "A07",
            "/public/%ff¦/public/%80¦/public/%c3¦/public/%c3%28¦/public/%ed%a0%80¦/public/%f4%90%80%80¦\
                /public/%c0%80¦/public/%f8%88%80%80%80¦/public/%fe%ff",
        ),
    ] {
        for path in each(paths) {
            for who in [Who::Nobody, Who::Alice] {
                cases.push(Case::ask(path, source, Ask::get(path), BAD_REQUEST).by(who));
            }
        }
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_looks_like_another_area_is_judged_as_what_it_is() {
    let mut cases = Vec::new();
    for (source, path) in [
        ("A10", "/%61dmin/users"),
        ("A16", "/publicx/admin"),
        ("A16", "/static./admin"),
        ("A20", "/admin"),
        ("A20", "/admin/"),
        ("A22", "/.STAGEDOOR/login"),
        ("A22", "/.stagedoorx/"),
        ("A24", "/"),
        ("A24", "/unknown"),
        ("A24", "/%E2%80%AEpublic/x"),
        ("A24", "/\u{70}ublicly"),
        ("A23", "/admin?x=/public/"),
        ("A23", "/admin?/../public/x"),
        ("A23", "/admin?_method=GET"),
    ] {
        for who in [Who::Nobody, Who::Bob] {
            cases.push(Case::ask(path, source, Ask::get(path), DENIED).by(who));
        }
    }
    // A console that folds case would find another area: a stranger learns nothing of that, whoever is signed in has asked
    // for something with two readings.
    for path in each("/ADMIN¦/Admin/users¦/%41dmin¦/PUBLIC/x¦/%50ublic/x¦/App/x") {
        for (who, expected) in [(Who::Nobody, DENIED), (Who::Bob, BAD_REQUEST)] {
            cases.push(Case::ask(path, "A10 CVE-2026-27587", Ask::get(path), expected).by(who));
        }
    }
    for path in [
        "/%EF%BC%8Fadmin",
        "/public%E2%88%95admin",
        "/public%EF%BC%8E%EF%BC%8E/admin",
        "/%EF%BC%A1dmin",
    ] {
        let safe = Expected::Refused(&[400, 401, 403]);
        cases.push(Case::ask(path, "A24 best fit", Ask::get(path), safe).by(Who::Bob));
    }
    for (asked, forwarded) in [
        ("/%70ublic/x", "/public/x"),
        ("/public/%7Euser", "/public/~user"),
        ("/public/%61%2db", "/public/a-b"),
        ("/public/caf%c3%a9", "/public/caf%C3%A9"),
        ("/public/x?a=..%2f%00;//&b=%23", "/public/x?a=..%2f%00;//&b=%23"),
        ("/public/x?", "/public/x?"),
        ("/public/", "/public/"),
        ("/public/x/", "/public/x/"),
        ("/public/a.b/..c/d..e", "/public/a.b/..c/d..e"),
    ] {
        cases.push(Case::ask(
            asked,
            "A24",
            Ask::get(asked),
            Expected::Arrives(target(forwarded)),
        ));
    }
    run(&Stage::open().await, cases).await;
}

/// What a path may hold unescaped beside letters and digits; `[` and `]` are left to the door.
const PLAIN: &[u8] = b"-._~!$&'()*+,=:@/";

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_in_a_path_is_forwarded_as_it_was_judged_or_refused() {
    let mut cases = Vec::new();
    for byte in 0..=255_u8 {
        let raw = [b"/public/a", &[byte][..], b"b"].concat();
        let name = format!("byte {byte:#04x} in the path");
        let expected = match byte {
            b'?' => Expected::Arrives(anything()),
            _ if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) => {
                Expected::Arrives(target(String::from_utf8_lossy(&raw)))
            }
            b'[' | b']' => Expected::RefusedOr(&[400], target(String::from_utf8_lossy(&raw))),
            _ => BAD_REQUEST,
        };
        cases.push(Case::ask(name, "A14", Ask::get(&raw), expected));
        let escaped = format!("/public/a%{byte:02x}b");
        let name = format!("escape {byte:#04x} in the path");
        let expected = match byte {
            0..0x20 | 0x7f..=0xff | b'/' | b'\\' | b'.' | b'%' | b';' | b'?' | b'#' => BAD_REQUEST,
            _ if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) => {
                Expected::Arrives(target(format!("/public/a{}b", char::from(byte))))
            }
            _ => Expected::Arrives(target(format!("/public/a%{byte:02X}b"))),
        };
        cases.push(Case::ask(name, "A24", Ask::get(escaped), expected));
        let query = [b"/public/x?a", &[byte][..], b"b"].concat();
        let expected = match byte {
            0..=0x20 | 0x7f..=0xff | b'#' => BAD_REQUEST,
            _ => Expected::RefusedOr(&[400], target(String::from_utf8_lossy(&query))),
        };
        cases.push(Case::ask(
            format!("byte {byte:#04x} in the query"),
            "A14",
            Ask::get(query),
            expected,
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_in_another_form_is_refused_or_rewritten_to_the_one_that_is_judged() {
    let mut cases = Vec::new();
    for wanted in each(
        "admin/users¦file:/admin¦http:admin/x¦http:http://a.localhost/admin¦?x=/admin¦*¦a.localhost:80¦@/admin¦\
        http://b.localhost/public/x¦http://b.localhost@a.localhost/public/x¦\
        http://a.localhost@b.localhost/public/x¦http://a.localhost:99999/public/x¦\
        http://a.localhost:81x/public/x¦http:///public/x¦http://¦http:/public/x¦ftp://a.localhost/public/x¦\
        ws://a.localhost/public/x¦javascript://a.localhost/public/x¦//a.localhost/public/x¦\
        http://a.localhost\\@b.localhost/public/x¦http://a.localhost#@b.localhost/public/x¦\
        http://a.localhost?@b.localhost/¦http://[::1]/public/x¦http://a.localhost/public/../admin¦\
        http://a.localhost//public/x¦unix:/run/x.sock|/public¦http://a.localhost %/public/x¦\
        http://%61.localhost/public/x¦A.LOCALHOST¦http¦:¦a:b@c¦-",
    ) {
        for who in [Who::Nobody, Who::Bob] {
            let bytes = format!("GET {wanted} HTTP/1.1\r\n<HOST>\r\n");
            cases.push(
                Case::bytes(
                    format!("target {wanted}"),
                    "A12 CVE-2026-88009",
                    bytes,
                    Expected::Refused(&[400, 421]),
                )
                .by(who),
            );
        }
    }
    for wanted in [
        "http://a.localhost/public/x?q=1",
        "http://A.localhost/public/x?q=1",
        "HTTP://a.localhost/public/x?q=1",
    ] {
        let bytes = format!("GET {wanted} HTTP/1.1\r\n<HOST>\r\n");
        let once_and_plain = both(target("/public/x?q=1"), without("http://"));
        cases.push(Case::bytes(
            format!("target {wanted}"),
            "A12",
            bytes,
            Expected::RefusedOr(&[400], once_and_plain),
        ));
    }
    for (wanted, statuses) in [
        ("http://a.localhost/admin/users", &[400, 401, 403][..]),
        ("http://a.localhost", &[400, 401, 403]),
    ] {
        let bytes = format!("GET {wanted} HTTP/1.1\r\n<HOST>\r\n");
        cases.push(Case::bytes(format!("target {wanted}"), "A12", bytes, Expected::Refused(statuses)).by(Who::Bob));
    }
    for method in ["OPTIONS", "GET", "POST"] {
        let bytes = format!("{method} * HTTP/1.1\r\n<HOST>\r\n");
        cases.push(Case::bytes(format!("{method} *"), "A12", bytes, Expected::Refused(&[400, 405])).by(Who::Alice));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_is_on_the_list_in_its_own_spelling_or_goes_no_further() {
    const NO_METHOD: Expected = Expected::Refused(&[400, 405, 501]);
    let mut cases = Vec::new();
    for method in each(
        "get¦Get¦GETX¦XGET¦TRACE¦TRACK¦PROPFIND¦MKCOL¦LOCK¦SEARCH¦PURGE¦DEBUG¦LINK¦CONNECT¦PRI¦QUERY¦INVOKE¦G¦GE¦\
        GET!¦GET.¦GET-¦G%45T¦POSTPOST¦OPTION¦options¦M-SEARCH¦NULL",
    ) {
        for who in [Who::Nobody, Who::Alice] {
            cases.push(
                Case::ask(
                    format!("method {method}"),
                    "A20",
                    Ask::new(method, "/public/x"),
                    NO_METHOD,
                )
                .by(who),
            );
        }
    }
    let long = "A".repeat(4096);
    cases.push(Case::ask(
        "a method of 4 KiB",
        "A20",
        Ask::new(long, "/public/x"),
        Expected::Refused(&[400, 405, 431, 501]),
    ));
    for method in ["HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "GET"] {
        let ask = Ask::new(method, "/admin/users");
        cases.push(Case::ask(format!("{method} by bob"), "A20", ask, DENIED).by(Who::Bob));
    }
    for header in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "x_http_method_override",
        "X.Method.Override",
    ] {
        let ask = Ask::new("POST", "/public/x")
            .with(header, "DELETE")
            .body("_method=DELETE");
        cases.push(Case::ask(
            header,
            "A20 CVE-2020-14359",
            ask,
            Expected::Arrives(without("DELETE")),
        ));
    }
    run(&Stage::open().await, cases).await;
}

/// The places of a request line, `?` standing for the byte.
const PLACES: [(&str, &str); 7] = [
    ("before the method", "?GET /public/x HTTP/1.1"),
    ("in the method", "G?ET /public/x HTTP/1.1"),
    ("behind the method", "GET? /public/x HTTP/1.1"),
    ("before the target", "GET ?/public/x HTTP/1.1"),
    ("behind the target", "GET /public/x ?HTTP/1.1"),
    ("in the version", "GET /public/x HTTP?/1.1"),
    ("behind the version", "GET /public/x HTTP/1.1?"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_at_every_place_of_the_request_line_is_harmless() {
    let mut cases = Vec::new();
    for (place, line) in PLACES {
        for byte in 0..=255_u8 {
            let (before, behind) = line.split_once('?').expect("a place");
            let bytes = [before.as_bytes(), &[byte], behind.as_bytes(), b"\r\n<HOST>\r\n"].concat();
            let name = format!("byte {byte:#04x} {place}");
            cases.push(Case::bytes(
                name,
                "A14 CVE-2013-4547",
                bytes,
                Expected::Refused(&[400, 405, 501, 505]),
            ));
        }
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_that_is_not_method_target_version_is_refused() {
    let mut cases = Vec::new();
    for line in each(
        "GET  /public/x HTTP/1.1¦GET /public/x  HTTP/1.1¦GET\t/public/x\tHTTP/1.1¦GET /public/x HTTP/1.1 ¦\
        GET /public/x HTTP/1.1 /admin HTTP/1.1¦\x20GET /public/x HTTP/1.1¦\tGET /public/x HTTP/1.1¦\
        GET /public /x HTTP/1.1¦GET /public/a\tb HTTP/1.1¦GET /public/a\0b HTTP/1.1¦GET /public/x¦\
        GET /public/x ¦GET¦GET ¦¦\x20¦/public/x¦GET HTTP/1.1¦GET  HTTP/1.1¦/public/x HTTP/1.1¦\
        GET /public/x HTTP/1.1, HTTP/1.1¦GET /public/x http/1.1¦GET /public/x Http/1.1¦GET /public/x HTTP/1.2¦\
        GET /public/x HTTP/1.10¦GET /public/x HTTP/1.01¦GET /public/x HTTP/01.1¦GET /public/x HTTP/1¦\
        GET /public/x HTTP/1.¦GET /public/x HTTP/.1¦GET /public/x HTTP/0.9¦GET /public/x HTTP/2.0¦\
        GET /public/x HTTP/2¦GET /public/x HTTP/3.0¦GET /public/x HTTP/9.9¦GET /public/x HTTP/1.1.1¦\
        GET /public/x HTTP/+1.1¦GET /public/x HTTP/-1.1¦GET /public/x HTTP/1.1\0¦GET /public/x HTTP\\1.1¦\
        GET /public/x HTTP 1.1¦GET /public/x HTTPS/1.1¦GET /public/x HTTP/1,1¦GET /public/x ICAP/1.0¦\
        GET /public/x RTSP/1.0¦GET\u{b}/public/x HTTP/1.1¦GET\u{c}/public/x HTTP/1.1¦\
        GET\u{a0}/public/x HTTP/1.1¦GET /public/x\u{2003}HTTP/1.1¦\u{feff}GET /public/x HTTP/1.1¦PRI * HTTP/2.0¦\
        HTTP/1.1 200 OK¦GET /public/x HTTP/1.1\rX: y¦GET /public/x HTTP/1.1;x",
    ) {
        for who in [Who::Nobody, Who::Bob] {
            let name = format!("line {line:?}");
            let bytes = format!("{line}\r\n<HOST>\r\n");
            let case = Case::bytes(name, "A14", bytes, Expected::Refused(&[400, 405, 501, 505]));
            cases.push(case.by(who));
        }
    }
    for (name, bytes) in [
        ("no header at all (HTTP/0.9)", "GET /public/x\r\n\r\n"),
        ("no header at all (HTTP/1.0)", "GET /public/x HTTP/1.0\r\n\r\n"),
    ] {
        cases.push(Case::bytes(name, "A14", bytes, Expected::Refused(&[400, 505])));
    }
    run(&Stage::open().await, cases).await;
}
