//! A hand-over that comes about.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use stagedoor_tests::{Admin, Way, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::load::{Asking, Habit};
use super::*;

/// Requests of each visitor before, between and after hand-overs.
const SOME: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn two_hand_overs_in_a_row_fail_no_request_and_refuse_no_connection_by_any_way() {
    let stage = Stage::open("2s").await;
    let mut all = Vec::new();
    for (way, name) in Way::ALL.into_iter().zip(["ada", "bob", "cy", "dan"]) {
        stage.door().admin().add_account(name, "keeper").await;
        let visitor = stage.ways.signed_in(way, "console", name).await;
        for habit in [Habit::KeepsAlive, Habit::ConnectsAnew] {
            all.push(Asking::begin(&stage.ways, way, habit, &visitor));
        }
    }
    for asking in &all {
        asking.go_on_for(SOME).await;
    }
    let first = first_process(stage.door());
    let second = upgrade(stage.door(), first).await;
    for asking in &all {
        asking.go_on_for(SOME).await;
    }
    until_gone(first).await;
    let third = upgrade(stage.door(), second).await;
    for asking in &all {
        asking.go_on_for(SOME).await;
    }
    until_gone(second).await;
    for asking in &all {
        asking.go_on_for(SOME).await;
    }
    let (mut answered, mut failures) = (0, Vec::new());
    for asking in all {
        let (some, failed) = asking.end().await;
        answered += some;
        failures.extend(failed);
    }
    println!("{answered} requests over two hand-overs");
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(is_there(third));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_ends_in_its_time_and_a_websocket_is_told_to_connect_again() {
    let stage = Stage::open("3s").await;
    let ada = stage.signed_in("ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    echoes(&mut socket, "before").await;
    // Half of an upload is sent before the hand-over, half afterwards.
    let mut upload = ada.connect().await;
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: 20000\r\n\r\n",
        ada.host(),
        ada.cookie_header().expect("a session")
    );
    upload.write_all(head.as_bytes()).await.expect("it is open");
    upload.write_all(&[b'x'; 10_000]).await.expect("it is open");
    // A connection on which nothing was said yet, and half a head.
    let mut silent = ada.connect().await;
    let mut half = ada.connect().await;
    half.write_all(b"GET /page HTT").await.expect("it is open");

    let first = first_process(stage.door());
    upgrade(stage.door(), first).await;
    echoes(&mut socket, "while the former process drains").await;
    upload.write_all(&[b'x'; 10_000]).await.expect("it is open");
    let answer = stagedoor_tests::raw::read_head(&mut upload).await;
    assert_eq!(stagedoor_tests::raw::status(&answer), 200, "{answer}");
    let rest = format!(
        "Host: {}\r\nCookie: {}\r\n\r\n",
        ada.host(),
        ada.cookie_header().expect("a session")
    );
    silent
        .write_all(format!("GET /page HTTP/1.1\r\n{rest}").as_bytes())
        .await
        .expect("it is open");
    half.write_all(format!("P/1.1\r\n{rest}").as_bytes())
        .await
        .expect("it is open");
    for stream in [&mut silent, &mut half] {
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("it is answered, and closed");
        assert_eq!(stagedoor_tests::raw::status(&answer), 200, "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    assert!(is_there(first), "a WebSocket is open there");
    assert_eq!(close_code(&mut socket).await, Some(1001));
    until_gone(first).await;
    let mut again = ada.websocket("/socket").await.expect("a WebSocket opens");
    echoes(&mut again, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_during_a_hand_over_waits_and_is_let_in_everywhere() {
    let stage = Stage::open("20s").await;
    let ada = stage.signed_in("ada").await;
    let first = first_process(stage.door());
    let over = Arc::new(AtomicBool::new(false));
    let (door, done) = (stage.door().visitor("console"), Arc::clone(&over));
    let signing_in = tokio::spawn(async move {
        let mut times = 0;
        while !done.load(Ordering::Acquire) || times == 0 {
            let visitor = door.clone().without_cookies();
            let answer = visitor.sign_in("ada", PASSWORD).await;
            assert_eq!(answer.status, 200, "sign-in {times}: {}", answer.text());
            assert_eq!(status(&visitor).await, 200, "sign-in {times}");
            times += 1;
        }
        times
    });
    // By a connection that is the former process's all the time.
    let mut kept = load::Kept::open(&stage.ways, Way::Http1, &ada)
        .await
        .expect("somebody listens");
    let mut kept_too = load::Kept::open(&stage.ways, Way::Http1, &ada)
        .await
        .expect("somebody listens");
    let mut admin_kept = load::Kept::open(&stage.ways, Way::Http1, &at_admin(&stage))
        .await
        .expect("somebody listens");
    let second = upgrade(stage.door(), first).await;
    over.store(true, Ordering::Release);
    println!(
        "{} sign-ins over the hand-over",
        signing_in.await.expect("everybody is let in")
    );

    // A page of the portal, by the former process.
    let page = kept.ask(load::request(Way::Http1, &ada, "/.stagedoor/whoami")).await;
    let (page, keep, text) = page.expect("an answer").expect("an open connection");
    assert_eq!((page, keep), (200, false), "{text}");
    let request = load::admin_request(&stage.door().admin(), "/v1/sessions");
    let (listed, keep, text) = admin_kept
        .ask(request)
        .await
        .expect("an answer")
        .expect("an open connection");
    assert_eq!((listed, keep), (200, false), "{text}");
    assert!(text.contains("ada"), "{text}");
    // A session of the new process is known to the former one at once.
    let later = stage.door().signed_in_patiently("console", "ada").await;
    let answered = kept_too
        .ask(load::request(Way::Http1, &later, "/page"))
        .await
        .expect("an answer");
    assert_eq!(answered.expect("an open connection").0, 200);
    assert!(is_there(first) && is_there(second), "one drains, one serves");
}

fn at_admin(stage: &Stage) -> Visitor {
    Visitor::new(stage.door().admin_address(), stage.door().admin_address().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_and_systemd_are_told_which_process_it_is_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let told = tokio::net::UnixDatagram::bind(&path).expect("a socket");
    let notify = path.display().to_string();
    let stage = Stage::with("1s", |plan| plan.environment("NOTIFY_SOCKET", &notify)).await;
    let first = first_process(stage.door());
    let second = upgrade(stage.door(), first).await;
    let wanted = format!("MAINPID={second}");
    let mut heard = Vec::new();
    while heard.last() != Some(&wanted) {
        let mut word = [0; 256];
        let length = tokio::time::timeout(PATIENCE, told.recv(&mut word)).await;
        let length = length
            .unwrap_or_else(|_| panic!("only {heard:?} was told"))
            .expect("a word");
        heard.push(String::from_utf8_lossy(&word[..length]).into_owned());
    }
    assert_eq!(heard.first().map(String::as_str), Some("READY=1"), "{heard:?}");
    let event = soon("the audit tells of it", async || {
        stage
            .door()
            .admin()
            .audit("event=door.upgraded")
            .await
            .into_iter()
            .next()
    })
    .await;
    let text = event.to_string();
    assert!(
        text.contains(&second.to_string()) && text.contains(&first.to_string()),
        "{text}"
    );
    assert_eq!(event["outcome"], json!("done"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_files_name_anew_is_listened_on_and_one_they_no_longer_name_is_not() {
    let stage = Stage::open("1s").await;
    let ada = stage.signed_in("ada").await;
    let file = stage.door().building_file();
    let (old, new) = (stage.door().http, stagedoor_tests::free_port());
    let text = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(
        &file,
        text.replace(&format!("127.0.0.1:{old}"), &format!("127.0.0.1:{new}")),
    )
    .expect("a write");
    let first = first_process(stage.door());
    upgrade(stage.door(), first).await;
    until_gone(first).await;
    let there = Visitor::new(([127, 0, 0, 1], new).into(), format!("console.localhost:{new}")).with_session_of(&ada);
    assert_eq!(status(&there).await, 200);
    assert!(TcpStream::connect(("127.0.0.1", old)).await.is_err());
    // The admin API's address was handed over.
    let admin: Admin = stage.door().admin();
    admin.get("/v1/accounts/ada").await.expect(200);
}
