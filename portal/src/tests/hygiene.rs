//! What holds for every answer, whatever it says.

use axum::body::Body;
use axum::http::{Method, header};

use super::*;

/// Every page of the portal.
const PAGES: [&str; 28] = [
    "",
    "login",
    "login/second-factor",
    "login/enrol",
    "login/password",
    "setup",
    "logout",
    "profile",
    "profile/password",
    "profile/second-factor",
    "profile/details",
    "profile/name",
    "profile/email",
    "profile/picture",
    "picture/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911/0000000000000000",
    "email?token=x",
    "accounts",
    "accounts/invite",
    "invitation?token=x",
    "reset",
    "reset?token=x",
    "accounts/add",
    "accounts/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911",
    "accounts/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911/edit",
    "accounts/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911/delete",
    "whoami",
    "jwks.json",
    "nothing/here",
];

fn is_secured(page: &Page, what: &str) {
    let fixed = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-stagedoor-answer", "door"),
    ];
    for (name, value) in fixed {
        assert_eq!(page.header(name), value, "{name} of {what}");
    }
    assert!(
        page.header("server").is_empty() && page.header("x-powered-by").is_empty(),
        "{what}"
    );
}

#[tokio::test]
async fn every_answer_bears_the_headers_that_keep_it_safe() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut signed_in = stage.signed_in("alice").await;
    for page in PAGES {
        for browser in [&mut stage.browser(), &mut signed_in] {
            let answer = browser.get(page).await;
            is_secured(&answer, page);
            let kept = if page == "jwks.json" {
                "public, max-age=300"
            } else {
                "no-store"
            };
            assert_eq!(answer.header("cache-control"), kept, "{page}");
        }
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::TRACE,
            Method::HEAD,
        ] {
            let request = signed_in.request(method.clone(), page).body(Body::empty()).unwrap();
            let answer = signed_in.send(request).await;
            is_secured(&answer, &format!("{method} {page}"));
            assert!(
                !answer.status.is_server_error(),
                "{method} {page} answered {}",
                answer.status
            );
            assert_eq!(
                answer.header("cache-control"),
                if answer.status == 200 && page == "jwks.json" {
                    "public, max-age=300"
                } else {
                    "no-store"
                }
            );
        }
    }
}

#[tokio::test]
async fn wrong_paths_and_methods_have_pages_of_their_own() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    for page in [
        "nothing/here",
        "login/",
        "assets/portal.css",
        "assets/..%2F..%2FCargo.toml",
        "assets/%ff",
        "Login",
    ] {
        let answer = browser.get(page).await;
        assert!(
            answer.status == 404 && answer.says("There is no page at this address."),
            "{page}: {}",
            answer.status
        );
    }
    for (method, page) in [
        (Method::PUT, "login"),
        (Method::POST, "whoami"),
        (Method::GET, "profile/sessions"),
    ] {
        let request = browser.navigation(method, page).body(Body::empty()).unwrap();
        let answer = browser.send(request).await;
        assert!(
            answer.status == 405 && answer.says("Not like this"),
            "{page}: {}",
            answer.status
        );
        assert!(!answer.header("allow").is_empty(), "{page}");
    }
}

#[tokio::test]
async fn a_body_that_no_form_of_ours_could_fill_is_refused() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    let token = browser.get("login").await.token();
    let large = "x".repeat(crate::BODY_BYTES_MAX + 1);
    let answer = browser
        .post("login", &[("csrf", &token), ("username", &large), ("password", "x")])
        .await;
    assert_eq!(answer.status, 413);
    is_secured(&answer, "413");
    let answer = browser
        .post_json("login", &serde_json::json!({ "username": large, "password": "x" }))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
        (413, "too_large")
    );
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_pages_name_them() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    let page = browser.get("login").await;
    let style = page.between("rel=\"stylesheet\" href=\"/.stagedoor/", "\"");
    let mark = page.between("type=\"image/svg+xml\" href=\"/.stagedoor/", "\"");
    for (asset, media_type) in [(style, "text/css; charset=utf-8"), (mark, "image/svg+xml")] {
        let answer = browser.get(&asset).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, media_type)
        );
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        is_secured(&answer, &asset);
    }
}

#[tokio::test]
async fn two_session_cookies_are_nobody() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let second = format!("stagedoor={}", "A".repeat(43));
    let request = browser
        .navigation(Method::GET, "profile")
        .header(header::COOKIE, second);
    let answer = browser.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn a_name_that_an_operator_chose_is_text_and_not_markup() {
    let stage = Stage::new().await;
    let portal = crate::router(PortalParts {
        door: stage.door.clone(),
        prefix: "{odd}/door".to_owned(),
        title: "<svg onload=alert(1)>".to_owned(),
        jwks: Arc::new(String::new),
        setup: None,
    });
    let odd = Stage { portal, ..stage };
    let mut browser = odd.browser();
    let mut request = browser.navigation(Method::GET, "").body(Body::empty()).unwrap();
    *request.uri_mut() = "/%7Bodd%7D/door/login".parse().unwrap();
    let answer = browser.send(request).await;
    assert!(!answer.says("<svg"), "{}", answer.text);
    assert!(answer.says("&#60;svg onload=alert(1)&#62;"), "{}", answer.text);
}

#[tokio::test]
async fn markup_in_ones_own_name_or_browser_is_text_too() {
    const NASTY: &str = "<svg onload=alert(1)>\"'&";
    let stage = Stage::with(roomy_rules(0, WhenFull::Displace)).await;
    let alice = stage.account("alice").await;
    let change = stagedoor_identity::account::AccountChange {
        display_name: Some(NASTY.to_owned()),
        ..Default::default()
    };
    stage.door.change_account(alice.id, None, change, &cli()).await.unwrap();
    let mut other = stage.browser();
    other.agent = NASTY;
    other.sign_in("alice", PASSWORD).await;
    let page = stage.signed_in("alice").await.get("profile").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let shown = page.text.matches("&#60;svg onload=alert(1)&#62;").count();
    assert_eq!(shown, 3, "the name, the browser, and its button's label: {}", page.text);
    assert!(!page.says("<svg") && !page.says("\"'&"), "{}", page.text);
}

#[tokio::test]
async fn a_request_without_its_caller_is_a_fault_of_ours_and_opens_nothing() {
    use tower::ServiceExt as _;
    let stage = Stage::new().await;
    let request = axum::http::Request::get("/.stagedoor/login")
        .body(Body::empty())
        .unwrap();
    let answer = stage.portal.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["x-frame-options"], "DENY");
}
