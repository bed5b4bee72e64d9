//! A call of each operation that goes well where whoever calls may do it.

use http::Method;
use serde_json::{Value, json};
use stagedoor_identity::testing::SwappableLetterhead;

use crate::coverage::Operation;
use crate::house::{Call, House};

/// The name of the account, or of the token, that is asked about.
pub(super) const TARGET: &str = "target";

/// What is called.
pub(super) struct Sample {
    path: String,
    body: Option<Body>,
}

enum Body {
    Json(Value),
    Policy,
}

impl Sample {
    fn bare(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            body: None,
        }
    }

    fn with(path: impl Into<String>, body: Value) -> Self {
        Self {
            path: path.into(),
            body: Some(Body::Json(body)),
        }
    }

    fn with_policy(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            body: Some(Body::Policy),
        }
    }

    pub(super) fn call<'a>(&self, house: &'a House, method: Method) -> Call<'a> {
        let call = house.call(method, &self.path);
        match &self.body {
            None => call,
            Some(Body::Json(body)) => call.json(body),
            Some(Body::Policy) => call.header("if-match", "*").body("text/plain", super::POLICY),
        }
    }
}

/// The call, with what has to be there for it; the account `target` is there in any case, with that role.
pub(super) async fn of(house: &House, operation: &Operation, role: &str) -> Sample {
    let named = operation.named();
    if named.contains("/v1/invitations/") {
        invited(house, role).await;
    } else {
        house.account(TARGET, role).await;
    }
    let path = operation.path.replace("{id_or_name}", TARGET).replace("{name}", TARGET);
    match named.as_str() {
        "GET /livez"
        | "GET /metrics"
        | "GET /readyz"
        | "GET /v1/accounts"
        | "GET /v1/accounts/{id_or_name}"
        | "DELETE /v1/accounts/{id_or_name}"
        | "DELETE /v1/accounts/{id_or_name}/second-factor"
        | "GET /v1/audit"
        | "DELETE /v1/invitations/{id_or_name}"
        | "GET /v1/letters"
        | "GET /v1/lockouts"
        | "GET /v1/nodes"
        | "GET /v1/openapi.json"
        | "GET /v1/policy"
        | "GET /v1/policy/status"
        | "GET /v1/policy/table"
        | "GET /v1/sessions"
        | "GET /v1/tokens" => Sample::bare(path),
        "POST /v1/accounts" => Sample::with(path, json!({ "name": "new", "role": role })),
        "PATCH /v1/accounts/{id_or_name}" => Sample::with(path, json!({ "grants": [], "disabled": true })),
        "POST /v1/accounts/{id_or_name}/password" => {
            Sample::with(path, json!({ "password": "a horse and no battery" }))
        }
        "POST /v1/accounts/{id_or_name}/hand-over"
        | "POST /v1/accounts/{id_or_name}/second-factor/recovery"
        | "POST /v1/accounts/{id_or_name}/unlock"
        | "POST /v1/accounts/{id_or_name}/reinstate"
        | "POST /v1/invitations/{id_or_name}/resend" => Sample::with(path, json!({})),
        "POST /v1/invitations" => Sample::with(path, json!({ "name": "new", "role": role })),
        "GET /v1/devices" => Sample::bare(format!("{path}?account={TARGET}")),
        "POST /v1/devices" => Sample::with(path, json!({ "name": "scanner" })),
        "PUT /v1/devices/{id}" => Sample::with(device(house).await, json!({ "account": TARGET })),
        "DELETE /v1/devices/{id}" => Sample::bare(device(house).await),
        "POST /v1/letters" => {
            house.letterhead.swap(Some(SwappableLetterhead::sample()));
            Sample::with(path, json!({ "to": "ann@example.org" }))
        }
        "DELETE /v1/lockouts/{id}" => Sample::bare(lock(house).await),
        "PUT /v1/policy" | "POST /v1/policy/check" => Sample::with_policy(&path),
        "POST /v1/policy/explain" => {
            let question =
                json!({ "as": TARGET, "from": "192.0.2.1", "method": "GET", "url": "https://console.example/" });
            Sample::with(path, question)
        }
        "DELETE /v1/sessions" => Sample::bare(format!("{path}?account={TARGET}")),
        "DELETE /v1/sessions/{id}" => Sample::bare(session(house).await),
        "POST /v1/tokens" => Sample::with(path, json!({ "name": "new", "scopes": ["tokens:write"] })),
        "DELETE /v1/tokens/{name}" => {
            house.token(TARGET, &["audit:read"]).await;
            Sample::bare(path)
        }
        other => panic!("`{other}` has no call here: add one, and look at its row of docs/reference/who-may.md"),
    }
}

async fn invited(house: &House, role: &str) {
    let answer = house
        .post("/v1/invitations", json!({ "name": TARGET, "role": role }))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

async fn device(house: &House) -> String {
    let made = house.post("/v1/devices", json!({ "name": "scanner" })).await;
    format!("/v1/devices/{}", made.body["id"].as_str().unwrap())
}

async fn session(house: &House) -> String {
    house.signed_in(TARGET).await;
    let sessions = house.get("/v1/sessions").await.body;
    format!("/v1/sessions/{}", sessions["items"][0]["id"].as_str().unwrap())
}

async fn lock(house: &House) -> String {
    for _ in 0..5 {
        assert!(house.sign_in(TARGET, "wrong horse battery").await.is_err());
    }
    let locks = house.get("/v1/lockouts").await.body;
    format!("/v1/lockouts/{}", locks["items"][0]["id"].as_str().unwrap())
}
