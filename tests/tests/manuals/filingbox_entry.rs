//! FilingBox MEGA2: how one comes in, what keeps one out, and what one is told.

use serde_json::json;
use stagedoor_tests::{soon, totp};

use crate::stage::{FIT, ONE_FACTOR, OTHER_FIT, Stage, told, try_by};

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_channel_is_refused_in_its_own_words_both_ways() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    stage.add("robot", "device-admin", json!({})).await;
    let robot = stage.stranger().await;
    robot.tries_to_sign_in("robot", FIT).await;
    let sentence = "Cannot access the admin web UI (can only log into the client program).";
    robot.browser.reads(sentence).await;
    assert!(stage.admin.sessions("robot").await.is_empty());
    for name in ["superb", "general"] {
        let refused = try_by(&stage.visitor(), "client", name, FIT).await.expect(401);
        assert_eq!(
            refused.json()["message"],
            "Accounts with Super or General admin roles cannot log into the client program.",
            "{}",
            refused.text()
        );
        assert!(stage.admin.sessions(name).await.is_empty());
    }
    // Whoever does not know the password learns nothing of channels.
    let guess = try_by(&stage.visitor(), "client", "superb", OTHER_FIT).await;
    assert_eq!(guess.json()["error"], "invalid_credentials", "{}", guess.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sign_in_with_a_temporary_password_asks_for_another_on_both_channels() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    let temporary = json!({ "password_temporary": true });
    stage.add("superb", "super-admin", temporary.clone()).await;
    stage.add("robot", "device-admin", temporary).await;
    let superb = stage.stranger().await;
    superb.tries_to_sign_in("superb", FIT).await;
    superb.browser.reads("Choose a new password").await;
    assert!(
        stage.admin.sessions("superb").await.is_empty(),
        "not in before it is changed"
    );
    superb.chooses(OTHER_FIT).await;
    superb.browser.is_at(&stage.page("profile")).await;

    let robot = stage.visitor();
    let asked = try_by(&robot, "client", "robot", FIT).await.expect(401).json();
    assert_eq!(asked["error"], "password_change_required", "{asked}");
    assert_eq!(robot.get("/client/1").await.status, 401);
    let step = async |new: &str| {
        let body = json!({ "ticket": asked["ticket"], "new_password": new });
        robot.post_json("/.stagedoor/login/password", &body).await
    };
    let unfit = step("weak").await.expect(422).json();
    let sentence = "The new password entered does not meet the requirements.";
    assert!(
        unfit["message"].as_str().is_some_and(|said| said.contains(sentence)),
        "{unfit}"
    );
    step(OTHER_FIT).await.expect(200);
    robot.get("/client/1").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_lock_an_account_until_the_lock_period_has_expired() {
    let stage = Stage::with("filingbox", &[ONE_FACTOR[0], ("for = \"15m\"", "for = \"3s\"")]).await;
    stage.add("superb", "super-admin", json!({})).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        let answer = stage.visitor().sign_in("superb", OTHER_FIT).await.json();
        answers.push(answer["error"].as_str().expect("a code").to_owned());
    }
    let (first, last) = answers.split_at(4);
    assert!(first.iter().all(|error| error == "invalid_credentials"), "{answers:?}");
    assert!(last.iter().any(|error| error == "locked"), "{answers:?}");
    let locked = stage.admin.audit("event=account.locked&account=superb").await;
    assert_eq!(locked.len(), 1, "{locked:?}");
    soon("the lock has ended by itself", async || {
        (stage.visitor().sign_in("superb", FIT).await.status == 200).then_some(())
    })
    .await;
    let unlocked = stage.admin.audit("event=account.unlocked&account=superb").await;
    assert!(unlocked.is_empty(), "{unlocked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deletes_the_own_account_is_signed_out_with_it() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage.add("supers", "super-admin", json!({})).await;
    let superb = stage.person("superb").await;
    superb.opens_account("superb").await;
    superb.browser.choose("Delete").await;
    superb.browser.choose("Delete my account").await;
    superb.browser.is_at(&stage.page("login")).await;
    assert_eq!(stage.admin.get("/v1/accounts/superb").await.status, 404);
    superb.opens("accounts").await;
    superb.browser.find("input[name=password]").await;
    // Now there is one, who is not offered to be deleted.
    let supers = stage.person("supers").await;
    supers.opens_account("supers").await;
    assert!(!supers.browser.offers("Delete").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_that_is_reset_on_the_accounts_page_is_set_up_anew_by_a_qr_code() {
    let stage = Stage::with("filingbox", &[]).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    let general = stage.stranger().await;
    general.tries_to_sign_in("general", FIT).await;
    let (lost, _) = general.enrols().await;
    general.browser.is_at(&stage.page("profile")).await;
    let superb = stage.stranger().await;
    superb.tries_to_sign_in("superb", FIT).await;
    superb.enrols().await;
    superb.browser.is_at(&stage.page("profile")).await;

    superb.opens_account("superb").await;
    let reset = "Reset two-factor authentication";
    assert!(!superb.browser.offers(reset).await, "somebody else has to do it");
    superb.opens_account("general").await;
    superb.browser.choose(reset).await;
    superb.browser.reads("Reset two-factor authentication?").await;
    superb.browser.choose(reset).await;
    superb.browser.reads("Not set up").await;
    assert!(
        stage.admin.sessions("general").await.is_empty(),
        "its sessions have ended"
    );
    general.tries_to_sign_in("general", FIT).await;
    let (secret, codes) = general.enrols().await;
    assert!(secret != lost && !codes.is_empty());
    general.browser.is_at(&stage.page("profile")).await;
    let with = json!({ "username": "general", "password": FIT, "code": totp(&lost, 1) });
    let refused = stage.visitor().post_json("/.stagedoor/login", &with).await;
    assert_eq!(refused.json()["error"], "invalid_code", "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_for_addresses_is_displayed_for_general_admins_and_to_super_admins_about_themselves() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage.add("supers", "super-admin", json!({})).await;
    stage.add("robot", "device-admin", json!({})).await;
    let superb = stage.person("superb").await;
    let browser = &superb.browser;
    superb.opens("accounts/add").await;
    browser.hides("#networks").await;
    superb.selects("#role", "general").await;
    browser.fill("#networks", "192.0.2.9").await;
    superb.selects("#role", "device").await;
    browser.hides("#networks").await;

    superb.opens_account("robot").await;
    browser.choose("Update information").await;
    browser.hides("#networks").await;
    superb.opens_account("supers").await;
    browser.choose("Update information").await;
    browser.find("#display_name").await;
    assert!(
        browser.texts("#networks").await.is_empty(),
        "others' addresses are their own to change"
    );
    superb.opens_account("superb").await;
    browser.choose("Update information").await;
    browser.find("#networks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_addresses_is_seven_to_seventy_nine_characters_long() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    let change = async |list: &str| {
        let networks: Vec<&str> = list.split(',').collect();
        stage
            .admin
            .change_account("general", json!({ "networks": networks }))
            .await
    };
    let longest = ["254.254.254.254"; 4].map(str::to_owned);
    let longest: Vec<String> = longest
        .into_iter()
        .enumerate()
        .map(|(n, one)| one.replacen("254", &(250 + n).to_string(), 1))
        .collect();
    let longest = longest.join(",") + ",254.254.254.253";
    assert_eq!(longest.len(), 79);
    for fit in ["1.1.1.1", longest.as_str()] {
        change(fit).await.expect(200);
    }
    for unfit in ["1.1.1.", "", &format!("{longest},1.1.1.1"), "254.254.254.255"] {
        let refused = change(unfit).await.expect(422);
        assert_eq!(
            told(&refused, "networks")[0],
            "The IP address format is invalid.",
            "{unfit}"
        );
    }
}
