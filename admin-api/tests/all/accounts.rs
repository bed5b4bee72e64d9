//! Accounts over the API.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::house::{House, PASSWORD};

#[tokio::test]
async fn an_account_is_made_shown_changed_and_removed() {
    let house = House::open().await;
    let form = json!({
        "name": "Ada", "display_name": "Ada Lovelace", "email": "ada@example.com", "role": "owner",
        "grants": [{"site": "console", "area": "settings", "level": "view"}], "networks": ["192.0.2.0/24"],
        "password": PASSWORD, "password_temporary": false
    });
    let made = house.post("/v1/accounts", form).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["name"], "ada");
    assert_eq!(made.body["grants"][0]["actions"], json!([]));
    assert_eq!(made.body.get("temporary_password"), None);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/accounts/{id}"));

    let shown = house.get("/v1/accounts/ada").await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body, made.body);
    assert_eq!(shown.header("etag"), made.header("etag"));
    assert_eq!(house.get(&format!("/v1/accounts/{id}")).await.body, shown.body);

    let changed = house
        .patch("/v1/accounts/ada", json!({"email": null, "networks": []}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (&changed.body["email"], &changed.body["networks"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(changed.body["display_name"], "Ada Lovelace");
    assert_ne!(changed.header("etag"), shown.header("etag"));

    assert_eq!(house.delete("/v1/accounts/ada").await.status, 204);
    house.get("/v1/accounts/ada").await.expect_problem(404, "not_found");
    house.delete("/v1/accounts/ada").await.expect_problem(404, "not_found");
    for kind in ["account.created", "account.changed", "account.removed"] {
        house.expect_event(kind).await;
    }
}

#[tokio::test]
async fn every_field_of_an_account_is_in_the_answer_and_no_secret_is() {
    let house = House::open().await;
    let account = house.account("ada", "viewer").await;
    let mut fields: Vec<_> = account.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "accepted_at",
        "banned",
        "created_at",
        "devices",
        "disabled",
        "display_name",
        "email",
        "grants",
        "id",
        "invited_until",
        "last_sign_in_at",
        "last_used_at",
        "locked_until",
        "name",
        "networks",
        "password_temporary",
        "recovery_codes_left",
        "role",
        "second_factor",
        "second_factor_demanded",
        "state",
        "version",
    ];
    assert_eq!(fields, expected);
    assert_eq!(account["created_at"], "2026-11-18T11:06:40.000000Z");
}

#[tokio::test]
async fn a_made_up_password_is_shown_once_opens_the_door_and_must_be_changed() {
    let house = House::open().await;
    let made = house
        .post("/v1/accounts", json!({"name": "ada", "role": "owner"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["password_temporary"], true);
    let password = made.body["temporary_password"].as_str().unwrap();
    assert_eq!(password.chars().count(), 20);
    assert!(!house.get("/v1/accounts/ada").await.text.contains(password));
    let progress = house.sign_in("ada", password).await;
    assert!(
        matches!(progress, Ok(stagedoor_identity::sign_in::Progress::Needs(..))),
        "{progress:?}"
    );
}

#[tokio::test]
async fn a_reset_password_ends_the_sessions_and_the_old_password() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.signed_in("ada").await;
    let reset = house.post("/v1/accounts/ada/password", json!({})).await;
    assert_eq!(reset.status, 200, "{}", reset.text);
    let password = reset.body["temporary_password"].as_str().unwrap().to_owned();
    assert_eq!(house.get("/v1/sessions").await.body["items"], json!([]));
    assert!(house.sign_in("ada", PASSWORD).await.is_err());
    assert!(house.sign_in("ada", &password).await.is_ok());
    house.expect_event("password.reset").await;

    let given = house
        .post(
            "/v1/accounts/ada/password",
            json!({"password": "another horse battery"}),
        )
        .await;
    assert_eq!((given.status.as_u16(), given.body), (200, json!({})));
    let lasting = house
        .post("/v1/accounts/ada/password", json!({"temporary": false}))
        .await;
    lasting.expect_problem(422, "unfit");
    assert_eq!(lasting.fields(), ["temporary"]);
}

#[tokio::test]
async fn what_does_not_fit_is_named_field_by_field() {
    let house = House::open().await;
    for (form, field) in [
        (json!({"name": "", "password": PASSWORD}), "name"),
        (json!({"name": "a b", "password": PASSWORD}), "name"),
        (json!({"name": "0192e4a0-0000-7000-8000-000000000001"}), "name"),
        (json!({"name": "ada", "role": "emperor"}), "role"),
        (json!({"name": "ada", "email": "nobody"}), "email"),
        (json!({"name": "ada", "password": "short"}), "password"),
        (json!({"name": "ada", "password": "x".repeat(2000)}), "password"),
        (
            json!({"name": "ada", "password_temporary": false}),
            "password_temporary",
        ),
        (json!({"name": "ada", "networks": ["192.0.2.1/24"]}), "networks"),
        (
            json!({"name": "ada", "grants": [{"area": "cellar", "level": "view"}]}),
            "grants",
        ),
        (
            json!({"name": "ada", "grants": [{"area": "devices", "level": "all"}]}),
            "grants[0].level",
        ),
        (
            json!({"name": "ada", "grants": [{"area": "devices", "level": "view", "x": 1}]}),
            "grants[0].x",
        ),
        (json!({"name": "ada", "role": null}), "role"),
        (json!({"role": "owner"}), "name"),
    ] {
        let answer = house.post("/v1/accounts", form.clone()).await;
        answer.expect_problem(422, "unfit");
        assert!(answer.fields().contains(&field), "{form}: {}", answer.text);
    }
    assert_eq!(house.get("/v1/accounts").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_in_any_case() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    let again = house
        .post("/v1/accounts", json!({"name": "ADA", "role": "owner"}))
        .await;
    again.expect_problem(409, "name_taken");
}

#[tokio::test]
async fn a_change_meant_for_another_version_is_refused() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    let old = house.get("/v1/accounts/ada").await.header("etag").to_owned();
    let edit = json!({"display_name": "Ada"});
    let change = |tag: &str| {
        house
            .call(Method::PATCH, "/v1/accounts/ada")
            .json(&edit)
            .header("if-match", tag)
    };
    assert_eq!(change(&old).send().await.status, 200);
    change(&old).send().await.expect_problem(412, "version_mismatch");
    change("v1").send().await.expect_problem(400, "malformed");
    assert_eq!(change("*").send().await.status, 200);
    let remove = house
        .call(Method::DELETE, "/v1/accounts/ada")
        .header("if-match", &old)
        .send()
        .await;
    remove.expect_problem(412, "version_mismatch");
    let now = house.get("/v1/accounts/ada").await.header("etag").to_owned();
    let remove = house
        .call(Method::DELETE, "/v1/accounts/ada")
        .header("if-match", &now)
        .send()
        .await;
    assert_eq!(remove.status, 204);
}

#[tokio::test]
async fn of_two_changes_made_from_the_same_version_one_wins() {
    let house = House::open().await;
    house.account("ada", "viewer").await;
    let tag = house.get("/v1/accounts/ada").await.header("etag").to_owned();
    let change = |role: &'static str| {
        let edit = json!({ "role": role });
        house
            .call(Method::PATCH, "/v1/accounts/ada")
            .json(&edit)
            .header("if-match", &tag)
            .send()
    };
    let (one, other) = tokio::join!(change("owner"), change("viewer"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn what_looks_like_a_path_does_not_lead_to_another_account() {
    let house = House::open().await;
    house.account("ada", "viewer").await;
    for path in [
        "/v1/accounts/..%2Fada",
        "/v1/accounts/./ada",
        "/v1/accounts/ada/",
        "/v1/accounts//ada",
        "/v1/accounts/ada%00",
        "/v1/accounts/ada%2Fpassword",
        "/V1/accounts/ada",
        "/v1/accounts/ada;x",
    ] {
        house.get(path).await.expect_problem(404, "not_found");
    }
    house.get("/v1/accounts/%ff").await.expect_problem(400, "malformed");
    assert_eq!(house.get("/v1/accounts/ADA").await.body["name"], "ada");
}

#[tokio::test]
async fn the_list_is_searched_and_paged() {
    let house = House::open().await;
    for name in ["ada", "bob", "cleo"] {
        house.account(name, "viewer").await;
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = house.get("/v1/accounts?limit=2").await.body;
    assert_eq!(
        (names(&first), &first["next"]),
        (vec!["ada".to_owned(), "bob".to_owned()], &json!("bob"))
    );
    let second = house.get("/v1/accounts?limit=2&after=bob").await.body;
    assert_eq!(
        (names(&second), &second["next"]),
        (vec!["cleo".to_owned()], &Value::Null)
    );
    assert_eq!(names(&house.get("/v1/accounts?contains=LE").await.body), ["cleo"]);
    house.get("/v1/accounts?limit=0").await.expect_problem(422, "unfit");
    house.get("/v1/accounts?limit=1001").await.expect_problem(422, "unfit");
    house.get("/v1/accounts?role=owner").await.expect_problem(422, "unfit");
}

#[tokio::test]
async fn a_locked_account_says_until_when_and_can_be_unlocked() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    for _ in 0..5 {
        assert!(house.sign_in("ada", "wrong horse battery").await.is_err());
    }
    let locked = house.get("/v1/accounts/ada").await.body;
    assert_eq!(locked["locked_until"], "2026-11-18T11:21:40.000000Z");
    assert_eq!(house.get("/v1/accounts").await.body["items"][0], locked);
    let unlocked = house.post("/v1/accounts/ada/unlock", json!({})).await.body;
    assert_eq!(
        unlocked,
        json!({"unlocked": 1, "message": "The account has been unlocked."})
    );
    house.signed_in("ada").await;
    let again = house.post("/v1/accounts/ada/unlock", json!({})).await.body;
    assert_eq!(again, json!({"unlocked": 0, "message": "The account was not locked."}));
    house.expect_event("account.unlocked").await;
}

#[tokio::test]
async fn an_account_nobody_uses_is_banned_and_can_be_reinstated() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.pass(Duration::from_secs(31 * 86_400));
    assert_eq!(house.get("/v1/accounts/ada").await.body["banned"], true);
    let back = house.post("/v1/accounts/ada/reinstate", json!({})).await;
    assert_eq!((back.status.as_u16(), &back.body["banned"]), (200, &json!(false)));
    house.signed_in("ada").await;
    house.expect_event("account.reinstated").await;
}

#[tokio::test]
async fn disabling_ends_the_sessions() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    house.signed_in("ada").await;
    let changed = house.patch("/v1/accounts/ada", json!({"disabled": true})).await;
    assert_eq!(changed.body["disabled"], true, "{}", changed.text);
    assert_eq!(house.get("/v1/sessions").await.body["items"], json!([]));
    assert!(house.sign_in("ada", PASSWORD).await.is_err());
}

#[tokio::test]
async fn a_second_factor_is_taken_away() {
    let house = House::open().await;
    house.account("ada", "owner").await;
    assert_eq!(house.delete("/v1/accounts/ada/second-factor").await.status, 204);
    house.expect_event("second_factor.reset").await;
}
