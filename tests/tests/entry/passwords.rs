//! A password is the whole of what was typed, and never more than can be looked at.

use http::Request;
use serde_json::json;
use stagedoor_tests::{Visitor, body_of, soon};

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
        let long = "x".repeat(bytes);
        let body = json!({ "username": "bob", "password": long }).to_string();
        assert_eq!(answered(&visitor, "application/json", &body).await, status, "{bytes}");
        let form = format!("username=bob&password={long}");
        let told = answered(&visitor, "application/x-www-form-urlencoded", &form).await;
        assert!(matches!(told, 403 | 413), "{bytes}: {told}");
    }
    assert_eq!(stage.hashes().await, before, "a hash was computed");
    assert_eq!(visitor.cookie("stagedoor"), None);
}

/// The status of an answer. Of a body that is far too large the door does not read the end, and where it closes on bytes it has
/// not read, the network may lose the answer on its way: such a request is sent again.
async fn answered(visitor: &Visitor, kind: &str, body: &str) -> u16 {
    soon("an answer arrives", async || {
        let request = Request::post("/.stagedoor/login").header("content-type", kind);
        let request = request.body(body_of(body.to_owned())).expect("a request");
        Some(visitor.try_open(request).await.ok()?.status().as_u16())
    })
    .await
}
