//! The first account.

use axum::body::Body;
use axum::http::Method;

use super::*;

const FIELDS: [(&str, &str); 3] = [("username", "root"), ("new_password", PASSWORD), ("repeat", PASSWORD)];

async fn make(stage: &Stage, fields: &[(&str, &str)]) -> Page {
    let link = stage.setup.expose().to_owned();
    let mut all = vec![("link", link.as_str())];
    all.extend_from_slice(fields);
    stage.browser().fill_in("login", "setup", &all).await
}

#[tokio::test]
async fn the_printed_link_makes_the_first_account_once() {
    let stage = Stage::new().await;
    let page = format!("setup?token={}", stage.setup.expose());
    assert!(stage.browser().get(&page).await.says("Make the first account"));
    let made = make(&stage, &FIELDS).await;
    assert_eq!(
        (made.status.as_u16(), made.location()),
        (303, "/.stagedoor/login"),
        "{}",
        made.text
    );
    assert_eq!(stage.browser().sign_in("root", PASSWORD).await.status, 303);
    assert_eq!(stage.browser().get(&page).await.status, 404);
    let second = make(
        &stage,
        &[("username", "second"), ("new_password", PASSWORD), ("repeat", PASSWORD)],
    )
    .await;
    assert_eq!(second.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_and_the_link_stays_good() {
    let stage = Stage::new().await;
    let wrong = make(&stage, &[("username", "a b"), ("new_password", "x"), ("repeat", "y")]).await;
    assert!(
        wrong.status == 422 && wrong.says("The new password confirmation does not match."),
        "{}",
        wrong.text
    );
    let weak = make(&stage, &[("username", "root"), ("new_password", "x"), ("repeat", "x")]).await;
    assert_eq!(weak.status, 422, "{}", weak.text);
    assert_eq!(make(&stage, &FIELDS).await.status, 303);
}

#[tokio::test]
async fn without_the_link_there_is_no_such_page() {
    let stage = Stage::new().await;
    let other = format!("setup?token={}", "A".repeat(43));
    for page in ["setup", "setup?token=", "setup?token=x", &other] {
        assert_eq!(stage.browser().get(page).await.status, 404, "{page}");
    }
    let mut fields = vec![("link", "x")];
    fields.extend_from_slice(&FIELDS);
    assert_eq!(stage.browser().fill_in("login", "setup", &fields).await.status, 404);
}

#[tokio::test]
async fn another_site_or_a_foreign_token_makes_no_account_even_with_the_link() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    let token = browser.get("login").await.token();
    let foreign = stage.browser().get("login").await.token();
    let link = stage.setup.expose();
    let form = |token| {
        let mut fields = vec![("link", link), ("csrf", token)];
        fields.extend_from_slice(&FIELDS);
        browser::encoded(&fields)
    };
    assert_eq!(
        browser
            .post(
                "setup",
                &[("link", link), ("csrf", &foreign), FIELDS[0], FIELDS[1], FIELDS[2]]
            )
            .await
            .status,
        403
    );
    for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request = browser
            .navigation(Method::POST, "setup")
            .header(name, value)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form(&token)))
            .unwrap();
        assert_eq!(browser.send(request).await.status, 403, "{name}: {value}");
    }
    assert_eq!(make(&stage, &FIELDS).await.status, 303, "and the link is good still");
}

#[tokio::test]
async fn an_account_made_in_another_way_closes_the_link() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let page = format!("setup?token={}", stage.setup.expose());
    assert_eq!(stage.browser().get(&page).await.status, 404);
}
