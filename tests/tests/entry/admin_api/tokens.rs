//! What opens the API, for how long, and what does not.

use futures_util::future::join_all;
use http::{Method, Request};
use serde_json::json;
use stagedoor_tests::{Admin, PASSWORD, Visitor, body_of};

use crate::stage::Stage;

/// Another token's holder.
async fn holder(stage: &Stage, name: &str, scopes: &[&str]) -> Admin {
    let token = json!({ "name": name, "scopes": scopes });
    let made = stage
        .admin
        .ask(Method::POST, "/v1/tokens", Some(token))
        .await
        .expect(201);
    let secret = made.json()["token"].as_str().expect("a secret").to_owned();
    Admin::new(stage.ways.door.admin_address(), secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_itself_no_stronger_one_and_is_worthless_once_revoked() {
    let stage = Stage::open("").await;
    let weak = holder(&stage, "weak", &["tokens:write", "tokens:read"]).await;
    let stronger = [
        json!({ "name": "s1", "scopes": ["*"] }),
        json!({ "name": "s2", "scopes": ["tokens:write", "accounts:write"] }),
        json!({ "name": "s3", "scopes": ["tokens:*"] }),
        json!({ "name": "s4", "scopes": ["TOKENS:WRITE"] }),
        json!({ "name": "s5", "scopes": [] }),
        json!({ "name": "weak", "scopes": ["tokens:write"] }),
    ];
    for token in stronger.iter().cycle().take(stronger.len() * 3) {
        let answers = join_all((0..3).map(|_| weak.ask(Method::POST, "/v1/tokens", Some(token.clone())))).await;
        for answer in answers {
            assert!(
                matches!(answer.status.as_u16(), 403 | 409 | 422),
                "{token}: {}",
                answer.text()
            );
        }
    }
    let names = stage.admin.get("/v1/tokens").await.expect(200).text();
    assert!(!names.contains("\"s1\"") && !names.contains("\"s5\""), "{names}");
    for (method, path) in [
        (Method::GET, "/v1/accounts"),
        (Method::GET, "/v1/audit"),
        (Method::DELETE, "/v1/accounts/bob"),
    ] {
        weak.ask(method, path, None).await.expect(403);
    }
    // What it made is revoked on its own, and so is itself, for the very next call.
    weak.get("/v1/tokens").await.expect(200);
    stage
        .admin
        .ask(Method::DELETE, "/v1/tokens/weak", None)
        .await
        .expect(204);
    for _ in 0..3 {
        weak.get("/v1/tokens").await.expect(401);
    }
    let own = holder(&stage, "own", &["tokens:write"]).await;
    own.ask(Method::DELETE, "/v1/tokens/own", None).await.expect(204);
    own.ask(Method::DELETE, "/v1/tokens/own", None).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_door_is_no_credential_of_the_admin_api_nor_the_other_way_round() {
    let stage = Stage::open("").await;
    let ada = stage.signed_in("ada").await;
    let session = ada.cookie("stagedoor").expect("a session");
    let at = stage.ways.door.admin_address();
    let password = format!("ada:{PASSWORD}");
    for (name, value) in [
        ("cookie", format!("stagedoor={session}")),
        ("authorization", format!("Bearer {session}")),
        ("authorization", format!("Basic {password}")),
        ("authorization", stage.admin.token().to_owned()),
        ("authorization", format!("Token {}", stage.admin.token())),
        (
            "authorization",
            format!("Bearer {},{}", stage.admin.token(), stage.admin.token()),
        ),
        ("authorization", format!("Bearer {}x", stage.admin.token())),
        ("x-stagedoor-user", "ada".to_owned()),
        ("x-forwarded-user", "ada".to_owned()),
        ("x-api-key", stage.admin.token().to_owned()),
    ] {
        let request = Request::get("/v1/accounts").header(name, &value);
        let answer = Visitor::new(at, at.to_string())
            .send(request.body(body_of("")).expect("a request"))
            .await;
        assert_eq!(answer.status, 401, "{name}: {value}");
    }
    let in_the_query = format!("/v1/accounts?access_token={}", stage.admin.token());
    Visitor::new(at, at.to_string()).get(&in_the_query).await.expect(401);
    let keeper = stage
        .visitor("127.0.0.1")
        .always("authorization", &format!("Bearer {}", stage.admin.token()));
    keeper.get("/app/page").await.expect(401);
}
