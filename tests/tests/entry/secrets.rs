//! Secrets end up in the wrong field, in addresses and in broken bodies. None of them is to be found again.

use http::{Method, Request};
use serde_json::{Value, json};
use stagedoor_tests::{PASSWORD, Visitor, body_of, soon, totp};

use crate::stage::{Stage, sign_in, step};

/// What every made-up secret begins with.
const CANARY: &str = "Kanarienvogel";
/// The path by which the access log is known to have come to the end of the story.
const LAST: &str = "/public/the-end-of-the-story";

fn canary(number: usize) -> String {
    format!("{CANARY}-{number}-sings")
}

/// Requests with a secret where none belongs, as a visitor sends them.
async fn misplace(visitor: &Visitor) {
    for (number, path) in [
        "/.stagedoor/login?username=bob&password=",
        "/.stagedoor/login?to=/app/page%3Fpassword%3D",
        "/.stagedoor/setup?token=",
        "/.stagedoor/whoami?token=",
        "/.stagedoor/nothing?token=",
        "/public/page?token=",
        "/app/page?token=",
        "/admin/page?token=",
        "/public/%zz?token=",
        "/public//page?token=",
    ]
    .into_iter()
    .enumerate()
    {
        visitor.get(&format!("{path}{}", canary(number))).await;
    }
    for (number, (kind, body)) in [
        (
            "application/json",
            format!("{{\"username\":\"bob\",\"password\":\"{}", canary(20)),
        ),
        (
            "application/json",
            format!("{{\"username\":\"bob\",\"pasword\":\"{}\"}}", canary(21)),
        ),
        (
            "application/json",
            format!("{{\"username\":[\"{}\"],\"password\":1}}", canary(22)),
        ),
        ("text/plain", format!("password={}", canary(23))),
        (
            "application/x-www-form-urlencoded",
            format!("csrf=x&username=bob&password={}", canary(24)),
        ),
        (
            "application/x-www-form-urlencoded",
            format!("password={}&password=x&%zz", canary(25)),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let request = Request::post("/.stagedoor/login").header("content-type", kind);
        let request = request
            .header("authorization", format!("Bearer {}", canary(30 + number)))
            .header("x-api-key", canary(40 + number))
            .header(
                "referer",
                format!("http://console.localhost/x?token={}", canary(50 + number)),
            )
            .header("user-agent", "a browser");
        visitor.send(request.body(body_of(body)).expect("a request")).await;
    }
}

/// The same at the admin API.
async fn misplace_at_the_admin_api(stage: &Stage) {
    let at = stage.ways.door.admin_address();
    let stranger = Visitor::new(at, at.to_string());
    let request = Request::get("/v1/accounts").header("authorization", format!("Bearer {}", canary(60)));
    stranger
        .send(request.body(body_of("")).expect("a request"))
        .await
        .expect(401);
    stranger
        .get(&format!("/v1/accounts?token={}", canary(61)))
        .await
        .expect(401);
    for (number, body) in [
        json!({ "name": "carl", "role": "user", "pasword": canary(62) }),
        json!({ "name": "carl", "role": "user", "password": [canary(63)] }),
        json!({ "name": "carl", "role": "user", "password": canary(64), "email": 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = stage.admin.ask(Method::POST, "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 422, "{number}: {}", answer.text());
    }
}

/// A whole life of an account: every secret that the door itself hands out or is handed.
async fn live(stage: &Stage) -> Vec<String> {
    let mut secrets = vec![PASSWORD.to_owned(), stage.admin.token().to_owned()];
    let visitor = stage.visitor("127.0.0.1");
    // The password, typed as the name.
    sign_in(&visitor, PASSWORD, "bob").await;
    sign_in(&visitor, &canary(70), "x").await;
    sign_in(&visitor, "bob", &canary(71)).await;
    let secret = stage.enrolled("carol").await;
    let answer = sign_in(&visitor, "carol", PASSWORD).await;
    let ticket = answer.json()["ticket"].as_str().expect("a ticket").to_owned();
    let code = totp(&secret, 1);
    step(&visitor, "/second-factor", json!({ "ticket": ticket, "code": code }))
        .await
        .expect(200);
    secrets.extend([secret, ticket]);
    secrets.extend(visitor.cookie("stagedoor"));
    let made = stage.admin.add(json!({ "name": "dora", "role": "user" })).await;
    secrets.push(text(&made["temporary_password"]));
    let token = json!({ "name": "ci", "scopes": ["audit:read"] });
    let token = stage
        .admin
        .ask(Method::POST, "/v1/tokens", Some(token))
        .await
        .expect(201);
    secrets.push(text(&token.json()["token"]));
    secrets
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_the_audit_or_the_metrics_however_it_was_typed() {
    let logging = "[log]\nlevel = \"trace\"\naccess = \"access.log\"\n";
    let stage = Stage::with("[second_factor]\nask = \"required\"\n", |plan| plan.building(logging)).await;
    let mut secrets = live(&stage).await;
    secrets.push(CANARY.to_owned());
    misplace(&stage.visitor("127.0.0.1")).await;
    misplace(&stage.visitor("127.0.0.1").always("accept", "text/html")).await;
    misplace_at_the_admin_api(&stage).await;
    stage.visitor("127.0.0.1").get(LAST).await.expect(200);

    let folder = stage.ways.door.folder().to_owned();
    let access = soon("the access log has the last request", async || {
        let lines = std::fs::read_to_string(folder.join("access.log")).ok()?;
        lines.contains(LAST).then_some(lines)
    })
    .await;
    let audit = soon("the audit has the refusals", async || {
        let all = stage.admin.get("/v1/audit?limit=1000").await.expect(200).text();
        all.contains("empty_segment").then_some(all)
    })
    .await;
    let metrics = stage.admin.get("/metrics").await.expect(200).text();
    let log = stage.ways.door.log();
    assert!(
        log.contains("make the first account here"),
        "this is not the door's log:\n{log}"
    );
    for (place, text) in [
        ("the log", log),
        ("the access log", access),
        ("the audit", audit),
        ("the metrics", metrics),
    ] {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "`{secret}` is in {place}:\n{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_address_signs_nobody_in() {
    let stage = Stage::open("").await;
    let visitor = stage.visitor("127.0.0.1").always("accept", "text/html");
    for query in [
        "username=bob&password=",
        "name=bob&username=bob&channel=browser&password=",
    ] {
        let path = format!("/.stagedoor/login?{query}{}", PASSWORD.replace(' ', "%20"));
        let page = visitor.get(&path).await.expect(200).text();
        assert!(!page.contains(PASSWORD) && !page.contains("value=\"bob\""), "{page}");
        assert_eq!(visitor.cookie("stagedoor"), None);
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let request = Request::builder().method(method).uri(&path);
            visitor
                .send(request.body(body_of("")).expect("a request"))
                .await
                .expect(405);
        }
    }
}
