//! What every answer bears, whatever it says.

use http::Method;

use super::{Answer, House};

#[track_caller]
fn is_secured(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("script"),
        "{what}: {policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-stagedoor-answer", "door"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
}

#[tokio::test]
async fn every_answer_is_secured_and_none_but_the_assets_and_keys_may_be_kept() {
    let house = House::new().await;
    house.account("alice").await;
    let mut stranger = house.browser();
    let mut alice = house.signed_in("alice").await;
    let mut seen = Vec::new();
    for page in [
        "",
        "login",
        "logout",
        "profile",
        "whoami",
        "setup",
        "login/enrol",
        "nothing",
        "assets/nothing.css",
    ] {
        let path = format!("/.stagedoor/{page}");
        for browser in [&mut stranger, &mut alice] {
            let answer = browser.get(&path).await;
            is_secured(&answer, &path);
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            seen.push(answer.status.as_u16());
        }
    }
    let form = Some("application/x-www-form-urlencoded");
    for (method, path, media_type, body, status) in [
        (Method::DELETE, "/.stagedoor/login", None, String::new(), 405),
        (Method::POST, "/.stagedoor/login", form, "x".repeat(70_000), 413),
        (
            Method::POST,
            "/.stagedoor/login",
            Some("text/plain"),
            String::new(),
            415,
        ),
        (Method::POST, "/.stagedoor/login", form, "username=%FF".to_owned(), 400),
        (Method::GET, "/elsewhere", None, String::new(), 404),
        (Method::GET, "/.stagedoor/assets/%FF", None, String::new(), 404),
        (Method::GET, "/.stagedoor/assets/a/b", None, String::new(), 404),
        (Method::OPTIONS, "/.stagedoor/login", None, String::new(), 405),
    ] {
        let what = format!("{method} {path}");
        let answer = stranger.ask(method, path, media_type, body).await;
        assert_eq!(answer.status, status, "{what}");
        is_secured(&answer, &what);
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
    }
    for status in [200, 303, 404, 409] {
        assert!(seen.contains(&status), "no {status} in {seen:?}");
    }
}

#[tokio::test]
async fn refused_sign_ins_and_failures_are_secured_too() {
    let house = House::new().await;
    let mut browser = house.browser();
    is_secured(&browser.sign_in("nobody", "wrong wrong wrong").await, "401");
    is_secured(
        &browser
            .post("/.stagedoor/login", &[("username", "a"), ("password", "b")])
            .await,
        "403",
    );
    let page = browser.get("/.stagedoor/login").await;
    house.store.break_down("reserve_attempt");
    let answer = browser
        .fill(&page, "login", &[("username", "a"), ("password", "b")])
        .await;
    assert_eq!(answer.status, 503);
    is_secured(&answer, "503");
}

#[tokio::test]
async fn assets_may_be_kept_for_ever_under_the_names_the_pages_use() {
    let house = House::new().await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login").await;
    for (before, media_type) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("<img src=\"", "image/svg+xml"),
    ] {
        let path = page.between(before, "\"").remove(0);
        let asset = browser.get(&path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("content-type"), media_type);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        is_secured(&asset, &path);
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let house = House::new().await;
    let mut browser = house.browser();
    let answer = browser
        .ask(Method::HEAD, "/.stagedoor/login", None, String::new())
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "");
    is_secured(&answer, "HEAD");
}
