//! What another site, or an old page, cannot do.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::json;

use super::browser::encoded;
use super::*;

/// Every form of the portal: where it posts to, and what else it sends.
const FORMS: [(&str, &[(&str, &str)]); 8] = [
    ("login", &[("username", "alice"), ("password", PASSWORD)]),
    ("logout", &[]),
    (
        "profile/password",
        &[
            ("current_password", PASSWORD),
            ("new_password", OTHER_PASSWORD),
            ("repeat", OTHER_PASSWORD),
        ],
    ),
    ("profile/second-factor", &[("password", PASSWORD)]),
    ("profile/sessions", &[("end", "others")]),
    ("profile/details", &[("version", "1"), ("display_name", "Mallory")]),
    ("profile/name", &[("name", "mallory"), ("current_password", PASSWORD)]),
    (
        "profile/email",
        &[("email", "mallory@example.org"), ("current_password", PASSWORD)],
    ),
];

async fn post_as(browser: &mut Browser<'_>, action: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
    let mut request = browser
        .navigation(Method::POST, action)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(encoded(fields))).unwrap()).await
}

#[tokio::test]
async fn a_post_from_another_origin_is_refused_even_with_the_right_token() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")],
    ];
    let mut browser = stage.signed_in("alice").await;
    for (action, fields) in FORMS {
        let page = if action == "login" { "login" } else { "logout" };
        let token = browser.get(page).await.token();
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        for headers in foreign {
            let answer = post_as(&mut browser, action, &all, headers).await;
            assert_eq!(answer.status, 403, "{action} from {headers:?}");
            assert!(answer.says("another site sent this, so nothing was done"), "{action}");
            assert!(answer.cookies().is_empty(), "{action} from {headers:?}");
        }
    }
    assert_eq!(
        browser.get("profile").await.status,
        200,
        "still signed in, password unchanged"
    );
}

#[tokio::test]
async fn a_form_without_its_token_or_with_that_of_another_is_refused() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    stage.account("bob").await;
    let stranger = stage.browser().get("login").await.token();
    let bobs = stage.signed_in("bob").await.get("logout").await.token();
    let mut browser = stage.signed_in("alice").await;
    for (action, fields) in FORMS {
        for token in [
            None,
            Some(""),
            Some("AAAA"),
            Some(stranger.as_str()),
            Some(bobs.as_str()),
        ] {
            let mut all: Vec<(&str, &str)> = token.map(|token| ("csrf", token)).into_iter().collect();
            all.extend_from_slice(fields);
            let answer = browser.post(action, &all).await;
            assert_eq!(answer.status, 403, "{action} with {token:?}");
        }
    }
    assert_eq!(browser.get("profile").await.status, 200);
    assert_eq!(
        stage.browser().sign_in("alice", PASSWORD).await.status,
        303,
        "the password is what it was"
    );
}

/// Every form about an account: below its own path, and what else it sends.
const ACCOUNT_FORMS: [(&str, &[(&str, &str)]); 11] = [
    (
        "password",
        &[("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)],
    ),
    (
        "edit",
        &[
            ("version", "1"),
            ("display_name", "Forged"),
            ("name", "general1"),
            ("role", "helper"),
            ("networks", ""),
        ],
    ),
    ("second-factor", &[("version", "1")]),
    ("unlock", &[("version", "1")]),
    ("sessions", &[("version", "1")]),
    ("disable", &[("version", "1")]),
    ("enable", &[("version", "1")]),
    ("reinstate", &[("version", "1")]),
    ("delete", &[("version", "1")]),
    ("invitation", &[("version", "1")]),
    ("hand-over", &[("version", "1")]),
];

#[tokio::test]
async fn no_form_about_accounts_is_taken_from_elsewhere_or_without_its_token() {
    let house = super::accounts_house::House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let (right, stranger) = (
        browser.get("logout").await.token(),
        house.stage.browser().get("login").await.token(),
    );
    let others = house.stage.signed_in("root2").await.get("logout").await.token();
    let add: &[(&str, &str)] = &[
        ("display_name", "Forged"),
        ("name", "forged1"),
        ("role", "super"),
        ("new_password", OTHER_PASSWORD),
        ("repeat", OTHER_PASSWORD),
    ];
    let id = house.id("general1");
    let forms = ACCOUNT_FORMS.map(|(act, fields)| (format!("accounts/{id}/{act}"), fields));
    for (action, fields) in forms
        .into_iter()
        .chain([("accounts/add".to_owned(), add), ("accounts/invite".to_owned(), add)])
    {
        for token in [
            None,
            Some(""),
            Some("AAAA"),
            Some(stranger.as_str()),
            Some(others.as_str()),
        ] {
            let mut all: Vec<(&str, &str)> = token.map(|token| ("csrf", token)).into_iter().collect();
            all.extend_from_slice(fields);
            assert_eq!(browser.post(&action, &all).await.status, 403, "{action} with {token:?}");
        }
        let mut all = vec![("csrf", right.as_str())];
        all.extend_from_slice(fields);
        let answer = post_as(&mut browser, &action, &all, &[("origin", "https://evil.example")]).await;
        assert!(
            answer.status == 403 && answer.says("another site sent this"),
            "{action}"
        );
    }
    assert_eq!(house.read(&house.general).await, Some(house.general.clone()));
    assert!(!browser.get("accounts").await.says("Forged"));
}

#[tokio::test]
async fn a_browser_that_says_nothing_of_itself_needs_the_token_alone() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    let token = browser.get("login").await.token();
    let fields = [("csrf", token.as_str()), ("username", "alice"), ("password", PASSWORD)];
    assert_eq!(post_as(&mut browser, "login", &fields, &[]).await.status, 303);
}

#[tokio::test]
async fn a_browser_without_cookies_gets_the_form_again_and_a_sentence() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let token = stage.browser().get("login").await.token();
    let fields = [("csrf", token.as_str()), ("username", "alice"), ("password", PASSWORD)];
    let page = stage.browser().post("login", &fields).await;
    assert_eq!(page.status, 403);
    assert!(page.says("did not keep our cookie") && page.says("name=\"password\""));
}

#[tokio::test]
async fn json_from_another_origin_is_refused() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    let request = browser
        .request(Method::POST, "login")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://evil.example")
        .body(Body::from(
            json!({ "username": "alice", "password": PASSWORD }).to_string(),
        ))
        .unwrap();
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
        (403, "forged")
    );
    assert!(answer.cookies().is_empty());
}

#[tokio::test]
async fn json_that_does_not_say_so_is_not_taken() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    for media_type in ["text/plain", "multipart/form-data", "application/jsonp", ""] {
        let mut browser = stage.browser();
        let request = browser
            .request(Method::POST, "login")
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(
                json!({ "username": "alice", "password": PASSWORD }).to_string(),
            ))
            .unwrap();
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 415, "{media_type:?}");
    }
}

#[tokio::test]
async fn a_get_changes_nothing() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    for page in [
        "logout",
        "login?username=alice&password=x",
        "profile/sessions?end=others",
        "profile",
        "whoami",
    ] {
        let answer = browser.get(page).await;
        assert!(
            !answer.cookies().iter().any(|cookie| cookie.starts_with("stagedoor=")),
            "{page}"
        );
    }
    assert_eq!(stage.door.sessions_of(alice.id).len(), 1);
}
