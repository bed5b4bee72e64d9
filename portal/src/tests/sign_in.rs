//! The way in, by the pages.

use std::time::Duration;

use stagedoor_policy::rules::WhenFull;

use super::*;

#[tokio::test]
async fn name_and_password_lead_to_where_one_wanted_to_go() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    let page = browser.get("login?to=/devices%3Fpage%3D2").await;
    assert_eq!(page.status, 200);
    let (token, to) = (page.token(), page.between("name=\"to\" value=\"", "\""));
    assert_eq!(to, "/devices?page=2");
    let fields = [
        ("csrf", token.as_str()),
        ("to", &to),
        ("username", "alice"),
        ("password", PASSWORD),
    ];
    let answer = browser.post("login", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/devices?page=2"));
    let cookie = *answer.cookies().first().unwrap();
    assert!(
        cookie.starts_with("stagedoor=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(browser.get("profile").await.says("alice"));
}

#[tokio::test]
async fn over_tls_the_cookies_are_bound_to_the_host() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    browser.secure = true;
    browser.sign_in("alice", PASSWORD).await;
    let names: Vec<&str> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(names, ["__Host-stagedoor", "__Host-stagedoor-form"]);
    browser.secure = false;
    assert_eq!(
        browser.get("profile").await.status,
        303,
        "the same cookies in clear are worth nothing"
    );
}

#[tokio::test]
async fn no_hostile_destination_is_ever_gone_to() {
    let stage = Stage::with(roomy_rules(0, WhenFull::Displace)).await;
    stage.account("alice").await;
    let hostile = [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: x=1",
        "/%0d%0aSet-Cookie:%20x=1",
        "\\/evil.example",
        "/%00",
        "evil.example",
        "/a//b",
        "/.stagedoor/logout",
        "/é",
        "/\"><svg>",
    ];
    for to in hostile {
        let mut browser = stage.browser();
        let fields = [("to", to), ("username", "alice"), ("password", PASSWORD)];
        let answer = browser.fill_in("login", "login", &fields).await;
        let went = answer.location().to_owned();
        assert_eq!(answer.status, 303, "{to:?}");
        assert!(went == "/" || went == "/%22%3E%3Csvg%3E", "{to:?} led to {went:?}");
        assert!(
            answer.cookies().iter().all(|cookie| cookie.starts_with("stagedoor")),
            "{to:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let wrong_password = stage.browser().sign_in("alice", "wrong").await;
    let wrong_name = stage.browser().sign_in("nobody", "wrong").await;
    assert_eq!((wrong_password.status.as_u16(), wrong_name.status.as_u16()), (401, 401));
    assert!(wrong_password.says("The name or the password is wrong."));
    let plain = |page: &Page, name: &str| page.text.replace(name, "NAME").replace(&page.token(), "TOKEN");
    assert_eq!(plain(&wrong_password, "alice"), plain(&wrong_name, "nobody"));
}

#[tokio::test]
async fn what_was_typed_is_shown_again_but_never_the_password_and_never_as_markup() {
    let stage = Stage::new().await;
    let page = stage.browser().sign_in("<svg onload=alert(1)>\"", "s3cret-<b>").await;
    assert_eq!(page.status, 401);
    assert!(!page.says("<svg") && !page.says("s3cret"), "{}", page.text);
    assert!(
        page.says("value=\"&#60;svg onload=alert(1)&#62;&#34;\""),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn who_guesses_too_often_is_told_until_when() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    for _ in 0..5 {
        browser.sign_in("alice", "wrong").await;
    }
    let page = browser.sign_in("alice", PASSWORD).await;
    assert_eq!(page.status, 401);
    assert!(
        page.says("You can try again in 15 minutes, after 1 January 2026, 00:15 (UTC)."),
        "{}",
        page.text
    );
    assert_eq!(page.header("retry-after"), "900");
    stage.clock.advance(Duration::from_secs(901));
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn only_who_has_the_right_password_learns_that_the_address_is_refused() {
    let stage = Stage::new().await;
    stage.account_of("home", "homebody", false).await;
    let page = stage.browser().sign_in("home", PASSWORD).await;
    assert!(
        page.says("may not sign in from your address, 192.0.2.1"),
        "{}",
        page.text
    );
    let page = stage.browser().sign_in("home", "wrong").await;
    assert!(page.says("The name or the password is wrong.") && !page.says("your address, "));
}

#[tokio::test]
async fn a_session_id_that_was_planted_before_is_not_taken_over() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    let planted = "A".repeat(43);
    browser.cookies.insert("stagedoor".to_owned(), planted.clone());
    browser.sign_in("alice", PASSWORD).await;
    assert_ne!(browser.cookies["stagedoor"], planted);
    browser.cookies.insert("stagedoor".to_owned(), planted);
    assert_eq!(browser.get("profile").await.status, 303);
}

#[tokio::test]
async fn signing_in_as_somebody_else_ends_the_session_before() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    stage.account("bob").await;
    let mut browser = stage.signed_in("alice").await;
    assert!(
        browser
            .get("login")
            .await
            .says("You are signed in as <strong>alice</strong>.")
    );
    assert_eq!(browser.sign_in("bob", PASSWORD).await.status, 303);
    assert!(stage.door.sessions_of(alice.id).is_empty());
    assert!(browser.get("profile").await.says("bob"));
}

#[tokio::test]
async fn who_is_displaced_learns_from_where_and_nobody_can_fake_that() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut first = stage.signed_in("alice").await;
    let mut second = Browser::new(&stage, THERE);
    assert_eq!(second.sign_in("alice", PASSWORD).await.status, 303);
    let page = first.get("login").await;
    let sentence =
        "Somebody signed in to this account from another place: from 198.51.100.7 at 1 January 2026, 00:00 (UTC).";
    assert!(
        page.says(sentence) && page.says("change your password"),
        "{}",
        page.text
    );
    let faked = stage
        .browser()
        .get("login?reason=displaced&by=198.51.100.7&notice=displaced")
        .await;
    assert!(!faked.says("another place") && !faked.says("198.51.100.7"));
}

#[tokio::test]
async fn where_no_session_is_left_one_learns_where_it_is_in_use() {
    let stage = Stage::with(roomy_rules(1, WhenFull::Refuse)).await;
    stage.account("alice").await;
    stage.signed_in("alice").await;
    let page = Browser::new(&stage, THERE).sign_in("alice", PASSWORD).await;
    assert_eq!(page.status, 401);
    assert!(
        page.says("signed in elsewhere: from 192.0.2.1 since 1 January 2026, 00:00 (UTC)"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn an_idle_session_says_so_at_the_door() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    stage.clock.advance(Duration::from_secs(31 * 60));
    assert!(browser.get("login").await.says("Nothing was done for a while"));
}

#[tokio::test]
async fn a_store_that_fails_keeps_the_door_shut_and_says_when_to_try_again() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.browser();
    let token = browser.get("login").await.token();
    stage.store.break_down("reserve_attempt");
    let page = browser
        .post(
            "login",
            &[("csrf", &token), ("username", "alice"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "5"));
    assert!(page.says("The door cannot check this right now."));
    assert!(!browser.cookies.contains_key("stagedoor"));
}

#[tokio::test]
async fn without_its_keys_the_portal_accepts_nothing_and_recovers_by_itself() {
    let stage = Stage::new().await;
    stage.store.break_down("key_or_insert");
    let page = stage.browser().get("login").await;
    assert_eq!(page.status, 503);
    assert!(page.says("so it stays closed"), "{}", page.text);
    stage.store.mend();
    assert_eq!(stage.browser().get("login").await.status, 200);
}
