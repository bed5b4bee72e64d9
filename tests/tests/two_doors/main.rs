//! `examples/two-doors`: two doors on a Redis with replicas and Sentinels, behind a balancer, from the very files that readers
//! start from. Whatever fails, visitors notice no more of it than the operator's guide says.

mod load;
mod stage;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use rustix::process::Signal;
use serde_json::json;
use stagedoor_tests::{PASSWORD, Visitor, eventually};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use load::Load;
use stage::{NAME, Stage};

const HERE: &str = "127.0.0.7";
/// For what comes by itself.
const PATIENCE: Duration = Duration::from_secs(90);
/// Visitors at once.
const VISITORS: usize = 4;
/// So many answers of a load are enough to say that all goes well.
const ENOUGH: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_once_is_served_by_both_doors_with_the_address_that_is_true() {
    let mut stage = Stage::up_with_a_long_lease().await;
    let grace = stage.signed_in(HERE).await;
    // Signed in at one of them; where the next request goes is the balancer's choice.
    eventually("each door has its share", PATIENCE, async || {
        let told = grace.get("/.stagedoor/whoami").await.expect(200).json();
        assert_eq!((&told["account"], &told["address"]), (&json!(NAME), &json!(HERE)));
        assert_eq!(told["scheme"], "https");
        let (one, two) = (stage.answered_by("door-1").await, stage.answered_by("door-2").await);
        (one.min(two) >= 2.0).then_some(())
    })
    .await;
    // What a visitor says of their address counts for nothing.
    let liar = stage.visitor(HERE).always("x-forwarded-for", "192.0.2.1");
    assert_eq!(liar.get("/.stagedoor/whoami").await.expect(200).json()["address"], HERE);

    // Rules about addresses are about the visitors' own, at both doors.
    let policy = stage.text("policy.toml").replace("127.0.0.0/8", HERE);
    std::fs::write(stage.path("policy.toml"), policy).expect("the policy can be written");
    let neighbour = stage.visitor("127.0.0.8");
    eventually("both doors go by the new rule", PATIENCE, async || {
        let (one, two) = (neighbour.get("/").await, neighbour.get("/").await);
        (one.status == 403 && two.status == 403).then_some(())
    })
    .await;
    for _request in 0..4 {
        grace.get("/").await.expect(200);
    }

    // All of it ends by process id, and what was stored is there when it is started again.
    let processes = stage.processes();
    assert_eq!(processes.len(), 9, "console aside: {processes:?}");
    stage.run(&["down"]);
    for process in processes {
        assert!(!is_alive(process), "process {process} was left behind");
    }
    stage.run(&["up"]);
    grace.get("/").await.expect(200);
}

fn is_alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_at_one_door_ends_it_at_both_with_its_websockets() {
    let stage = Stage::up_with_a_long_lease().await;
    stage.admin("door-1").add_account("bob", "administrator").await;
    for (door, other) in [("door-1", "door-2"), ("door-2", "door-1")] {
        let bob = stage.visitor_by(HERE, &["http/1.1"]);
        bob.sign_in("bob", PASSWORD).await.expect(200);
        let mut sockets = Vec::new();
        eventually("each door has a WebSocket", PATIENCE, async || {
            sockets.push(socket_of(&bob).await);
            let open = [door, other].map(|door| stage.metric(door, "stagedoor_websockets_open"));
            join_all(open).await.into_iter().all(|open| open > 0.0).then_some(())
        })
        .await;
        let disabled = json!({ "disabled": true });
        stage.admin(door).change_account("bob", disabled).await.expect(200);
        for _request in 0..4 {
            let refused = bob.get("/").await;
            assert!([401, 403].contains(&refused.status.as_u16()), "{}", refused.text());
        }
        for socket in &mut sockets {
            let closed = async { while let Some(Ok(_)) = socket.next().await {} };
            let closed = tokio::time::timeout(PATIENCE, closed).await;
            assert!(closed.is_ok(), "a WebSocket outlives the session");
        }
        let enabled = json!({ "disabled": false });
        stage.admin(other).change_account("bob", enabled).await.expect(200);
    }
}

/// A WebSocket that answers.
async fn socket_of(visitor: &Visitor) -> WebSocketStream<TlsStream<TcpStream>> {
    let mut request = "wss://console.localhost/socket"
        .into_client_request()
        .expect("a request");
    let cookie = visitor.cookie_header().expect("a session").parse().expect("a cookie");
    request.headers_mut().insert("cookie", cookie);
    let stream = visitor.connect_tls().await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .expect("a WebSocket");
    socket.send(Message::text("hello")).await.expect("it is open");
    let said = socket.next().await.expect("an answer").expect("it is open");
    assert_eq!(said.to_text().expect("text"), "hello");
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_is_stopped_costs_no_request_and_one_that_is_killed_at_most_those_in_flight() {
    let mut stage = Stage::up_with_a_long_lease().await;
    let grace = stage.signed_in(HERE).await;

    let load = Load::begin(&grace, VISITORS);
    load.wait_for(ENOUGH).await;
    stage.run(&["stop", "door-1"]);
    load.wait_for(ENOUGH).await;
    stage.run(&["start", "door-1"]);
    let before = stage.answered_by("door-1").await;
    load.wait_for(ENOUGH).await;
    assert!(stage.answered_by("door-1").await > before, "it is in use again");
    let answers = load.end().await;
    assert!(answers.iter().all(|answer| *answer == "200"), "{answers:?}");
    println!("stopped and started: {} requests, none failed", answers.len());

    // Told to end without a word to the balancer, it lets nobody in any more: what may be sent again goes to the other one.
    let load = Load::of(&grace, VISITORS, [Method::GET, Method::HEAD]);
    load.wait_for(ENOUGH).await;
    stage.signal("door-1", Signal::TERM);
    load.wait_for(ENOUGH).await;
    let answers = load.end().await;
    assert!(answers.iter().all(|answer| *answer == "200"), "{answers:?}");
    stage.run(&["start", "door-1"]);

    let load = Load::begin(&grace, VISITORS);
    load.wait_for(ENOUGH).await;
    stage.signal("door-2", Signal::KILL);
    load.wait_for(ENOUGH).await;
    let answers = load.end().await;
    let failed: Vec<_> = answers.iter().filter(|answer| **answer != "200").collect();
    assert!(failed.len() <= VISITORS, "{failed:?}");
    println!("killed: {} of {} failed: {failed:?}", failed.len(), answers.len());
    grace.get("/").await.expect(200);

    stage.run(&["start", "door-2"]);
    eventually("the door that came back serves", PATIENCE, async || {
        grace.get("/").await.expect(200);
        (stage.answered_by("door-2").await > 0.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_costs_moments_and_neither_a_session_nor_a_revocation() {
    let mut stage = Stage::up().await;
    stage.admin("door-1").add_account("bob", "administrator").await;
    let grace = stage.signed_in(HERE).await;
    for killed in [false, true] {
        let bob = stage.visitor(HERE);
        eventually("bob signs in", PATIENCE, async || {
            (bob.sign_in("bob", PASSWORD).await.status == 200).then_some(())
        })
        .await;
        let ended = stage.visitor(HERE).with_session_of(&bob);
        // Acknowledged: the very next thing that happens may be the end of the primary.
        bob.sign_out().await.expect(200);
        let former = stage.primary();
        let (served, refused) = (Load::begin(&grace, VISITORS), Load::begin(&ended, 1));
        served.wait_for(ENOUGH).await;
        if killed {
            stage.signal(former, Signal::KILL);
        } else {
            stage.run(&["failover"]);
        }
        eventually("another one is the primary", PATIENCE, async || {
            (stage.primary() != former).then_some(())
        })
        .await;
        eventually("the doors serve again", PATIENCE, async || {
            (grace.get("/").await.status == 200 && grace.get("/").await.status == 200).then_some(())
        })
        .await;
        served.wait_for(ENOUGH).await;
        refused.wait_for(ENOUGH).await;
        let (served, refused) = (served.end().await, refused.end().await);
        assert_served_or_told_to_come_again(&served);
        assert!(!refused.iter().any(|answer| answer == "200"), "{refused:?}");
        let late = served.iter().filter(|answer| *answer != "200").count();
        println!("killed: {killed}; {late} of {} were answered 503", served.len());
        assert!(stage.admin("door-2").sessions("bob").await.is_empty());
        // Nobody was forgotten, and changes are made again.
        eventually("bob signs in again", PATIENCE, async || {
            (stage.visitor(HERE).sign_in("bob", PASSWORD).await.status == 200).then_some(())
        })
        .await;
        if killed {
            stage.run(&["start", former]);
            assert_ne!(stage.primary(), former, "it follows whoever is the primary now");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_every_redis_is_stuck_visitors_are_told_when_to_come_again_and_then_all_goes_on() {
    let stage = Stage::up().await;
    let grace = stage.signed_in(HERE).await;
    let load = Load::begin(&grace, VISITORS);
    load.wait_for(ENOUGH).await;
    for redis in ["redis-1", "redis-2", "redis-3"] {
        stage.signal(redis, Signal::STOP);
    }
    eventually("the balancer finds no door ready", PATIENCE, async || {
        (stage.ready_doors() == 0).then_some(())
    })
    .await;
    let since_then = Load::begin(&grace, VISITORS);
    since_then.wait_for(ENOUGH).await;
    for answer in since_then.end().await {
        assert_eq!(answer, "503, again in 1 s", "a door itself says so, not the balancer");
    }
    for redis in ["redis-1", "redis-2", "redis-3"] {
        stage.signal(redis, Signal::CONT);
    }
    eventually("the balancer finds both ready", PATIENCE, async || {
        (stage.ready_doors() == 2).then_some(())
    })
    .await;
    eventually("the doors serve again", PATIENCE, async || {
        (grace.get("/").await.status == 200 && grace.get("/").await.status == 200).then_some(())
    })
    .await;
    assert_served_or_told_to_come_again(&load.end().await);
}

/// But for what was under way at the moment in which a door heard nothing any more: that is ended like everything that is open.
fn assert_served_or_told_to_come_again(answers: &[String]) {
    let fits = |answer: &&String| ["200", "503, again in 1 s"].contains(&answer.as_str());
    let others: Vec<_> = answers.iter().filter(|answer| !fits(answer)).collect();
    assert!(others.len() <= VISITORS, "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_may_fail_unnoticed_and_without_any_nothing_is_judged_until_one_is_back() {
    let mut stage = Stage::up_with_a_long_lease().await;
    let grace = stage.signed_in(HERE).await;
    let mut replicas = vec!["redis-1", "redis-2", "redis-3"];
    let primary = stage.primary();
    replicas.retain(|name| *name != primary);

    let load = Load::begin(&grace, VISITORS);
    load.wait_for(ENOUGH).await;
    stage.signal(replicas[0], Signal::KILL);
    load.wait_for(ENOUGH).await;
    stage.admin("door-1").add_account("bob", "administrator").await;
    let answers = load.end().await;
    assert!(answers.iter().all(|answer| *answer == "200"), "{answers:?}");

    stage.signal(replicas[1], Signal::KILL);
    let refused = eventually("the doors refuse", PATIENCE, async || {
        let answer = grace.get("/").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, Some("1"))
    );
    stage.run(&["start", replicas[1]]);
    eventually("the doors serve again", PATIENCE, async || {
        (grace.get("/").await.status == 200 && grace.get("/").await.status == 200).then_some(())
    })
    .await;
}
