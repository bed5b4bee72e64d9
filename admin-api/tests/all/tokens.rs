//! Tokens over the API.

use http::Method;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_token_is_shown_once_and_opens_what_its_scopes_say() {
    let house = House::open().await;
    let made = house
        .post("/v1/tokens", json!({"name": "ci", "scopes": ["accounts:read"]}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.body["token"].as_str().unwrap();
    assert!(secret.starts_with("sdt_") && secret.len() == 47, "{secret}");
    assert_eq!(made.body["expires_at"], json!(null));
    assert_eq!(
        house
            .call(Method::GET, "/v1/accounts")
            .token(secret)
            .send()
            .await
            .status,
        200
    );
    let other = house.call(Method::GET, "/v1/tokens").token(secret).send().await;
    other.expect_problem(403, "scope_missing");

    let list = house.get("/v1/tokens").await;
    assert!(!list.text.contains(secret));
    assert_eq!(list.body["items"][0]["name"], "ci");
    house
        .post("/v1/tokens", json!({"name": "ci", "scopes": ["*"]}))
        .await
        .expect_problem(409, "name_taken");
    house.expect_event("token.created").await;
}

#[tokio::test]
async fn a_token_cannot_make_one_that_may_do_more() {
    let house = House::open().await;
    let small = house.token("small", &["tokens:write", "audit:read"]).await;
    for scopes in [
        json!(["*"]),
        json!(["audit:read", "accounts:write"]),
        json!(["tokens:read"]),
    ] {
        let form = json!({"name": "more", "scopes": scopes});
        let answer = house
            .call(Method::POST, "/v1/tokens")
            .token(&small)
            .json(&form)
            .send()
            .await;
        answer.expect_problem(403, "scope_exceeded");
    }
    let form = json!({"name": "less", "scopes": ["audit:read"]});
    let answer = house
        .call(Method::POST, "/v1/tokens")
        .token(&small)
        .json(&form)
        .send()
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn a_revoked_token_is_worthless_at_once_and_one_may_revoke_ones_own() {
    let house = House::open().await;
    let own = house.token("own", &["tokens:write", "audit:read"]).await;
    let revoke = house.call(Method::DELETE, "/v1/tokens/own").token(&own).send().await;
    assert_eq!(revoke.status, 204);
    let after = house.call(Method::GET, "/v1/audit").token(&own).send().await;
    after.expect_problem(401, "unauthenticated");
    house.delete("/v1/tokens/own").await.expect_problem(404, "not_found");
    let happened = house.happened().await;
    assert!(
        happened.contains(&("token.revoked".to_owned(), "token:own".to_owned())),
        "{happened:?}"
    );
}

#[tokio::test]
async fn an_expired_token_is_worthless() {
    let house = House::open().await;
    let form = json!({"name": "short", "scopes": ["audit:read"], "expires_at": "2026-11-18T12:00:00Z"});
    let made = house.post("/v1/tokens", form).await;
    assert_eq!(made.body["expires_at"], "2026-11-18T12:00:00.000000Z", "{}", made.text);
    let secret = made.body["token"].as_str().unwrap();
    let read = async || house.call(Method::GET, "/v1/audit").token(secret).send().await;
    assert_eq!(read().await.status, 200);
    house.pass(std::time::Duration::from_secs(3600));
    read().await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_field_by_field() {
    let house = House::open().await;
    for (form, field) in [
        (json!({"name": "", "scopes": ["*"]}), "name"),
        (json!({"name": "a b", "scopes": ["*"]}), "name"),
        (json!({"name": "ci", "scopes": []}), "scopes"),
        (json!({"name": "ci", "scopes": ["accounts:*"]}), "scopes"),
        (
            json!({"name": "ci", "scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"}),
            "expires_at",
        ),
        (json!({"name": "ci", "scopes": ["*"], "token": "sdt_mine"}), "token"),
    ] {
        let answer = house.post("/v1/tokens", form).await;
        answer.expect_problem(422, "unfit");
        assert_eq!(answer.fields(), [field], "{}", answer.text);
    }
}
