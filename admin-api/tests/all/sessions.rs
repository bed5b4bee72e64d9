//! Sessions and locks over the API.

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn sessions_are_listed_without_what_opens_them() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.signed_in("ada").await;
    let sessions = house.get("/v1/sessions").await.body;
    let session = &sessions["items"][0];
    assert_eq!(
        (&session["account"], &session["role"]),
        (&json!("ada"), &json!("owner")),
        "{sessions}"
    );
    assert_eq!(
        (&session["channel"], &session["address"]),
        (&json!("browser"), &json!("192.0.2.7"))
    );
    assert_eq!(
        (&session["user_agent"], &session["second_factor"]),
        (&json!("a browser"), &json!(false))
    );
    assert_eq!(session["opened_at"], "2026-11-18T11:06:40.000000Z");
    let mut fields: Vec<_> = session.as_object().unwrap().keys().cloned().collect();
    fields.sort_unstable();
    let expected = [
        "account",
        "address",
        "channel",
        "expires_at",
        "id",
        "last_used_at",
        "opened_at",
    ];
    assert_eq!(fields[..7], expected);
    assert_eq!(fields[7..], ["role", "second_factor", "user_agent"]);
}

#[tokio::test]
async fn one_session_is_ended_by_its_id() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.signed_in("ada").await;
    let sessions = house.get("/v1/sessions").await.body;
    let path = format!("/v1/sessions/{}", sessions["items"][0]["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.status, 204);
    house.delete(&path).await.expect_problem(404, "not_found");
    house.delete("/v1/sessions/ada").await.expect_problem(404, "not_found");
    assert_eq!(house.get("/v1/sessions").await.body, json!({"items": [], "next": null}));
    house.expect_event("session.ended").await;
}

#[tokio::test]
async fn the_sessions_of_one_account_are_listed_and_ended_and_others_stay() {
    let house = House::open().await;
    for name in ["ada", "bob"] {
        house.account(name, "owner").await;
        house.signed_in(name).await;
    }
    let of = async |name: &str| {
        let page = house.get(&format!("/v1/sessions?account={name}")).await.body;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((of("ada").await, of("bob").await), (1, 1));
    assert_eq!(house.delete("/v1/sessions?account=ada").await.body, json!({"ended": 1}));
    assert_eq!((of("ada").await, of("bob").await), (0, 1));
    house
        .get("/v1/sessions?account=nobody")
        .await
        .expect_problem(404, "not_found");
    let all = house.delete("/v1/sessions").await;
    all.expect_problem(422, "unfit");
    assert_eq!(all.fields(), ["account"]);
    assert_eq!(of("bob").await, 1);
}

#[tokio::test]
async fn sessions_are_paged() {
    let house = House::open().await;
    for name in ["ada", "bob", "cleo"] {
        house.account(name, "owner").await;
        house.signed_in(name).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/v1/sessions?limit=1{after}")).await.body;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|session| session["account"].to_string()),
        );
        match &page["next"] {
            Value::String(next) => after = format!("&after={next}"),
            _ => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, ["\"ada\"", "\"bob\"", "\"cleo\""]);
}

#[tokio::test]
async fn a_lock_is_listed_and_ended_by_its_id_and_an_unknown_name_is_not_repeated() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    for name in ["ada", "a password typed here"] {
        for _ in 0..5 {
            assert!(house.sign_in(name, "wrong horse battery").await.is_err());
        }
    }
    let locks = house.get("/v1/lockouts").await;
    assert!(!locks.text.contains("typed here"), "{}", locks.text);
    let items = locks.body["items"].as_array().unwrap().clone();
    let of_ada = items.iter().find(|lock| lock["account"] == "ada").unwrap();
    assert_eq!(
        (&of_ada["source"], &of_ada["failures"]),
        (&json!("192.0.2.7"), &json!(5))
    );
    assert_eq!(of_ada["until"], "2026-11-18T11:21:40.000000Z");

    let path = format!("/v1/lockouts/{}", of_ada["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.status, 204);
    house.delete(&path).await.expect_problem(404, "not_found");
    house.signed_in("ada").await;
    house.expect_event("account.unlocked").await;
}
