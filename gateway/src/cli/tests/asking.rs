//! What is asked of the admin API, and how its answers and refusals are told.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::stage::{Canned, ClosedPort, Stage};

const VERA: &str =
    r#"{"id":"1","name":"vera","display_name":"Vera","role":"viewer","second_factor":false,"version":1}"#;

#[tokio::test]
async fn a_list_is_fetched_page_after_page_with_the_token() {
    let canned = Canned::default()
        .on(
            "GET /v1/accounts",
            200,
            r#"{"items":[{"name":"ada","role":"owner"}],"next":"ada"}"#,
        )
        .on(
            "GET /v1/accounts?after=ada",
            200,
            &format!(r#"{{"items":[{VERA}],"next":null}}"#),
        );
    let ran = Stage::before(&canned).await.run("account list").await;
    assert_eq!(
        ran.out,
        " name  role    display name  state   second factor  last used (UTC)\n \
         ada   owner   -             active  no             -\n \
         vera  viewer  Vera          active  no             -\n",
        "{ran:?}"
    );
    for asked in canned.asked() {
        assert_eq!(asked.headers.get("authorization").unwrap(), "Bearer sdt_test");
    }
}

#[tokio::test]
async fn json_is_the_apis_own() {
    let canned = Canned::default().on("GET /v1/accounts/vera", 200, VERA);
    let ran = Stage::before(&canned)
        .await
        .run("account show vera --output json")
        .await;
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(printed, serde_json::from_str::<Value>(VERA).unwrap());
}

#[tokio::test]
async fn a_refusal_of_the_api_is_told_and_fails_the_command() {
    let problem = json!({ "title": "the name is taken", "status": 409, "detail": "the name `ada` is taken", "code": "name_taken",
        "fields": [{ "field": "name", "message": "another account has it" }] });
    let canned = Canned::default().on("POST /v1/accounts", 409, &problem.to_string());
    let stage = Stage::before(&canned).await;
    let ran = stage.run("account add ada").await;
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    assert_eq!(ran.err, "error: the name is taken\n  `name`: another account has it\n");
    let ran = stage.run("account add ada --output json").await;
    let told: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((told.get("code"), ran.exit), (Some(&json!("name_taken")), 1));
}

#[tokio::test]
async fn with_the_door_closed_the_same_request_goes_to_the_store() {
    let canned = Canned::default().on(
        "POST /v1/accounts/vera/unlock",
        200,
        r#"{"unlocked":1,"message":"Unlocked."}"#,
    );
    let port = ClosedPort::take();
    let ran = Stage::closed(&canned, &port).run("account unlock vera").await;
    assert_eq!((ran.exit, ran.out.as_str()), (0, "Unlocked.\n"), "{ran:?}");
    assert!(ran.err.starts_with("note: the door is not running"), "{}", ran.err);
    let asked = canned.asked();
    let headers = &asked[0].headers;
    assert_eq!(headers.get("authorization").unwrap(), "Bearer sdt_local");
    assert_eq!(headers.get("host").unwrap(), "localhost");
}

#[tokio::test]
async fn a_door_that_was_named_is_never_replaced_by_the_store_here() {
    let canned = Canned::default().on("GET /v1/accounts", 200, r#"{"items":[],"next":null}"#);
    let port = ClosedPort::take();
    let stage = Stage::closed(&canned, &port).var("STAGEDOOR_ADMIN_TOKEN", "sdt_test");
    let ran = stage
        .run(&format!("account list --admin-url http://{}", port.address()))
        .await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.err.contains("cannot be reached"), "{}", ran.err);
    assert!(canned.lines().is_empty());
}

#[tokio::test]
async fn without_a_door_and_without_a_store_one_is_told_where_to_go() {
    let port = ClosedPort::take();
    let ran = Stage::empty()
        .var("STAGEDOOR_ADMIN_LISTEN", &port.address())
        .run("session list")
        .await;
    assert_eq!(ran.exit, 1);
    assert!(
        ran.err.contains("the door is not running") && ran.err.contains("--config"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn the_token_left_in_the_data_folder_is_found() {
    let canned = Canned::default().on("GET /v1/lockouts", 200, r#"{"items":[],"next":null}"#);
    let url = canned.listen().await;
    let stage = Stage::empty().var("STAGEDOOR_ADMIN_URL", &url);
    let missing = stage.run("lockout list").await;
    assert!(
        missing.err.contains("admin.token") && missing.err.contains("--token-file"),
        "{}",
        missing.err
    );
    let data = stage.folder.path().join("stagedoor-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("admin.token"), "sdt_kept\n").unwrap();
    assert_eq!(stage.run("lockout list").await.out, "Nobody is locked.\n");
    assert_eq!(
        canned.asked()[0].headers.get("authorization").unwrap(),
        "Bearer sdt_kept"
    );
}

#[tokio::test]
async fn a_password_comes_from_standard_input_as_it_stands() {
    let canned = Canned::default().on("POST /v1/accounts", 201, VERA);
    let stage = Stage::before(&canned).await.input(" with blanks \r\nnext line\n");
    let ran = stage
        .run("account add vera --password-stdin --lasting --grant devices=manage")
        .await;
    assert_eq!(ran.out, "Account vera is made, with the role viewer.\n", "{ran:?}");
    let body: Value = serde_json::from_str(&canned.asked()[0].body).unwrap();
    let expected = json!({ "name": "vera", "password": " with blanks ", "password_temporary": false,
        "grants": [{ "area": "devices", "level": "manage", "actions": [] }] });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_password_is_asked_for_twice_and_nothing_is_sent_when_the_two_differ() {
    let canned = Canned::default().on("POST /v1/accounts/vera/password", 200, "{}");
    let ran = Stage::before(&canned)
        .await
        .types(&["one", "two"])
        .run("account reset-password vera --ask-password")
        .await;
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("not the same") && canned.lines().is_empty(), "{ran:?}");
    let stage = Stage::before(&canned).await.types(&["one", "one"]);
    assert_eq!(stage.run("account reset-password vera --ask-password").await.exit, 0);
    let body: Value = serde_json::from_str(&canned.asked()[0].body).unwrap();
    assert_eq!(body, json!({ "password": "one" }));
}

#[tokio::test]
async fn a_generated_password_is_printed_once() {
    let canned = Canned::default().on(
        "POST /v1/accounts/vera/password",
        200,
        r#"{"temporary_password":"ripe-plum"}"#,
    );
    let ran = Stage::before(&canned).await.run("account reset-password vera").await;
    assert_eq!(ran.out.matches("ripe-plum").count(), 1, "{}", ran.out);
    let ran = Stage::before(&canned).await.run("account add vera --lasting").await;
    assert_eq!(ran.exit, 2, "a generated password cannot be kept");
    assert_eq!(canned.lines().len(), 1);
}

#[tokio::test]
async fn an_account_is_removed_only_when_somebody_says_so() {
    let canned = Canned::default().on("DELETE /v1/accounts/vera", 204, "");
    assert_eq!(Stage::before(&canned).await.run("account remove vera").await.exit, 2);
    assert_eq!(
        Stage::before(&canned)
            .await
            .answers("n")
            .run("account remove vera")
            .await
            .exit,
        1
    );
    assert!(canned.lines().is_empty());
    assert_eq!(
        Stage::before(&canned)
            .await
            .answers("y")
            .run("account remove vera")
            .await
            .exit,
        0
    );
    assert_eq!(
        Stage::before(&canned).await.run("account remove vera --yes").await.exit,
        0
    );
    assert_eq!(canned.lines().len(), 2);
}

#[tokio::test]
async fn an_edit_sends_only_what_changes() {
    let canned = Canned::default().on("PATCH /v1/accounts/vera", 200, VERA);
    Stage::before(&canned)
        .await
        .run("account edit vera --no-email --network 192.0.2.0/24")
        .await;
    let body: Value = serde_json::from_str(&canned.asked()[0].body).unwrap();
    assert_eq!(body, json!({ "email": null, "networks": ["192.0.2.0/24"] }));
}

#[tokio::test]
async fn a_policy_replaces_the_very_one_that_was_read() {
    let status = r#"{"revision":8,"loaded_at":"2026-11-22T15:00:00Z","restart_needed":[]}"#;
    let canned = Canned::default()
        .tagged("GET /v1/policy", r#""abc""#, "old = 1\n")
        .on("PUT /v1/policy", 200, status);
    let stage = Stage::before(&canned).await;
    std::fs::write(stage.folder.path().join("new.toml"), "new = 1\n").unwrap();
    let ran = stage.run("policy apply new.toml").await;
    assert!(ran.out.starts_with("The policy is in force.\nrevision"), "{ran:?}");
    let put = canned.asked().pop().unwrap();
    assert_eq!(
        (
            put.headers.get("if-match").unwrap().to_str().unwrap(),
            put.body.as_str()
        ),
        (r#""abc""#, "new = 1\n")
    );
    assert_eq!(stage.run("policy get").await.out, "old = 1\n");
}

#[tokio::test]
async fn a_faulty_policy_is_told_with_its_lines_and_the_code_for_bad_configuration() {
    let problem = json!({ "detail": "the policy has a fault", "faults": [
        { "file": "policy.toml", "line": 2, "column": 5, "message": "unknown role", "help": null }] });
    let canned =
        Canned::default()
            .tagged("GET /v1/policy", r#""abc""#, "")
            .on("PUT /v1/policy", 422, &problem.to_string());
    let ran = Stage::before(&canned).await.input("x").run("policy apply -").await;
    assert_eq!(ran.exit, 64);
    assert_eq!(
        ran.err,
        "error: the policy has a fault\n  policy.toml:2:5: unknown role\n"
    );
}

#[tokio::test]
async fn an_explanation_names_the_deciding_rule() {
    let explained = json!({ "decision": "refuse", "code": "not_granted", "area": "devices", "revision": 3, "steps": [
        { "check": "area", "passed": true, "detail": "`/devices/**`", "rule": "site.console.areas.devices" },
        { "check": "grant", "passed": false, "detail": "view is not manage", "rule": "role.viewer.may.devices" }] });
    let canned = Canned::default().on("POST /v1/policy/explain", 200, &explained.to_string());
    let line = "policy explain --as vera --from 192.0.2.7 post http://console/devices/3/rename";
    let ran = Stage::before(&canned).await.run(line).await;
    assert_eq!(
        ran.out,
        "decision  refuse\nbecause   not_granted\narea      devices\nrule      role.viewer.may.devices\npolicy    revision 3\n\n \
         step            what was found      rule\n \
         area   passed   `/devices/**`       site.console.areas.devices\n \
         grant  stopped  view is not manage  role.viewer.may.devices\n"
    );
    let body: Value = serde_json::from_str(&canned.asked()[0].body).unwrap();
    let url = "http://console/devices/3/rename";
    assert_eq!(
        body,
        json!({ "as": "vera", "from": "192.0.2.7", "method": "POST", "url": url })
    );
}

#[tokio::test]
async fn the_audit_is_searched_from_a_time_ago_and_read_from_old_to_new() {
    let events = json!({ "items": [
        { "number": 2, "at": "2026-11-22T14:59:00Z", "kind": "sign_in.succeeded", "actor": "vera", "outcome": "allowed",
          "details": { "channel": "browser" } },
        { "number": 1, "at": "2026-11-22T14:58:00Z", "kind": "sign_in.failed", "actor": "vera", "outcome": "refused" }],
        "next": 1 });
    let line = "GET /v1/audit?since=2026-11-22T14%3A45%3A00Z&account=vera&limit=2";
    let canned = Canned::default().on(line, 200, &events.to_string());
    let ran = Stage::before(&canned)
        .await
        .run("audit --since -15m --account vera --limit 2")
        .await;
    let places = ["14:58:00", "14:59:00"].map(|time| ran.out.find(time));
    assert!(places[0].is_some() && places[0] < places[1], "{ran:?}");
    assert!(ran.out.trim_end().ends_with("channel=browser"), "{}", ran.out);
    assert_eq!(
        Stage::before(&canned).await.run("audit --since yesterday").await.exit,
        2
    );
}

#[tokio::test]
async fn a_saved_token_is_readable_by_its_owner_alone_and_not_printed() {
    let canned = Canned::default().on(
        "POST /v1/tokens",
        201,
        r#"{"name":"ci","scopes":["*"],"token":"sdt_new"}"#,
    );
    let stage = Stage::before(&canned).await;
    for output in ["text", "json"] {
        let ran = stage
            .run(&format!(
                "token create ci --scope * --save {output}.token --output {output}"
            ))
            .await;
        assert_eq!(ran.exit, 0, "{ran:?}");
        assert!(!ran.out.contains("sdt_new"), "{}", ran.out);
        let file = stage.folder.path().join(format!("{output}.token"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "sdt_new\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let ran = stage.run("token create ci --scope * --save text.token").await;
    assert_eq!(
        (ran.exit, canned.lines().len()),
        (1, 2),
        "no token is made that cannot be kept"
    );
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_named_by_where_it_came_from() {
    let canned = Canned::default().on("GET /v1/sessions", 401, r#"{"title":"a valid bearer token is needed"}"#);
    let ran = Stage::before(&canned).await.run("session list").await;
    assert!(
        ran.err
            .contains("the token in STAGEDOOR_ADMIN_TOKEN, shown to `http://127.0.0.1:"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("sdt_test"), "{}", ran.err);
}

#[tokio::test]
async fn an_answer_of_something_else_is_said_to_be_strange() {
    let canned = Canned::default().on("GET /v1/sessions", 200, "<html>");
    let ran = Stage::before(&canned).await.run("session list").await;
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("not understood"), "{}", ran.err);
}
