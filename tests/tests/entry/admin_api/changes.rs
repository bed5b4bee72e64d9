//! What a change may hold, and which of many wins.

use futures_util::future::join_all;
use http::{Method, Request};
use serde_json::{Value, json};
use stagedoor_tests::{Reply, Visitor, body_of};

use crate::stage::Stage;

const AT_ONCE: usize = 20;

/// Fields of an account that its maker or another door decides about, with values that would change them.
fn forbidden(account: &Value) -> Vec<(String, Value)> {
    let changeable = [
        "display_name",
        "email",
        "role",
        "grants",
        "networks",
        "disabled",
        "second_factor_demanded",
    ];
    let shown = account.as_object().expect("an account").keys();
    let unseen = [
        "password",
        "password_hash",
        "failed_count",
        "totp_secret",
        "totp_sealed",
        "recovery_codes",
        "reinstated_at",
        "credentials_version",
        "sessions",
        "locked",
        "is_admin",
        "scopes",
        "__proto__",
        "constructor",
        "Role",
        "role ",
        "role\u{0}",
    ];
    let known = shown.map(String::as_str).filter(|field| !changeable.contains(field));
    let value = |field: &str| match &account[field] {
        Value::Bool(flag) => json!(!flag),
        Value::Number(_) => json!(7),
        _ => json!("x"),
    };
    known
        .chain(unseen)
        .map(|field| (field.to_owned(), value(field)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_holds_more_than_may_be_changed_changes_nothing() {
    let stage = Stage::open("").await;
    let before = stage.admin.account("bob").await;
    let fields = forbidden(&before);
    assert!(fields.len() > 20, "{fields:?}");
    for (field, value) in &fields {
        let answer = stage
            .admin
            .change_account("bob", json!({ "display_name": "Changed", field: value }))
            .await
            .expect(422);
        assert_eq!(answer.json()["code"], "unfit", "{field}: {}", answer.text());
        if field != "name" && field != "password" && field != "password_temporary" {
            let account = json!({ "name": "eve", "role": "user", field: value });
            let answer = stage.admin.ask(Method::POST, "/v1/accounts", Some(account)).await;
            assert_eq!(answer.status, 422, "{field}: {}", answer.text());
        }
        let token = json!({ "name": "more", "scopes": ["audit:read"], field: value });
        if field != "name" && field != "scopes" {
            let answer = stage.admin.ask(Method::POST, "/v1/tokens", Some(token)).await;
            assert_eq!(answer.status, 422, "{field}: {}", answer.text());
        }
    }
    // Twice the same field, or another shape around it.
    for body in [
        "{\"role\":\"user\",\"role\":\"admin\"}",
        "[{\"role\":\"admin\"}]",
        "\"admin\"",
        "null",
        "{\"role\":null}",
        "{\"role\":[\"admin\"]}",
        "{\"role\":\"admin\"} {}",
        "{\"role\":\"admin\",}",
        "{\"role\":\"nobody-wrote-this-role\"}",
    ] {
        let answer = patch_bytes(&stage, body).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{body}: {}", answer.text());
    }
    assert_eq!(stage.admin.account("bob").await, before);
    assert_eq!(stage.admin.get("/v1/accounts/eve").await.status, 404);
}

async fn patch_bytes(stage: &Stage, body: &str) -> Reply {
    let at = stage.ways.door.admin_address();
    let request = Request::patch("/v1/accounts/bob")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", stage.admin.token()));
    Visitor::new(at, at.to_string())
        .send(request.body(body_of(body.to_owned())).expect("a request"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_at_once_made_from_one_version_one_wins() {
    let stage = Stage::open("").await;
    let at = stage.ways.door.admin_address();
    let read = stage.admin.get("/v1/accounts/bob").await.expect(200);
    let tag = read.header("etag").expect("a tag").to_owned();
    let changes = (0..AT_ONCE).map(|number| {
        let request = Request::patch("/v1/accounts/bob")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", stage.admin.token()))
            .header("if-match", &tag);
        let body = json!({ "display_name": format!("Bob the {number}th") }).to_string();
        let request = request.body(body_of(body)).expect("a request");
        async move { Visitor::new(at, at.to_string()).send(request).await }
    });
    let answers = join_all(changes).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost = answers.iter().filter(|answer| answer.status == 412).count();
    assert_eq!((won, lost), (1, AT_ONCE - 1));
    let now = stage.admin.account("bob").await;
    assert_eq!(now["version"], read.json()["version"].as_u64().expect("a version") + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_address_has_one_reading() {
    let stage = Stage::open("").await;
    for email in [
        "attacker@evil.test@company.test",
        "attacker@evil.test\u{ff20}company.test",
        "attacker\u{fe6b}company.test",
        "bob@company.test,eve@evil.test",
        "bob@company.test;eve@evil.test",
        "bob@company.test eve@evil.test",
        "bob@company.test\r\nBcc: eve@evil.test",
        "bob@company.test\0@evil.test",
        "\"bob@company.test\"@evil.test",
        "Bob <bob@company.test>",
        "bob@company.test(eve@evil.test)",
        "bob@[127.0.0.1]",
        "@company.test",
        "bob@",
        "bob",
        "",
    ] {
        let answer = stage.admin.change_account("bob", json!({ "email": email })).await;
        assert_eq!(answer.status, 422, "{email:?}: {}", answer.text());
        let account = json!({ "name": "eve", "role": "user", "email": email });
        let answer = stage.admin.ask(Method::POST, "/v1/accounts", Some(account)).await;
        assert_eq!(answer.status, 422, "{email:?}: {}", answer.text());
    }
    let fine = json!({ "email": "bob+doors@company.test" });
    stage.admin.change_account("bob", fine).await.expect(200);
}
