//! The code, and how one comes to have codes.

use super::{House, PASSWORD};

const CODE: &str = "/.stagedoor/login/second-factor";
const ENROL: &str = "/.stagedoor/login/enrol";
const OWN: &str = "/.stagedoor/profile/second-factor";

#[tokio::test]
async fn who_must_enrol_gets_a_secret_then_recovery_codes_and_is_in() {
    let house = House::new().await;
    house.account_in("gil", "guard").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login?to=/vault").await;
    let answer = browser
        .fill(&page, "login", &[("username", "gil"), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.redirect(), ENROL);
    assert!(answer.cookie("__Host-stagedoor").is_none());
    let page = browser.get(ENROL).await;
    page.shows(200, "data:image/svg+xml;base64,");
    let secret = page.secret();
    assert_eq!(
        browser.get(ENROL).await.secret(),
        secret,
        "a reload shows the same secret"
    );
    let wrong = browser.fill(&page, "login/enrol", &[("code", "000000")]).await;
    wrong.shows(401, "The code is wrong");
    assert_eq!(wrong.secret(), secret);
    let code = house.code(&secret);
    let typed = format!(" {} {} ", &code[..3], &code[3..]);
    let answer = browser.fill(&page, "login/enrol", &[("code", &typed)]).await;
    answer.shows(200, "href=\"/vault\"");
    assert_eq!(answer.recovery_codes().len(), 10);
    assert_eq!(answer.header("cache-control"), "no-store");
    browser
        .get("/.stagedoor/profile")
        .await
        .shows(200, "<strong>10</strong> recovery codes");
}

#[tokio::test]
async fn a_code_is_asked_for_and_is_good_once() {
    let house = House::new().await;
    let (_, secret, _) = house.enrolled("gil").await;
    let mut browser = house.browser();
    assert_eq!(browser.sign_in("gil", PASSWORD).await.redirect(), CODE);
    let page = browser.get(CODE).await;
    browser
        .fill(&page, "login/second-factor", &[("code", "000000")])
        .await
        .shows(401, "The code is wrong");
    let code = house.code(&secret);
    let answer = browser.fill(&page, "login/second-factor", &[("code", &code)]).await;
    assert_eq!(answer.redirect(), "/");
    let mut thief = house.browser();
    thief.sign_in("gil", PASSWORD).await;
    let page = thief.get(CODE).await;
    let answer = thief.fill(&page, "login/second-factor", &[("code", &code)]).await;
    answer.shows(401, "it was used before");
    browser.get("/.stagedoor/profile").await.shows(200, "gil");
}

#[tokio::test]
async fn a_recovery_code_lets_in_once_in_place_of_the_app() {
    let house = House::new().await;
    let (_, _, codes) = house.enrolled("gil").await;
    for (expected, told) in [(303, ""), (401, "The code is wrong")] {
        let mut browser = house.browser();
        browser.sign_in("gil", PASSWORD).await;
        let page = browser.get(CODE).await;
        let answer = browser.fill(&page, "login/second-factor", &[("code", &codes[0])]).await;
        answer.shows(expected, told);
    }
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let page = browser.get(CODE).await;
    browser.fill(&page, "login/second-factor", &[("code", &codes[1])]).await;
    browser
        .get("/.stagedoor/profile")
        .await
        .shows(200, "<strong>8</strong> recovery codes");
}

#[tokio::test]
async fn later_steps_lead_back_to_the_first_where_that_was_not_taken() {
    let house = House::new().await;
    for path in [CODE, ENROL, "/.stagedoor/login/password"] {
        let mut browser = house.browser();
        browser
            .get(path)
            .await
            .shows(409, "Please begin with your name and password.");
        let page = browser.get("/.stagedoor/login").await;
        let token = page.token("login");
        let fields = [
            ("csrf", token.as_str()),
            ("code", "1"),
            ("new_password", "x"),
            ("repeat", "x"),
        ];
        browser
            .post(path, &fields)
            .await
            .shows(409, "Please begin with your name and password.");
    }
}

#[tokio::test]
async fn a_step_cannot_be_skipped_by_opening_the_next_ones_page() {
    let house = House::new().await;
    house.enrolled("gil").await;
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    assert_eq!(browser.get(ENROL).await.redirect(), CODE);
    assert_eq!(browser.get("/.stagedoor/login/password").await.redirect(), CODE);
    assert_eq!(browser.get("/.stagedoor/").await.redirect(), "/.stagedoor/login");
}

#[tokio::test]
async fn a_stolen_step_cookie_is_worth_nothing_in_another_browser() {
    let house = House::new().await;
    house.enrolled("gil").await;
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let mut thief = house.browser();
    thief.get("/.stagedoor/login").await;
    let stolen = browser.cookies["__Host-stagedoor-step"].clone();
    thief.cookies.insert("__Host-stagedoor-step".to_owned(), stolen);
    thief
        .get(CODE)
        .await
        .shows(409, "Please begin with your name and password.");
    browser.get(CODE).await.shows(200, "Your code");
}

#[tokio::test]
async fn who_takes_more_than_ten_minutes_begins_again() {
    let house = House::new().await;
    let (_, secret, _) = house.enrolled("gil").await;
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let page = browser.get(CODE).await;
    house.wait(601);
    let code = house.code(&secret);
    let answer = browser.fill(&page, "login/second-factor", &[("code", &code)]).await;
    answer.shows(401, "This took too long. Please sign in again.");
    assert!(!browser.cookies.contains_key("__Host-stagedoor-step"));
}

#[tokio::test]
async fn guessing_codes_locks_the_account_and_leads_back_to_the_start() {
    let house = House::new().await;
    let (_, secret, _) = house.enrolled("gil").await;
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let page = browser.get(CODE).await;
    let wrong = [("code", "000000")];
    let mut answer = browser.fill(&page, "login/second-factor", &wrong).await;
    let mut guesses = 1;
    while answer.body.contains("The code is wrong") {
        guesses += 1;
        answer = browser.fill(&page, "login/second-factor", &wrong).await;
    }
    assert!(guesses <= 6, "{guesses} guesses");
    answer.shows(401, "too many failed attempts");
    assert!(!answer.header("retry-after").is_empty());
    let code = house.code(&secret);
    let answer = browser.fill(&page, "login/second-factor", &[("code", &code)]).await;
    assert_ne!(answer.status, 303);
}

#[tokio::test]
async fn one_may_enrol_of_ones_own_accord_with_the_password() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let before = browser.cookies["__Host-stagedoor"].clone();
    let page = browser.get(OWN).await;
    browser
        .fill(&page, "profile/second-factor", &[("password", "wrong wrong wrong")])
        .await
        .shows(401, "The password is wrong.");
    let answer = browser
        .fill(&page, "profile/second-factor", &[("password", PASSWORD)])
        .await;
    assert_eq!(answer.redirect(), OWN);
    let page = browser.get(OWN).await;
    browser
        .fill(&page, "profile/second-factor", &[("code", "000000")])
        .await
        .shows(401, "The code is wrong");
    let code = house.code(&page.secret());
    let answer = browser.fill(&page, "profile/second-factor", &[("code", &code)]).await;
    answer.shows(200, "Your recovery codes");
    assert_ne!(
        browser.cookies["__Host-stagedoor"], before,
        "the old session is replaced"
    );
    browser
        .get("/.stagedoor/profile")
        .await
        .shows(200, "<strong>10</strong> recovery codes");
    let mut elsewhere = house.browser();
    assert_eq!(elsewhere.sign_in("alice", PASSWORD).await.redirect(), CODE);
}

#[tokio::test]
async fn a_form_with_both_a_password_and_a_code_is_none_of_ours() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let page = browser.get(OWN).await;
    let fields = [("password", PASSWORD), ("code", "000000")];
    assert_eq!(browser.fill(&page, "profile/second-factor", &fields).await.status, 400);
}
