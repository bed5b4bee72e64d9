//! A password is the whole of what was typed, and never more than can be looked at.

use http::Request;
use serde_json::json;
use stagedoor_tests::body_of;

use crate::stage::{ROOMY, Stage, sign_in, told};

/// Where bcrypt stops reading.
const CUT: usize = 72;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_compared_to_its_last_byte() {
    let stage = Stage::open(&format!(
        "{ROOMY}[lockout]\nfailures = 100\nfailures_from_anywhere = 100\n"
    ))
    .await;
    let long: String = ('a'..='z').cycle().take(CUT).collect();
    for (number, right) in [
        format!("{long}, and then some"),
        "seventeen\0quiet herons".to_owned(),
        " seventeen quiet herons ".to_owned(),
        "siebzehn stille Fischreiher äöü".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("carol{number}");
        let account = json!({ "name": name, "role": "user", "password": right, "password_temporary": false });
        let made = stage.admin.ask(http::Method::POST, "/v1/accounts", Some(account)).await;
        if right.contains('\0') && made.status == 422 {
            // Not taken at all is as good as taken whole.
            continue;
        }
        made.expect(201);
        let visitor = stage.visitor("127.0.0.1");
        for wrong in [
            right.chars().take(right.chars().count() - 1).collect(),
            format!("{right}x"),
            format!("{right}\0"),
            format!("{right} "),
            right.trim().to_owned(),
            right.to_uppercase(),
            right.split('\0').next().unwrap_or_default().to_owned(),
            right.replace('\0', "\0x"),
            right.chars().take(CUT).collect(),
            format!("{}!", right.chars().take(CUT).collect::<String>()),
        ] {
            if wrong != right {
                let answer = sign_in(&visitor, &name, &wrong).await;
                told(&answer, 401, "invalid_credentials");
            }
        }
        sign_in(&visitor, &name, &right).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_nobody_could_have_is_refused_before_it_is_hashed() {
    let stage = Stage::open(ROOMY).await;
    let visitor = stage.visitor("127.0.0.1");
    let before = stage.hashes().await;
    for (bytes, status) in [(60 * 1024, 401), (1024 * 1024, 413), (4 * 1024 * 1024, 413)] {
        let body = json!({ "username": "bob", "password": "x".repeat(bytes) }).to_string();
        let form = format!("username=bob&password={}", "x".repeat(bytes));
        let request = Request::post("/.stagedoor/login").header("content-type", "application/json");
        let answer = visitor.send(request.body(body_of(body)).expect("a request")).await;
        assert_eq!(answer.status, status, "{bytes}: {}", answer.text());
        let request = Request::post("/.stagedoor/login").header("content-type", "application/x-www-form-urlencoded");
        let answer = visitor.send(request.body(body_of(form)).expect("a request")).await;
        assert!(
            matches!(answer.status.as_u16(), 403 | 413),
            "{bytes}: {}",
            answer.text()
        );
    }
    assert_eq!(stage.hashes().await, before, "a hash was computed");
    assert_eq!(visitor.cookie("stagedoor"), None);
}
