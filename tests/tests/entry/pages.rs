//! The door's own pages: framed by nobody, kept by nobody, and never more than text in what others have written.

use http::{Method, Request};
use serde_json::json;
use stagedoor_tests::{PASSWORD, Reply, Visitor, Way, body_of, raw, when_not_busy};

use crate::person::Person;
use crate::stage::{ROOMY, Stage, sign_in};

/// What would run, were it markup; and what would end an attribute.
const NASTY: &str = "<svg onload=alert(1)>\"'&";

#[track_caller]
fn is_safe(answer: &Reply, what: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {:?}",
        answer.headers
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("script-src"),
        "{what}: {policy}"
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-stagedoor-answer", "door"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    for name in ["server", "x-powered-by", "access-control-allow-origin", "etag"] {
        assert_eq!(answer.header(name), None, "{what}: {name}");
    }
    if answer
        .header("content-type")
        .is_some_and(|kind| !kind.starts_with("text/css") && !kind.contains("svg"))
        && !what.contains("jwks")
    {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    }
}

async fn ask(visitor: &Visitor, method: &Method, path: &str, more: &[(&str, &str)], body: String) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    visitor.send(request.body(body_of(body)).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_door_is_framed_and_kept_by_nobody_whatever_it_says_by_every_way() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let away = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let more = "[site.away.areas]\nall = { paths = [\"/**\"], open_to = \"everyone\" }\n\n";
    let stage = Stage::with(&format!("{more}{ROOMY}"), |plan| plan.site("away", &away)).await;
    for way in Way::ALL {
        let bob = stage.person(way);
        bob.sign_in("bob", "/").await.expect(303);
        let stranger = stage.person(way);
        let program = stage.ways.visitor(way, "console");
        for (who, method, path, status) in [
            (&stranger.visitor, Method::GET, "/.stagedoor/login", 200),
            (&stranger.visitor, Method::GET, "/.stagedoor/profile", 303),
            (&stranger.visitor, Method::GET, "/app/page", 303),
            (&program, Method::GET, "/app/page", 401),
            (&program, Method::GET, "/.stagedoor/profile", 401),
            (&program, Method::GET, "/.stagedoor/jwks.json", 200),
            (&stranger.visitor, Method::POST, "/app/page", 401),
            (&stranger.visitor, Method::GET, "/app%2fpage", 400),
            (&stranger.visitor, Method::GET, "/.stagedoor/nothing", 404),
            (&stranger.visitor, Method::PUT, "/.stagedoor/login", 405),
            (&stranger.visitor, Method::TRACE, "/app/page", 405),
            (&stranger.visitor, Method::OPTIONS, "/.stagedoor/login", 405),
            (&stranger.visitor, Method::POST, "/.stagedoor/login", 415),
            (&bob.visitor, Method::GET, "/.stagedoor/profile", 200),
            (&bob.visitor, Method::GET, "/.stagedoor/profile/password", 200),
            (&bob.visitor, Method::GET, "/.stagedoor/logout", 200),
            (&bob.visitor, Method::GET, "/admin/page", 403),
            (&bob.visitor, Method::GET, "/nowhere", 403),
            (&bob.visitor, Method::POST, "/.stagedoor/logout", 415),
        ] {
            let what = format!("{way:?} {method} {path}");
            let answer = ask(who, &method, path, &[], String::new()).await.expect(status);
            is_safe(&answer, &what);
        }
        let large = "x".repeat(70 * 1024);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = ask(&stranger.visitor, &Method::POST, "/.stagedoor/login", &form, large).await;
        is_safe(&answer.expect(413), &format!("{way:?} 413"));
        let forged = [("content-type", "application/json"), ("origin", "https://evil.example")];
        let answer = ask(
            &stranger.visitor,
            &Method::POST,
            "/.stagedoor/login",
            &forged,
            "{}".to_owned(),
        )
        .await;
        is_safe(&answer.expect(403), &format!("{way:?} forged"));
    }
    for (site, status) in [("away", 502), ("nobodys", 421)] {
        let visitor = stage.ways.door.visitor(site).always("accept", "text/html");
        is_safe(&visitor.get("/page").await.expect(status), site);
    }
}

/// Every page that shows something somebody else chose, with all of it nasty.
async fn nasty_pages(stage: &Stage) -> Vec<(String, Reply)> {
    let person = |visitor: Visitor| {
        let dressed = [
            "user-agent",
            "x-request-id",
            "x-forwarded-for",
            "x-forwarded-host",
            "referer",
        ];
        Person::new(
            dressed
                .into_iter()
                .fold(visitor, |visitor, name| visitor.always(name, NASTY)),
        )
    };
    let stranger = person(stage.visitor("127.0.0.1"));
    let mut pages = Vec::new();
    let to = crate::person::encoded(&[("to", &format!("/app/{NASTY}"))]);
    for path in [
        format!("/.stagedoor/login?{to}"),
        "/.stagedoor/login?to=/app/%3Csvg%20onload=alert(1)%3E%22'&".to_owned(),
        "/.stagedoor/%3Csvg%20onload=alert(1)%3E".to_owned(),
        "/.stagedoor/setup?token=%3Csvg%20onload=alert(1)%3E".to_owned(),
        "/.stagedoor/whoami?x=%3Csvg%20onload=alert(1)%3E".to_owned(),
        "/.stagedoor/assets/%3Csvg%20onload=alert(1)%3E".to_owned(),
        "/%3Csvg%20onload=alert(1)%3E".to_owned(),
    ] {
        pages.push((path.clone(), stranger.get(&path).await));
    }
    let fields = [("username", NASTY), ("password", NASTY), ("to", NASTY)];
    pages.push((
        "a failed sign-in".to_owned(),
        stranger.fill_in("login", "login", &fields).await,
    ));
    let fields = [("csrf", NASTY), ("username", NASTY), ("password", "x"), ("to", NASTY)];
    pages.push((
        "a form out of date".to_owned(),
        stranger.send("login", &fields, &[]).await,
    ));
    let mallory = person(stage.visitor("127.0.0.1"));
    mallory.sign_in("mallory", NASTY).await.expect(303);
    for path in [
        "/.stagedoor/profile",
        "/.stagedoor/whoami",
        "/.stagedoor/login",
        "/admin/%3Csvg%3E",
        "/.stagedoor/logout",
    ] {
        pages.push((path.to_owned(), mallory.get(path).await));
    }
    let fields = [("csrf", NASTY), ("end", NASTY)];
    pages.push((
        "a button pressed wrongly".to_owned(),
        mallory.send("profile/sessions", &fields, &[]).await,
    ));
    let token = mallory.token("profile/password").await;
    let fields = [
        ("csrf", token.as_str()),
        ("current_password", NASTY),
        ("new_password", NASTY),
        ("repeat", NASTY),
    ];
    let answer = when_not_busy(async || mallory.send("profile/password", &fields, &[]).await);
    pages.push(("a password that does not fit".to_owned(), answer.await));
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_else_wrote_is_text_on_every_page() {
    let stage = Stage::with(ROOMY, |plan| {
        plan.building("[portal]\ntitle = \"<svg onload=alert(1)>\"\n")
    })
    .await;
    let account = json!({
        "name": "mallory", "password": PASSWORD, "password_temporary": false, "role": "user", "display_name": NASTY,
    });
    stage.admin.add(account).await;
    for (what, page) in nasty_pages(&stage).await {
        let text = page.text();
        assert!(
            !text.contains("<svg") && !text.contains("onload=alert(1)>"),
            "{what}: {text}"
        );
        assert!(!text.contains("\"'&"), "{what}: {text}");
        assert!(!text.contains("<script"), "{what}: {text}");
        is_safe(&page, &what);
    }
    let profile = stage.person(Way::Http1);
    profile.sign_in("mallory", "/").await.expect(303);
    let text = profile.get("/.stagedoor/profile").await.text();
    assert!(
        text.contains("&#60;svg onload=alert(1)&#62;"),
        "it is shown, as text: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_none_is_on_no_page() {
    let stage = Stage::open("").await;
    for host in [
        "console.localhost:<svg>",
        "console.localhost\"><svg onload=alert(1)>",
        "<svg>.localhost",
        "console.localhost@evil.example",
        "evil.example",
        "console.localhost, evil.example",
        "console.localhost:80:evil.example",
    ] {
        let request =
            format!("GET /.stagedoor/login HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        let answer = raw::exchange_over(stage.visitor("127.0.0.1").connect().await, request).await;
        assert!(matches!(raw::status(&answer), 400 | 421), "{host}: {answer}");
        assert!(
            !answer.contains("<svg") && !answer.contains("evil.example"),
            "{host}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_signing_out_nothing_is_kept_and_nothing_comes_back() {
    let stage = Stage::open(ROOMY).await;
    for way in Way::ALL {
        let bob = stage.person(way);
        bob.sign_in("bob", "/").await.expect(303);
        bob.visitor.put_cookie("sid", "the-consoles-own");
        let page = bob.get("/app/page").await.expect(200);
        assert_eq!(page.header("cache-control"), Some("no-store"), "{way:?}");
        let before = bob.visitor.cookie_header().expect("a session");
        let answer = bob.fill_in("logout", "logout", &[]).await.expect(200);
        assert_eq!(
            answer.header("clear-site-data"),
            Some("\"cache\", \"storage\""),
            "{way:?}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{way:?}");
        assert_eq!(bob.visitor.cookie(way.session_cookie()), None, "{way:?}");
        assert_eq!(
            bob.visitor.cookie("sid"),
            None,
            "{way:?}: the console's session is left"
        );
        let seen = stage.console.bytes();
        let request = Request::get("/app/page").header("cookie", &before);
        let answer = stage.ways.visitor(way, "console");
        let answer = answer.send(request.body(body_of("")).expect("a request")).await;
        assert_eq!(answer.status, 401, "{way:?}");
        // The back button asks again, and is sent to the door.
        bob.get("/app/page").await.expect(303);
        assert_eq!(stage.console.bytes(), seen, "{way:?}");
        // A link to the page with the button signs nobody out.
        sign_in(&bob.visitor, "bob", PASSWORD).await.expect(200);
        bob.get("/.stagedoor/logout").await.expect(200);
        bob.get("/app/page").await.expect(200);
    }
}
