//! The steps after the password: second factor, enrolment, a password of one's own.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_second_factor_is_enrolled_on_the_way_in() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    let mut browser = stage.browser();
    let answer = browser.sign_in("gina", PASSWORD).await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/.stagedoor/login/enrol")
    );
    assert!(!browser.cookies.contains_key("stagedoor"), "not in yet");

    let page = browser.get("login/enrol").await;
    assert!(page.says("src=\"data:image/svg+xml;base64,"));
    let again = browser.get("login/enrol").await;
    assert_eq!(page.text, again.text, "a reload shows the same secret");

    let wrong = browser
        .post("login/enrol", &[("csrf", &page.token()), ("code", "000000")])
        .await;
    assert_eq!(wrong.status, 401);
    let code = stage.code_of(&wrong);
    let (left, right) = code.split_at(3);
    let fields = [("csrf", page.token()), ("code", format!("{left} {right}"))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let codes = browser.post("login/enrol", &fields).await;
    assert!(
        codes.status == 200 && codes.says("They are shown only now"),
        "{}",
        codes.text
    );
    assert!(browser.cookies.contains_key("stagedoor") && !browser.cookies.contains_key("stagedoor-step"));
    let reloaded = browser.post("login/enrol", &fields).await;
    assert!(!reloaded.says(&recovery_code(&codes)), "never shown again");
}

#[tokio::test]
async fn who_has_a_second_factor_is_asked_for_a_code_of_the_app_or_a_recovery_code() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    let mut browser = stage.browser();
    browser.sign_in("gina", PASSWORD).await;
    let shown = browser.get("login/enrol").await;
    let code = stage.code_of(&shown);
    let codes = browser
        .post("login/enrol", &[("csrf", &shown.token()), ("code", &code)])
        .await;
    stage.next_code();

    let page = "login/second-factor";
    let mut other = Browser::new(&stage, THERE);
    assert_eq!(
        other.sign_in("gina", PASSWORD).await.location(),
        "/.stagedoor/login/second-factor"
    );
    let wrong = other.fill_in(page, page, &[("code", "123456")]).await;
    assert!(wrong.status == 401 && wrong.says("The code is wrong"), "{}", wrong.text);
    let code = stage.code_of(&shown);
    let answer = other.fill_in(page, page, &[("code", &code)]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"));

    let mut third = stage.browser();
    third.sign_in("gina", PASSWORD).await;
    let answer = third.fill_in(page, page, &[("code", &recovery_code(&codes))]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"));
    assert!(
        third
            .get("profile")
            .await
            .says("<strong>9</strong> recovery codes left")
    );
}

fn recovery_code(codes: &Page) -> String {
    codes.between(
        "<ol class=\"codes\" aria-label=\"Recovery codes\">\n<li><code>",
        "</code>",
    )
}

#[tokio::test]
async fn a_temporary_password_is_changed_on_the_way_in() {
    let stage = Stage::new().await;
    stage.account_of("tom", "viewer", true).await;
    let mut browser = stage.browser();
    assert_eq!(
        browser.sign_in("tom", PASSWORD).await.location(),
        "/.stagedoor/login/password"
    );
    let page = "login/password";
    let differs = browser
        .fill_in(page, page, &[("new_password", OTHER_PASSWORD), ("repeat", "other")])
        .await;
    assert!(differs.status == 422 && differs.says("The new password confirmation does not match."));
    let empty = browser
        .fill_in(page, page, &[("new_password", ""), ("repeat", "")])
        .await;
    assert!(empty.status == 422 && empty.says("Please enter a new password."));
    let short = browser
        .fill_in(page, page, &[("new_password", "short"), ("repeat", "short")])
        .await;
    assert!(
        short.status == 422 && short.says("does not meet the requirements"),
        "{}",
        short.text
    );
    assert!(short.says("<li>"), "and says which");
    let long = "x".repeat(2000);
    let long = browser
        .fill_in(page, page, &[("new_password", &long), ("repeat", &long)])
        .await;
    assert!(long.status == 422 && long.says("does not meet the requirements"));
    let done = browser
        .fill_in(
            page,
            page,
            &[("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)],
        )
        .await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "/"));
    assert_eq!(stage.browser().sign_in("tom", OTHER_PASSWORD).await.status, 303);
}

#[tokio::test]
async fn steps_out_of_order_lead_kindly_to_the_right_one() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    for page in ["login/second-factor", "login/enrol", "login/password"] {
        let answer = stage.browser().get(page).await;
        assert!(
            answer.status == 409 && answer.says("Please begin with your name and password."),
            "{page}"
        );
        assert!(answer.says("name=\"username\""), "{page}: with the form to do so");
    }
    let mut browser = stage.browser();
    browser.sign_in("gina", PASSWORD).await;
    for page in ["login/second-factor", "login/password"] {
        assert_eq!(browser.get(page).await.location(), "/.stagedoor/login/enrol", "{page}");
    }
}

#[tokio::test]
async fn a_step_that_took_too_long_begins_again() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    let mut browser = stage.browser();
    browser.sign_in("gina", PASSWORD).await;
    let page = browser.get("login/enrol").await;
    stage.clock.advance(Duration::from_secs(601));
    let code = stage.code_of(&page);
    let answer = browser
        .post("login/enrol", &[("csrf", &page.token()), ("code", &code)])
        .await;
    assert!(
        answer.status == 401 && answer.says("This took too long. Please sign in again."),
        "{}",
        answer.text
    );
    assert!(!browser.cookies.contains_key("stagedoor-step"));
}

#[tokio::test]
async fn the_step_of_one_visitor_is_worth_nothing_to_another() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    let mut browser = stage.browser();
    browser.sign_in("gina", PASSWORD).await;
    let mut thief = stage.browser();
    thief.get("login").await;
    thief
        .cookies
        .insert("stagedoor-step".to_owned(), browser.cookies["stagedoor-step"].clone());
    assert_eq!(thief.get("login/enrol").await.status, 409);
}
