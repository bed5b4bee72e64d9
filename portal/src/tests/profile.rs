//! One's own account.

use std::time::Duration;

use stagedoor_policy::rules::WhenFull;

use super::*;

#[tokio::test]
async fn a_stranger_is_led_to_sign_in_and_back() {
    let stage = Stage::new().await;
    for page in [
        "profile",
        "profile/password",
        "profile/second-factor",
        "profile/details",
        "profile/name",
        "profile/email",
        "profile/picture",
    ] {
        let answer = stage.browser().get(page).await;
        assert_eq!(answer.status, 303, "{page}");
        assert_eq!(answer.location(), format!("/.stagedoor/login?to=/.stagedoor/{page}"));
    }
    for page in [
        "profile/password",
        "profile/second-factor",
        "profile/sessions",
        "profile/details",
        "profile/name",
        "profile/email",
        "profile/picture",
    ] {
        let answer = stage.browser().post(page, &[]).await;
        assert!(
            answer.status == 401 && answer.says("href=\"/.stagedoor/login\""),
            "{page}"
        );
    }
}

#[tokio::test]
async fn the_profile_says_who_one_is_and_where_one_is_signed_in() {
    let stage = Stage::with(roomy_rules(3, WhenFull::Displace)).await;
    stage.account("alice").await;
    let mut phone = Browser::new(&stage, THERE);
    phone.agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1";
    phone.sign_in("alice", PASSWORD).await;
    stage.clock.advance(Duration::from_secs(60));
    let page = stage.signed_in("alice").await.get("profile").await;
    for words in [
        "alice",
        "viewer",
        "1 January 2026, 00:01 (UTC)",
        HERE,
        THERE,
        "Firefox on Linux",
        "Safari on iPhone",
    ] {
        assert!(page.says(words), "{words} is not in {}", page.text);
    }
    assert_eq!(page.text.matches("This session").count(), 1);
}

#[tokio::test]
async fn one_session_or_all_others_can_be_ended() {
    let stage = Stage::with(roomy_rules(0, WhenFull::Displace)).await;
    let alice = stage.account("alice").await;
    let mut others = vec![
        stage.signed_in("alice").await,
        stage.signed_in("alice").await,
        stage.signed_in("alice").await,
    ];
    let mut browser = stage.signed_in("alice").await;
    let one = browser.get("profile").await.between("name=\"end\" value=\"", "\"");
    let answer = browser.fill_in("profile", "profile/sessions", &[("end", &one)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/.stagedoor/profile")
    );
    assert!(browser.get("profile").await.says("That session has ended."));
    assert!(
        !browser.get("profile").await.says("That session has ended."),
        "said once"
    );
    assert_eq!(stage.door.sessions_of(alice.id).len(), 3);
    browser
        .fill_in("profile", "profile/sessions", &[("end", "others")])
        .await;
    assert!(browser.get("profile").await.says("2 other sessions have ended."));
    assert_eq!(stage.door.sessions_of(alice.id).len(), 1);
    for other in &mut others {
        assert_eq!(other.get("profile").await.status, 303);
    }
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let bob = stage.account("bob").await;
    stage.signed_in("bob").await;
    let bobs = stage.door.sessions_of(bob.id)[0].id.0.to_string();
    let mut browser = stage.signed_in("alice").await;
    for end in [bobs.as_str(), "*", "", "' or 1=1"] {
        browser.fill_in("logout", "profile/sessions", &[("end", end)]).await;
    }
    assert_eq!(stage.door.sessions_of(bob.id).len(), 1);
}

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_ends_the_other_sessions() {
    let stage = Stage::with(roomy_rules(0, WhenFull::Displace)).await;
    stage.account("alice").await;
    let mut other = stage.signed_in("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let page = "profile/password";
    let fields = |current, new, repeat| [("current_password", current), ("new_password", new), ("repeat", repeat)];
    let wrong = browser
        .fill_in(page, page, &fields("wrong", OTHER_PASSWORD, OTHER_PASSWORD))
        .await;
    assert!(
        wrong.status == 401 && wrong.says("The current password is wrong."),
        "{}",
        wrong.text
    );
    let differs = browser
        .fill_in(page, page, &fields(PASSWORD, OTHER_PASSWORD, "x"))
        .await;
    assert!(differs.status == 422 && differs.says("The new password confirmation does not match."));
    let unfit = browser.fill_in(page, page, &fields(PASSWORD, "short", "short")).await;
    assert!(unfit.status == 422 && unfit.says("does not meet the requirements"));
    let done = browser
        .fill_in(page, page, &fields(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD))
        .await;
    assert_eq!(done.location(), "/.stagedoor/profile");
    assert!(browser.get("profile").await.says("Your password is changed."));
    assert!(
        other.get("login").await.says("was changed at"),
        "the other one learns why"
    );
    assert_eq!(stage.browser().sign_in("alice", PASSWORD).await.status, 401);
    assert_eq!(stage.browser().sign_in("alice", OTHER_PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_second_factor_is_set_up_with_the_password_and_again_with_new_codes() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let page = "profile/second-factor";
    let wrong = browser.fill_in(page, page, &[("password", "wrong")]).await;
    assert!(
        wrong.status == 401 && wrong.says("The password is wrong."),
        "{}",
        wrong.text
    );
    let first_codes = enrol(&stage, &mut browser).await;
    assert!(
        browser.get("profile").await.says("It is set up."),
        "the fresh session is in the cookie"
    );
    stage.next_code();
    let second_codes = enrol(&stage, &mut browser).await;
    assert_ne!(first_codes, second_codes);
    let mut later = stage.browser();
    later.sign_in("alice", PASSWORD).await;
    let old = later
        .fill_in("login/second-factor", "login/second-factor", &[("code", &first_codes)])
        .await;
    assert_eq!(old.status, 401, "the codes before are worth nothing");
    let new = later
        .fill_in("login/second-factor", "login/second-factor", &[("code", &second_codes)])
        .await;
    assert_eq!(new.status, 303);
}

/// Sets a second factor up on the profile page; answers the first recovery code.
async fn enrol(stage: &Stage, browser: &mut Browser<'_>) -> String {
    let page = "profile/second-factor";
    let begun = browser.fill_in(page, page, &[("password", PASSWORD)]).await;
    assert_eq!(
        (begun.status.as_u16(), begun.location()),
        (303, "/.stagedoor/profile/second-factor")
    );
    let shown = browser.get(page).await;
    let wrong = browser
        .post(page, &[("csrf", &shown.token()), ("code", "000000")])
        .await;
    assert!(wrong.status == 401 && wrong.says("The code is wrong"), "{}", wrong.text);
    let code = stage.code_of(&wrong);
    let codes = browser.post(page, &[("csrf", &wrong.token()), ("code", &code)]).await;
    assert!(
        codes.status == 200 && codes.says("They are shown only now"),
        "{}",
        codes.text
    );
    codes.between(
        "<ol class=\"codes\" aria-label=\"Recovery codes\">\n<li><code>",
        "</code>",
    )
}

#[tokio::test]
async fn a_code_without_an_enrolment_under_way_begins_again() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let page = "profile/second-factor";
    let answer = browser.fill_in(page, page, &[("code", "123456")]).await;
    assert!(
        answer.status == 401 && answer.says("Please begin again with your password."),
        "{}",
        answer.text
    );
    let both = browser
        .fill_in(page, page, &[("code", "123456"), ("password", PASSWORD)])
        .await;
    assert_eq!(both.status, 400);
}

#[tokio::test]
async fn whoami_tells_a_person_and_a_program_the_same() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let page = browser.get("whoami").await;
    for words in [
        "alice",
        "viewer",
        HERE,
        "http://console.example:8080",
        "1 January 2026, 12:00 (UTC)",
    ] {
        assert!(page.says(words), "{words} is not in {}", page.text);
    }
    let request = browser
        .request(axum::http::Method::GET, "whoami")
        .header("accept", "*/*");
    let answer = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
    let expected = serde_json::json!({
        "address": HERE, "account": "alice", "role": "viewer", "site": "console", "channel": "browser",
        "session_expires_at": "2026-01-01T12:00:00.000000Z", "scheme": "http", "host": HOST,
    });
    assert_eq!(answer.json(), expected);
    assert!(stage.browser().get("whoami").await.says("Not signed in"));
}
