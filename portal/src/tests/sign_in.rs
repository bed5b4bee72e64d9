//! Name and password, and everything that can be wrong with them.

use http::header::RETRY_AFTER;
use stagedoor_policy::rules::WhenFull;

use super::house::{new_account, rules};
use super::{House, PASSWORD};

const LOGIN: &str = "/.stagedoor/login";

#[tokio::test]
async fn the_right_name_and_password_open_a_session_in_a_cookie_that_scripts_cannot_read() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    let answer = browser.sign_in("alice", PASSWORD).await;
    assert_eq!(answer.redirect(), "/");
    let cookie = answer.cookie("__Host-stagedoor").unwrap();
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    browser.get("/.stagedoor/profile").await.shows(200, "alice");
}

#[tokio::test]
async fn over_plain_http_the_cookie_has_the_name_that_browsers_keep_there() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    browser.secure = false;
    let answer = browser.sign_in("alice", PASSWORD).await;
    let cookie = answer.cookie("stagedoor").unwrap();
    assert!(!cookie.contains("Secure"), "{cookie}");
    browser.get("/.stagedoor/profile").await.shows(200, "alice");
}

#[tokio::test]
async fn an_unknown_name_reads_exactly_like_a_wrong_password() {
    let house = House::new().await;
    house.account("alice").await;
    let mut pages = Vec::new();
    for name in ["alice", "nobody"] {
        let mut browser = house.browser();
        let page = browser.get(LOGIN).await;
        let token = page.token("login");
        let answer = browser
            .fill(&page, "login", &[("username", name), ("password", "wrong wrong wrong")])
            .await;
        answer.shows(401, "The name or the password is wrong.");
        pages.push(answer.body.replace(&token, "TOKEN").replace(name, "NAME"));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn after_a_mistake_the_name_stays_in_its_field_and_the_password_does_not() {
    let house = House::new().await;
    house.account("alice").await;
    let answer = house.browser().sign_in("alice", "my secret guess").await;
    answer.shows(401, "value=\"alice\"");
    assert!(!answer.body.contains("my secret guess"));
    assert!(answer.cookie("__Host-stagedoor").is_none());
}

#[tokio::test]
async fn a_password_longer_than_any_is_wrong_and_nothing_else() {
    let house = House::new().await;
    house.account("alice").await;
    let answer = house.browser().sign_in("alice", &"x".repeat(5000)).await;
    answer.shows(401, "The name or the password is wrong.");
}

#[tokio::test]
async fn too_many_failures_lock_the_name_and_say_for_how_long() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    for _ in 0..5 {
        browser.sign_in("alice", "wrong wrong wrong").await;
    }
    house.wait(30);
    let answer = browser.sign_in("alice", PASSWORD).await;
    answer.shows(
        401,
        "You can try again in 15 minutes, after 1 January 2026, 00:15 (UTC).",
    );
    assert_eq!(answer.header(RETRY_AFTER), "870");
    house.wait(870);
    assert_eq!(browser.sign_in("alice", PASSWORD).await.redirect(), "/");
}

#[tokio::test]
async fn who_knows_the_password_but_stands_elsewhere_is_told_their_address() {
    let house = House::new().await;
    house.account_in("bob", "local").await;
    let mut browser = house.browser().from("198.51.100.7");
    let answer = browser.sign_in("bob", PASSWORD).await;
    answer.shows(401, "may not sign in from your address, 198.51.100.7.");
    let answer = browser.sign_in("bob", "wrong wrong wrong").await;
    answer.shows(401, "The name or the password is wrong.");
    assert!(!answer.body.contains("198.51.100.7"), "{}", answer.body);
    let mut browser = browser.from("10.1.2.3");
    assert_eq!(browser.sign_in("bob", PASSWORD).await.redirect(), "/");
}

#[tokio::test]
async fn who_was_displaced_reads_from_where_and_when_and_is_not_signed_in() {
    let house = House::new().await;
    house.account("alice").await;
    let mut first = house.signed_in("alice").await;
    house.wait(90);
    let mut second = house.browser().from("198.51.100.7");
    assert_eq!(second.sign_in("alice", PASSWORD).await.redirect(), "/");
    let sentence =
        "Somebody signed in to this account from another place: from 198.51.100.7 at 1 January 2026, 00:01 (UTC).";
    let answer = first.get("/.stagedoor/profile").await;
    assert_eq!(answer.redirect(), "/.stagedoor/login?to=/.stagedoor/profile");
    first.get(LOGIN).await.shows(200, sentence);
    let mut program = first.saying("accept", "application/json");
    let answer = program.get("/.stagedoor/profile").await;
    assert_eq!(answer.told(), (401, "session_displaced".to_owned()));
    assert_eq!(answer.as_json()["message"], sentence);
    second.get("/.stagedoor/profile").await.shows(200, "198.51.100.7");
}

#[tokio::test]
async fn the_page_for_a_session_that_ended_does_not_believe_the_address_bar() {
    let house = House::new().await;
    let page = house
        .browser()
        .get("/.stagedoor/login?reason=session_displaced&error=x")
        .await;
    page.shows(200, "Sign in");
    assert!(!page.body.contains("role=\"alert\""), "{}", page.body);
}

#[tokio::test]
async fn where_one_session_is_all_there_may_be_the_second_is_told_of_the_first() {
    let mut rules = rules();
    rules.session.when_full = WhenFull::Refuse;
    let house = House::with(rules, "Stagedoor").await;
    house.account("alice").await;
    let mut first = house.signed_in("alice").await;
    let answer = house.browser().from("198.51.100.7").sign_in("alice", PASSWORD).await;
    answer.shows(
        401,
        "signed in elsewhere: from 192.0.2.1 since 1 January 2026, 00:00 (UTC)",
    );
    first.get("/.stagedoor/profile").await.shows(200, "alice");
}

#[tokio::test]
async fn a_session_left_idle_ends_and_the_sign_in_page_says_so() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    house.wait(30 * 60 + 1);
    browser.get(LOGIN).await.shows(200, "Nothing was done for a while");
}

#[tokio::test]
async fn two_session_cookies_are_none() {
    let house = House::new().await;
    house.account("alice").await;
    let browser = house.signed_in("alice").await;
    let own = format!("__Host-stagedoor={}", browser.cookies["__Host-stagedoor"]);
    let mut browser = browser.saying("cookie", &own);
    assert_eq!(browser.get("/.stagedoor/").await.redirect(), "/.stagedoor/login");
    browser.headers.remove("cookie");
    assert_eq!(browser.get("/.stagedoor/").await.redirect(), "/.stagedoor/profile");
}

#[tokio::test]
async fn a_second_sign_in_in_the_same_browser_leaves_one_session() {
    let house = House::with(super::house::roomy_rules(), "Stagedoor").await;
    let alice = house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let page = browser.get(LOGIN).await;
    page.shows(200, "You are signed in as <strong>alice</strong>");
    assert_eq!(browser.sign_in("alice", PASSWORD).await.redirect(), "/");
    assert_eq!(house.door.sessions_of(alice.id).len(), 1);
}

#[tokio::test]
async fn a_temporary_password_is_good_only_for_choosing_ones_own() {
    let house = House::new().await;
    house.with_temporary_password("alice").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login?to=/reports%3Fid%3D7").await;
    let answer = browser
        .fill(&page, "login", &[("username", "alice"), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.redirect(), "/.stagedoor/login/password");
    assert!(answer.cookie("__Host-stagedoor").is_none());
    let page = browser.get("/.stagedoor/login/password").await;
    page.shows(200, "Choose a new password");
    for (new, repeat, told) in [
        ("", "", "Please enter a new password."),
        (
            "a long enough one",
            "a longer enough one",
            "The new password confirmation does not match.",
        ),
        ("short", "short", "use at least 12 characters"),
        (
            PASSWORD,
            PASSWORD,
            "The new password entered does not meet the requirements.",
        ),
    ] {
        let answer = browser
            .fill(&page, "login/password", &[("new_password", new), ("repeat", repeat)])
            .await;
        answer.shows(422, told);
    }
    let own = "rain on a tin roof";
    let answer = browser
        .fill(&page, "login/password", &[("new_password", own), ("repeat", own)])
        .await;
    assert_eq!(answer.redirect(), "/reports?id=7");
    browser.get("/.stagedoor/profile").await.shows(200, "alice");
    house.browser().sign_in("alice", PASSWORD).await.shows(401, "is wrong");
    assert_eq!(house.browser().sign_in("alice", own).await.redirect(), "/");
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in_and_says_when_to_come_back() {
    let house = House::new().await;
    house.create(new_account("alice")).await;
    let mut browser = house.browser();
    let page = browser.get(LOGIN).await;
    house.store.break_down("reserve_attempt");
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let answer = browser.fill(&page, "login", &fields).await;
    answer.shows(503, "cannot check this right now");
    assert_eq!(answer.header(RETRY_AFTER), "5");
    assert!(answer.cookie("__Host-stagedoor").is_none());
    house.store.mend();
    assert_eq!(browser.fill(&page, "login", &fields).await.redirect(), "/");
}

#[tokio::test]
async fn a_page_cannot_choose_the_channel_it_comes_in_by() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    let page = browser.get(LOGIN).await;
    let fields = [("username", "alice"), ("password", PASSWORD), ("channel", "client")];
    assert_eq!(browser.fill(&page, "login", &fields).await.redirect(), "/");
    let answer = browser
        .saying("accept", "application/json")
        .get("/.stagedoor/whoami")
        .await;
    assert_eq!(answer.as_json()["channel"], "browser");
}
