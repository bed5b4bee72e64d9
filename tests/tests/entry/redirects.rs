//! Nobody is led off this origin, however the way on is spelt.

use stagedoor_tests::{PASSWORD, Reply, Way, when_not_busy};

use crate::person::Person;
use crate::stage::{ROOMY, Stage};

/// Ways on that lead elsewhere, to a browser or to somebody who decodes first, or that would end a header.
const ELSEWHERE: [&str; 46] = [
    "//evil.example",
    "//evil.example/app",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "/%2F/evil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%252f%252fevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/app//evil.example",
    "/app/..//evil.example",
    "http://evil.example",
    "https://evil.example/",
    "HTTPS:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http://console.localhost@evil.example/",
    "//console.localhost@evil.example/",
    "@evil.example",
    ".evil.example",
    ":80@evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "/%0d%0aSet-Cookie:%20x=1",
    "/\r\nSet-Cookie: x=1",
    "/app%00",
    "/app\u{2028}",
    "/\u{ff0f}evil.example",
    "evil.example/app",
];

/// Where a page leads: its redirect, and every address in it.
fn leads(answer: &Reply) -> Vec<String> {
    let text = answer.text();
    let mut all: Vec<String> = ["href=\"", "action=\"", "src=\""]
        .iter()
        .flat_map(|mark| text.split(mark).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    all.extend(answer.header("location").map(str::to_owned));
    all
}

#[track_caller]
fn stays_here(answer: &Reply, what: &str) {
    for lead in leads(answer) {
        let mut letters = lead.chars();
        let here = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
        let own = here || lead.starts_with('#');
        assert!(own && !lead.contains(char::is_control), "{what:?} leads to {lead:?}");
        let decoded = lead
            .replace("%2F", "/")
            .replace("%2f", "/")
            .replace("%5C", "\\")
            .replace("%5c", "\\");
        let hidden = decoded.starts_with("//") || decoded.starts_with("/\\");
        assert!(!hidden, "{what:?} leads to {lead:?}");
    }
    assert!(!answer.headers.contains_key("refresh"), "{what:?}");
    assert_eq!(answer.header("x"), None, "{what:?} wrote a header");
}

async fn sign_in(person: &Person, to: &str) -> Reply {
    let page = person
        .get(&format!("/.stagedoor/login?to={}", escaped(to)))
        .await
        .expect(200);
    stays_here(&page, to);
    let token = crate::person::token_in(&page.text()).expect("a form");
    // As an attacker writes it into a form of his own, past what the page made of it.
    let fields = [
        ("csrf", token.as_str()),
        ("username", "bob"),
        ("password", PASSWORD),
        ("to", to),
    ];
    when_not_busy(async || person.send("login", &fields, &[]).await).await
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_on_leads_to_another_origin_or_writes_a_header() {
    let stage = Stage::open(ROOMY).await;
    for to in ELSEWHERE {
        let person = stage.person(Way::Http1);
        let answer = sign_in(&person, to).await.expect(303);
        assert_eq!(answer.header("location"), Some("/"), "{to:?}");
        // Who is signed in already is offered a way on as well.
        stays_here(&person.get(&format!("/.stagedoor/login?to={}", escaped(to))).await, to);
    }
    // And a way on that is one is taken.
    let answer = sign_in(&stage.person(Way::Http1), "/app/page?x=1&y=//z")
        .await
        .expect(303);
    assert_eq!(answer.header("location"), Some("/app/page?x=1&y=//z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_to_sign_in_comes_back_to_this_origin_by_every_way() {
    let stage = Stage::open(ROOMY).await;
    for way in Way::ALL {
        let person = stage.person(way);
        for path in [
            "/app/page?next=//evil.example",
            "/app/x%20y?a=%0d%0aX:1",
            "/app/caf%C3%A9",
        ] {
            let answer = person.get(path).await.expect(303);
            let location = answer.header("location").expect("the way to sign in").to_owned();
            assert!(location.starts_with("/.stagedoor/login?to=/app/"), "{way:?} {location}");
            stays_here(&answer, path);
            stays_here(&person.get(&location).await.expect(200), path);
        }
        // What the visitor says of the request is in no redirect.
        let poisoned = [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "javascript"),
            ("x-original-url", "//evil.example"),
            ("referer", "http://evil.example/"),
            ("forwarded", "host=evil.example"),
        ];
        let mut request = http::Request::get("/app/page");
        for (name, value) in poisoned {
            request = request.header(name, value);
        }
        let answer = person
            .visitor
            .send(request.body(stagedoor_tests::body_of("")).expect("a request"))
            .await
            .expect(303);
        assert_eq!(
            answer.header("location"),
            Some("/.stagedoor/login?to=/app/page"),
            "{way:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_that_was_moved_leads_round_in_no_circle() {
    let stage = Stage::with(ROOMY, |plan| plan.building("[portal]\nprefix = \"/door/in/\"\n")).await;
    let visitor = stage.visitor("127.0.0.1").always("accept", "text/html");
    let answer = visitor.get("/app/page").await.expect(303);
    assert_eq!(answer.header("location"), Some("/door/in/login?to=/app/page"));
    for to in [
        "/door/in/login",
        "/door/in/logout",
        "/door/in/login/second-factor",
        "/door/in//evil.example",
        "//door/in/",
    ] {
        let page = visitor.get(&format!("/door/in/login?to={to}")).await.expect(200);
        stays_here(&page, to);
        assert!(!page.text().contains("name=\"to\""), "{to}: {}", page.text());
    }
    // Where the pages were before is a path like any other.
    stage.visitor("127.0.0.1").get("/.stagedoor/login").await.expect(401);
}
