//! The admin API on its listener: by which names it is called, what an address names, what a change may hold, who may what.

use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;
use http::{Method, Request};
use serde_json::{Value, json};
use stagedoor_tests::{Admin, PASSWORD, Reply, Visitor, body_of, raw};

use crate::stage::{ROOMY, Stage};

const AT_ONCE: usize = 20;
const NAMED: &str = "hosts = [\"stagedoor.internal\"]";

/// Bytes to the admin listener, with the token that may do everything, and what comes back.
async fn exchange(stage: &Stage, request: &str, headers: &str) -> String {
    let at = stage.ways.door.admin_address();
    let bearer = format!("Authorization: Bearer {}\r\n", stage.admin.token());
    raw::exchange(
        at,
        format!("{request} HTTP/1.1\r\n{bearer}Connection: close\r\n{headers}\r\n"),
    )
    .await
}

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
async fn a_name_that_nobody_gave_the_listener_reaches_nothing_behind_it() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    for path in ["/v1/accounts", "/metrics", "/livez", "/v1/openapi.json", "/"] {
        for host in [
            "evil.example".to_owned(),
            format!("evil.example:{port}"),
            format!("localhost.evil.example:{port}"),
            format!("127.0.0.1.evil.example:{port}"),
            format!("stagedoor.internal:{port}"),
            format!("0.0.0.0:{port}"),
            "169.254.169.254".to_owned(),
            "2130706433".to_owned(),
            "0x7f.1".to_owned(),
        ] {
            let answer = exchange(&stage, &format!("GET {path}"), &format!("Host: {host}\r\n")).await;
            assert!(matches!(raw::status(&answer), 400 | 403), "{path} {host}: {answer}");
        }
        for headers in [
            String::new(),
            format!("Host: localhost:{port}\r\nHost: evil.example\r\n"),
            format!("Host: localhost:{port}\r\nHost: localhost:{port}x\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
            format!(
                "Host: localhost:{port}\r\nOrigin: http://localhost:{}\r\n",
                stage.ways.door.http
            ),
            format!("Host: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\n"),
            format!("Host: localhost:{port}\r\nSec-Fetch-Site: same-site\r\n"),
        ] {
            let answer = exchange(&stage, &format!("GET {path}"), &headers).await;
            assert!(matches!(raw::status(&answer), 400 | 403), "{path} {headers}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
        }
        let absolute = format!("GET http://evil.example{path}");
        let answer = exchange(&stage, &absolute, &format!("Host: localhost:{port}\r\n")).await;
        assert!(matches!(raw::status(&answer), 400 | 403), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_from_the_file_is_answered_to_from_the_next_reload_on() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    let named = format!("Host: stagedoor.internal:{port}\r\n");
    assert_eq!(raw::status(&exchange(&stage, "GET /v1/accounts", &named).await), 403);
    let file = stage.ways.door.building_file();
    let building = std::fs::read_to_string(&file).expect("the file");
    let changed = building.replace("[admin]\n", &format!("[admin]\n{NAMED}\n"));
    std::fs::write(&file, changed).expect("the file can be written");
    stagedoor_tests::soon("the name is answered to", async || {
        let answer = exchange(&stage, "GET /v1/accounts", &named).await;
        (raw::status(&answer) == 200).then_some(())
    })
    .await;
    for host in ["x.stagedoor.internal", "stagedoor.internal.evil.example", "internal"] {
        let answer = exchange(&stage, "GET /v1/accounts", &format!("Host: {host}:{port}\r\n")).await;
        assert_eq!(raw::status(&answer), 403, "{host}");
    }
    let foreign = format!("{named}Origin: http://evil.example\r\n");
    assert_eq!(raw::status(&exchange(&stage, "GET /v1/accounts", &foreign).await), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_answer_by_head_and_nothing_is_there_that_was_not_meant_to_be() {
    let stage = Stage::open(ROOMY).await;
    let at = stage.ways.door.admin_address();
    let (stranger, bob) = (Visitor::new(at, at.to_string()), stage.signed_in("bob").await);
    for path in ["/livez", "/readyz", "/metrics"] {
        let request = Request::head(path).body(body_of("")).expect("a request");
        let answer = stranger.send(request).await.expect(200);
        assert!(answer.body.is_empty(), "{path}");
    }
    for path in [
        "/debug/pprof/",
        "/debug/pprof/heap",
        "/debug/vars",
        "/debug",
        "/actuator/env",
        "/actuator/heapdump",
        "/server-status",
        "/.env",
        "/.git/config",
        "/config",
        "/v1/debug",
        "/v1/config",
        "/metrics/",
        "//metrics",
        "/Metrics",
        "/metrics/x",
        "/livez/../v1/accounts",
        "/livez/%2e%2e/v1/accounts",
        "/livez;/v1/accounts",
        "/%6cetrics",
    ] {
        stranger.get(path).await.expect(401);
        stage.admin.get(path).await.expect(404);
        // Nor do visitors find any of it, or the real one, at the door.
        for path in [
            path,
            "/metrics",
            "/livez",
            "/readyz",
            "/v1/accounts",
            "/.stagedoor/metrics",
        ] {
            let answer = bob.get(path).await;
            assert!(
                matches!(answer.status.as_u16(), 400 | 403 | 404),
                "{path}: {}",
                answer.status
            );
        }
    }
    assert_eq!(stage.console.bytes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_name_nobody() {
    let stage = Stage::open(ROOMY).await;
    let name = "conspicuous-person";
    stage.admin.add_account(name, "user").await;
    let visitor = stage.signed_in(name).await;
    visitor.get("/app/conspicuous-path?conspicuous=query").await.expect(200);
    visitor.get("/admin/conspicuous-path").await.expect(403);
    visitor.get("/conspicuous%2fpath").await.expect(400);
    crate::stage::sign_in(&visitor, "conspicuous-stranger", "x").await;
    stage.ways.door.visitor("conspicuous-host").get("/").await.expect(421);
    let request = Request::builder().method("CONSPICUOUS").uri("/app/page");
    visitor
        .send(request.body(body_of("")).expect("a request"))
        .await
        .expect(405);
    let page = stage.admin.get("/metrics").await.expect(200).text();
    let session = visitor.cookie("stagedoor").expect("a session");
    for telling in [
        "onspicuous",
        "127.0.0.1",
        &session,
        stage.admin.token(),
        "ada",
        "CONSPICUOUS",
    ] {
        assert!(!page.contains(telling), "{telling} is in the metrics:\n{page}");
    }
    assert!(page.contains("stagedoor_requests_total{"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_names_one_account_or_none() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    let host = format!("Host: localhost:{port}\r\n");
    let ada = stage.admin.account("ada").await;
    let id = ada["id"].as_str().expect("an id").to_owned();
    // Of an account that is named like the id of another, the id is the other's.
    let names = [id.replace('-', ""), format!("{}x", &id[..id.len() - 1])];
    for name in &names {
        stage.admin.add_account(name, "user").await;
        assert_eq!(stage.admin.account(name).await["name"], name.as_str());
    }
    for same in ["ada", "ADA", "%61da", "a%64a", &id, &id.to_uppercase()] {
        let answer = exchange(&stage, &format!("GET /v1/accounts/{same}"), &host).await;
        assert_eq!(raw::status(&answer), 200, "{same}: {answer}");
        assert!(answer.contains("\"name\":\"ada\""), "{same}: {answer}");
    }
    for other in [
        "ada/",
        "ada//",
        "/ada",
        "./ada",
        "../accounts/ada",
        "bob/../ada",
        "bob%2f..%2fada",
        "bob%2F%2e%2e%2Fada",
        "%2e%2e%2faccounts%2fada",
        "ada%2f",
        "ada%00",
        "ada%00x",
        "ada%20",
        "%20ada",
        "ada%0d%0a",
        "ada;x",
        "ada.json",
        "%2561da",
        "ada%ff",
        "%ef%bd%81da",
        &format!("%7b{id}%7d"),
        &format!("urn:uuid:{id}"),
        "",
        "*",
        "%25",
        "a_a",
    ] {
        for method in ["GET", "DELETE"] {
            let answer = exchange(&stage, &format!("{method} /v1/accounts/{other}"), &host).await;
            assert!(
                matches!(raw::status(&answer), 400 | 404 | 405),
                "{method} {other}: {answer}"
            );
        }
    }
    for path in [
        "/V1/accounts",
        "/v1/Accounts",
        "/v1//accounts",
        "//v1/accounts",
        "/v1/accounts/",
        "/v1%2faccounts",
        "/./v1/accounts",
    ] {
        let answer = exchange(&stage, &format!("GET {path}"), &host).await;
        assert!(matches!(raw::status(&answer), 400 | 404), "{path}: {answer}");
    }
    assert_eq!(stage.admin.account("ada").await, ada);
}

/// Fields of an account that its maker or another door decides about, with values that would change them.
fn forbidden(account: &Value) -> Vec<(String, Value)> {
    let changeable = ["display_name", "email", "role", "grants", "networks", "disabled"];
    let shown = account.as_object().expect("an account").keys();
    let unseen = [
        "password",
        "password_hash",
        "failed_count",
        "totp_secret",
        "totp_sealed",
        "recovery_codes",
        "reinstated_at",
        "credentials_version",
        "sessions",
        "locked",
        "is_admin",
        "scopes",
        "__proto__",
        "constructor",
        "Role",
        "role ",
        "role\u{0}",
    ];
    let known = shown.map(String::as_str).filter(|field| !changeable.contains(field));
    let value = |field: &str| match &account[field] {
        Value::Bool(flag) => json!(!flag),
        Value::Number(_) => json!(7),
        _ => json!("x"),
    };
    known
        .chain(unseen)
        .map(|field| (field.to_owned(), value(field)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_holds_more_than_may_be_changed_changes_nothing() {
    let stage = Stage::open("").await;
    let before = stage.admin.account("bob").await;
    let fields = forbidden(&before);
    assert!(fields.len() > 20, "{fields:?}");
    for (field, value) in &fields {
        let answer = stage
            .admin
            .change_account("bob", json!({ "display_name": "Changed", field: value }))
            .await
            .expect(422);
        assert_eq!(answer.json()["code"], "unfit", "{field}: {}", answer.text());
        if field != "name" && field != "password" && field != "password_temporary" {
            let account = json!({ "name": "eve", "role": "user", field: value });
            let answer = stage.admin.ask(Method::POST, "/v1/accounts", Some(account)).await;
            assert_eq!(answer.status, 422, "{field}: {}", answer.text());
        }
        let token = json!({ "name": "more", "scopes": ["audit:read"], field: value });
        if field != "name" && field != "scopes" {
            let answer = stage.admin.ask(Method::POST, "/v1/tokens", Some(token)).await;
            assert_eq!(answer.status, 422, "{field}: {}", answer.text());
        }
    }
    // Twice the same field, or another shape around it.
    for body in [
        "{\"role\":\"user\",\"role\":\"admin\"}",
        "[{\"role\":\"admin\"}]",
        "\"admin\"",
        "null",
        "{\"role\":null}",
        "{\"role\":[\"admin\"]}",
        "{\"role\":\"admin\"} {}",
        "{\"role\":\"admin\",}",
        "{\"role\":\"nobody-wrote-this-role\"}",
    ] {
        let answer = patch_bytes(&stage, body).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{body}: {}", answer.text());
    }
    assert_eq!(stage.admin.account("bob").await, before);
    assert_eq!(stage.admin.get("/v1/accounts/eve").await.status, 404);
}

async fn patch_bytes(stage: &Stage, body: &str) -> Reply {
    let at = stage.ways.door.admin_address();
    let request = Request::patch("/v1/accounts/bob")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", stage.admin.token()));
    Visitor::new(at, at.to_string())
        .send(request.body(body_of(body.to_owned())).expect("a request"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_at_once_made_from_one_version_one_wins() {
    let stage = Stage::open("").await;
    let at = stage.ways.door.admin_address();
    let read = stage.admin.get("/v1/accounts/bob").await.expect(200);
    let tag = read.header("etag").expect("a tag").to_owned();
    let changes = (0..AT_ONCE).map(|number| {
        let request = Request::patch("/v1/accounts/bob")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", stage.admin.token()))
            .header("if-match", &tag);
        let body = json!({ "display_name": format!("Bob the {number}th") }).to_string();
        let request = request.body(body_of(body)).expect("a request");
        async move { Visitor::new(at, at.to_string()).send(request).await }
    });
    let answers = join_all(changes).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost = answers.iter().filter(|answer| answer.status == 412).count();
    assert_eq!((won, lost), (1, AT_ONCE - 1));
    let now = stage.admin.account("bob").await;
    assert_eq!(now["version"], read.json()["version"].as_u64().expect("a version") + 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_door_writes_down_is_for_its_own_user_alone() {
    let stage = Stage::open("").await;
    stage.signed_in("bob").await;
    let data = stage.ways.door.folder().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}
