//! Around the handlers: hosts, origins, methods, bodies, panics, probes.

use http::Method;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn a_rebound_name_gets_nothing_not_even_metrics() {
    let house = House::open().await;
    for path in ["/v1/accounts", "/metrics", "/livez", "/nowhere"] {
        let rebound = house
            .call(Method::GET, path)
            .header("host", "rebound.example.com:9080")
            .send()
            .await;
        rebound.expect_problem(403, "host_not_allowed");
        house
            .call(Method::GET, path)
            .without("host")
            .send()
            .await
            .expect_problem(400, "malformed");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing_and_no_leave_to_ask() {
    let house = House::open().await;
    let foreign = |method: Method| {
        house
            .call(method, "/v1/accounts")
            .header("origin", "https://evil.example")
    };
    foreign(Method::GET).send().await.expect_problem(403, "foreign_origin");
    let text = foreign(Method::POST)
        .body("text/plain", "{\"name\":\"eve\"}")
        .send()
        .await;
    text.expect_problem(403, "foreign_origin");
    let preflight = foreign(Method::OPTIONS)
        .header("access-control-request-method", "POST")
        .send()
        .await;
    preflight.expect_problem(403, "foreign_origin");
    let own = house
        .call(Method::GET, "/v1/accounts")
        .header("origin", "http://localhost:9080")
        .send()
        .await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn a_path_or_method_that_is_not_there_is_a_problem_like_any_other() {
    let house = House::open().await;
    house.get("/").await.expect_problem(404, "not_found");
    house.get("/v1/cellar").await.expect_problem(404, "not_found");
    let put = house.call(Method::PUT, "/v1/accounts").send().await;
    put.expect_problem(405, "method_not_allowed");
    assert!(put.header("allow").contains("POST"), "{put:?}");
    let blind = house
        .call(Method::GET, "/v1/cellar")
        .without("authorization")
        .send()
        .await;
    blind.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_body_of_the_wrong_type_or_size_or_syntax_is_refused() {
    let house = House::open().await;
    let post = || house.call(Method::POST, "/v1/accounts");
    post()
        .body("text/plain", "{\"name\":\"ada\"}")
        .send()
        .await
        .expect_problem(415, "content_type");
    post().send().await.expect_problem(415, "content_type");
    post()
        .body("application/json", "{\"name\":")
        .send()
        .await
        .expect_problem(400, "malformed");
    let long = format!("{{\"name\":\"{}\"}}", "a".repeat(1024 * 1024));
    post()
        .body("application/json", long)
        .send()
        .await
        .expect_problem(413, "body_too_large");
    let deep = "[".repeat(100_000);
    let deep = post()
        .body("application/json", format!("{{\"networks\":{deep}"))
        .send()
        .await;
    assert!([400, 422].contains(&deep.status.as_u16()), "{deep:?}");
    let policy = "#".repeat(16 * 1024 * 1024 + 1);
    let check = house
        .call(Method::POST, "/v1/policy/check")
        .body("text/plain", policy)
        .send()
        .await;
    check.expect_problem(413, "body_too_large");
}

#[tokio::test]
async fn a_handler_that_panics_answers_with_a_problem_and_the_next_call_is_served() {
    let house = House::with_metrics(|| panic!("the meter broke")).await;
    let broken = house.get("/metrics").await;
    broken.expect_problem(500, "internal");
    assert!(!broken.text.contains("meter"));
    assert!(!broken.header("x-request-id").is_empty());
    assert_eq!(house.get("/livez").await.status, 200);
}

#[tokio::test]
async fn probes_and_metrics_need_no_token() {
    let house = House::open().await;
    let open = async |path: &str| house.call(Method::GET, path).without("authorization").send().await;
    assert_eq!(open("/livez").await.status, 200);
    let ready = open("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.body["ready"]), (200, &json!(true)));
    let metrics = open("/metrics").await;
    assert_eq!(
        metrics.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert_eq!(metrics.text, "stagedoor_sessions_live 0\n");
}

#[tokio::test]
async fn a_probe_may_ask_by_head_and_gets_the_same_answer_without_its_body() {
    let house = House::open().await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let asked = house.call(Method::GET, path).without("authorization").send().await;
        let probed = house.call(Method::HEAD, path).without("authorization").send().await;
        assert_eq!((probed.status, probed.text.as_str()), (asked.status, ""), "{path}");
        assert_eq!(probed.header("content-type"), asked.header("content-type"), "{path}");
        assert_eq!(probed.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn what_came_through_a_door_gets_nothing() {
    let house = House::open().await;
    for path in ["/v1/accounts", "/metrics", "/livez"] {
        let call = house.call(Method::GET, path).header("x-stagedoor-door", "1");
        call.send().await.expect_problem(508, "through_a_door");
    }
}

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let house = House::open().await;
    let reader = house.token("reader", &["audit:read"]).await;
    let served = house.call(Method::GET, "/v1/openapi.json").token(&reader).send().await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.text, stagedoor_admin_api::openapi());
    let document: Value = served.body;
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[tokio::test]
async fn a_callers_own_request_id_is_not_taken_over() {
    let house = House::open().await;
    let answer = house
        .call(Method::GET, "/livez")
        .header("x-request-id", "mine")
        .send()
        .await;
    assert_ne!(answer.header("x-request-id"), "mine");
}
