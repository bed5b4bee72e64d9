//! The policy over the API, on a real file.

use http::Method;
use serde_json::{Value, json};
use stagedoor_config::Cause;

use crate::house::{Answer, House, POLICY};

const FAULTY: &str = "[role.owner]\nmay = { cellar = \"view\" }\nmey = 1\n";

async fn put(house: &House, text: &str, if_match: &str) -> Answer {
    house
        .call(Method::PUT, "/v1/policy")
        .body("text/plain", text.to_owned())
        .header("if-match", if_match)
        .send()
        .await
}

async fn tag(house: &House) -> String {
    house.get("/v1/policy").await.header("etag").to_owned()
}

#[tokio::test]
async fn the_policy_is_shown_as_it_was_written() {
    let house = House::open().await;
    let shown = house.get("/v1/policy").await;
    assert_eq!((shown.status.as_u16(), shown.text.as_str()), (200, POLICY));
    assert_eq!(shown.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(shown.header("stagedoor-revision"), "1");
    let status = house.get("/v1/policy/status").await.body;
    assert_eq!(
        (&status["revision"], &status["etag"]),
        (&json!(1), &json!(shown.header("etag")))
    );
    assert_eq!(
        (&status["last_fault"], &status["loaded_at"]),
        (&Value::Null, &json!("2026-11-18T11:06:40.000000Z"))
    );
}

#[tokio::test]
async fn a_new_policy_is_in_force_at_once_and_in_the_file() {
    let house = House::open().await;
    let next = POLICY.replace("devices = \"view\"", "devices = \"manage\"");
    let put = put(&house, &next, &tag(&house).await).await;
    assert_eq!(put.status, 200, "{}", put.text);
    assert_eq!(
        (put.header("stagedoor-revision"), &put.body["revision"]),
        ("2", &json!(2))
    );
    assert_eq!(house.policy_file(), next);
    let shown = house.get("/v1/policy").await;
    assert_eq!(
        (shown.text.as_str(), shown.header("etag")),
        (next.as_str(), put.header("etag"))
    );
    let table = house.get("/v1/policy/table").await.body;
    let row = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["area"] == "devices")
        .unwrap();
    assert_eq!(
        (&table["columns"], &row["may"][1]),
        (&json!(["owner", "viewer"]), &json!("manage")),
        "{table}"
    );
    house.expect_event("policy.changed").await;
}

#[tokio::test]
async fn a_faulty_policy_changes_nothing_and_every_fault_is_told() {
    let house = House::open().await;
    let answer = put(&house, FAULTY, &tag(&house).await).await;
    answer.expect_problem(422, "policy_faulty");
    let faults = answer.body["faults"].as_array().unwrap();
    assert!(faults.len() >= 2, "{}", answer.text);
    assert!(
        faults
            .iter()
            .any(|fault| fault["line"] == 3 && fault["message"].as_str().unwrap().contains("`mey`"))
    );
    assert_eq!(house.policy_file(), POLICY);
    assert_eq!(house.get("/v1/policy").await.text, POLICY);
    house.expect_event("policy.rejected").await;
}

#[tokio::test]
async fn a_policy_is_replaced_only_by_who_knows_what_it_replaces() {
    let house = House::open().await;
    let call = house.call(Method::PUT, "/v1/policy").body("text/plain", POLICY);
    call.send().await.expect_problem(428, "if_match_needed");
    put(&house, POLICY, "\"0000000000000000\"")
        .await
        .expect_problem(412, "version_mismatch");
    assert_eq!(put(&house, POLICY, "*").await.status, 200);
    let typed = house
        .call(Method::PUT, "/v1/policy")
        .header("if-match", "*")
        .json(&json!({"policy": POLICY}));
    typed.send().await.expect_problem(415, "content_type");
}

#[tokio::test]
async fn a_check_tells_the_faults_and_puts_nothing_in_force() {
    let house = House::open().await;
    let check = async |text: &'static str| {
        let call = house
            .call(Method::POST, "/v1/policy/check")
            .body("application/toml", text);
        call.send().await
    };
    assert_eq!(check(POLICY).await.body, json!({"ok": true, "faults": []}));
    let faulty = check(FAULTY).await;
    assert_eq!((faulty.status.as_u16(), &faulty.body["ok"]), (200, &json!(false)));
    assert!(faulty.body["faults"].as_array().unwrap().len() >= 2);
    assert_eq!(house.get("/v1/policy").await.text, POLICY);
}

#[tokio::test]
async fn a_faulty_file_is_told_by_status_and_readiness_and_the_door_stays_ready() {
    let house = House::open().await;
    std::fs::write(house.folder.path().join("policy.toml"), FAULTY).unwrap();
    house.live.reload(Cause::Signal).await;
    let status = house.get("/v1/policy/status").await.body;
    assert!(
        status["last_fault"]["text"].as_str().unwrap().contains("mey"),
        "{status}"
    );
    let ready = house.call(Method::GET, "/readyz").without("authorization").send().await;
    assert_eq!((ready.status.as_u16(), &ready.body["ready"]), (200, &json!(true)));
    let checks = ready.body["checks"].as_array().unwrap();
    let named = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(named("policy-file")["ok"], false);
    assert!(named("policy-file")["detail"].as_str().unwrap().contains("mey"));
    assert_eq!(
        (&named("policy")["ok"], &named("store")["ok"]),
        (&json!(true), &json!(true))
    );
}

async fn explain(house: &House, question: Value) -> Value {
    let answer = house.post("/v1/policy/explain", question).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn a_judgement_is_explained_with_its_rule_and_revision() {
    let house = House::open().await;
    house.account("bob", "viewer").await;
    let ask = |method: &str, path: &str| {
        let url = format!("http://console.example{path}");
        json!({"as": "bob", "from": "198.51.100.7", "method": method, "url": url})
    };
    let allowed = explain(&house, ask("GET", "/devices/7")).await;
    assert_eq!(
        (&allowed["decision"], &allowed["area"]),
        (&json!("allow"), &json!("devices")),
        "{allowed}"
    );
    assert_eq!(
        (&allowed["site"], &allowed["revision"], allowed.get("code")),
        (&json!("console"), &json!(1), None)
    );
    let last = allowed["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["passed"], &last["rule"]),
        (&json!(true), &json!("role.viewer.may.devices")),
        "{allowed}"
    );

    let refused = explain(&house, ask("POST", "/devices/7")).await;
    assert_eq!(
        (&refused["decision"], &refused["code"]),
        (&json!("refuse"), &json!("not_granted")),
        "{refused}"
    );
    assert_eq!(refused["area"], "devices");
    let nowhere = explain(&house, ask("GET", "/cellar")).await;
    assert_eq!(nowhere["code"], "no_area", "{nowhere}");
}

#[tokio::test]
async fn what_never_gets_as_far_as_the_rules_is_explained_too() {
    let house = House::open().await;
    house.account("bob", "viewer").await;
    let ask = |url: &str| json!({"as": "bob", "from": "198.51.100.7", "method": "GET", "url": url});
    let unknown = explain(&house, ask("http://other.example/devices/7")).await;
    assert_eq!(
        (&unknown["decision"], &unknown["code"]),
        (&json!("refuse"), &json!("unknown_host"))
    );
    let twisted = explain(&house, ask("http://console.example/devices/../settings")).await;
    assert_eq!(
        (&twisted["decision"], &twisted["steps"][0]["check"]),
        (&json!("refuse"), &json!("target"))
    );
    let alone = explain(&house, ask("/devices/7")).await;
    assert_eq!(alone["decision"], "allow", "{alone}");
    let nobody = json!({"from": "198.51.100.7", "method": "GET", "url": "/devices/7"});
    assert_eq!(explain(&house, nobody).await["code"], "sign_in_required");
}

#[tokio::test]
async fn what_a_site_lets_pass_is_explained_as_it_is_judged() {
    let house = House::open().await;
    house.account("bob", "viewer").await;
    let ask = |url: &str| json!({"as": "bob", "from": "198.51.100.7", "method": "GET", "url": url});
    let refused = explain(&house, ask("/devices/a%2Fb")).await;
    assert_eq!(refused["code"], "encoded_slash", "{refused}");
    let detail = refused["steps"][0]["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("a site lets it pass that has `encoded-slash` in its `allow`"),
        "{detail}"
    );

    let many = explain(&house, ask("/devices/a%2Fb%5Cc%3Bd%3Fe%23")).await;
    assert_eq!(
        many["code"], "encoded_slash",
        "nothing is read twice where nothing is allowed: {many}"
    );
    let escapes = "encoded-slash encoded-backslash encoded-semicolon encoded-question-mark encoded-hash";
    let escapes: Vec<_> = escapes.split(' ').map(|name| format!("{name:?}")).collect();
    let widest = format!("[site.console]\nallow = [{}]\n{POLICY}", escapes.join(", "));
    assert_eq!(put(&house, &widest, &tag(&house).await).await.status, 200);
    let many = explain(&house, ask("/devices/a%2Fb%5Cc%3Bd%3Fe%23")).await;
    assert_eq!(many["code"], "too_many_readings", "{many}");
    let detail = many["steps"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("in more than 16 ways"), "{detail}");

    let lenient = format!("[site.console]\nallow = [\"encoded-slash\"]\npreflight = \"forward\"\n{POLICY}");
    assert_eq!(put(&house, &lenient, &tag(&house).await).await.status, 200);
    let allowed = explain(&house, ask("/devices/a%2Fb")).await;
    assert_eq!(allowed["decision"], "allow", "{allowed}");
    let steps = allowed["steps"].as_array().unwrap();
    let reading = steps.iter().find(|step| step["check"] == "reading").unwrap();
    assert!(
        reading["detail"].as_str().unwrap().contains("`/devices/a/b`"),
        "{reading}"
    );
    let hidden = explain(&house, ask("/settings%2Fx")).await;
    assert_eq!(hidden["decision"], "refuse", "{hidden}");
    let preflight = json!({"from": "198.51.100.7", "method": "OPTIONS", "url": "/devices/7"});
    let preflight = explain(&house, preflight).await;
    assert_eq!(preflight["decision"], "allow", "{preflight}");
    assert_eq!(
        preflight["steps"].as_array().unwrap().last().unwrap()["check"],
        "preflight"
    );
}

#[tokio::test]
async fn who_is_switched_off_is_judged_as_nobody() {
    let house = House::open().await;
    house.account("bob", "viewer").await;
    house.patch("/v1/accounts/bob", json!({"disabled": true})).await;
    let question = json!({"as": "bob", "from": "198.51.100.7", "method": "GET", "url": "/devices/7"});
    let told = explain(&house, question).await;
    assert_eq!(
        (&told["decision"], &told["code"]),
        (&json!("refuse"), &json!("sign_in_required"))
    );
    assert_eq!(
        (&told["steps"][0]["check"], &told["steps"][0]["passed"]),
        (&json!("account"), &json!(false))
    );
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_answered_field_by_field() {
    let house = House::open().await;
    let wrong = json!({"from": "somewhere", "method": "G T", "url": "console.example"});
    let answer = house.post("/v1/policy/explain", wrong).await;
    answer.expect_problem(422, "unfit");
    assert_eq!(answer.fields(), ["from", "method", "url"]);
    for (question, field) in [
        (
            json!({"as": "nobody", "from": "192.0.2.1", "method": "GET", "url": "/"}),
            "as",
        ),
        (
            json!({"from": "192.0.2.1", "method": "GET", "url": "/", "channel": "pigeon"}),
            "channel",
        ),
    ] {
        let answer = house.post("/v1/policy/explain", question).await;
        answer.expect_problem(422, "unfit");
        assert_eq!(answer.fields(), [field]);
    }
}
