//! The audit over the API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::House;

fn kinds(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_is_in_the_audit_with_who_from_where_and_which_request() {
    let house = House::open().await;
    let made = house
        .post("/v1/accounts", json!({"name": "ada", "role": "owner"}))
        .await;
    let page = house.get("/v1/audit?event=account.created").await.body;
    let event = &page["items"][0];
    assert_eq!(
        (&event["actor"], &event["account"]),
        (&json!("token:root"), &json!("ada")),
        "{page}"
    );
    assert_eq!(
        (&event["address"], &event["outcome"]),
        (&json!("127.0.0.1"), &json!("done"))
    );
    assert_eq!(event["request_id"], made.header("x-request-id"));
    assert_eq!(event["at"], "2026-11-18T11:06:40.000000Z");
    assert!(event["details"].is_object() && event["number"].is_u64(), "{event}");
    assert!(
        !page
            .to_string()
            .contains(made.body["temporary_password"].as_str().unwrap())
    );
}

#[tokio::test]
async fn the_audit_is_searched_by_account_kind_and_time() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.pass(Duration::from_secs(3600));
    house.account("bob", "owner").await;
    assert_eq!(
        kinds(&house.get("/v1/audit?account=ada").await.body),
        ["account.created"]
    );
    let recent = house.get("/v1/audit?since=-30m&event=account.created").await.body;
    assert_eq!(
        (kinds(&recent).len(), &recent["items"][0]["account"]),
        (1, &json!("bob"))
    );
    let old = house
        .get("/v1/audit?until=2026-11-18T11:30:00Z&event=account.created")
        .await
        .body;
    assert_eq!((kinds(&old).len(), &old["items"][0]["account"]), (1, &json!("ada")));
    assert_eq!(
        kinds(&house.get("/v1/audit?support_code=ABCD-EFGH").await.body),
        [""; 0]
    );
}

#[tokio::test]
async fn the_audit_is_paged_backwards_without_gap_or_repetition() {
    let house = House::open().await;
    for name in ["ada", "bob", "cleo", "dan"] {
        house.account(name, "owner").await;
    }
    let whole = house.get("/v1/audit?limit=1000").await.body;
    assert_eq!(whole["next"], Value::Null);
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/v1/audit?limit=2{before}")).await.body;
        seen.extend(page["items"].as_array().unwrap().clone());
        match &page["next"] {
            Value::String(next) => before = format!("&before={next}"),
            _ => break,
        }
    }
    assert_eq!(&Value::Array(seen), &whole["items"]);
}

#[tokio::test]
async fn a_search_for_what_cannot_be_is_refused() {
    let house = House::open().await;
    for (query, field) in [
        ("since=yesterday", "since"),
        ("until=-", "until"),
        ("event=door.painted", "event"),
        ("limit=0", "limit"),
        ("before=x", "before"),
        ("before=-1", "before"),
        ("before=9223372036854775808", "before"),
        ("before=18446744073709551615", "before"),
        ("kind=account.created", "kind"),
    ] {
        let answer = house.get(&format!("/v1/audit?{query}")).await;
        answer.expect_problem(422, "unfit");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}
