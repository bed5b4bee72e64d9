//! The way in for programs: the JSON contract.

use serde_json::{Value, json};
use stagedoor_policy::rules::WhenFull;

use super::*;

fn body(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

#[tokio::test]
async fn a_sign_in_answers_with_the_session_and_its_cookie() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    stage.signed_in("alice").await;
    let mut program = Browser::new(&stage, THERE);
    let answer = program.post_json("login", &body("alice", PASSWORD)).await;
    let session = stage.door.sessions_of(alice.id)[0].id.0.to_string();
    let expected = json!({
        "account": "alice", "role": "viewer", "session": session,
        "expires_at": "2026-01-01T12:00:00.000000Z", "displaced": 1,
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    assert!(program.cookies.contains_key("stagedoor"));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_channel_may_be_named_and_one_that_the_role_lacks_is_refused() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    stage.account_of("gina", "guard", false).await;
    let mut attempt = body("alice", PASSWORD);
    attempt["channel"] = "client".into();
    assert_eq!(stage.browser().post_json("login", &attempt).await.status, 200);
    assert_eq!(stage.door.sessions_of(alice.id)[0].channel, "client");
    attempt["username"] = "gina".into();
    let refused = stage.browser().post_json("login", &attempt).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        (&refused.json()["error"], &refused.json()["reason"]),
        (&json!("refused"), &json!("channel"))
    );
}

#[tokio::test]
async fn each_refusal_has_its_code_and_a_sentence() {
    let stage = Stage::with(roomy_rules(1, WhenFull::Refuse)).await;
    stage.account("alice").await;
    stage.account_of("home", "homebody", false).await;
    let mut program = stage.browser();
    let wrong = program.post_json("login", &body("alice", "wrong")).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(
        wrong.json(),
        json!({ "error": "invalid_credentials", "message": "The name or the password is wrong." })
    );
    let long = program.post_json("login", &body("alice", &"x".repeat(2000))).await;
    assert_eq!(long.json()["error"], "invalid_credentials");
    let refused = program.post_json("login", &body("home", PASSWORD)).await.json();
    assert_eq!(
        (&refused["error"], &refused["reason"]),
        (&json!("refused"), &json!("address"))
    );
    stage.signed_in("alice").await;
    let full = program.post_json("login", &body("alice", PASSWORD)).await.json();
    assert_eq!(
        (&full["error"], &full["address"]),
        (&json!("session_limit"), &json!(HERE))
    );
    for _ in 0..5 {
        program.post_json("login", &body("nobody", "wrong")).await;
    }
    let locked = program.post_json("login", &body("nobody", "wrong")).await;
    assert_eq!((locked.status.as_u16(), locked.header("retry-after")), (401, "900"));
    assert_eq!(locked.json()["error"], "locked");
    assert_eq!(locked.json()["until"], "2026-01-01T00:15:00.000000Z");
    stage.store.break_down("reserve_attempt");
    let broken = program.post_json("login", &body("alice", PASSWORD)).await;
    assert_eq!(
        (broken.status.as_u16(), broken.json()["error"].as_str().unwrap()),
        (503, "unavailable")
    );
}

#[tokio::test]
async fn a_body_that_is_no_sign_in_is_refused() {
    let stage = Stage::new().await;
    for body in [
        json!({}),
        json!({ "username": "alice" }),
        json!([]),
        json!({ "username": 1, "password": 2 }),
    ] {
        let answer = stage.browser().post_json("login", &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
            (400, "malformed"),
            "{body}"
        );
    }
    for step in ["login/second-factor", "login/enrol", "login/password"] {
        let body = json!({ "code": "123456", "new_password": OTHER_PASSWORD });
        assert_eq!(
            stage.browser().post_json(step, &body).await.status,
            400,
            "{step} without a ticket"
        );
        let body = json!({ "ticket": "x", "code": "123456", "new_password": OTHER_PASSWORD });
        let answer = stage.browser().post_json(step, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
            (401, "ticket_expired"),
            "{step}"
        );
    }
}

#[tokio::test]
async fn a_program_can_enrol_and_then_sign_in_with_a_code() {
    let stage = Stage::new().await;
    stage.account_of("gina", "guard", false).await;
    let mut program = stage.browser();
    let needs = program.post_json("login", &body("gina", PASSWORD)).await;
    assert_eq!(needs.status, 401);
    assert_eq!(needs.json()["error"], "second_factor_enrolment_required");
    let begun = program
        .post_json("login/enrol", &json!({ "ticket": needs.json()["ticket"] }))
        .await
        .json();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let typed = begun["secret"].as_str().unwrap().to_owned();
    let wrong = program
        .post_json("login/enrol", &json!({ "ticket": begun["ticket"], "code": "000000" }))
        .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["error"].as_str().unwrap()),
        (401, "invalid_code")
    );
    let code = stage.code(&typed);
    let done = program
        .post_json("login/enrol", &json!({ "ticket": begun["ticket"], "code": code }))
        .await;
    assert_eq!(
        (done.status.as_u16(), done.json()["account"].as_str().unwrap()),
        (200, "gina")
    );
    assert!(done.json()["recovery_codes"].as_array().unwrap().len() >= 8);
    assert!(program.cookies.contains_key("stagedoor"));

    stage.next_code();
    let needs = stage.browser().post_json("login", &body("gina", PASSWORD)).await.json();
    assert_eq!(needs["error"], "second_factor_required");
    let answer = json!({ "ticket": needs["ticket"], "code": stage.code(&typed) });
    let again = json!({ "ticket": needs["ticket"], "code": stage.code(&typed) });
    assert_eq!(
        stage.browser().post_json("login/second-factor", &answer).await.status,
        200
    );
    assert_eq!(
        stage.browser().post_json("login/second-factor", &again).await.status,
        401,
        "no code twice"
    );

    stage.next_code();
    let mut at_once = body("gina", PASSWORD);
    at_once["code"] = stage.code(&typed).into();
    assert_eq!(
        stage.browser().post_json("login", &at_once).await.status,
        200,
        "or with the first step"
    );
}

#[tokio::test]
async fn a_program_changes_a_temporary_password() {
    let stage = Stage::new().await;
    stage.account_of("tom", "viewer", true).await;
    let mut program = stage.browser();
    let needs = program.post_json("login", &body("tom", PASSWORD)).await.json();
    assert_eq!(needs["error"], "password_change_required");
    let unfit = program
        .post_json(
            "login/password",
            &json!({ "ticket": needs["ticket"], "new_password": "x" }),
        )
        .await;
    assert_eq!(
        (unfit.status.as_u16(), unfit.json()["error"].as_str().unwrap()),
        (422, "password_unfit")
    );
    assert!(!unfit.json()["problems"].as_array().unwrap().is_empty());
    let fields = json!({ "ticket": needs["ticket"], "new_password": OTHER_PASSWORD });
    let done = program.post_json("login/password", &fields).await;
    assert_eq!(
        (done.status.as_u16(), done.json()["account"].as_str().unwrap()),
        (200, "tom")
    );
}
