//! What is ended in the new process is over in the former one too.

use http::Method;

use super::load::Kept;
use super::*;
use stagedoor_tests::{ENDED_WITHIN, Way};

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_in_the_new_process_ends_requests_and_websockets_of_the_former_one() {
    let stage = Stage::open("10m").await;
    let mut all = Vec::new();
    for name in ["ada", "bob", "cy", "dan"] {
        let visitor = stage.signed_in(name).await;
        let mut socket = visitor.websocket("/socket").await.expect("a WebSocket opens");
        echoes(&mut socket, "before").await;
        let kept = Kept::open(&stage.ways, Way::Http1, &visitor)
            .await
            .expect("somebody listens");
        all.push((name, visitor, socket, kept));
    }
    let first = first_process(stage.door());
    upgrade(stage.door(), first).await;
    let admin = stage.door().admin();
    for (name, visitor, mut socket, mut kept) in all {
        let account = format!("/v1/accounts/{name}");
        // Made before: signing out takes the cookie out of the jar.
        let request = super::load::request(Way::Http1, &visitor, "/page");
        match name {
            "ada" => drop(visitor.sign_out().await),
            "bob" => drop(admin.ask(Method::DELETE, &account, None).await),
            "cy" => drop(
                admin
                    .change_account(name, serde_json::json!({ "role": "nobody" }))
                    .await,
            ),
            _ => {
                let id = admin.sessions(name).await[0]["id"].clone();
                let id = id.as_str().expect("an id").to_owned();
                admin
                    .ask(Method::DELETE, &format!("/v1/sessions/{id}"), None)
                    .await
                    .expect(204);
            }
        }
        // The very next request there.
        let answer = kept.ask(request).await.expect("an answer").expect("an open connection");
        assert!([303, 401, 403].contains(&answer.0), "{name}: {answer:?}");
        let closed = tokio::time::timeout(ENDED_WITHIN, close_code(&mut socket)).await;
        assert_eq!(closed.expect("it is closed in time"), Some(1008), "{name}");
    }
    assert!(is_there(first), "it drains for longer than all this takes");
    send(Signal::TERM, first);
    until_gone(first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_put_in_force_after_the_hand_over_holds_in_both_processes() {
    let stage = Stage::open("10m").await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    echoes(&mut socket, "before").await;
    let first = first_process(stage.door());
    upgrade(stage.door(), first).await;
    let narrower = POLICY.replace("[role.keeper]\nmay = { \"*\" = \"all\" }", "[role.keeper]\nmay = {}");
    std::fs::write(stage.door().policy_file(), narrower).expect("a write");
    assert_eq!(close_code(&mut socket).await, Some(1008));
    assert!(is_there(first));
    eventually("the new process goes by it, too", PATIENCE, async || {
        (status(&ada).await == 403).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_in_use_at_one_process_is_idle_at_neither() {
    let idle = format!("{POLICY}idle = \"8s\"\n");
    let stage = Stage::with("10m", |plan| plan.policy(&idle)).await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    let first = first_process(stage.door());
    let handed_over = async {
        upgrade(stage.door(), first).await;
        // For longer than the limit, which goes by the clock of the machine.
        tokio::time::sleep(Duration::from_secs(11)).await;
    };
    // At work at the former process alone.
    let at_work = async {
        loop {
            echoes(&mut socket, "at work").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = handed_over => {}
        () = at_work => {}
    }
    assert_eq!(status(&ada).await, 200, "it was in use all the time");
}
