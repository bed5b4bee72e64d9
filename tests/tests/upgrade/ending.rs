//! A door that ends for good, without another process: by SIGQUIT in peace, by SIGTERM soon.

use super::load::{Asking, Habit, Kept};
use super::*;
use stagedoor_tests::Way;

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_is_told_to_quit_says_goodbye_on_every_connection_and_is_not_ready_meanwhile() {
    let mut stage = Stage::open("3s").await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    let mut kept = Kept::open(&stage.ways, Way::Http1, &ada)
        .await
        .expect("somebody listens");
    let page = || super::load::request(Way::Http1, &ada, "/page");
    let (status, keep, _) = kept.ask(page()).await.expect("an answer").expect("an open connection");
    assert_eq!((status, keep), (200, true));
    send(Signal::QUIT, first_process(stage.door()));
    eventually("nobody is let in any more", PATIENCE, async || {
        ada.try_connect().await.is_err().then_some(())
    })
    .await;
    let readiness = stage.door().readiness().await;
    assert_eq!(
        (readiness.status.as_u16(), readiness.json()["closing"] == true),
        (503, true)
    );
    let (status, keep, _) = kept.ask(page()).await.expect("an answer").expect("an open connection");
    assert_eq!((status, keep), (200, false));
    echoes(&mut socket, "still there").await;
    assert_eq!(close_code(&mut socket).await, Some(1001));
    let ways = Arc::get_mut(&mut stage.ways).expect("nobody else is at work");
    assert!(ways.door.process().end_within(PATIENCE).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_told_to_connect_again_when_a_door_is_told_to_end() {
    let mut stage = Stage::open("10m").await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    echoes(&mut socket, "before").await;
    send(Signal::TERM, first_process(stage.door()));
    assert_eq!(close_code(&mut socket).await, Some(1001));
    let ways = Arc::get_mut(&mut stage.ways).expect("nobody else is at work");
    assert!(ways.door.process().end_within(PATIENCE).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_a_door_in_the_midst_of_an_upgrade_stops_both_processes() {
    let stage = Stage::open("1s").await;
    let ada = stage.signed_in("ada").await;
    let asking = Asking::begin(&stage.ways, Way::Http1, Habit::ConnectsAnew, &ada);
    asking.go_on_for(5).await;
    asking.end().await;
    let first = first_process(stage.door());
    ask_for_upgrade(first);
    let heir = eventually("a process is started", PATIENCE, async || {
        pids(stage.door(), "an upgrade begins", "pid").pop()
    })
    .await;
    send(Signal::TERM, first);
    until_gone(first).await;
    until_gone(heir).await;
    assert!(ada.try_connect().await.is_err());
}
