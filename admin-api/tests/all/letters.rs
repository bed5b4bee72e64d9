//! Letters over the API. That they arrive is shown in `tests/`, on a real mail server.

use http::Method;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn without_a_mail_server_no_letter_waits_and_a_trial_says_what_is_missing() {
    let house = House::open().await;
    assert_eq!(house.get("/v1/letters").await.body, json!({"items": [], "next": null}));
    let answer = house.post("/v1/letters", json!({"to": "ann@example.org"})).await;
    answer.expect_problem(409, "no_mail_server");
}

#[tokio::test]
async fn a_trial_waits_until_it_is_sent_and_its_words_are_in_no_answer() {
    let house = House::open().await;
    house
        .letterhead
        .swap(Some(stagedoor_identity::testing::SwappableLetterhead::sample()));
    for to in ["ann", "a@b, c@d", "a@b\r\nBcc: eve@example.org"] {
        house
            .post("/v1/letters", json!({ "to": to }))
            .await
            .expect_problem(422, "unfit");
    }
    let queued = house.post("/v1/letters", json!({"to": "ann@example.org"})).await;
    assert_eq!(queued.status, 202, "{}", queued.text);
    house.expect_event("letter.tried").await;
    let list = house.get("/v1/letters").await;
    let letter = &list.body["items"][0];
    assert_eq!((&letter["id"], &letter["kind"]), (&queued.body["id"], &json!("trial")));
    assert_eq!(
        (&letter["to"], &letter["failures"]),
        (&json!("ann@example.org"), &json!(0))
    );
    assert!(!list.text.contains("arrive"), "no words");
    let next = format!("/v1/letters?after={}", queued.body["id"].as_str().unwrap());
    assert_eq!(house.get(&next).await.body["items"], json!([]));
    let wrong = house.call(Method::GET, "/v1/letters?after=nobody").send().await;
    wrong.expect_problem(422, "unfit");
}
