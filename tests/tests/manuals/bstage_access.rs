//! b.stage: from where and until when one comes in, and how one comes back.

use http::Method;
use serde_json::json;
use stagedoor_tests::{Reply, soon};

use crate::stage::{FIT, OTHER_FIT, Stage, policy};

/// Where the preset has a place for the addresses of the site.
const SITE: &str = "# networks = [\"203.0.113.7\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_device_with_the_same_onsite_account_signs_the_first_out_and_each_with_its_own_stays() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("site1", "onsite", json!({})).await;
    stage.add("site2", "onsite", json!({})).await;
    let (one, two) = (stage.signed_in("site1").await, stage.signed_in("site2").await);
    for device in [&one, &two] {
        device.get("/manage-site/x").await.expect(200);
    }
    let third = stage.signed_in("site2").await;
    let refused = two.get("/manage-site/x").await.expect(401);
    assert_eq!(refused.json()["error"], "session_displaced", "{}", refused.text());
    for device in [&one, &third] {
        device.get("/manage-site/x").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_is_entered_from_its_registered_addresses_alone_ten_public_ones_at_most() {
    let stage = Stage::with("bstage", &[(SITE, "networks = [\"203.0.113.7\"]")]).await;
    stage.add("ada", "admin", json!({})).await;
    let registered = stage.visitor_from("203.0.113.7");
    registered.sign_in("ada", FIT).await.expect(200);
    registered.get("/content/x").await.expect(200);
    let elsewhere = stage.visitor_from("203.0.113.8");
    elsewhere.sign_in("ada", FIT).await;
    assert_eq!(elsewhere.get("/content/x").await.status, 403);

    let register = async |networks: &[String]| -> Reply {
        let rules = policy("bstage", &[(SITE, &format!("networks = {networks:?}"))]);
        stage.admin.replace_policy(&rules, "*").await
    };
    let public = |count: u8| (1..=count).map(|last| format!("203.0.113.{last}")).collect::<Vec<_>>();
    register(&public(10)).await.expect(200);
    // The list holds at once.
    soon("the eighth is registered now", async || {
        let visitor = stage.visitor_from("203.0.113.8");
        visitor.sign_in("ada", FIT).await;
        (visitor.get("/content/x").await.status == 200).then_some(())
    })
    .await;
    let refused = register(&public(11)).await.expect(422);
    assert!(
        refused
            .text()
            .contains("there may be at most 10 networks, and these are 11"),
        "{}",
        refused.text()
    );
    for private in ["10.0.0.1", "192.168.1.20", "172.16.0.1", "127.0.0.1", "169.254.1.1"] {
        let refused = register(&[private.to_owned()]).await.expect(422);
        assert!(
            refused.text().contains("no visitor from elsewhere has such an address"),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_addresses_of_its_own_comes_in_from_those_alone() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("ada", "admin", json!({ "networks": ["203.0.113.7"] })).await;
    stage.add("ora", "operator", json!({})).await;
    for (name, address, status) in [
        ("ada", "203.0.113.7", 200),
        ("ada", "203.0.113.8", 401),
        ("ora", "203.0.113.8", 200),
    ] {
        let answer = stage.visitor_from(address).sign_in(name, FIT).await;
        assert_eq!(answer.status, status, "{name} from {address}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_away_is_banned_and_comes_back_by_a_new_invitation_alone() {
    let exempt = ("[role.head]", "[role.head]\ninactivity_exempt = true");
    let stage = Stage::with("bstage", &[exempt]).await;
    stage.add("hana", "head", json!({})).await;
    stage.add("ada", "admin", json!({ "email": "ada@example.org" })).await;
    let (hana, ada) = (stage.person("hana").await, stage.signed_in("ada").await);
    ada.get("/content/x").await.expect(200);
    // Thirty days pass in three seconds.
    let soon_banned = policy("bstage", &[exempt, ("\"30d\"", "\"3s\"")]);
    stage.apply(&soon_banned).await;
    soon("she is banned", async || {
        (stage.admin.account("ada").await["banned"] == true).then_some(())
    })
    .await;
    let refused = ada.get("/content/x").await.expect(401);
    assert_eq!(refused.json()["error"], "account_inactive", "{}", refused.text());
    assert_ne!(stage.visitor().sign_in("ada", FIT).await.status, 200);

    hana.opens_account("ada").await;
    hana.browser.reads("banned").await;
    assert!(
        !hana.browser.offers("Lift the ban").await,
        "the way back is an invitation"
    );
    let by_hand = stage.admin.ask(Method::POST, "/v1/accounts/ada/reinstate", None).await;
    assert_eq!(by_hand.json()["code"], "not_possible", "{}", by_hand.text());
    hana.browser.choose("Resend invitation").await;
    let letter = stage.letters(1).await.remove(0);
    assert_ne!(stage.visitor().sign_in("ada", FIT).await.status, 200);
    // From here on thirty days are thirty days again: she is not to be banned while she types.
    stage.apply(&policy("bstage", &[exempt])).await;
    let back = stage.stranger().await;
    back.browser.go(&stage.link(&letter)).await;
    back.chooses(OTHER_FIT).await;
    soon("she is in", async || {
        (!stage.admin.sessions("ada").await.is_empty()).then_some(())
    })
    .await;
    assert_ne!(
        stage.visitor().sign_in("ada", FIT).await.status,
        200,
        "the former password"
    );
    let ada = stage.visitor();
    ada.sign_in("ada", OTHER_FIT).await.expect(200);
    ada.get("/content/x").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_nobody_accepts_expires_and_can_be_sent_again() {
    let short = [("valid_for = \"7d\"", "valid_for = \"1s\"")];
    let stage = Stage::without_mail("bstage", &short).await;
    let invited = json!({ "name": "vera", "email": "vera@example.org", "role": "operator" });
    let link_of = |reply: Reply| {
        let token = reply.json()["link"]["token"]
            .as_str()
            .expect("shown this once")
            .to_owned();
        stage.page(&format!("invitation?token={token}"))
    };
    let invited = stage.admin.ask(Method::POST, "/v1/invitations", Some(invited)).await;
    let first = link_of(invited.expect(201));
    soon("it is expired", async || {
        (stage.admin.account("vera").await["state"] == "expired").then_some(())
    })
    .await;
    stage.apply(&policy("bstage", &[])).await;
    let vera = stage.stranger().await;
    vera.browser.go(&first).await;
    vera.browser.reads("This link is used up").await;
    let again = stage.admin.ask(Method::POST, "/v1/invitations/vera/resend", None).await;
    vera.browser.go(&link_of(again.expect(200))).await;
    vera.chooses(FIT).await;
    soon("she is in", async || {
        (!stage.admin.sessions("vera").await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smaller_plan_has_two_seats_which_the_head_takes_none_of() {
    let stage = Stage::with("bstage", &[("at_most = 5", "at_most = 2")]).await;
    stage.add("hana", "head", json!({})).await;
    let invite = async |name: &str, role: &str| {
        let body = json!({ "name": name, "email": format!("{name}@example.org"), "role": role });
        stage.ask_as("hana", Method::POST, "/v1/invitations", Some(body)).await
    };
    invite("ada", "admin").await.expect(201);
    invite("ora", "operator").await.expect(201);
    let refused = invite("abe", "admin").await;
    assert_eq!(refused.json()["code"], "seats_full", "{}", refused.text());
    let sentence = refused.json()["detail"].as_str().expect("a sentence").to_owned();
    assert!(sentence.contains("2 of 2 seats"), "{sentence}");
}
