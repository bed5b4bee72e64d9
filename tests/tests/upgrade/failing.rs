//! A hand-over that comes to nothing leaves the former process serving; and whichever process dies, the other goes on.

use stagedoor_tests::soon;

use super::load::{Asking, Habit};
use super::*;
use stagedoor_tests::Way;

const SOME: usize = 20;
const BEGINS: &str = "an upgrade begins";

/// The former process said so often that it goes on.
async fn given_up(door: &Door, times: usize) {
    eventually("the former process goes on", PATIENCE, async || {
        (plain(&door.log()).matches(GIVEN_UP).count() >= times).then_some(())
    })
    .await;
}

/// Everything works: people are let in, and sign in.
async fn works(stage: &Stage, visitor: &Visitor) {
    assert_eq!(status(visitor).await, 200);
    let fresh = stage.door().signed_in_patiently("console", "ada").await;
    assert_eq!(status(&fresh).await, 200);
    stage.door().admin().get("/v1/accounts/ada").await.expect(200);
}

/// The id of the process that the latest hand-over began with.
async fn half_started(door: &Door, times: usize) -> i32 {
    eventually("a process is started", PATIENCE, async || {
        let started = pids(door, BEGINS, "pid");
        (started.len() >= times).then(|| *started.last().expect("one of them"))
    })
    .await
}

/// Waits until that process has opened the store, which is the former one's until it says otherwise.
async fn until_it_has_the_store(pid: i32) {
    eventually("the store is opened", PATIENCE, async || {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let mut files = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        files.any(|file| file.ends_with("stagedoor.db")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_at_fault_leave_the_former_process_serving_and_it_says_so() {
    let stage = Stage::open("1s").await;
    let ada = stage.signed_in("ada").await;
    let asking = Asking::begin(&stage.ways, Way::Http1, Habit::ConnectsAnew, &ada);
    asking.go_on_for(SOME).await;
    let (first, file) = (first_process(stage.door()), stage.door().building_file());
    let good = std::fs::read_to_string(&file).expect("the file");
    let somebody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = somebody.local_addr().expect("an address");
    let elsewhere = if stage.door().is_on_redis() {
        good.replace("[store]\n", "[store]\nkey_prefix = \"elsewhere\"\n")
    } else {
        good.replace("data_dir = \"data\"", "data_dir = \"elsewhere\"")
    };
    let in_use = good.replace(&format!("127.0.0.1:{}", stage.door().http), &taken.to_string());
    let faults = [
        ("a setting that is none", format!("{good}\nnothing = 1\n"), "nothing"),
        ("another store", elsewhere, "the running door has"),
        ("an address in use", in_use, "cannot listen on"),
    ];
    let tries = faults.len();
    for (number, (what, text, said)) in faults.into_iter().enumerate() {
        std::fs::write(&file, text).expect("a write");
        ask_for_upgrade(first);
        given_up(stage.door(), number + 1).await;
        assert!(
            plain(&stage.door().log()).contains(said),
            "{what}: {}",
            stage.door().log()
        );
        std::fs::write(&file, &good).expect("a write");
        works(&stage, &ada).await;
    }
    let noted = stage.door().admin().audit("event=door.upgraded").await;
    assert_eq!(noted.len(), tries, "{noted:?}");
    assert!(noted.iter().all(|event| event["outcome"] == "failed"), "{noted:?}");

    // Nothing of it stands in the way of one that is right.
    upgrade(stage.door(), first).await;
    asking.go_on_for(SOME).await;
    let (_, failures) = asking.end().await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_that_is_killed_midway_leaves_the_former_one_serving() {
    let stage = Stage::open("1s").await;
    let ada = stage.signed_in("ada").await;
    let asking = Asking::begin(&stage.ways, Way::Http1, Habit::ConnectsAnew, &ada);
    let first = first_process(stage.door());
    for (number, with_the_store) in [false, true, true].into_iter().enumerate() {
        ask_for_upgrade(first);
        let heir = half_started(stage.door(), number + 1).await;
        if with_the_store && !stage.door().is_on_redis() {
            until_it_has_the_store(heir).await;
        }
        send(Signal::KILL, heir);
        given_up(stage.door(), number + 1).await;
        works(&stage, &ada).await;
    }
    assert_eq!(pids(stage.door(), TAKEN_OVER, "pid"), Vec::<i32>::new());
    upgrade(stage.door(), first).await;
    asking.go_on_for(SOME).await;
    let (_, failures) = asking.end().await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    until_gone(first).await;
    works(&stage, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_process_that_is_killed_midway_leaves_the_new_one_to_take_over() {
    let stage = Stage::open("1s").await;
    let ada = stage.signed_in("ada").await;
    let first = first_process(stage.door());
    ask_for_upgrade(first);
    let heir = half_started(stage.door(), 1).await;
    if !stage.door().is_on_redis() {
        until_it_has_the_store(heir).await;
    }
    send(Signal::KILL, first);
    // Its sockets are the new one's: whoever comes waits, and is not refused.
    let mut waiting = ada.try_connect().await.expect("nobody is refused");
    assert_eq!(taken_over(stage.door(), 1).await, heir);
    let request = format!(
        "GET /page HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        ada.host(),
        ada.cookie_header().expect("a session")
    );
    tokio::io::AsyncWriteExt::write_all(&mut waiting, request.as_bytes())
        .await
        .expect("it is open");
    let answer = stagedoor_tests::raw::read_head(&mut waiting).await;
    assert_eq!(stagedoor_tests::raw::status(&answer), 200, "{answer}");
    works(&stage, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hand_over_is_made_at_a_time() {
    let stage = Stage::open("10m").await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    let first = first_process(stage.door());
    ask_for_upgrade(first);
    half_started(stage.door(), 1).await;
    ask_for_upgrade(first);
    let second = taken_over(stage.door(), 1).await;
    // The former one still has somebody inside.
    ask_for_upgrade(second);
    given_up(stage.door(), 1).await;
    assert!(
        plain(&stage.door().log()).contains("has not ended yet"),
        "{}",
        stage.door().log()
    );
    assert_eq!(pids(stage.door(), BEGINS, "pid").len(), 1);
    echoes(&mut socket, "still there").await;
    send(Signal::TERM, first);
    assert_eq!(close_code(&mut socket).await, Some(1001));
    until_gone(first).await;
    soon("the way is free", async || {
        plain(&stage.door().log())
            .contains("the former process has ended")
            .then_some(())
    })
    .await;
    let third = upgrade(stage.door(), second).await;
    assert!(is_there(third));
    works(&stage, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_door_says_to_its_own_process_is_refused_from_anybody_else() {
    let stage = Stage::open("1s").await;
    let said = stage
        .door()
        .command(&["serve", "--config", "stagedoor.toml", "--take-over"]);
    assert_eq!(said.status.code(), Some(1));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text.contains("send it SIGUSR2"), "{text}");
    let ada = stage.signed_in("ada").await;
    works(&stage, &ada).await;
}
