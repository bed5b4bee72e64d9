//! What only the door may say, nobody else can: identity, address, cookies, the path. The judge is a console that keeps
//! every byte it was sent.

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use http::{HeaderName, Request, header};
use serde_json::{Value, json};
use stagedoor_tests::{
    Door, DoorPlan, PASSWORD, Recorder, Reply, Visitor, Way, Ways, body_of, raw, soon, unix_seconds,
};
use tokio::net::TcpListener;

#[path = "hygiene/assertion.rs"]
mod assertion;
#[path = "hygiene/away.rs"]
mod away;
#[path = "hygiene/paths.rs"]
mod paths;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\
    open = { paths = [\"/open/**\"], open_to = \"everyone\" }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n";
/// Every byte but letters, digits and `-` that a header's name may have (RFC 9110, section 5.6.2).
const SEPARATORS: &str = "!#$%&'*+-.^_`|~";
/// What somebody who pretends to be another sends; no header of the door has it.
const FORGED: &str = "mallory";
/// Names as a console knows them: what comes under one of these names, however spelt, is the door's word.
const MANAGED: [&str; 28] = [
    "X-Stagedoor-User",
    "X-Stagedoor-Role",
    "X-Stagedoor-Name",
    "X-Stagedoor-Email",
    "X-Stagedoor-Assertion",
    "X-Stagedoor-Request-Id",
    "X-Stagedoor-Anything-Else",
    "Remote-User",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    "X-Forwarded-Email",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Real-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-HTTP-Method",
    "X-Original-Method",
];

/// The door in front of a recorder, with `ada`, who may do everything.
struct Stage {
    ways: Ways,
    console: Recorder,
}

impl Stage {
    async fn open() -> Self {
        Self::with(Recorder::start().await, |plan| plan).await
    }

    async fn with(console: Recorder, more: impl FnOnce(DoorPlan) -> DoorPlan) -> Self {
        let settings = "identity_headers = [\"stagedoor\", \"remote\", \"forwarded\"]\nassertion = true";
        let plan = Door::plan()
            .site_with("console", &console.url(), settings)
            .policy(POLICY);
        let ways = Ways::open(more(plan), &["console"]).await;
        let account = json!({
            "name": "ada", "password": PASSWORD, "password_temporary": false, "role": "keeper",
            "display_name": "Ada L.", "email": "ada@example.test",
        });
        ways.door.admin().add(account).await;
        Self { ways, console }
    }

    async fn ada(&self, way: Way) -> Visitor {
        self.ways.signed_in(way, "console", "ada").await
    }

    /// Bytes that `ada` sends, with `HEADERS` in them for what makes them a request of hers, and what comes back.
    async fn by_hand(&self, way: Way, ada: &Visitor, bytes: &str) -> String {
        let cookies = ada.cookie_header().expect("ada is signed in");
        let lines = format!("Host: console.localhost\r\nConnection: close\r\nCookie: {cookies}\r\n");
        let wire = self.ways.wire(way, ada).await;
        raw::exchange_over(wire, bytes.replace("HEADERS", &lines)).await
    }
}

/// The names of a header in every spelling that some console takes for it.
fn spellings(name: &str) -> Vec<String> {
    let mixed: String = name.chars().enumerate().map(swap_some).collect();
    let mut all = vec![name.to_lowercase(), name.to_uppercase(), mixed];
    all.extend(
        SEPARATORS
            .chars()
            .map(|separator| name.replace('-', &separator.to_string())),
    );
    // One separator changed and the others left: a filter that maps whole names would miss it.
    all.push(name.replacen('-', "_", 1));
    all
}

fn swap_some((index, letter): (usize, char)) -> char {
    if index % 3 == 1 {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_say_who_he_is_in_any_spelling_by_any_way() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let (ada, nobody) = (stage.ada(way).await, stage.ways.visitor(way, "console"));
        for name in MANAGED {
            for (visitor, user) in [(&ada, &["ada"][..]), (&nobody, &[])] {
                let mut request = Request::get("/open/page");
                for spelling in spellings(name) {
                    let name = HeaderName::from_bytes(spelling.as_bytes()).expect("a header's name");
                    request = request.header(name, FORGED);
                }
                let request = request.body(body_of("")).expect("a request");
                visitor.send(request).await.expect(200);
                let seen = stage.console.last();
                assert!(!seen.head.contains(FORGED), "{way:?} {name}:\n{}", seen.head);
                assert_eq!(seen.values("x-stagedoor-user"), user, "{way:?} {name}");
                assert_eq!(seen.values("remote-user"), user, "{way:?} {name}");
                assert_eq!(seen.values("x-forwarded-user"), user, "{way:?} {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_case_of_a_header_written_by_hand_does_not_matter() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let ada = stage.ada(way).await;
        for names in MANAGED.chunks(NAMES_AT_ONCE) {
            let forged = forged_lines(names);
            let request = format!("GET /page HTTP/1.1\r\nHEADERS{forged}\r\n");
            let answer = stage.by_hand(way, &ada, &request).await;
            assert_eq!(raw::status(&answer), 200, "{way:?}: {answer}");
            let seen = stage.console.last();
            assert!(!seen.head.contains(FORGED), "{way:?}:\n{}", seen.head);
            assert_eq!(seen.values("x-stagedoor-user"), ["ada"], "{way:?}");
        }
    }
}

/// With more headers than pingora reads, a request is refused before anybody looks at their names.
const NAMES_AT_ONCE: usize = 5;

/// Each of the names in every spelling, as lines of a request.
fn forged_lines(names: &[&str]) -> String {
    let spelt = names.iter().flat_map(|name| spellings(name));
    spelt.map(|name| format!("{name}: {FORGED}\r\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_learns_who_is_calling_once_and_in_every_name_it_was_promised() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        ada.send(Request::get("/page").body(body_of("")).expect("a request"))
            .await
            .expect(200);
        let seen = stage.console.last();
        for (name, value) in [
            ("x-stagedoor-user", "ada"),
            ("x-stagedoor-role", "keeper"),
            ("x-stagedoor-name", "Ada L."),
            ("x-stagedoor-email", "ada@example.test"),
            ("remote-user", "ada"),
            ("remote-groups", "keeper"),
            ("remote-email", "ada@example.test"),
            ("x-forwarded-user", "ada"),
            ("x-forwarded-groups", "keeper"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", if way.is_secure() { "https" } else { "http" }),
        ] {
            assert_eq!(seen.values(name), [value], "{way:?} {name}");
        }
        assert_eq!(seen.values("host").len(), 1, "{way:?}:\n{}", seen.head);
        assert_eq!(seen.values("x-stagedoor-request-id").len(), 1, "{way:?}");
        assert_eq!(seen.values("x-stagedoor-assertion").len(), 1, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_header_takes_nothing_away_that_the_door_says() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let ada = stage.ada(way).await;
        let cookies = ada.cookie_header().expect("ada is signed in");
        for (more, status) in [
            (
                "Connection: close, X-Stagedoor-User, x-stagedoor-assertion, Remote-User\r\n",
                200,
            ),
            (
                "Connection: close\r\nConnection: X-Stagedoor-User, X_Stagedoor_Role\r\n",
                200,
            ),
        ] {
            let wire = stage.ways.wire(way, &ada).await;
            let request = format!("GET /page HTTP/1.1\r\nHost: console.localhost\r\nCookie: {cookies}\r\n{more}\r\n");
            let answer = raw::exchange_over(wire, request).await;
            assert_eq!(raw::status(&answer), status, "{way:?}: {answer}");
            let seen = stage.console.last();
            for (name, value) in [
                ("x-stagedoor-user", "ada"),
                ("remote-user", "ada"),
                ("x-forwarded-for", "127.0.0.1"),
            ] {
                assert_eq!(seen.values(name), [value], "{way:?} {more}\n{}", seen.head);
            }
            assert_eq!(seen.values("x-stagedoor-assertion").len(), 1, "{way:?} {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websockets_handshake_is_cleaned_like_any_other_request() {
    let stage = Stage::open().await;
    let ada = stage.ada(Way::Http1).await;
    let cookies = ada.cookie_header().expect("ada is signed in");
    let forged = forged_lines(&MANAGED[..NAMES_AT_ONCE]);
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: console.localhost\r\nCookie: a=1; {cookies}\r\n\
         Connection: Upgrade, X-Stagedoor-User\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{forged}\r\n"
    );
    let mut wire = stage.ways.wire(Way::Http1, &ada).await;
    tokio::io::AsyncWriteExt::write_all(&mut wire, request.as_bytes())
        .await
        .expect("it is open");
    let answer = raw::read_head(&mut wire).await;
    assert_eq!(raw::status(&answer), 200, "the recorder declines: {answer}");
    let seen = stage.console.last();
    assert!(!seen.head.contains(FORGED), "{}", seen.head);
    assert_eq!(seen.values("x-stagedoor-user"), ["ada"]);
    assert_eq!(seen.values("cookie"), ["a=1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_cookies_never_reach_the_console_and_its_own_arrive_in_one_line() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let token = ada.cookie(way.session_cookie()).expect("ada is signed in");
        let ours = format!("{}={token}", way.session_cookie());
        for (sent, arrives) in [
            (vec![ours.clone()], None),
            (vec![format!("a=1; {ours}; b=2")], Some("a=1; b=2")),
            (vec![format!("{ours};a=1")], Some("a=1")),
            (
                vec!["a=1".to_owned(), ours.clone(), "b=2".to_owned(), "c=\"3\"".to_owned()],
                Some("a=1; b=2; c=\"3\""),
            ),
            (
                vec![format!(
                    "{ours}; stagedoor-form=x; __Host-stagedoor-form=y; stagedoor-step=z; d=4"
                )],
                Some("d=4"),
            ),
            (
                vec![format!("{ours}; stagedoorman=1; xstagedoor=2")],
                Some("stagedoorman=1; xstagedoor=2"),
            ),
        ] {
            let mut request = Request::get("/page");
            for line in &sent {
                request = request.header(header::COOKIE, line);
            }
            ada.send(request.body(body_of("")).expect("a request"))
                .await
                .expect(200);
            let seen = stage.console.last();
            assert!(!seen.head.contains(&token), "{way:?} {sent:?}:\n{}", seen.head);
            assert_eq!(
                seen.values("cookie"),
                arrives.into_iter().collect::<Vec<_>>(),
                "{way:?} {sent:?}"
            );
        }
        // Of the other kind of connection, or planted: not ours to believe here, and not the console's to see.
        for name in ["stagedoor", "__Host-stagedoor"] {
            let other = stage.ways.visitor(way, "console");
            other.put_cookie(name, "planted");
            other.get("/open/page").await.expect(200);
            assert!(stage.console.last().values("cookie").is_empty(), "{way:?} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presents_two_session_cookies_is_not_signed_in() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let name = way.session_cookie();
        let ours = format!("{name}={}", ada.cookie(name).expect("ada is signed in"));
        ada.get("/page").await.expect(200);
        let before = stage.console.bytes();
        for sent in [
            vec![format!("{ours}; {name}=evil")],
            vec![format!("{name}=evil; {ours}")],
            vec![format!("{ours}; {ours}")],
            vec![ours.clone(), format!("{name}=evil")],
            vec!["a=1".to_owned(), format!("{name}="), ours.clone()],
        ] {
            let mut request = Request::get("/page");
            for line in &sent {
                request = request.header(header::COOKIE, line);
            }
            let answer = ada
                .send(request.body(body_of("")).expect("a request"))
                .await
                .expect(401);
            assert_eq!(answer.json()["error"], "sign_in_required", "{way:?} {sent:?}");
        }
        assert_eq!(stage.console.bytes(), before, "{way:?}");
        ada.get("/page").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_can_set_its_own_cookies_and_never_ours_nor_speak_in_our_name() {
    let console = Recorder::answering(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: sid=1; Path=/\r\nSet-Cookie: stagedoor=planted\r\n\
          Set-Cookie: __Host-stagedoor=planted; Path=/; Secure\r\nset-cookie:  Stagedoor = planted\r\n\
          Set-Cookie: stagedoor-step=planted\r\nSet-Cookie: stagedoor=; Max-Age=0\r\nSet-Cookie: theme=dark\r\n\
          X-Stagedoor-User: planted\r\nX-Own: 1\r\n\r\nok"
            .to_vec()
    });
    let stage = Stage::with(console.await, |plan| plan).await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let answer = ada.get("/page").await.expect(200);
        let set: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(set, ["sid=1; Path=/", "theme=dark"], "{way:?}");
        assert_eq!(answer.header("x-stagedoor-user"), None, "{way:?}");
        assert_eq!(answer.header("x-own"), Some("1"), "{way:?}");
        ada.get("/page").await.expect(200);
    }
}

/// What the door says of who is calling.
async fn whoami(visitor: &Visitor, forwarded: &[&str]) -> Reply {
    let mut request = Request::get("/.stagedoor/whoami");
    for value in forwarded {
        request = request.header("x-forwarded-for", *value);
    }
    visitor.send(request.body(body_of("")).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_addresses_are_believed_from_a_declared_proxy_alone_and_from_the_right() {
    let trusted = "[proxies]\ntrusted = [\"127.0.0.2\", \"127.0.0.3\"]\n";
    let stage = Stage::with(Recorder::start().await, |plan| plan.building(trusted)).await;
    for way in Way::ALL {
        let stranger = stage.ways.visitor(way, "console");
        let proxy = stranger.clone().from("127.0.0.2");
        let answer = whoami(&stranger, &["203.0.113.9"]).await.expect(200);
        assert_eq!(answer.json()["address"], "127.0.0.1", "{way:?}");
        for (forwarded, address) in [
            (vec!["203.0.113.9"], "203.0.113.9"),
            (vec!["10.0.0.5, 203.0.113.9"], "203.0.113.9"),
            (vec!["10.0.0.5, 203.0.113.9, 127.0.0.3"], "203.0.113.9"),
            (vec!["10.0.0.5", "203.0.113.9"], "203.0.113.9"),
            (vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            (vec!["nonsense, 2001:db8::7"], "2001:db8::7"),
        ] {
            let answer = whoami(&proxy, &forwarded).await.expect(200);
            assert_eq!(answer.json()["address"], address, "{way:?} {forwarded:?}");
        }
        for odd in [
            "nonsense",
            "010.0.0.1",
            "0x0a.1",
            "fe80::1%eth0",
            "203.0.113.9, ",
            "203.0.113.9:80:80",
            "10.1",
        ] {
            assert_eq!(whoami(&proxy, &[odd]).await.expect(400).status, 400, "{way:?} {odd}");
        }
        assert_eq!(
            whoami(&proxy, &[]).await.status,
            400,
            "{way:?}: a proxy that names no visitor"
        );
        // Of one cookie jar with the proxy.
        stranger.sign_in("ada", PASSWORD).await.expect(200);
        let request = Request::get("/page").header("x-forwarded-for", "10.0.0.5, 203.0.113.9");
        let request = request
            .header("x-forwarded-proto", "gopher")
            .header("x-real-ip", "10.0.0.5");
        proxy
            .send(request.body(body_of("")).expect("a request"))
            .await
            .expect(200);
        let seen = stage.console.last();
        assert_eq!(seen.values("x-forwarded-for"), ["203.0.113.9"], "{way:?}");
        assert!(
            !seen.head.contains("10.0.0.5") && !seen.head.contains("gopher"),
            "{way:?}\n{}",
            seen.head
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_brings_a_visitor_into_a_network_he_is_not_in() {
    let console = Recorder::start().await;
    let policy =
        format!("{POLICY}\n[networks]\noffice = [\"10.0.0.0/8\"]\n\n[site.console]\nnetworks = [\"office\"]\n");
    let stage = Stage::with(console, |plan| plan.policy(&policy)).await;
    for way in Way::ALL {
        let visitor = stage.ways.visitor(way, "console");
        for name in [
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "true-client-ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "cf-connecting-ip",
            "x-originating-ip",
            "x-remote-ip",
            "x-remote-addr",
            "client-ip",
            "x-proxyuser-ip",
            "x-custom-ip-authorization",
        ] {
            let value = if name == "forwarded" {
                "for=10.0.0.5"
            } else {
                "10.0.0.5"
            };
            let request = Request::get("/open/page")
                .header(name, value)
                .body(body_of(""))
                .expect("a request");
            let answer = visitor.send(request).await.expect(403);
            assert_eq!(answer.json()["error"], "address_not_allowed_site", "{way:?} {name}");
        }
    }
    assert_eq!(stage.console.bytes(), 0);
    let refused = stage.ways.door.admin().audit("event=request.refused&limit=5").await;
    assert!(
        refused.iter().all(|event| event["address"] == "127.0.0.1"),
        "{refused:?}"
    );
}
