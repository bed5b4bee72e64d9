//! Devices, and tokens that act as an account.

use http::Method;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_device_is_registered_linked_unlinked_and_removed_and_counted_with_its_account() {
    let house = House::open().await;
    house.account("ann", "viewer").await;
    let made = house.post("/v1/devices", json!({"name": "scanner 1"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let key = made.body["key"].as_str().unwrap().to_owned();
    house
        .post("/v1/devices", json!({"name": "scanner 1"}))
        .await
        .expect_problem(409, "name_taken");
    let path = format!("/v1/devices/{}", made.body["id"].as_str().unwrap());
    let link = |account: serde_json::Value| {
        house
            .call(Method::PUT, &path)
            .json(&json!({ "account": account }))
            .send()
    };
    assert_eq!(link(json!("ann")).await.status, 200);
    assert_eq!(house.get("/v1/accounts/ann").await.body["devices"], json!(1));
    let list = house.get("/v1/devices?account=ann").await;
    assert_eq!(list.body["items"][0]["name"], json!("scanner 1"));
    assert!(!list.text.contains(&key), "shown once");
    link(json!("nobody")).await.expect_problem(404, "not_found");
    assert_eq!(link(json!(null)).await.body["account"], json!(null));
    assert_eq!(house.get("/v1/accounts/ann").await.body["devices"], json!(0));
    assert_eq!(house.delete(&path).await.status, 204);
    house.delete(&path).await.expect_problem(404, "not_found");
    house.delete("/v1/devices/x").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_token_that_acts_as_an_account_opens_what_its_role_administers_and_nothing_else() {
    let house = House::open().await;
    house.account("ann", "viewer").await;
    house.account("bob", "owner").await;
    for scopes in [
        json!(["*"]),
        json!(["accounts:read", "sessions:write"]),
        json!(["tokens:write"]),
    ] {
        let body = json!({"name": "as-ann", "scopes": scopes, "account": "ann"});
        let answer = house.post("/v1/tokens", body).await;
        answer.expect_problem(422, "unfit");
        assert_eq!(answer.fields(), ["scopes"], "{scopes}");
    }
    let body = json!({"name": "as-ann", "scopes": ["accounts:read", "accounts:write"], "account": "ann"});
    let made = house.post("/v1/tokens", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["account"], house.get("/v1/accounts/ann").await.body["id"]);
    let token = made.body["token"].as_str().unwrap().to_owned();
    // A viewer administers nobody.
    for (method, path) in [
        (Method::GET, "/v1/accounts/bob"),
        (Method::DELETE, "/v1/accounts/bob"),
        (Method::POST, "/v1/accounts/bob/unlock"),
    ] {
        let answer = house.call(method.clone(), path).token(&token).send().await;
        answer.expect_problem(404, "not_found");
    }
    let invited = house
        .call(Method::POST, "/v1/invitations")
        .token(&token)
        .json(&json!({"name": "eve"}));
    let answer = invited.send().await;
    assert!([403, 404].contains(&answer.status.as_u16()), "{}", answer.text);
    let devices = house.call(Method::GET, "/v1/devices").token(&token).send().await;
    assert!([403, 404].contains(&devices.status.as_u16()), "{}", devices.text);
    let off = house.patch("/v1/accounts/ann", json!({"disabled": true})).await;
    assert_eq!(off.status, 200, "{}", off.text);
    let answer = house.call(Method::GET, "/v1/accounts").token(&token).send().await;
    answer.expect_problem(401, "unauthenticated");
}
