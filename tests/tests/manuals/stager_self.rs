//! Stager: what users change about themselves, and who helps them when their phone is lost.

use http::Method;
use serde_json::json;
use stagedoor_tests::{soon, totp};

use crate::stage::{FIT, OTHER_FIT, Stage, policy};

/// A picture of one pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\
    \x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82";

#[tokio::test(flavor = "multi_thread")]
async fn users_change_their_username_password_address_picture_and_landing_page_themselves() {
    let stage = Stage::with("stager", &[]).await;
    stage
        .add("maria", "manager", json!({ "email": "maria@example.org" }))
        .await;
    let maria = stage.person("maria").await;
    let browser = &maria.browser;

    browser.choose("Change details").await;
    let landing = browser.find("#preference-landing").await;
    landing.send_keys("calendar").await.expect("a choice");
    let events = browser.find("#preference-calendar-view").await;
    events.send_keys("20").await.expect("a choice");
    browser.choose("Save").await;
    browser.reads("calendar").await;

    browser.choose("Change name").await;
    browser.fill("#name", "maria_b").await;
    browser.fill("#current_password", FIT).await;
    browser.choose("Change the name").await;
    browser.is_at(&stage.page("profile")).await;

    browser.choose("Change e-mail").await;
    browser.fill("#email", "maria@elsewhere.example").await;
    browser.fill("#current_password", FIT).await;
    browser.choose("Send the letter").await;
    let letters = stage.letters(1).await;
    let letter = letters
        .iter()
        .find(|letter| letter.to() == "maria@elsewhere.example")
        .expect("a letter");
    assert_eq!(
        stage.admin.account("maria_b").await["email"],
        "maria@example.org",
        "not before the link"
    );
    browser.go(&stage.link(letter)).await;
    browser.press("form.sheet button[type=submit]").await;
    soon("the address is confirmed", async || {
        (stage.admin.account("maria_b").await["email"] == "maria@elsewhere.example").then_some(())
    })
    .await;

    let file = stage.door.folder().join("picture.png");
    std::fs::write(&file, PNG).expect("a file");
    maria.opens("profile/picture").await;
    let field = browser.find("#picture").await;
    field
        .send_keys(file.display().to_string())
        .await
        .expect("a file can be chosen");
    browser.choose("Save").await;
    browser.find("img.portrait").await;

    maria.opens("profile/password").await;
    browser.fill("input[autocomplete=current-password]", FIT).await;
    browser.fill("#new_password", OTHER_FIT).await;
    browser.fill("#repeat", OTHER_FIT).await;
    browser.press("form.sheet button[type=submit]").await;
    browser.is_at(&stage.page("profile")).await;
    assert_eq!(stage.visitor().sign_in("maria_b", FIT).await.status, 401);

    // The console hears of the choices, and a sign-in that was on the way to nowhere leads to the chosen page.
    let visitor = stage.visitor();
    visitor.sign_in("maria_b", OTHER_FIT).await.expect(200);
    let seen = visitor
        .get("/backstage/calendar/1")
        .await
        .expect(200)
        .text()
        .to_ascii_lowercase();
    for (header, value) in [
        ("x-stagedoor-preference-landing", "calendar"),
        ("x-stagedoor-preference-calendar-view", "20"),
    ] {
        assert!(
            seen.contains(header) && seen.contains(value),
            "{header}: {value} in {seen}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_replaced_by_a_recovery_mail_that_another_user_sends() {
    let stage = Stage::with("stager", &[]).await;
    stage.add("maria", "manager", json!({})).await;
    stage
        .add("intern", "user", json!({ "email": "intern@example.org" }))
        .await;
    let maria = stage.person("maria").await;
    maria.opens_account("intern").await;
    maria.browser.choose("Send recovery mail").await;
    let letter = stage.letters(1).await.remove(0);
    assert_eq!(letter.to(), "intern@example.org");
    // Demanded meanwhile: the link leads through the password to a QR code.
    stage
        .apply(&policy("stager", &[("ask = \"optional\"", "ask = \"required\"")]))
        .await;
    let intern = stage.stranger().await;
    intern.browser.go(&stage.link(&letter)).await;
    intern.browser.fill("input[name=password]", FIT).await;
    intern.browser.press("form button[type=submit]").await;
    intern.browser.find("main img.qr").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_recent_code_of_the_app_signs_in_and_without_the_phone_a_recovery_code_does_once() {
    let stage = Stage::with("stager", &[("ask = \"optional\"", "ask = \"required\"")]).await;
    stage.add("intern", "manager", json!({})).await;
    let intern = stage.stranger().await;
    intern.tries_to_sign_in("intern", FIT).await;
    let (secret, codes) = intern.enrols().await;
    intern.browser.is_at(&stage.page("profile")).await;
    intern.signs_out().await;
    assert!(stage.admin.sessions("intern").await.is_empty());

    intern.tries_to_sign_in("intern", FIT).await;
    let outdated = totp(&secret, -20);
    for refused in [outdated.as_str(), "no code"] {
        intern.browser.fill("#code", refused).await;
        intern.browser.choose("Go on").await;
        intern.browser.reads("That did not work").await;
    }
    intern.browser.fill("#code", &totp(&secret, 1)).await;
    intern.browser.choose("Go on").await;
    intern.browser.is_at(&stage.page("profile")).await;
    intern.signs_out().await;

    let by_recovery_code = async || {
        intern.tries_to_sign_in("intern", FIT).await;
        intern.browser.fill("#recovery", &codes[0]).await;
        intern.browser.choose("Use a recovery code").await;
    };
    by_recovery_code().await;
    intern.browser.is_at(&stage.page("profile")).await;
    intern.signs_out().await;
    by_recovery_code().await;
    intern.browser.reads("That did not work").await;
    assert!(stage.admin.sessions("intern").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_another_user_who_manages_users_takes_a_second_factor_away() {
    let stage = Stage::with("stager", &[]).await;
    for (name, role) in [("maria", "manager"), ("mark", "manager"), ("uma", "user")] {
        stage.add(name, role, json!({})).await;
    }
    let mark = stage.person("mark").await;
    mark.browser.choose("Set up a second factor").await;
    mark.browser.fill("#password", FIT).await;
    mark.browser.press("form.sheet button[type=submit]").await;
    mark.enrols().await;
    let path = "/v1/accounts/mark/second-factor";
    for (name, status) in [("mark", 403), ("uma", 404)] {
        let refused = stage.ask_as(name, Method::DELETE, path, None).await;
        assert_eq!(refused.status, status, "{name}: {}", refused.text());
    }
    let uma = stage.person("uma").await;
    uma.opens("accounts").await;
    uma.browser
        .reads("Your account does not have the right to open this page")
        .await;
    assert_eq!(stage.admin.account("mark").await["second_factor"], true);
    stage.ask_as("maria", Method::DELETE, path, None).await.expect(204);
    assert_eq!(stage.admin.account("mark").await["second_factor"], false);
}
