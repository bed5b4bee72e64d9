//! What only the door may say, nobody else can: identity, address, cookies, the path. The judge is a console that keeps
//! every byte it was sent.

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use http::{HeaderName, Request, header};
use serde_json::{Value, json};
use stagedoor_tests::{Door, DoorPlan, PASSWORD, Recorder, Reply, Visitor, Way, Ways, body_of, raw, soon};
use tokio::net::TcpListener;

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
        let forged: String = MANAGED
            .iter()
            .flat_map(|name| spellings(name))
            .map(|name| format!("{name}: {FORGED}\r\n"))
            .collect();
        let answer = stage
            .by_hand(way, &ada, &format!("GET /page HTTP/1.1\r\nHEADERS{forged}\r\n"))
            .await;
        assert_eq!(raw::status(&answer), 200, "{way:?}: {answer}");
        let seen = stage.console.last();
        assert!(!seen.head.contains(FORGED), "{way:?}:\n{}", seen.head);
        assert_eq!(seen.values("x-stagedoor-user"), ["ada"], "{way:?}");
    }
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
            ("x-forwarded-proto", if way == Way::Http1 { "http" } else { "https" }),
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
                "Connection: close, X-Stagedoor-User, x-stagedoor-assertion, X-Forwarded-For, Remote-User\r\n",
                200,
            ),
            (
                "Connection: X-Stagedoor-User\r\nConnection: close, X_Stagedoor_Role\r\n",
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
    let forged: String = MANAGED
        .iter()
        .flat_map(|name| spellings(name))
        .map(|name| format!("{name}: {FORGED}\r\n"))
        .collect();
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
            (vec![], "127.0.0.2"),
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
        proxy.sign_in("ada", PASSWORD).await.expect(200);
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

/// Base64 as JWTs have it: URL-safe and without padding.
fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        b'a'..=b'z' => u32::from(letter - b'a') + 26,
        b'0'..=b'9' => u32::from(letter - b'0') + 52,
        b'-' => 62,
        b'_' => 63,
        other => panic!("`{}` is not in the alphabet", char::from(other)),
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        (bits, count) = (bits << 6 | value(letter), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    bytes
}

/// The claims of an assertion, once its signature has been found good by the key set.
fn verified(token: &str, keys: &Value) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (head, claims) = signed.split_once('.').expect("three parts");
    let head: Value = serde_json::from_slice(&base64(head)).expect("JSON");
    assert_eq!(head["alg"], "ES256");
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == head["kid"])?;
    assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
    let mut point = vec![4];
    point.extend(base64(key["x"].as_str()?));
    point.extend(base64(key["y"].as_str()?));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &base64(signature)).ok()?;
    Some(serde_json::from_slice(&base64(claims)).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_assertion_is_signed_by_a_key_of_the_set_and_says_who_for_whom_and_how_long() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let keys = stage
            .ways
            .visitor(way, "console")
            .get("/.stagedoor/jwks.json")
            .await
            .expect(200)
            .json();
        assert!(
            keys["keys"]
                .as_array()
                .is_some_and(|keys| keys.iter().all(|key| key.get("d").is_none()))
        );
        ada.get("/page").await.expect(200);
        let seen = stage.console.last();
        let [token] = seen.values("x-stagedoor-assertion")[..] else {
            panic!("one assertion is wanted:\n{}", seen.head);
        };
        let claims = verified(token, &keys).expect("the signature is good");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("Stagedoor"), &json!("console")),
            "{way:?}"
        );
        assert_eq!(
            (&claims["sub"], &claims["role"]),
            (&json!("ada"), &json!("keeper")),
            "{way:?}"
        );
        let sessions = stage.ways.door.admin().sessions("ada").await;
        let sid = claims["sid"].as_str().map(str::to_owned);
        assert!(
            sessions.iter().any(|session| json_text(&session["id"]) == sid),
            "{claims} {sessions:?}"
        );
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("it is after 1970")
            .as_secs();
        let (issued, expires) = (
            claims["iat"].as_u64().expect("a time"),
            claims["exp"].as_u64().expect("a time"),
        );
        assert!(
            issued <= now && now - issued < 300 && now < expires && expires - issued <= 300,
            "{claims} at {now}"
        );
        // The check itself is one: of another's claims the signature is not good.
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let other = format!("{}A.{signature}", &signed[..signed.len() - 1]);
        assert!(other == token || verified(&other, &keys).is_none(), "{way:?}");
    }
}

/// A number or a text, as text.
fn json_text(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_i64().map(|number| number.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reserved_prefix_is_never_forwarded_and_its_neighbours_are() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let before = stage.console.bytes();
        for path in [
            "/.stagedoor",
            "/.stagedoor/",
            "/.stagedoor/login",
            "/.stagedoor/nothing-here",
            "/.stagedoor/login/deeper",
            "/.stagedoor?x=1",
            "/.%73tagedoor/nothing",
            "/.stagedoor%2flogin",
            "/.stagedoor/../page",
            "/%2estagedoor/x",
        ] {
            ada.get(path).await;
            assert_eq!(stage.console.bytes(), before, "{way:?} {path}");
        }
        ada.get("/.stagedoorx/page").await.expect(200);
        assert_eq!(stage.console.last().target(), "/.stagedoorx/page", "{way:?}");
    }
}

/// Targets that two servers could read differently, as a client library still sends them.
const AMBIGUOUS: [&str; 30] = [
    "/open/../admin",
    "/open/./admin",
    "/open/%2e%2e/admin",
    "/open/.%2E/admin",
    "/open/%2e%2e",
    "/open//admin",
    "//admin",
    "/open/..%2fadmin",
    "/open%2fadmin",
    "/open/..%5cadmin",
    "/open\\..\\admin",
    "/open/%252e%252e/admin",
    "/%2561dmin",
    "/open/..;/admin",
    "/open/..;x=1/admin",
    "/;/admin",
    "/admin;jsessionid=1/users",
    "/admin%3bx",
    "/admin%00",
    "/admin%00.png",
    "/admin/x%0a",
    "/admin%0d%0aX:y",
    "/open%23/../admin",
    "/admin%3f.css",
    "/open/%c0%ae%c0%ae/admin",
    "/open/%ff",
    "/open/%",
    "/open/%2",
    "/open/%zz",
    "/open/%u002e%u002e/admin",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_path_is_refused_by_every_way_before_a_byte_reaches_the_console() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let (ada, nobody) = (stage.ada(way).await, stage.ways.visitor(way, "console"));
        for path in AMBIGUOUS {
            for visitor in [&ada, &nobody] {
                let before = stage.console.bytes();
                visitor.get(path).await.expect(400);
                assert_eq!(stage.console.bytes(), before, "{way:?} {path}");
            }
        }
        ada.get("/open/caf%C3%A9?q=..%2f%00;//").await.expect(200);
        assert_eq!(
            stage.console.last().target(),
            "/open/caf%C3%A9?q=..%2f%00;//",
            "{way:?}"
        );
    }
    // Refusals are noted with the code of what was wrong.
    let admin = stage.ways.door.admin();
    soon("the refusals are in the audit", async || {
        let refused = admin.audit("event=request.refused&limit=200").await;
        refused
            .iter()
            .any(|event| event["reason"] == "encoded_dot")
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_that_is_none_is_refused_and_the_next_visitor_is_not_harmed() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let ada = stage.ada(way).await;
        for target in [
            "/admin#/open/x",
            "/open#/../admin",
            "admin/users",
            "file:/admin",
            "http:admin/x",
            "?x=/admin",
            "*",
            "@/admin",
            " /admin",
            "/open /admin",
            "/ad\tmin",
            "/ad\0min",
            "/ad\u{7f}min",
            "/caf\u{e9}",
            "",
            "http://console.localhost/admin",
            "\\admin",
        ] {
            let before = stage.console.bytes();
            let answer = stage
                .by_hand(way, &ada, &format!("GET {target} HTTP/1.1\r\nHEADERS\r\n"))
                .await;
            let status = raw::status(&answer);
            // Pingora closes on some of them without a word: that is a refusal, too.
            assert!(status == 400 || answer.is_empty(), "{way:?} {target:?}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {target:?}");
        }
        for method in ["TRACE", "CONNECT", "PROPFIND", "GETX", "get"] {
            let before = stage.console.bytes();
            let answer = stage
                .by_hand(way, &ada, &format!("{method} /page HTTP/1.1\r\nHEADERS\r\n"))
                .await;
            assert!(matches!(raw::status(&answer), 400 | 405), "{way:?} {method}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {method}");
        }
        for hosts in [
            "",
            "Host: console.localhost\r\nHost: other.localhost\r\n",
            "Host: other.localhost\r\n",
            "Host: a b\r\n",
        ] {
            let before = stage.console.bytes();
            let wire = stage.ways.wire(way, &ada).await;
            let request = format!("GET /open/page HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            let answer = raw::exchange_over(wire, request).await;
            assert!(matches!(raw::status(&answer), 400 | 421), "{way:?} {hosts:?}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {hosts:?}");
        }
        ada.get("/clean").await.expect(200);
        assert_eq!(stage.console.last().target(), "/clean", "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_not_there_is_a_page_with_a_support_code_in_bounded_time() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let ways = Ways::open(Door::plan().site("console", &url).policy(POLICY), &["console"]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let started = Instant::now();
        let answer = visitor.get("/open/page").await.expect(502);
        assert!(started.elapsed() < BOUNDED, "{way:?}: {:?}", started.elapsed());
        assert_eq!(answer.json()["error"], "upstream_unreachable", "{way:?}");
        let page = visitor
            .always("accept", "text/html")
            .get("/open/page")
            .await
            .expect(502);
        let admin = ways.door.admin();
        let code = answer.json()["support_code"]
            .as_str()
            .expect("a support code")
            .to_owned();
        let noted = soon("the code is in the audit", async || {
            admin.audit(&format!("support_code={code}")).await.pop()
        })
        .await;
        assert_eq!(noted["reason"], "upstream_unreachable", "{noted}");
        assert!(
            page.header("content-type")
                .is_some_and(|kind| kind.starts_with("text/html")),
            "{way:?}"
        );
        assert!(
            page.text().to_lowercase().contains("support code"),
            "{way:?}: {}",
            page.text()
        );
    }
}

/// The console's time of one second, and what a busy machine adds.
const BOUNDED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_takes_the_request_and_says_nothing_is_a_504_in_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let plan = Door::plan()
        .site_with("console", &url, "read_timeout = \"1s\"")
        .policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let started = Instant::now();
        let answer = visitor.get("/open/page").await.expect(504);
        assert!(started.elapsed() < BOUNDED, "{way:?}: {:?}", started.elapsed());
        assert_eq!(answer.json()["error"], "upstream_timeout", "{way:?}");
        assert!(answer.json()["support_code"].is_string(), "{way:?}");
        let page = visitor
            .always("accept", "text/html")
            .get("/open/page")
            .await
            .expect(504);
        assert!(
            page.text().to_lowercase().contains("support code"),
            "{way:?}: {}",
            page.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_breaks_off_or_talks_nonsense_is_a_502_and_no_more() {
    for answer in [
        "",
        "HTTP/1.1 200",
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let playing = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                raw::read_head(&mut stream).await;
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes())
                    .await
                    .ok();
            }
        });
        let ways = Ways::open(Door::plan().site("console", &url).policy(POLICY), &["console"]).await;
        let reply = ways.door.visitor("console").get("/open/page").await.expect(502);
        assert!(reply.json()["support_code"].is_string(), "{answer:?}");
        playing.abort();
    }
}
