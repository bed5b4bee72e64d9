//! b.stage: admin accounts.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::Reply;

use crate::stage::{FIT, OTHER_FIT, Stage, told};

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_sent_sent_again_and_accepted_once_and_its_last_sign_in_is_shown() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    let hana = stage.person("hana").await;
    hana.opens("accounts/invite").await;
    hana.browser.fill("#display_name", "Vera").await;
    hana.browser.fill("#name", "vera").await;
    hana.browser.fill("#email", "vera@example.org").await;
    hana.browser.choose("Invite").await;
    hana.browser.reads("The invitation is on its way by e-mail.").await;
    let first = stage.letters(1).await.remove(0);
    assert_eq!(first.to(), "vera@example.org");

    hana.browser.reads("Never").await;
    hana.browser.choose("Resend invitation").await;
    hana.browser.reads("The invitation is on its way by e-mail.").await;
    let second = stage.letters(2).await.remove(1);
    let vera = stage.stranger().await;
    vera.browser.go(&stage.link(&first)).await;
    vera.browser.reads("This link is used up").await;
    vera.browser.go(&stage.link(&second)).await;
    vera.browser.reads("Accept the invitation").await;
    vera.chooses(FIT).await;
    eventually_signed_in(&stage, "vera").await;
    vera.browser.go(&stage.link(&second)).await;
    vera.browser.reads("This link is used up").await;

    hana.opens_account("Vera").await;
    assert!(
        !hana.browser.text().await.contains("Never"),
        "the last sign-in is shown"
    );
    assert!(!hana.browser.offers("Resend invitation").await, "it is accepted");
    let again = stage.admin.ask(Method::POST, "/v1/invitations/vera/resend", None).await;
    assert_eq!(again.json()["code"], "accepted_already", "{}", again.text());
}

async fn eventually_signed_in(stage: &Stage, name: &str) {
    stagedoor_tests::soon("there is a session", async || {
        (!stage.admin.sessions(name).await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_of_the_plan_are_never_exceeded_and_full_ones_say_what_is_taken_and_what_to_do() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    let invite = async |number: usize| {
        let role = ["admin", "operator", "onsite"][number % 3];
        let body =
            json!({ "name": format!("guest{number}"), "email": format!("guest{number}@example.org"), "role": role });
        stage.admin.ask(Method::POST, "/v1/invitations", Some(body)).await
    };
    let answers = join_all((0..12).map(invite)).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (5, 7));
    for answer in refused {
        assert_eq!(answer.json()["code"], "seats_full", "{}", answer.text());
        let sentence = answer.json()["detail"].as_str().expect("a sentence").to_owned();
        for part in [
            "5 of 5 seats",
            "0 are left",
            "please contact Customer Support for further assistance.",
        ] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
    }
    let hana = stage.person("hana").await;
    hana.opens("accounts/invite").await;
    hana.browser.fill("#display_name", "Vera").await;
    hana.browser.fill("#name", "vera").await;
    hana.browser.fill("#email", "vera@example.org").await;
    hana.browser.choose("Invite").await;
    hana.browser.reads("you need to upgrade your plan").await;
    hana.browser.reads("5 of 5 seats").await;
    // A seat is free again once its invitation is taken back.
    let taken = made[0].json()["name"].as_str().expect("a name").to_owned();
    let path = format!("/v1/invitations/{taken}");
    stage.admin.ask(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(invite(20).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_alone_hands_the_role_over_to_an_accepted_account_and_loses_it_at_once() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    stage.add("ada", "admin", json!({})).await;
    stage.add("ora", "operator", json!({})).await;
    stage.add("site1", "onsite", json!({})).await;
    let invited = json!({ "name": "vera", "email": "vera@example.org", "role": "operator" });
    stage
        .admin
        .ask(Method::POST, "/v1/invitations", Some(invited))
        .await
        .expect(201);

    // An admin neither sees the head nor can hand over to anybody.
    let over = |name: &str| format!("/v1/accounts/{name}/hand-over");
    let refused = stage.ask_as("ada", Method::POST, &over("ora"), None).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let second = stage
        .admin
        .ask(Method::PATCH, "/v1/accounts/ada", Some(json!({ "role": "head" })))
        .await;
    assert!(!second.status.is_success(), "there is one head: {}", second.text());
    let made = json!({ "name": "other", "password": FIT, "role": "head" });
    assert!(
        !stage
            .admin
            .ask(Method::POST, "/v1/accounts", Some(made))
            .await
            .status
            .is_success()
    );

    let not_accepted = stage.ask_as("hana", Method::POST, &over("vera"), None).await;
    assert_eq!(not_accepted.json()["code"], "not_accepted", "{}", not_accepted.text());

    let hana = stage.person("hana").await;
    for not_to in ["vera", "site1"] {
        hana.opens_account(not_to).await;
        assert!(!hana.browser.offers("Hand my role over").await, "{not_to}");
    }
    let console = stage.signed_in("ora").await;
    hana.opens_account("ora").await;
    hana.browser.choose("Hand my role over").await;
    hana.browser.reads("you lose it at once").await;
    hana.browser.choose("Hand over").await;
    hana.browser.is_at(&stage.page("login")).await;
    assert_eq!(console.get("/").await.status, 401, "both are signed out");
    let roles = async |name: &str| stage.admin.account(name).await["role"].clone();
    assert_eq!(
        (roles("ora").await, roles("hana").await),
        (json!("head"), json!("operator"))
    );
    hana.sign_in("hana", FIT).await;
    hana.opens("accounts").await;
    hana.browser
        .reads("Your account does not have the right to open this page")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_the_role_is_handed_over_at_once_there_is_one_head() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    let others = ["ada", "abe", "ora", "ole"];
    for name in others {
        let role = if name.starts_with('a') { "admin" } else { "operator" };
        stage.add(name, role, json!({})).await;
    }
    let hana = stage.token_of("hana").await;
    let hand_over = async |name: &str| {
        let path = format!("/v1/accounts/{name}/hand-over");
        hana.ask(Method::POST, &path, None).await
    };
    let answers = join_all(others.iter().chain(&others).map(|name| hand_over(name))).await;
    let done = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(done, 1, "{:?}", answers.iter().map(Reply::text).collect::<Vec<_>>());
    let accounts = stage.admin.get("/v1/accounts").await.json();
    let roles: Vec<&Value> = accounts["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|account| &account["role"])
        .collect();
    assert_eq!(roles.iter().filter(|role| **role == "head").count(), 1, "{roles:?}");
    assert_eq!(roles.len(), 5);
    // The former head has a right no more, whoever is asked.
    for name in others {
        assert!(!hand_over(name).await.status.is_success(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_an_onsite_operator_is_never_changed() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    stage.add("site1", "onsite", json!({})).await;
    for caller in [None, Some("hana")] {
        let (path, to_admin) = ("/v1/accounts/site1", json!({ "role": "admin" }));
        let answer = match caller {
            None => stage.admin.ask(Method::PATCH, path, Some(to_admin)).await,
            Some(name) => stage.ask_as(name, Method::PATCH, path, Some(to_admin)).await,
        };
        assert_eq!(answer.json()["code"], "role_change_refused", "{}", answer.text());
    }
    let hana = stage.person("hana").await;
    hana.opens_account("site1").await;
    hana.browser.choose("Update information").await;
    let offered = hana.browser.find("#role").await.text().await.expect("the roles");
    assert_eq!(offered.trim(), "onsite");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_removes_an_admin_whose_access_ends_and_may_be_granted_again_by_a_new_invitation() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    stage.add("ada", "admin", json!({})).await;
    let ada = stage.signed_in("ada").await;
    ada.get("/content/x").await.expect(200);
    let hana = stage.person("hana").await;
    hana.opens_account("ada").await;
    hana.browser.choose("Delete").await;
    hana.browser.reads("Delete this account?").await;
    hana.browser.choose("Delete").await;
    hana.browser.reads("The account is deleted.").await;
    assert_eq!(ada.get("/content/x").await.status, 401);
    assert_eq!(ada.sign_in("ada", FIT).await.status, 401);
    let again = json!({ "name": "ada", "email": "ada@example.org", "role": "admin" });
    stage
        .ask_as("hana", Method::POST, "/v1/invitations", Some(again))
        .await
        .expect(201);
    let letter = stage.letters(1).await.remove(0);
    let back = stage.stranger().await;
    back.browser.go(&stage.link(&letter)).await;
    back.chooses(OTHER_FIT).await;
    eventually_signed_in(&stage, "ada").await;
    assert_eq!(
        stage.visitor().sign_in("ada", FIT).await.status,
        401,
        "the former password"
    );
    stage.visitor().sign_in("ada", OTHER_FIT).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_manage_operators_and_nobody_above_them() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("hana", "head", json!({})).await;
    stage.add("ada", "admin", json!({})).await;
    stage.add("abe", "admin", json!({})).await;
    stage.add("ora", "operator", json!({})).await;
    let seen = stage.ask_as("ada", Method::GET, "/v1/accounts", None).await.json();
    let names: Vec<&Value> = seen["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["ora"]);
    for name in ["hana", "abe"] {
        let path = format!("/v1/accounts/{name}");
        assert_eq!(
            stage.ask_as("ada", Method::DELETE, &path, None).await.status,
            404,
            "{name}"
        );
    }
    let raised = json!({ "name": "eve", "email": "eve@example.org", "role": "admin" });
    let refused = stage.ask_as("ada", Method::POST, "/v1/invitations", Some(raised)).await;
    assert_eq!(
        (refused.status.as_u16(), told(&refused, "role").len()),
        (403, 0),
        "{}",
        refused.text()
    );
    let operator = json!({ "name": "eve", "email": "eve@example.org", "role": "operator" });
    stage
        .ask_as("abe", Method::POST, "/v1/invitations", Some(operator))
        .await
        .expect(201);
}
