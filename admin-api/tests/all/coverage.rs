//! What nobody may forget: each operation is taken from the document and put to the same questions.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::house::House;

const METHODS: &[&str] = &["get", "put", "post", "patch", "delete"];

pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `None`: open to everybody. `Some(None)`: any token.
    pub(crate) scope: Option<Option<String>>,
    body: Option<&'static str>,
    parameters: Vec<String>,
    /// The statuses that it says it answers.
    answers: Vec<String>,
}

impl Operation {
    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with its variables and the required query filled in by names that nothing has.
    fn target(&self) -> String {
        let path = self
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "nobody" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        match self.parameters.as_slice() {
            [] => path,
            required => format!("{path}?{}=nobody", required.join("=nobody&")),
        }
    }
}

fn document() -> Value {
    serde_json::from_str(&stagedoor_admin_api::openapi()).unwrap()
}

pub(crate) fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            found.push(operation_of(method, path, operation));
        }
    }
    found
}

fn operation_of(method: &str, path: &str, operation: &Value) -> Operation {
    let scope = operation.get("security").map(|security| {
        let scopes = security[0]["bearer"].as_array().unwrap();
        assert!(scopes.len() <= 1, "{method} {path} demands one scope at most");
        scopes.first().map(|scope| scope.as_str().unwrap().to_owned())
    });
    let content = &operation["requestBody"]["content"];
    let body = ["application/json", "text/plain"]
        .into_iter()
        .find(|content_type| content.get(content_type).is_some());
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let required = |parameter: &&Value| parameter["in"] == "query" && parameter["required"] == true;
    Operation {
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        scope,
        body,
        parameters: parameters
            .iter()
            .filter(required)
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect(),
        answers: operation["responses"].as_object().unwrap().keys().cloned().collect(),
    }
}

/// Every scope that some operation demands.
fn scopes() -> Vec<String> {
    let mut scopes: Vec<_> = operations()
        .into_iter()
        .filter_map(|operation| operation.scope.flatten())
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

#[tokio::test]
async fn without_a_valid_token_every_operation_but_the_probes_is_refused() {
    let house = House::open().await;
    let mut open = Vec::new();
    for operation in operations() {
        let bare = house
            .call(operation.method.clone(), &operation.target())
            .without("authorization")
            .send()
            .await;
        if operation.scope.is_none() {
            assert_eq!(bare.status, 200, "{}", operation.named());
            open.push(operation.path);
            continue;
        }
        bare.expect_problem(401, "unauthenticated");
        assert!(
            bare.header("www-authenticate").starts_with("Bearer"),
            "{}",
            operation.named()
        );
        let forged = format!("sdt_{}", "A".repeat(43));
        let call = house.call(operation.method.clone(), &operation.target()).token(&forged);
        call.send().await.expect_problem(401, "unauthenticated");
    }
    assert_eq!(open, ["/livez", "/metrics", "/readyz"]);
}

#[tokio::test]
async fn what_the_listener_refuses_stands_in_the_document_of_every_operation() {
    let house = House::open().await;
    for operation in operations() {
        for (name, value, status, code) in [
            ("host", "local host", 400, "malformed"),
            ("origin", "https://elsewhere.example", 403, "foreign_origin"),
            ("x-stagedoor-door", "1", 508, "through_a_door"),
        ] {
            let call = house.call(operation.method.clone(), &operation.target());
            call.header(name, value).send().await.expect_problem(status, code);
            assert!(
                operation.answers.contains(&status.to_string()),
                "{status} of {}",
                operation.named()
            );
        }
    }
}

#[tokio::test]
async fn with_every_scope_but_its_own_each_operation_is_refused() {
    let house = House::open().await;
    let all = scopes();
    for (number, operation) in operations().into_iter().enumerate() {
        let Some(Some(scope)) = &operation.scope else { continue };
        let others: Vec<&str> = all.iter().map(String::as_str).filter(|other| other != scope).collect();
        let token = house.token(&format!("others-{number}"), &others).await;
        let mut call = house.call(operation.method.clone(), &operation.target()).token(&token);
        if let Some(content_type) = operation.body {
            call = call.body(content_type, "{}");
        }
        let answer = call.send().await;
        answer.expect_problem(403, "scope_missing");
        assert!(
            answer.header("www-authenticate").contains("insufficient_scope"),
            "{}",
            operation.named()
        );
        assert!(
            answer.header("www-authenticate").contains(scope.as_str()),
            "{}",
            operation.named()
        );
    }
}

#[tokio::test]
async fn with_its_own_scope_alone_each_operation_goes_on() {
    let house = House::open().await;
    for (number, operation) in operations().into_iter().enumerate() {
        let Some(scope) = &operation.scope else { continue };
        let scopes = [scope.as_deref().unwrap_or("audit:read")];
        let token = house.token(&format!("own-{number}"), &scopes).await;
        let mut call = house.call(operation.method.clone(), &operation.target()).token(&token);
        if let Some(content_type) = operation.body {
            call = call.body(content_type, "{}");
        }
        let answer = call.send().await;
        let expected = [200, 404, 422, 428];
        assert!(
            expected.contains(&answer.status.as_u16()),
            "{}: {answer:?}",
            operation.named()
        );
    }
}

#[tokio::test]
async fn no_json_body_takes_a_field_that_is_not_its_own() {
    let house = House::open().await;
    let mut asked = 0;
    for operation in operations()
        .into_iter()
        .filter(|operation| operation.body == Some("application/json"))
    {
        for field in [
            "version",
            "failed_count",
            "created_at",
            "id",
            "second_factor",
            "totp_secret",
            "locked_until",
        ] {
            // An account of that name is needed for the operation to look at its body.
            if house.get("/v1/accounts/nobody").await.status == 404 {
                house.account("nobody", "viewer").await;
            }
            let call = house.call(operation.method.clone(), &operation.target());
            let answer = call.json(&json!({ field: 1 })).send().await;
            answer.expect_problem(422, "unfit");
            assert_eq!(answer.fields(), [field], "{}", operation.named());
            asked += 1;
        }
    }
    assert!(asked >= 5 * 7, "only {asked} were asked");
}

#[tokio::test]
async fn every_answer_has_its_request_id_and_is_not_kept_by_caches() {
    let house = House::open().await;
    let mut ids = std::collections::BTreeSet::new();
    for operation in operations() {
        let answer = house.call(operation.method.clone(), &operation.target()).send().await;
        assert_eq!(answer.header("cache-control"), "no-store", "{}", operation.named());
        assert_eq!(
            answer.header("x-content-type-options"),
            "nosniff",
            "{}",
            operation.named()
        );
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "",
            "{}",
            operation.named()
        );
        let id = uuid::Uuid::parse_str(answer.header("x-request-id")).unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert!(ids.insert(id), "{id} twice");
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_and_says_what_it_answers() {
    let document = document();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(
                operation["summary"].is_string() && operation["tags"].is_array(),
                "{method} {path}"
            );
        }
    }
    for operation in operations() {
        let succeeds = operation.answers.iter().any(|status| status.starts_with('2'));
        assert!(succeeds, "{}", operation.named());
    }
}

#[test]
fn the_document_is_the_one_in_the_tree() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/openapi.json");
    let made = stagedoor_admin_api::openapi();
    if std::env::var_os("STAGEDOOR_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        made == kept,
        "docs/reference/openapi.json is old; run the tests with STAGEDOOR_UPDATE_DOCS=1"
    );
}

#[test]
fn every_kind_of_event_is_documented_and_nothing_else_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/audit-events.md");
    let text = std::fs::read_to_string(file).unwrap();
    let documented: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(kind, _)| kind))
        .filter(|kind| kind.contains('.'))
        .collect();
    let kinds: Vec<&str> = stagedoor_identity::event::Kind::ALL
        .iter()
        .map(|kind| kind.name())
        .collect();
    assert_eq!(documented, kinds);
}

#[test]
fn nothing_is_routed_past_the_document() {
    // `.route(` and its relatives would serve what the document does not show, past the questions above.
    let forbidden = [
        ".route(",
        ".route_service(",
        ".nest(",
        ".nest_service(",
        ".fallback_service(",
    ];
    let mut looked_at = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in forbidden {
                assert!(!text.contains(call), "{} calls {call}…)", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 15, "only {looked_at} files were looked at");
}
