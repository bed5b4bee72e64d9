//! Stager: users and permissions.

use serde_json::json;

use crate::stage::{FIT, OTHER_FIT, Stage, policy};

#[tokio::test(flavor = "multi_thread")]
async fn users_are_searched_invited_given_rights_and_removed_on_one_page() {
    let stage = Stage::with("stager", &[]).await;
    stage.add("maria", "manager", json!({ "display_name": "Maria" })).await;
    stage
        .add("intern", "user", json!({ "display_name": "Ida Intern" }))
        .await;
    let maria = stage.person("maria").await;
    maria.opens("accounts").await;
    maria.browser.fill("#search", "intern").await;
    maria.browser.choose("Search").await;
    maria.browser.shows("tbody tr th", &["Ida Intern"]).await;
    maria.browser.choose("Ida Intern").await;
    maria.browser.choose("Update information").await;
    let row = maria.browser.find("select[name='grant:console/events']").await;
    row.send_keys("view").await.expect("a level can be chosen");
    maria.browser.choose("Update").await;
    maria.browser.reads("The account is changed.").await;
    let grants = stage.admin.account("intern").await["grants"].clone();
    assert_eq!(
        (&grants[0]["area"], &grants[0]["level"]),
        (&json!("events"), &json!("view")),
        "{grants}"
    );
    let intern = stage.signed_in("intern").await;
    intern.get("/backstage/events/1").await.expect(200);
    assert_eq!(intern.post("/backstage/events/1", "x").await.status, 403);
    maria.browser.choose("Delete").await;
    maria.browser.choose("Delete").await;
    maria.browser.reads("The account is deleted.").await;
    assert_eq!(intern.get("/backstage/events/1").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_package_says_how_many_users_there_are_how_many_are_left_and_what_to_do() {
    let stage = Stage::with("stager", &[("at_most = 10", "at_most = 2")]).await;
    stage.add("maria", "manager", json!({})).await;
    stage.add("intern", "user", json!({})).await;
    let maria = stage.person("maria").await;
    maria.opens("accounts/invite").await;
    maria.browser.fill("#display_name", "Vera").await;
    maria.browser.fill("#name", "vera").await;
    maria.browser.fill("#email", "vera@example.org").await;
    maria.browser.choose("Invite").await;
    maria.browser.reads("2 of 2 seats").await;
    maria.browser.reads("0 are left").await;
    maria
        .browser
        .reads("how many users you can still add, and at what cost.")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_the_second_factor_on_signs_everybody_out_and_shows_each_a_qr_code() {
    let stage = Stage::with("stager", &[]).await;
    stage.add("maria", "manager", json!({})).await;
    stage.add("intern", "manager", json!({})).await;
    let (maria, intern) = (stage.signed_in("maria").await, stage.signed_in("intern").await);
    let phone = stage.sign_in_by("mobile", "intern").await;
    for visitor in [&maria, &intern, &phone] {
        visitor.get("/backstage/calendar/1").await.expect(200);
    }
    stage
        .apply(&policy("stager", &[("ask = \"optional\"", "ask = \"required\"")]))
        .await;
    for visitor in [&maria, &intern, &phone] {
        stagedoor_tests::soon("everybody is signed out", async || {
            (visitor.get("/backstage/calendar/1").await.status == 401).then_some(())
        })
        .await;
    }
    // Ticket buyers are not asked.
    stage.visitor().get("/web/users").await.expect(200);
    let person = stage.stranger().await;
    person.tries_to_sign_in("intern", FIT).await;
    person.browser.find("img[src^='data:image']").await;
    person.browser.find("input[name=code]").await;
    assert!(
        stage.admin.sessions("intern").await.is_empty(),
        "not in before the code"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_by_the_link_of_a_letter() {
    let stage = Stage::with("stager", &[]).await;
    stage
        .add("maria", "manager", json!({ "email": "maria@example.org" }))
        .await;
    let session = stage.signed_in("maria").await;
    let maria = stage.stranger().await;
    maria.opens("login").await;
    maria.browser.choose("Reset password").await;
    maria.browser.fill("#email", "maria@example.org").await;
    maria.browser.choose("Send the link").await;
    maria.browser.reads("a letter with a link is on its way to it").await;
    let letter = stage.letters(1).await.remove(0);
    maria.browser.go(&stage.link(&letter)).await;
    maria.browser.fill("#new_password", OTHER_FIT).await;
    maria.browser.fill("#repeat", FIT).await;
    maria.browser.choose("Set the password").await;
    maria.browser.reads("The password is not set").await;
    maria.chooses(OTHER_FIT).await;
    stagedoor_tests::soon("every session has ended", async || {
        (session.get("/").await.status == 401).then_some(())
    })
    .await;
    maria.sign_in("maria", OTHER_FIT).await;
    assert_eq!(stage.visitor().sign_in("maria", FIT).await.status, 401);
    maria.browser.go(&stage.link(&letter)).await;
    maria.browser.reads("This link is used up").await;
}
