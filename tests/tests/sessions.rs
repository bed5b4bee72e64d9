//! Who is signed in, where, for how long, and what ends it — open streams included.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use stagedoor_tests::{
    Admin, Door, DoorPlan, ENDED_WITHIN, FakeConsole, PASSWORD, Reply, Visitor, Way, Ways, body_of, eventually, soon,
    totp, when_not_busy,
};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

#[path = "sessions/second_factor.rs"]
mod second_factor;
#[path = "sessions/streams.rs"]
mod streams;

const AREAS: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n\
    [role.keeper]\nmay = { \"*\" = \"all\" }\nchannels = [\"browser\", \"client\"]\n\n[role.nobody]\nmay = {}\n\n\
    [channel.client]\n\n";
const AT_ONCE: usize = 200;
/// For what happens after a few seconds of the policy's.
const PATIENCE: Duration = Duration::from_secs(60);

/// A door in front of a console, and `ada`, who may do everything.
struct Stage {
    door: Door,
    admin: Admin,
    _console: FakeConsole,
}

impl Stage {
    async fn open(rules: &str) -> Self {
        Self::with(rules, |plan| plan).await
    }

    async fn with(rules: &str, more: impl FnOnce(DoorPlan) -> DoorPlan) -> Self {
        let console = FakeConsole::start().await;
        let plan = Door::plan()
            .site("console", &console.url())
            .policy(&format!("{AREAS}{rules}"));
        let door = more(plan).open().await;
        let admin = door.admin();
        admin.add_account("ada", "keeper").await;
        Self {
            door,
            admin,
            _console: console,
        }
    }

    fn visitor(&self, from: &str) -> Visitor {
        self.door.visitor("console").from(from)
    }

    async fn ada_from(&self, address: &str) -> Visitor {
        let ada = self.visitor(address);
        ada.sign_in("ada", PASSWORD).await.expect(200);
        ada
    }
}

/// Tries to sign in until the door is not too busy to look: what it says then.
async fn sign_in(visitor: &Visitor, name: &str, password: &str) -> Reply {
    when_not_busy(async || visitor.sign_in(name, password).await).await
}

/// Fails the test unless the answer is 401 with this code.
#[track_caller]
fn refused(answer: &Reply, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (401, Some(code)),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sign_ins_at_once_leave_one_live_session_and_one_cookie_that_works() {
    let stage = Stage::open("").await;
    let visitors: Vec<_> = (1..=AT_ONCE)
        .map(|number| stage.visitor(&format!("127.0.1.{number}")))
        .collect();
    let answers = join_all(visitors.iter().map(|visitor| sign_in(visitor, "ada", PASSWORD))).await;
    answers.into_iter().for_each(|answer| drop(answer.expect(200)));
    assert_eq!(stage.admin.sessions("ada").await.len(), 1);
    let mut welcome = 0;
    for visitor in &visitors {
        let answer = visitor.get("/cached").await;
        if answer.status == 200 {
            welcome += 1;
        } else {
            // Only of the latest former sessions does the door remember why they ended.
            assert_eq!(answer.status, 401, "{}", answer.text());
        }
    }
    assert_eq!((visitors.len(), welcome), (AT_ONCE, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sign_ins_at_once_let_one_in_where_the_rest_is_refused() {
    let stage = Stage::open("[session]\nwhen_full = \"refuse\"\n").await;
    let visitors: Vec<_> = (1..=AT_ONCE)
        .map(|number| stage.visitor(&format!("127.0.1.{number}")))
        .collect();
    let answers = join_all(visitors.iter().map(|visitor| sign_in(visitor, "ada", PASSWORD))).await;
    let welcome = answers.iter().filter(|answer| answer.status == 200).count();
    answers
        .iter()
        .filter(|answer| answer.status != 200)
        .for_each(|answer| refused(answer, "session_limit"));
    assert_eq!(
        (answers.len(), welcome, stage.admin.sessions("ada").await.len()),
        (AT_ONCE, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_displaced_is_told_when_and_from_which_address() {
    let stage = Stage::open("[session]\nwhen_full = \"displace\"\n").await;
    let former = stage.ada_from("127.0.0.5").await;
    former.get("/cached").await.expect(200);
    let later = stage.ada_from("127.0.0.6").await;
    later.get("/cached").await.expect(200);

    let answer = former.get("/cached").await;
    refused(&answer, "session_displaced");
    let message = answer.json()["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("127.0.0.6"), "{message}");
    let opened = stage.admin.sessions("ada").await[0]["opened_at"]
        .as_str()
        .expect("a time")
        .to_owned();
    // 2026-11-22T17:05:33.120000Z: whatever the words, the day and the minute are in them.
    let minute = &opened[11..16];
    assert!(message.contains(minute), "{message} does not say {minute}");

    let person = former.clone().always("accept", "text/html");
    let page = person.get("/cached").await.expect(303);
    let location = page.header("location").expect("the way to sign in").to_owned();
    assert!(location.starts_with("/.stagedoor/login"), "{location}");
    let page = person.get(&location).await.expect(200).text();
    assert!(
        page.contains("from another place") && page.contains("127.0.0.6") && page.contains(minute),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_former_has_precedence_the_new_one_is_refused_until_he_leaves() {
    let stage = Stage::open("[session]\nwhen_full = \"refuse\"\n").await;
    let former = stage.ada_from("127.0.0.5").await;
    let later = stage.visitor("127.0.0.6");
    let answer = sign_in(&later, "ada", PASSWORD).await;
    refused(&answer, "session_limit");
    assert_eq!(answer.json()["address"], "127.0.0.5");
    assert!(answer.json()["opened_at"].is_string(), "{}", answer.text());
    assert_eq!(later.cookie("stagedoor"), None);
    former.get("/cached").await.expect(200);
    // Right passwords are no failures, however often they come too early.
    for _ in 0..8 {
        refused(&sign_in(&later, "ada", PASSWORD).await, "session_limit");
    }
    former.sign_out().await;
    sign_in(&later, "ada", PASSWORD).await.expect(200);
    later.get("/cached").await.expect(200);
    refused(&former.get("/cached").await, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_counts_its_own_sessions() {
    let stage = Stage::open("").await;
    let by_client = async |from: &str| {
        let visitor = stage.visitor(from);
        let body = json!({ "username": "ada", "password": PASSWORD, "channel": "client" });
        visitor.post_json("/.stagedoor/login", &body).await.expect(200);
        visitor
    };
    let browser = stage.ada_from("127.0.0.5").await;
    let client = by_client("127.0.0.6").await;
    browser.get("/cached").await.expect(200);
    client.get("/cached").await.expect(200);
    let other_client = by_client("127.0.0.7").await;
    browser.get("/cached").await.expect(200);
    other_client.get("/cached").await.expect(200);
    refused(&client.get("/cached").await, "session_displaced");
    let body = json!({ "username": "ada", "password": PASSWORD, "channel": "carrier-pigeon" });
    let answer = stage.visitor("127.0.0.8").post_json("/.stagedoor/login", &body).await;
    assert_eq!(
        (&answer.json()["error"], &answer.json()["reason"]),
        (&json!("refused"), &json!("channel"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_used_ends_and_one_that_is_used_goes_on() {
    let idle = Duration::from_secs(4);
    let stage = Stage::open("[session]\nidle = \"4s\"\n").await;
    let ada = stage.ada_from("127.0.0.5").await;
    // In use for longer than the limit, without a pause that would be one: a machine that stalls begins again.
    let (mut began, mut last) = (Instant::now(), Instant::now());
    eventually("the session is in use for a while", PATIENCE, async || {
        let answer = ada.get("/cached").await;
        if last.elapsed() >= idle / 2 {
            sign_in(&ada, "ada", PASSWORD).await.expect(200);
            began = Instant::now();
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        last = Instant::now();
        (began.elapsed() > idle * 2).then_some(())
    })
    .await;
    // Listing sessions is not using one.
    let unused = Instant::now();
    eventually("the session ends", PATIENCE, async || {
        stage.admin.sessions("ada").await.is_empty().then_some(())
    })
    .await;
    println!("an unused session of idle = 4s was gone after {:?}", unused.elapsed());
    refused(&ada.get("/cached").await, "session_idle");
    sign_in(&ada, "ada", PASSWORD).await.expect(200);
    ada.get("/cached").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_lifetime_however_busy_it_is() {
    let stage = Stage::open("[session]\nidle = \"1h\"\nlifetime = \"3s\"\n").await;
    let ada = stage.visitor("127.0.0.5");
    let began = Instant::now();
    sign_in(&ada, "ada", PASSWORD).await.expect(200);
    let answer = eventually("the session ends", PATIENCE, async || {
        let answer = ada.get("/cached").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    refused(&answer, "session_expired");
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
}

/// What a program can tell of a refusal, but for the time in it.
fn told(answer: &Reply) -> (u16, Value, bool) {
    (
        answer.status.as_u16(),
        answer.json()["error"].clone(),
        answer.json().get("until").is_some(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_lock_an_account_for_one_source_and_unknown_names_alike_and_a_power_cut_unlocks_nobody() {
    let mut stage = Stage::open("[lockout]\nfailures = 3\nwithin = \"1h\"\nfor = \"1h\"\n").await;
    let here = stage.visitor("127.0.0.5");
    let mut answers = Vec::new();
    for name in ["ada", "ghost"] {
        let mut of_name = Vec::new();
        for _ in 0..3 {
            of_name.push(told(&sign_in(&here, name, "wrong as can be").await));
        }
        of_name.push(told(&sign_in(&here, name, PASSWORD).await));
        answers.push(of_name);
    }
    assert_eq!(
        answers[0], answers[1],
        "a name that exists is told from one that does not"
    );
    assert_eq!(answers[0][0], (401, json!("invalid_credentials"), false));
    assert_eq!(answers[0][3], (401, json!("locked"), true));
    sign_in(&stage.visitor("127.0.0.6"), "ada", PASSWORD).await.expect(200);

    stage.door.kill();
    stage.door.start().await;
    for name in ["ada", "ghost"] {
        refused(&sign_in(&here, name, PASSWORD).await, "locked");
    }

    let unlocked = stage
        .admin
        .ask(Method::POST, "/v1/accounts/ada/unlock", None)
        .await
        .expect(200);
    assert_eq!(unlocked.json()["unlocked"], 1, "{}", unlocked.text());
    sign_in(&here, "ada", PASSWORD).await.expect(200);
    let locks = stage.admin.get("/v1/lockouts").await.expect(200).json();
    let [lock] = &locks["items"].as_array().expect("a list")[..] else {
        panic!("only the unknown name is still locked: {locks}");
    };
    assert!(
        lock["source"]
            .as_str()
            .is_some_and(|source| source.starts_with("127.0.0.5")),
        "{lock}"
    );
    let id = lock["id"].as_str().expect("an id");
    let ended = stage
        .admin
        .ask(Method::DELETE, &format!("/v1/lockouts/{id}"), None)
        .await;
    assert!(ended.status.is_success(), "{}", ended.text());
    refused(&sign_in(&here, "ghost", PASSWORD).await, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_over_when_its_time_is_and_not_before() {
    let stage = Stage::open("[lockout]\nfailures = 2\nwithin = \"1h\"\nfor = \"4s\"\n").await;
    let here = stage.visitor("127.0.0.5");
    let began = Instant::now();
    for _ in 0..2 {
        refused(&sign_in(&here, "ada", "wrong as can be").await, "invalid_credentials");
    }
    eventually("the lock is over", PATIENCE, async || {
        let answer = sign_in(&here, "ada", PASSWORD).await;
        if answer.status != 200 {
            refused(&answer, "locked");
        }
        (answer.status == 200).then_some(())
    })
    .await;
    assert!(began.elapsed() >= Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_everywhere_lock_the_name_for_everyone() {
    let stage = Stage::open("[lockout]\nfailures = 3\nfailures_from_anywhere = 6\nfor = \"1h\"\n").await;
    for number in 0..6 {
        let guesser = stage.visitor(&format!("127.0.2.{}", 1 + number));
        refused(
            &sign_in(&guesser, "ada", "wrong as can be").await,
            "invalid_credentials",
        );
    }
    refused(&sign_in(&stage.visitor("127.0.0.9"), "ada", PASSWORD).await, "locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_is_banned_at_once_when_the_time_is_up_even_who_never_came() {
    let stage = Stage::open("[inactivity]\nblock_after = \"6s\"\n").await;
    // Made with the stage and never signed in.
    eventually("the account is banned", PATIENCE, async || {
        (stage.admin.account("ada").await["banned"] == true).then_some(())
    })
    .await;
    let ada = stage.visitor("127.0.0.5");
    let answer = sign_in(&ada, "ada", PASSWORD).await;
    assert_eq!(
        (&answer.json()["error"], &answer.json()["reason"]),
        (&json!("refused"), &json!("inactive"))
    );
    // Who does not know the password does not learn of the ban.
    refused(&sign_in(&ada, "ada", "wrong as can be").await, "invalid_credentials");

    stage
        .admin
        .ask(Method::POST, "/v1/accounts/ada/reinstate", None)
        .await
        .expect(200);
    sign_in(&ada, "ada", PASSWORD).await.expect(200);
    ada.get("/cached").await.expect(200);
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    // Unused from here on: the ban comes, and takes session and stream with it.
    let banned = eventually("the account is banned again", PATIENCE, async || {
        (stage.admin.account("ada").await["banned"] == true).then_some(Instant::now())
    })
    .await;
    tokio::time::timeout(ENDED_WITHIN, until_closed(&mut socket))
        .await
        .expect("the stream ends with the ban");
    println!("an idle WebSocket ended {:?} after the ban was seen", banned.elapsed());
    refused(&ada.get("/cached").await, "account_inactive");
}

/// Reads until the other side closes, and says what it said of it.
async fn until_closed(socket: &mut WebSocketStream<TcpStream>) -> Option<String> {
    let mut said = None;
    while let Some(Ok(message)) = socket.next().await {
        if let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = message {
            said = Some(frame.reason.to_string());
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_survive_a_power_cut_and_who_signed_out_stays_out() {
    let mut stage = Stage::open("").await;
    stage.admin.add_account("bea", "keeper").await;
    let (ada, bea) = (stage.ada_from("127.0.0.5").await, stage.visitor("127.0.0.6"));
    sign_in(&bea, "bea", PASSWORD).await.expect(200);
    let left = bea.cookie_header().expect("a cookie");
    bea.sign_out().await;
    stage.door.kill();
    stage.door.start().await;
    ada.get("/cached").await.expect(200);
    let request = Request::get("/cached")
        .header("cookie", left)
        .body(body_of(""))
        .expect("a request");
    bea.send(request).await.expect(401);
    soon("the session is listed", async || {
        (stage.admin.sessions("ada").await.len() == 1).then_some(())
    })
    .await;
}
