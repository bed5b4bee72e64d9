//! Invitations and what leads on from them, over the API. That letters arrive is shown in `tests/`, on a real mail server.

use serde_json::json;
use stagedoor_identity::sign_in::{Origin, Progress};
use stagedoor_identity::testing::SwappableLetterhead;
use stagedoor_identity::{Password, Secret};
use stagedoor_policy::request::ClientAddress;

use crate::house::House;

const NEW_PASSWORD: &str = "another horse and battery";

async fn accept(house: &House, token: &str) -> bool {
    let from = Origin {
        address: ClientAddress::of_peer("192.0.2.7".parse().unwrap()),
        user_agent: "a browser".to_owned(),
    };
    let (token, password) = (Secret::new(token.as_bytes()), Password::new(NEW_PASSWORD).unwrap());
    let accepted = house.door.accept(&token, &password, "browser", from).await;
    accepted.is_ok_and(|accepted| matches!(accepted.next, Ok(Progress::Open(_))))
}

#[tokio::test]
async fn an_invitation_makes_an_account_that_its_link_and_nothing_else_opens_once() {
    let house = House::open().await;
    let body = json!({"name": "ann", "display_name": "Ann", "email": "ann@example.org", "role": "viewer"});
    let made = house.post("/v1/invitations", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        (&made.body["state"], &made.body["accepted_at"]),
        (&json!("invited"), &json!(null))
    );
    assert_eq!(made.body["link"]["sent"], json!(false), "there is no mail server");
    let token = made.body["link"]["token"].as_str().unwrap().to_owned();
    house
        .post("/v1/invitations", body)
        .await
        .expect_problem(409, "name_taken");
    assert!(!house.get("/v1/accounts/ann").await.text.contains(&token), "shown once");
    assert!(!accept(&house, "x").await);
    assert!(accept(&house, &token).await);
    assert!(!accept(&house, &token).await, "a second time");
    assert_eq!(house.get("/v1/accounts/ann").await.body["state"], json!("active"));
    let again = house.post("/v1/invitations/ann/resend", json!({})).await;
    again.expect_problem(409, "accepted_already");
    house
        .delete("/v1/invitations/ann")
        .await
        .expect_problem(409, "accepted_already");
}

#[tokio::test]
async fn an_invitation_that_is_sent_again_or_taken_back_leaves_its_former_link_worthless() {
    let house = House::open().await;
    let made = house.post("/v1/invitations", json!({"name": "ann"})).await;
    let first = made.body["link"]["token"].as_str().unwrap().to_owned();
    let again = house.post("/v1/invitations/ann/resend", json!({})).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let second = again.body["link"]["token"].as_str().unwrap().to_owned();
    assert!(!accept(&house, &first).await);
    assert_eq!(house.delete("/v1/invitations/ann").await.status, 204);
    assert!(!accept(&house, &second).await);
    house.get("/v1/accounts/ann").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn where_letters_are_sent_an_invitation_needs_an_address_and_its_link_is_in_no_answer() {
    let house = House::open().await;
    house.letterhead.swap(Some(SwappableLetterhead::sample()));
    let answer = house.post("/v1/invitations", json!({"name": "ann"})).await;
    answer.expect_problem(422, "unfit");
    assert_eq!(answer.fields(), ["email"]);
    let made = house
        .post("/v1/invitations", json!({"name": "ann", "email": "ann@example.org"}))
        .await;
    assert_eq!(made.body["link"], json!({"sent": true}), "{}", made.text);
    let letters = house.get("/v1/letters").await;
    assert_eq!(letters.body["items"][0]["kind"], json!("invitation"));
}

#[tokio::test]
async fn a_role_is_handed_over_by_its_holder_alone() {
    let house = House::open().await;
    house.account("ann", "owner").await;
    // The operator's token acts as nobody who could hold a role.
    let answer = house.post("/v1/accounts/ann/hand-over", json!({})).await;
    answer.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn a_link_for_another_second_factor_is_made_for_accounts_in_use() {
    let house = House::open().await;
    house.post("/v1/invitations", json!({"name": "bob"})).await;
    house.account("ann", "viewer").await;
    let made = house.post("/v1/accounts/ann/second-factor/recovery", json!({})).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["sent"]),
        (200, &json!(false)),
        "{}",
        made.text
    );
    assert!(made.body["token"].is_string());
    let refused = house.post("/v1/accounts/bob/second-factor/recovery", json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
}
