//! The steps of a sign-in after the password.

use super::*;

async fn step(visitor: &Visitor, page: &str, body: Value) -> Reply {
    visitor.post_json(&format!("/.stagedoor/login{page}"), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_enrolled_at_the_first_sign_in_and_no_code_is_good_twice() {
    let stage = Stage::open("[second_factor]\nask = \"required\"\n\n[lockout]\nfailures = 50\n").await;
    let ada = stage.visitor("127.0.0.5");
    let answer = sign_in(&ada, "ada", PASSWORD).await;
    refused(&answer, "second_factor_enrolment_required");
    assert_eq!(ada.cookie("stagedoor"), None);
    let ticket = answer.json()["ticket"].clone();
    let secret = step(&ada, "/enrol", json!({ "ticket": ticket }))
        .await
        .expect(200)
        .json();
    let typed = secret["secret"].as_str().expect("a secret").to_owned();
    assert!(
        secret["uri"]
            .as_str()
            .is_some_and(|uri| uri.starts_with("otpauth://totp/")),
        "{secret}"
    );
    let wrong = step(&ada, "/enrol", json!({ "ticket": secret["ticket"], "code": "000000" })).await;
    refused(&wrong, "invalid_code");
    let first = totp(&typed, 0);
    let enrolled = step(&ada, "/enrol", json!({ "ticket": secret["ticket"], "code": first }))
        .await
        .expect(200)
        .json();
    let recovery: Vec<&str> = enrolled["recovery_codes"]
        .as_array()
        .expect("codes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(recovery.len() >= 5, "{enrolled}");
    ada.get("/cached").await.expect(200);
    assert_eq!(stage.admin.account("ada").await["second_factor"], true);

    let again = ada.clone().without_cookies();
    let with = |code: &str| json!({ "username": "ada", "password": PASSWORD, "code": code });
    refused(&step(&again, "", with(&first)).await, "invalid_code");
    // The code of the next half minute is good already, and just once.
    let next = totp(&typed, 1);
    step(&again, "", with(&next)).await.expect(200);
    refused(&step(&again, "", with(&next)).await, "invalid_code");
    refused(&step(&again, "", with(&first)).await, "invalid_code");

    let answer = sign_in(&again, "ada", PASSWORD).await;
    refused(&answer, "second_factor_required");
    let with = |code: &str| json!({ "ticket": answer.json()["ticket"], "code": code });
    step(&again, "/second-factor", with(recovery[0])).await.expect(200);
    again.get("/cached").await.expect(200);
    let answer = sign_in(&again, "ada", PASSWORD).await;
    let with = |code: &str| json!({ "ticket": answer.json()["ticket"], "code": code });
    refused(&step(&again, "/second-factor", with(recovery[0])).await, "invalid_code");
    step(&again, "/second-factor", with(recovery[1])).await.expect(200);
    let left = stage.admin.account("ada").await["recovery_codes_left"].clone();
    assert_eq!(left, recovery.len() - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_second_factors_locks_like_guessing_passwords() {
    let stage = Stage::open("[second_factor]\nask = \"required\"\n\n[lockout]\nfailures = 3\nfor = \"1h\"\n").await;
    let ada = stage.visitor("127.0.0.5");
    let ticket = sign_in(&ada, "ada", PASSWORD).await.json()["ticket"].clone();
    let secret = step(&ada, "/enrol", json!({ "ticket": ticket }))
        .await
        .expect(200)
        .json();
    let typed = secret["secret"].as_str().expect("a secret").to_owned();
    step(
        &ada,
        "/enrol",
        json!({ "ticket": secret["ticket"], "code": totp(&typed, 0) }),
    )
    .await
    .expect(200);
    let mut guesses = 0;
    let answer = loop {
        // A right password in between forgives nothing.
        let answer = sign_in(&ada, "ada", PASSWORD).await;
        let Some(ticket) = answer.json().get("ticket").cloned() else {
            break answer;
        };
        let guess = json!({ "ticket": ticket, "code": wrong_code(&typed) });
        refused(&step(&ada, "/second-factor", guess).await, "invalid_code");
        guesses += 1;
        assert!(guesses <= 3, "a fourth guess was looked at");
    };
    refused(&answer, "locked");
    assert!(guesses > 0);
}

/// A code that is none of the next minutes'.
fn wrong_code(secret: &str) -> String {
    let good: Vec<String> = (0..4).map(|ahead| totp(secret, ahead)).collect();
    let code = (0..10)
        .map(|digit| digit.to_string().repeat(6))
        .find(|code| !good.contains(code));
    code.expect("ten codes cannot all be good")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_password_opens_nothing_until_it_is_changed() {
    let stage = Stage::open("").await;
    let made = stage.admin.add(json!({ "name": "bea", "role": "keeper" })).await;
    let temporary = made["temporary_password"].as_str().expect("it is told once").to_owned();
    assert!(stage.admin.account("bea").await.get("temporary_password").is_none());
    let bea = stage.visitor("127.0.0.5");
    let answer = sign_in(&bea, "bea", &temporary).await;
    refused(&answer, "password_change_required");
    refused(&bea.get("/cached").await, "sign_in_required");
    let with = |new: &str| json!({ "ticket": answer.json()["ticket"], "new_password": new });
    let short = step(&bea, "/password", with("short")).await.expect(422);
    assert_eq!(short.json()["error"], "password_unfit");
    step(&bea, "/password", with(PASSWORD)).await.expect(200);
    bea.get("/cached").await.expect(200);
    let again = bea.without_cookies();
    refused(&sign_in(&again, "bea", &temporary).await, "invalid_credentials");
    sign_in(&again, "bea", PASSWORD).await.expect(200);
}
