//! FilingBox MEGA2: what super admins do to accounts, and what nobody does.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use stagedoor_tests::Admin;

use crate::stage::{FIT, ONE_FACTOR, OTHER_FIT, Stage};

const LAST: &str = "This is the last Super Admin. User information cannot be modified.";

#[tokio::test(flavor = "multi_thread")]
async fn the_last_super_admin_is_neither_deleted_nor_changed_to_another_role_in_any_order() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    let names = ["superb", "supers", "supert"];
    for name in names {
        stage.add(name, "super-admin", json!({})).await;
    }
    // All at once, of each other and of themselves.
    let delete = async |name: &str| {
        let path = format!("/v1/accounts/{name}");
        stage.admin.ask(Method::DELETE, &path, None).await
    };
    let disable = async |name: &str| stage.admin.change_account(name, json!({ "disabled": true })).await;
    let mut tokens = Vec::new();
    for name in names {
        tokens.push((name, stage.token_of(name).await));
    }
    let demote = async |(name, own): &(&str, Admin)| own.change_account(name, json!({ "role": "device-admin" })).await;
    let (deleted, disabled, demoted) = tokio::join!(
        join_all(names.map(delete)),
        join_all(names.map(disable)),
        join_all(tokens.iter().map(demote))
    );
    let answers = deleted.iter().chain(&disabled).chain(&demoted);
    let left: Vec<_> = answers
        .filter(|answer| !answer.status.is_success() && answer.json()["code"] == "last_of_role")
        .collect();
    assert!(!left.is_empty());
    for answer in left {
        assert_eq!(answer.json()["detail"], LAST, "{}", answer.text());
    }
    let accounts = stage.admin.get("/v1/accounts").await.json();
    let active = accounts["items"].as_array().expect("a list").iter();
    let active: Vec<_> = active
        .filter(|account| account["disabled"] == false && account["role"] == "super-admin")
        .collect();
    assert_eq!(active.len(), 1, "{accounts}");
    let last = active[0]["name"].as_str().expect("a name");

    let person = stage.person(last).await;
    person.opens_account(last).await;
    assert!(
        !person.browser.offers("Delete").await,
        "the last one is not offered to be deleted"
    );
    person.browser.choose("Update information").await;
    let role = person.browser.find("#role").await;
    role.send_keys("device").await.expect("a role can be chosen");
    person.browser.choose("Update").await;
    person.browser.reads(LAST).await;
    assert_eq!(stage.admin.account(last).await["role"], "super-admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_a_super_admin_is_changed_by_its_holder_alone_who_is_signed_out_with_it() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage.add("supers", "super-admin", json!({})).await;
    let to_device = json!({ "role": "device-admin" });
    let refused = stage
        .ask_as("supers", Method::PATCH, "/v1/accounts/superb", Some(to_device))
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["detail"]),
        (403, &json!("Permission denied"))
    );

    let superb = stage.person("superb").await;
    superb.opens_account("supers").await;
    superb.browser.choose("Update information").await;
    let offered = superb.browser.find("#role").await.text().await.expect("the roles");
    assert_eq!(offered.trim(), "super-admin", "somebody else's role");
    superb.opens_account("superb").await;
    superb.browser.choose("Update information").await;
    let role = superb.browser.find("#role").await;
    role.send_keys("device").await.expect("a role can be chosen");
    superb.browser.choose("Update").await;
    stagedoor_tests::soon("she is signed out", async || {
        stage.admin.sessions("superb").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(stage.admin.account("superb").await["role"], "device-admin");
    superb.opens("accounts").await;
    superb.browser.find("input[name=password]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_admin_who_is_signed_in_to_the_client_is_neither_edited_nor_deleted() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage.add("robot", "device-admin", json!({})).await;
    let superb = stage.person("superb").await;
    superb.opens_account("robot").await;
    assert!(superb.browser.offers("Update information").await && superb.browser.offers("Delete").await);
    let client = stage.sign_in_by("client", "robot").await;
    superb.opens_account("robot").await;
    assert!(
        !superb.browser.offers("Update information").await,
        "not while it is signed in"
    );
    assert!(!superb.browser.offers("Delete").await);
    let path = "/v1/accounts/robot";
    for (method, body) in [
        (Method::PATCH, Some(json!({ "display_name": "R2" }))),
        (Method::DELETE, None),
    ] {
        let refused = stage.admin.ask(method, path, body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["code"]),
            (409, &json!("signed_in")),
            "{}",
            refused.text()
        );
    }
    client.sign_out().await;
    superb.opens_account("robot").await;
    superb.browser.choose("Delete").await;
    superb.browser.choose("Delete").await;
    superb.browser.reads("The account is deleted.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_account_is_unlocked_on_its_page() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    for _ in 0..5 {
        assert_ne!(stage.visitor().sign_in("general", OTHER_FIT).await.status, 200);
    }
    assert_ne!(stage.visitor().sign_in("general", FIT).await.status, 200, "locked");
    assert!(stage.admin.account("general").await["locked_until"].is_string());
    let superb = stage.person("superb").await;
    superb.opens_account("general").await;
    superb.browser.reads("locked until").await;
    superb.browser.choose("Unlock").await;
    superb.browser.reads("The account has been unlocked.").await;
    stage.visitor().sign_in("general", FIT).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_password_is_temporary_and_its_sentences_are_those_of_the_manual() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    let superb = stage.person("superb").await;
    superb.opens_account("general").await;
    superb.browser.choose("Reset password").await;
    for (new, again, sentence) in [
        (
            "short",
            "short",
            "The new password entered does not meet the requirements.",
        ),
        (OTHER_FIT, FIT, "The new password confirmation does not match."),
        ("", "", "Please enter a new password."),
    ] {
        superb.browser.fill("#new_password", new).await;
        superb.browser.fill("#repeat", again).await;
        // A browser would not send an empty field of its own accord.
        let script = "document.querySelector('form.sheet').noValidate = true; arguments[arguments.length - 1](true)";
        superb.browser.run(script).await;
        superb.browser.choose("Change password").await;
        superb.browser.reads(sentence).await;
    }
    superb.chooses(OTHER_FIT).await;
    superb.browser.reads("The account has a temporary password").await;

    let general = stage.stranger().await;
    general.tries_to_sign_in("general", OTHER_FIT).await;
    general.browser.find("#new_password").await;
    general.browser.fill("#new_password", "weak").await;
    general.browser.fill("#repeat", "weak").await;
    general.browser.press("form.sheet button[type=submit]").await;
    general
        .browser
        .reads("The new password entered does not meet the requirements.")
        .await;
    let third = "Rq6%mWx3kPzL9#Vg";
    general.chooses(third).await;
    general.browser.is_at(&stage.page("profile")).await;
    stage.visitor().sign_in("general", third).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_second_factor_is_registered_again_by_a_qr_code() {
    let stage = Stage::with("filingbox", &[]).await;
    stage.add("superb", "super-admin", json!({})).await;
    let visitor = stage.visitor();
    let step = async |page: &str, body| {
        visitor
            .post_json(&format!("/.stagedoor/login{page}"), &body)
            .await
            .json()
    };
    let asked = step("", json!({ "username": "superb", "password": FIT })).await;
    let shown = step("/enrol", json!({ "ticket": asked["ticket"] })).await;
    let secret = shown["secret"].as_str().expect("a secret").to_owned();
    let code = stagedoor_tests::totp(&secret, 0);
    step("/enrol", json!({ "ticket": shown["ticket"], "code": code })).await;
    visitor.get("/devices/1").await.expect(200);
    assert_eq!(stage.admin.account("superb").await["second_factor"], true);

    let path = "/v1/accounts/superb/second-factor";
    stage.admin.ask(Method::DELETE, path, None).await.expect(204);
    assert_eq!(visitor.get("/devices/1").await.status, 401, "signed out");
    let person = stage.stranger().await;
    person.tries_to_sign_in("superb", FIT).await;
    let picture = person.browser.find("main img").await;
    assert!(
        picture.attr("alt").await.expect("an answer").is_some(),
        "a QR code with words"
    );
    person.browser.find("input[name=code]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_general_admin_from_an_address_that_is_not_registered_is_told_so_in_the_words_of_the_manual() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["192.0.2.9"] }))
        .await;
    let person = stage.stranger().await;
    person.tries_to_sign_in("general", FIT).await;
    person
        .browser
        .reads("This is an unusual behavior. Contact yout administrator.")
        .await;
    assert!(stage.admin.sessions("general").await.is_empty());
}
