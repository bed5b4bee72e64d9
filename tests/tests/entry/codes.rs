//! The second factor: a code is near in time, is good once, and opens nothing for whom something came between.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::{PASSWORD, Reply, totp, unix_seconds};

use crate::stage::{Stage, sign_in, step, told};

const REQUIRED: &str = "[second_factor]\nask = \"required\"\n\n[session]\nper_account = 0\n\n[lockout]\n\
                        failures = 100\nfailures_from_anywhere = 100\n";
const AT_ONCE: usize = 20;

fn with_code(name: &str, code: &str) -> Value {
    json!({ "username": name, "password": PASSWORD, "code": code })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_uses_of_one_code_at_once_one_opens() {
    let stage = Stage::open(REQUIRED).await;
    let secret = stage.enrolled("carol").await;
    let code = totp(&secret, 1);
    let visitors: Vec<_> = (1..=AT_ONCE)
        .map(|number| stage.visitor(&format!("127.0.1.{number}")))
        .collect();
    let answers = join_all(
        visitors
            .iter()
            .map(|visitor| step(visitor, "", with_code("carol", &code))),
    )
    .await;
    let opened = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((answers.len(), opened), (AT_ONCE, 1));
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        told(answer, 401, "invalid_code");
    }
    // And of one code at the second step, with tickets of its own for each.
    let tickets = join_all(visitors.iter().map(|visitor| sign_in(visitor, "carol", PASSWORD))).await;
    let at_second_step = visitors.iter().zip(&tickets).map(|(visitor, answer)| {
        let guess = json!({ "ticket": answer.json()["ticket"], "code": code });
        step(visitor, "/second-factor", guess)
    });
    for answer in join_all(at_second_step).await {
        told(&answer, 401, "invalid_code");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_time_opens_nothing() {
    let stage = Stage::open(REQUIRED).await;
    let secret = stage.enrolled("carol").await;
    let visitor = stage.visitor("127.0.0.1");
    // Half an hour, a quarter of an hour, and what a clock that is off by more than a step would show.
    for away in [-60, -30, -4, -3, 4, 5, 30, 60] {
        let answer = step(&visitor, "", with_code("carol", &totp(&secret, away))).await;
        told(&answer, 401, "invalid_code");
    }
    // Two steps ahead is too far, unless the next half minute began while the door looked.
    let began = unix_seconds() / 30;
    let answer = step(&visitor, "", with_code("carol", &totp(&secret, 2))).await;
    if unix_seconds() / 30 == began {
        told(&answer, 401, "invalid_code");
    }
    for wrong in ["", "1", "12345", "1234567", "abcdef", "-00001", "٠١٢٣٤٥", "000000\0"] {
        let answer = step(&visitor, "", with_code("carol", wrong)).await;
        assert_eq!(answer.status, 401, "{wrong:?}: {}", answer.text());
        assert_eq!(visitor.cookie("stagedoor"), None, "{wrong:?}");
    }
}

/// What an administrator may do between two steps of a sign-in.
const BETWEEN: [&str; 7] = [
    "nothing",
    "disabling",
    "a lock",
    "other networks",
    "another password",
    "no second factor any more",
    "removal",
];

async fn come_between(stage: &Stage, what: &str, name: &str) {
    let account = format!("/v1/accounts/{name}");
    let change = async |change: Value| drop(stage.admin.change_account(name, change).await.expect(200));
    let done = async |method: Method, path: String, body: Option<Value>| {
        let answer = stage.admin.ask(method, &path, body).await;
        assert!(answer.status.is_success(), "{what}: {}", answer.text());
    };
    match what {
        "nothing" => {}
        "disabling" => change(json!({ "disabled": true })).await,
        "a lock" => {
            // What is only begun counts as well, until it is finished.
            let visitor = stage.visitor("127.0.0.1");
            let mut guesses = 0;
            while sign_in(&visitor, name, "wrong as can be").await.json()["error"] != "locked" {
                guesses += 1;
                assert!(guesses <= 3, "{guesses} guesses and no lock");
            }
        }
        "other networks" => change(json!({ "networks": ["10.0.0.0/8"] })).await,
        "another password" => {
            let new = json!({ "password": "another nine quiet herons" });
            done(Method::POST, format!("{account}/password"), Some(new)).await;
        }
        "no second factor any more" => done(Method::DELETE, format!("{account}/second-factor"), None).await,
        _ => done(Method::DELETE, account, None).await,
    }
}

async fn finish(stage: &Stage, what: &str, name: &str) -> Reply {
    let secret = stage.enrolled(name).await;
    let visitor = stage.visitor("127.0.0.1");
    let ticket = sign_in(&visitor, name, PASSWORD).await.json()["ticket"].clone();
    assert!(ticket.is_string(), "{what}");
    come_between(stage, what, name).await;
    let last = json!({ "ticket": ticket, "code": totp(&secret, 1) });
    let answer = step(&visitor, "/second-factor", last).await;
    let welcome = visitor.get("/app/page").await.status == 200;
    assert_eq!(welcome, answer.status == 200, "{what}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_was_begun_before_something_changed_is_not_finished_after() {
    let rules = REQUIRED.replace("failures = 100\n", "failures = 3\n");
    let stage = Stage::open(&rules).await;
    for (number, what) in BETWEEN.into_iter().enumerate() {
        let answer = finish(&stage, what, &format!("carol{number}")).await;
        let expected = if what == "nothing" { 200 } else { 401 };
        assert_eq!(answer.status, expected, "{what}: {}", answer.text());
    }
}
