//! What programs send and get: JSON with stable codes, never a redirect.

use serde_json::json;

use super::browser::Browser;
use super::{House, PASSWORD};

const LOGIN: &str = "/.stagedoor/login";

fn program(house: &House) -> Browser {
    house.browser().saying("accept", "application/json")
}

fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_program_signs_in_and_gets_the_cookie_and_the_facts() {
    let house = House::new().await;
    house.account("alice").await;
    let mut program = program(&house);
    let body = json!({ "username": "alice", "password": PASSWORD, "channel": "client" });
    let answer = program.json(LOGIN, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = answer.as_json();
    assert_eq!(said["account"], "alice");
    assert_eq!(said["role"], "viewer");
    assert_eq!(said["expires_at"], "2026-01-01T12:00:00.000000Z");
    assert_eq!(program.get("/.stagedoor/whoami").await.as_json()["channel"], "client");
    assert!(
        !answer.body.contains(&program.cookies["__Host-stagedoor"]),
        "only the cookie holds it"
    );
}

#[tokio::test]
async fn every_refused_sign_in_has_its_stable_code() {
    let house = House::new().await;
    house.account("alice").await;
    house.account_in("bob", "local").await;
    house.with_temporary_password("tom").await;
    house.account_in("gil", "guard").await;
    house.enrolled("eve").await;
    for (name, password, expected) in [
        ("alice", "wrong wrong wrong", "invalid_credentials"),
        ("nobody", PASSWORD, "invalid_credentials"),
        ("bob", PASSWORD, "refused"),
        ("tom", PASSWORD, "password_change_required"),
        ("gil", PASSWORD, "second_factor_enrolment_required"),
        ("eve", PASSWORD, "second_factor_required"),
    ] {
        let answer = program(&house)
            .json(LOGIN, &json!({ "username": name, "password": password }))
            .await;
        assert_eq!(answer.told(), told(401, expected), "{name}");
        assert!(
            answer.as_json()["message"].as_str().unwrap().ends_with('.'),
            "{}",
            answer.body
        );
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 0, "{name}");
    }
    let wrong_channel = json!({ "username": "alice", "password": PASSWORD, "channel": "teleport" });
    let answer = program(&house).json(LOGIN, &wrong_channel).await;
    assert_eq!(answer.told(), told(401, "refused"));
    assert_eq!(answer.as_json()["reason"], "channel");
}

#[tokio::test]
async fn a_locked_name_is_told_until_when() {
    let house = House::new().await;
    let mut program = program(&house);
    let body = json!({ "username": "nobody", "password": "wrong wrong wrong" });
    for _ in 0..5 {
        program.json(LOGIN, &body).await;
    }
    let answer = program.json(LOGIN, &body).await;
    assert_eq!(answer.told(), told(401, "locked"));
    assert_eq!(answer.as_json()["until"], "2026-01-01T00:15:00.000000Z");
    assert_eq!(answer.header("retry-after"), "900");
}

#[tokio::test]
async fn a_program_can_take_every_step_with_the_ticket_it_was_given() {
    let house = House::new().await;
    house.account_in("gil", "guard").await;
    let mut program = program(&house);
    let credentials = json!({ "username": "gil", "password": PASSWORD });
    let ticket = program.json(LOGIN, &credentials).await.as_json()["ticket"].clone();
    let enrol = "/.stagedoor/login/enrol";
    let begun = program.json(enrol, &json!({ "ticket": ticket })).await.as_json();
    let code = house.code(begun["secret"].as_str().unwrap());
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let wrong = json!({ "ticket": begun["ticket"], "code": "000000" });
    assert_eq!(program.json(enrol, &wrong).await.told(), told(401, "invalid_code"));
    let done = program
        .json(enrol, &json!({ "ticket": begun["ticket"], "code": code }))
        .await;
    assert_eq!(done.as_json()["recovery_codes"].as_array().unwrap().len(), 10);
    assert!(done.cookie("__Host-stagedoor").is_some());
    house.wait(60);
    let ticket = program.json(LOGIN, &credentials).await.as_json()["ticket"].clone();
    let code = house.code(begun["secret"].as_str().unwrap());
    let step = json!({ "ticket": ticket, "code": code });
    let answer = program.json("/.stagedoor/login/second-factor", &step).await;
    assert_eq!(answer.as_json()["account"], "gil");
}

#[tokio::test]
async fn name_password_and_code_may_come_in_one_request() {
    let house = House::new().await;
    let (_, secret, _) = house.enrolled("gil").await;
    let body = json!({ "username": "gil", "password": PASSWORD, "code": house.code(&secret) });
    let answer = program(&house).json(LOGIN, &body).await;
    assert_eq!(answer.as_json()["account"], "gil", "{}", answer.body);
}

#[tokio::test]
async fn a_program_changes_a_temporary_password() {
    let house = House::new().await;
    house.with_temporary_password("tom").await;
    let mut program = program(&house);
    let credentials = json!({ "username": "tom", "password": PASSWORD });
    let ticket = program.json(LOGIN, &credentials).await.as_json()["ticket"].clone();
    let path = "/.stagedoor/login/password";
    let short = program
        .json(path, &json!({ "ticket": ticket, "new_password": "short" }))
        .await;
    assert_eq!(short.told(), told(422, "password_unfit"));
    assert!(!short.as_json()["problems"].as_array().unwrap().is_empty());
    let fine = json!({ "ticket": ticket, "new_password": "rain on a tin roof" });
    assert_eq!(program.json(path, &fine).await.as_json()["account"], "tom");
}

#[tokio::test]
async fn a_ticket_that_nobody_gave_opens_nothing() {
    let house = House::new().await;
    let mut program = program(&house);
    for (path, more) in [
        ("second-factor", "code"),
        ("enrol", "code"),
        ("password", "new_password"),
    ] {
        let path = format!("/.stagedoor/login/{path}");
        let forged = json!({ "ticket": "AAAA", more: "123456789012" });
        assert_eq!(
            program.json(&path, &forged).await.told(),
            told(401, "ticket_expired"),
            "{path}"
        );
        let none = json!({ more: "123456789012" });
        assert_eq!(
            program.json(&path, &none).await.told(),
            told(400, "malformed"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_program_without_a_session_gets_401_and_never_a_redirect() {
    let house = House::new().await;
    let mut program = program(&house);
    for page in ["profile", "profile/password", "profile/second-factor"] {
        let answer = program.get(&format!("/.stagedoor/{page}")).await;
        assert_eq!(answer.told(), told(401, "sign_in_required"), "{page}");
    }
    assert_eq!(
        program.json("/.stagedoor/logout", &json!({})).await.as_json()["signed_out"],
        true
    );
}

#[tokio::test]
async fn a_program_signs_out() {
    let house = House::new().await;
    let alice = house.account("alice").await;
    let mut program = program(&house);
    let credentials = json!({ "username": "alice", "password": PASSWORD });
    program.json(LOGIN, &credentials).await;
    assert_eq!(house.door.sessions_of(alice.id).len(), 1);
    assert_eq!(
        program.json("/.stagedoor/logout", &json!({})).await.as_json()["signed_out"],
        true
    );
    assert!(house.door.sessions_of(alice.id).is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_code() {
    let house = House::new().await;
    let mut program = program(&house);
    let ask = |media_type, body: String| (media_type, body);
    for ((media_type, body), expected) in [
        (ask("application/json", "{".to_owned()), told(400, "malformed")),
        (
            ask("application/json", "{\"username\":1}".to_owned()),
            told(400, "malformed"),
        ),
        (ask("application/json", "x".repeat(70_000)), told(413, "too_large")),
        (
            ask("text/plain", "username=a".to_owned()),
            told(415, "unsupported_media_type"),
        ),
    ] {
        let answer = program.ask(http::Method::POST, LOGIN, Some(media_type), body).await;
        assert_eq!(answer.told(), expected);
    }
    assert_eq!(program.get("/.stagedoor/nothing").await.told(), told(404, "not_found"));
    let answer = program.ask(http::Method::DELETE, LOGIN, None, String::new()).await;
    assert_eq!(answer.told(), told(405, "method_not_allowed"));
}

#[tokio::test]
async fn the_keys_of_the_assertion_are_published() {
    let house = House::new().await;
    let answer = program(&house).get("/.stagedoor/jwks.json").await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.body, r#"{"keys":[]}"#);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
}
