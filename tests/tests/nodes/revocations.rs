//! Whatever ends a session at one door ends it at the other, and what it has open there.

use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// What ends a session, by name.
const ENDINGS: [&str; 7] = [
    "sign-out",
    "disabling",
    "role change",
    "password reset",
    "session end by the administrator",
    "removal",
    "displacement",
];

/// Made at the first door.
async fn make_it_end(why: &str, name: &str, stage: &Stage, visitor: &Visitor) {
    let admin = stage.one.admin();
    let account = format!("/v1/accounts/{name}");
    let answer = match why {
        "sign-out" => visitor.sign_out().await,
        "disabling" => admin.change_account(name, json!({ "disabled": true })).await,
        "role change" => admin.change_account(name, json!({ "role": "nobody" })).await,
        "password reset" => {
            let new = json!({ "password": "another nine quiet herons" });
            admin.ask(Method::POST, &format!("{account}/password"), Some(new)).await
        }
        "session end by the administrator" => {
            let id = admin.sessions(name).await[0]["id"].clone();
            let id = id.as_str().expect("an id").to_owned();
            admin.ask(Method::DELETE, &format!("/v1/sessions/{id}"), None).await
        }
        "removal" => admin.ask(Method::DELETE, &account, None).await,
        _ => {
            stage.one.signed_in_patiently("console", name).await;
            return;
        }
    };
    assert!(
        answer.status.is_success() || answer.status == 303,
        "{why}: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_session_at_one_door_ends_it_at_the_other_with_its_websocket() {
    let stage = Stage::open().await;
    for (number, why) in ENDINGS.into_iter().enumerate() {
        let name = format!("ada{number}");
        stage.add(&name).await;
        // Signed in at one door, at work at the other: no request waits for the news to arrive.
        let visitor = stage.one.signed_in_patiently("console", &name).await;
        let there = stage.two.visited_by(&visitor);
        ask(&there).await.expect(200);
        let mut socket = there.websocket("/socket").await.expect("a WebSocket opens");
        let kept = stage.one.visited_by(&visitor);

        make_it_end(why, &name, &stage, &visitor).await;
        let acknowledged = Instant::now();
        for door in [&there, &kept] {
            let answer = ask(door).await;
            assert!([401, 403].contains(&answer.status.as_u16()), "{why}: {}", answer.text());
        }
        let until_closed = async { while let Some(Ok(_)) = socket.next().await {} };
        let closed = tokio::time::timeout(ENDED_WITHIN, until_closed).await;
        assert!(closed.is_ok(), "{why}: the WebSocket at the other door is still open");
        println!(
            "{why}: the other door's WebSocket ended after {:?}",
            acknowledged.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_starts_later_knows_who_is_signed_in_and_who_no_longer_is() {
    let mut stage = Stage::open().await;
    stage.add("ada").await;
    stage.add("bob").await;
    let (ada, bob) = (
        stage.one.signed_in_patiently("console", "ada").await,
        stage.two.signed_in_patiently("console", "bob").await,
    );
    stage.two.kill();
    let gone = stage.one.visited_by(&bob);
    stage.one.visited_by(&bob).sign_out().await;
    stage.two.start().await;
    ask(&stage.two.visited_by(&ada)).await.expect(200);
    let refused = ask(&stage.two.visited_by(&gone)).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_stood_still_passes_no_message_of_somebody_who_was_kicked_meanwhile() {
    const ROUNDS: usize = 8;
    let mut stage = Stage::open().await;
    stage.add("ada").await;
    for round in 0..ROUNDS {
        let visitor = stage.one.signed_in_patiently("console", "ada").await;
        let mut socket = stage
            .two
            .visited_by(&visitor)
            .websocket("/socket")
            .await
            .expect("a WebSocket opens");
        socket.send(Message::text("before")).await.expect("sent");
        assert!(
            socket
                .next()
                .await
                .is_some_and(|said| said.is_ok_and(|said| said.is_text()))
        );
        stage.two.process().signal(Signal::STOP);
        let kick = stage
            .one
            .admin()
            .ask(Method::DELETE, "/v1/sessions?account=ada", None)
            .await;
        assert_eq!(kick.status, 200, "{}", kick.text());
        // It lies in the door's own machine until the door goes on.
        socket.send(Message::text("after")).await.expect("sent");
        stage.two.process().signal(Signal::CONT);
        let mut said_back = 0;
        let until_closed = async {
            while let Some(Ok(said)) = socket.next().await {
                said_back += usize::from(said.is_text());
            }
        };
        let closed = tokio::time::timeout(ENDED_WITHIN, until_closed).await;
        assert!(closed.is_ok(), "round {round}: the WebSocket outlives the session");
        assert_eq!(said_back, 0, "round {round}: a message passed");
    }
}
