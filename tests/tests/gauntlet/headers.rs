//! B: who says what about whom. What only the door may say arrives as the door says it, or not at all.

use crate::case::{Ask, BAD_REQUEST, Case, Check, DENIED, Expected, Who, anything, both, each, once, target, without};
use crate::judge::run;
use crate::stage::Stage;

/// What a sender claims; nothing of the door's has it.
const FORGED: &str = "mallory";
/// Every byte that may divide the words of a header's name.
const SEPARATORS: &str = "!#$%&'*+-.^_`|~";
/// Headers that some console believes, about people.
const ABOUT_PEOPLE: &str = "X-Stagedoor-User X-Stagedoor-Role X-Stagedoor-Name X-Stagedoor-Email X-Stagedoor-Assertion \
    X-Stagedoor-Request-Id X-Stagedoor-Answer X-Stagedoor-Whatever Remote-User Remote-Groups Remote-Name Remote-Email \
    X-Forwarded-User X-Forwarded-Groups X-Forwarded-Email X-Forwarded-Preferred-Username X-Remote-User";
/// About addresses.
const ABOUT_ADDRESSES: &str = "X-Forwarded-For Forwarded X-Forwarded X-Real-IP True-Client-IP X-Client-IP \
    X-Cluster-Client-IP CF-Connecting-IP X-Originating-IP X-Remote-IP X-Remote-Addr Client-IP X-ProxyUser-Ip \
    X-Custom-IP-Authorization Fastly-Client-IP Remote-Addr Remote-Host X-Forwarded-By X-Forwarded-Server";
/// About what was asked for.
const ABOUT_TARGETS: &str = "X-Forwarded-Uri X-Forwarded-Path X-Forwarded-Method X-Original-URL X-Original-Uri X-Rewrite-URL \
    X-Forwarded-Prefix X-Forwarded-Port X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Ssl X-Forwarded-Host \
    X-Original-Host X-Original-Method X-HTTP-Method X-HTTP-Method-Override X-Method-Override Proxy";

/// As other gateways and servers say it, which consoles are often set up to believe.
const AS_OTHERS_SAY: &str = "X-Auth-Request-User X-WebAuth-User X-Authenticated-User X-Forwarded-Client-Cert Ssl-Client-Cert \
    Ssl-Client-Verify X-SSL-Client-DN X-Client-Cert X-Amzn-Oidc-Identity X-Goog-Authenticated-User-Email \
    X-Ms-Client-Principal-Name Tailscale-User-Login X-Pomerium-Claim-Email Cf-Access-Authenticated-User-Email \
    X-Envoy-External-Address X-Azure-ClientIP X-Appengine-User-Ip X-Middleware-Subrequest X-Accel-Redirect X-Sendfile-Type \
    Oidc-Claim-Sub Auth-User Shib-Session-Id X-Authentik-Username X-Authelia-Groups Front-End-Https X-Url-Scheme";
/// What the console judges by itself. Only another spelling is hostile: folded, it replaces what was sent.
const JUDGED_BY_CONSOLES: &str = "Content-Type User-Agent If-Match If-None-Match Cache-Control Sec-Fetch-Site Sec-WebSocket-Key \
    Content-Encoding Content-Disposition";

fn managed() -> impl Iterator<Item = &'static str> {
    [ABOUT_PEOPLE, ABOUT_ADDRESSES, ABOUT_TARGETS, AS_OTHERS_SAY]
        .into_iter()
        .flat_map(str::split_whitespace)
}

/// One well-formed request about bob, and nothing of the sender's claims in it.
fn about_bob() -> Check {
    both(
        without(FORGED),
        both(once("x-stagedoor-user", "bob"), once("remote-user", "bob")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_managed_header_gets_past_the_door() {
    let mut cases = Vec::new();
    for name in managed() {
        let mut all = Ask::get("/app/x");
        for separator in SEPARATORS.chars() {
            let twin = name.replace('-', &separator.to_string());
            all = all.with(twin, FORGED);
        }
        let case = Case::ask(
            format!("{name}, every separator"),
            "B02 CVE-2026-88011",
            all,
            Expected::Arrives(about_bob()),
        );
        cases.push(case.by(Who::Bob));
        let mixed = name.to_lowercase().replacen('-', "_", 1);
        let cases_of_letters = Ask::get("/app/x")
            .with(name.to_uppercase(), FORGED)
            .with(mixed, FORGED)
            .with(name, FORGED);
        let title = format!("{name}, other letters");
        cases.push(
            Case::ask(
                title,
                "A20 CVE-2020-14359",
                cases_of_letters,
                Expected::Arrives(about_bob()),
            )
            .by(Who::Bob),
        );
    }
    for name in JUDGED_BY_CONSOLES.split_whitespace() {
        let twins = SEPARATORS.chars().filter(|separator| *separator != '-');
        let all = twins.fold(Ask::get("/app/x"), |ask, separator| {
            ask.with(name.replace('-', &separator.to_string()), FORGED)
        });
        let title = format!("twins of {name}");
        cases.push(Case::ask(title, "B02", all, Expected::RefusedOr(&[400], about_bob())).by(Who::Bob));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_values_of_a_managed_header_none_arrives_but_the_doors() {
    let mut cases = Vec::new();
    for name in [
        "X-Stagedoor-User",
        "Remote-User",
        "X-Forwarded-User",
        "X-Stagedoor-Role",
        "x_stagedoor_user",
    ] {
        for (title, values) in [
            ("twice", vec![FORGED; 2]),
            ("the right one first", vec!["bob", FORGED]),
            ("the right one last", vec![FORGED, "bob"]),
            ("a list", vec!["bob,mallory"]),
            ("a list with blanks", vec!["mallory , bob"]),
            ("fifty times", vec![FORGED; 50]),
            ("empty and set", vec!["", FORGED]),
        ] {
            let ask = values
                .iter()
                .fold(Ask::get("/app/x"), |ask, value| ask.with(name, value));
            let case = Case::ask(
                format!("{name} {title}"),
                "B04 CVE-2020-25017",
                ask,
                Expected::Arrives(about_bob()),
            );
            cases.push(case.by(Who::Bob));
        }
    }
    for nominated in each(
        "X-Stagedoor-User¦x-stagedoor-user, remote-user¦Host¦\
        X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto¦Cookie¦close, X-Stagedoor-Assertion¦\
        X_Stagedoor_User¦Content-Length¦Transfer-Encoding¦Connection¦keep-alive, x-a",
    ) {
        let bytes =
            format!("GET /app/x HTTP/1.1\r\nHost: a.localhost\r\nConnection: close, {nominated}\r\n<COOKIE>\r\n");
        let expected = Expected::RefusedOr(
            &[400, 401],
            both(about_bob(), both(once("host", "a.localhost"), has_address())),
        );
        cases.push(
            Case::bytes(
                format!("Connection: {nominated}"),
                "B03 RFC 9110 7.6.1",
                bytes,
                expected,
            )
            .by(Who::Bob),
        );
    }
    run(&Stage::open().await, cases).await;
}

/// The visitor's address is said once.
fn has_address() -> Check {
    Box::new(|request| {
        let said = request.values("x-forwarded-for").len();
        if said == 1 {
            Ok(())
        } else {
            Err(format!("X-Forwarded-For {said} times"))
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_header_says_of_the_request_does_not_decide_about_it() {
    let mut cases = Vec::new();
    for name in ABOUT_ADDRESSES.split_whitespace() {
        for value in [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "for=127.0.0.1",
            "127.0.0.1, 127.0.0.1",
            "localhost",
        ] {
            // Alice may come in from 127.0.0.0/24, and comes from elsewhere.
            let ask = Ask::get("/admin/users").with(name, value);
            cases.push(Case::ask(format!("{name}: {value}"), "B06 CVE-2024-21494", ask, DENIED).by(Who::Alice));
        }
    }
    for (name, value) in [
        ("X-Forwarded-Uri", "/public/x"),
        ("X-Original-URL", "/public/x"),
        ("X-Rewrite-URL", "/public/x"),
        ("X-Forwarded-Prefix", "/public"),
        ("X-Forwarded-Path", "/public/x"),
        ("X-Original-Uri", "/public/x"),
        ("X-Forwarded-Host", "b.localhost"),
        ("X-Host", "b.localhost"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "https"),
        ("X-Original-Method", "OPTIONS"),
        ("X-HTTP-Method-Override", "HEAD"),
        ("X-Forwarded-Server", "b.localhost"),
        ("X-Middleware-Subrequest", "middleware"),
        ("X-Stagedoor-User", "alice"),
        ("X-Stagedoor-Role", "admin"),
        ("Authorization", "Basic YWxpY2U6eA=="),
        ("X-Auth-Request-User", "alice"),
        ("Range", "bytes=0-"),
        ("X-Purpose", "prefetch"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Accept", "text/css"),
        ("If-None-Match", "*"),
    ] {
        for who in [Who::Nobody, Who::Bob] {
            let ask = Ask::get("/admin/users").with(name, value);
            cases.push(Case::ask(format!("{name}: {value}"), "B08 CVE-2026-40575", ask, DENIED).by(who));
        }
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_one_cookie_that_no_other_credential_replaces() {
    let with_cookie = |title: &str, lines: &str| {
        let bytes = format!("GET /app/x HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n{lines}\r\n");
        Case::bytes(title, "B16", bytes, DENIED).by(Who::Bob)
    };
    let mut cases = vec![
        with_cookie("an own cookie and a second line of it", "<COOKIE><COOKIE>"),
        with_cookie(
            "an evil cookie first",
            "Cookie: stagedoor=evil; __Host-stagedoor=evil\r\n<COOKIE>",
        ),
        with_cookie(
            "an evil cookie last",
            "<COOKIE>Cookie: stagedoor=evil; __Host-stagedoor=evil\r\n",
        ),
        with_cookie(
            "a cookie in quotes",
            "Cookie: stagedoor=\"x\"; __Host-stagedoor=\"x\"\r\n",
        ),
        with_cookie(
            "$Version first",
            "Cookie: $Version=1; stagedoor=x; __Host-stagedoor=x\r\n",
        ),
        with_cookie(
            "another blank before the name",
            "Cookie: \u{2000}__Host-stagedoor=x; \u{2000}stagedoor=x\r\n",
        ),
        with_cookie("Cookie2", "Cookie2: stagedoor=x\r\n"),
        with_cookie("a folded cookie", "Cookie_: stagedoor=x\r\n"),
        with_cookie("a token as bearer", "Authorization: Bearer stagedoor\r\n"),
        with_cookie(
            "a name and a password",
            "Authorization: Basic Ym9iOnNldmVudGVlbiBxdWlldCBoZXJvbnM=\r\n",
        ),
        with_cookie(
            "a token of a proxy",
            "Proxy-Authorization: Basic Ym9iOnNldmVudGVlbiBxdWlldCBoZXJvbnM=\r\n",
        ),
    ];
    for (title, value) in [
        ("bearer", "Bearer whatever"),
        ("basic", "Basic YWxpY2U6eA=="),
        ("negotiate", "Negotiate YQ=="),
    ] {
        // Bob stays bob, whoever the console is told about besides.
        let ask = || Ask::get("/admin/users").with("authorization", value);
        cases.push(Case::ask(format!("a cookie and {title}, to /admin"), "B18", ask(), DENIED).by(Who::Bob));
        let ask = Ask {
            target: b"/app/x".to_vec(),
            ..ask()
        };
        let safe = Expected::RefusedOr(&[400, 401], once("x-stagedoor-user", "bob"));
        cases.push(Case::ask(format!("a cookie and {title}, to /app"), "B18", ask, safe).by(Who::Bob));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_in_a_header_is_harmless_or_refused() {
    let mut cases = Vec::new();
    let mut case = |name: String, line: Vec<u8>, safe: Expected| {
        let bytes = [b"GET /public/x HTTP/1.1\r\n<HOST>", &line[..], b"\r\n\r\n"].concat();
        cases.push(Case::bytes(name, "C10 CVE-2023-25725", bytes, safe));
    };
    for byte in 0..=255_u8 {
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        for (place, line) in [
            ("at the beginning of", [&[byte][..], b"x-a: 1"].concat()),
            ("in", [b"x", &[byte][..], b"a: 1"].concat()),
            ("at the end of", [b"x-a", &[byte][..], b": 1"].concat()),
        ] {
            let safe = match byte {
                // What is behind it is the value, or there is no name at all.
                b':' if place == "at the beginning of" => BAD_REQUEST,
                b':' => Expected::Arrives(anything()),
                _ if token => Expected::Arrives(anything()),
                _ => BAD_REQUEST,
            };
            case(format!("byte {byte:#04x} {place} a name"), line, safe);
        }
        for (place, line) in [
            ("at the beginning of", [b"x-a:", &[byte][..], b"1"].concat()),
            ("in", [b"x-a: 1", &[byte][..], b"2"].concat()),
            ("at the end of", [b"x-a: 1", &[byte][..]].concat()),
        ] {
            let safe = match byte {
                b'\t' | b' '..=b'~' => Expected::Arrives(anything()),
                0x80.. => Expected::RefusedOr(&[400], anything()),
                _ => BAD_REQUEST,
            };
            case(format!("byte {byte:#04x} {place} a value"), line, safe);
        }
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_hop_and_of_other_protocols_go_no_further() {
    let mut cases = Vec::new();
    for (name, value) in [
        ("Proxy-Authenticate", FORGED),
        ("HTTP2-Settings", FORGED),
        ("Trailer", "x-mallory"),
        ("X-Stagedoor", FORGED),
    ] {
        let ask = Ask::get("/public/x").with(name, value);
        let safe = if name == "X-Stagedoor" {
            anything()
        } else {
            without("mallory")
        };
        cases.push(Case::ask(
            format!("{name}: {value}"),
            "RFC 9110 7.6.1",
            ask,
            Expected::RefusedOr(&[400], safe),
        ));
    }
    // Over HTTP/2 these are malformed; over HTTP/1 they are for the next hop alone.
    for name in ["Keep-Alive", "Proxy-Connection"] {
        let bytes = format!("GET /public/x HTTP/1.1\r\n<HOST>{name}: {FORGED}\r\n\r\n");
        let safe = Expected::RefusedOr(&[400], without(FORGED));
        cases.push(Case::bytes(name, "RFC 9110 7.6.1", bytes, safe));
    }
    for line in [
        "Upgrade: h2c",
        "Upgrade: TLS/1.0",
        "Upgrade: foo",
        "Upgrade: h2c, websocket",
        "Upgrade: WebSocket\r\nUpgrade: h2c",
    ] {
        let bytes =
            format!("GET /public/x HTTP/1.1\r\nHost: a.localhost\r\nConnection: close, Upgrade\r\n{line}\r\n\r\n");
        let safe = Expected::RefusedOr(&[400, 403], both(without("h2c"), target("/public/x")));
        cases.push(Case::bytes(line, "C14 h2c smuggling", bytes, safe));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_the_door_has_a_header_that_a_visitor_wrote() {
    let stage = Stage::open().await;
    for path in each(
        "/app/x?to=%0d%0aSet-Cookie:%20mallory=1¦/.stagedoor/login?to=/%0d%0aSet-Cookie:%20mallory=1¦/app/%0d%0aSet-Cookie:mallory=1¦\
        /.stagedoor/login?to=//mallory.example¦/.stagedoor/login?to=https://mallory.example/¦/app/x?%E5%98%8D%E5%98%8ASet-Cookie:mallory=1¦\
        /.stagedoor/login?to=/\\mallory.example¦/.stagedoor/login?to=javascript:mallory",
    ) {
        let ask = Ask::get(path).with("accept", "text/html");
        let case = Case::ask(path, "F04", ask, DENIED);
        for way in case.ways() {
            let outcome = stage.send(&case, way, "127.0.0.1").await;
            assert!(matches!(outcome.status, 200 | 303 | 400), "{way:?} {path}: {outcome:?}");
            let written = outcome.headers.iter().find(|(name, value)| {
                name.contains("mallory") || (name == "set-cookie" && value.contains("mallory=1"))
            });
            assert_eq!(written, None, "{way:?} {path}");
            let leads_away = outcome
                .header("location")
                .is_some_and(|to| !to.starts_with("/.stagedoor/login?to="));
            assert!(!leads_away, "{way:?} {path}: {:?}", outcome.header("location"));
        }
    }
    assert_eq!(stage.console.bytes(), 0);
}
