//! Rules that change while the door is open: however they are saved they hold within a second, a fault never does, and
//! what is open and no longer permitted ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use serde_json::Value;
use stagedoor_tests::{Admin, Certificates, Door, DoorPlan, FakeConsole, Recorder, Visitor, body_of, soon};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What the house promises for a change, and for the end of what it no longer permits.
const LIVE_WITHIN: Duration = Duration::from_secs(1);
/// Changes measured for each way of saving. The middle one is held to the promise: one stall of a busy machine is not the
/// door's.
const CHANGES: usize = 5;

/// Operators may do everything; of watchers, `watchers` says.
fn policy(watchers: &str) -> String {
    format!(
        "[site.console.areas]\npages = {{ paths = [\"/**\"] }}\nlive = {{ paths = [\"/socket\", \"/events\"] }}\n\n\
         [role.operator]\nmay = {{ \"*\" = \"all\" }}\n\n[role.watcher]\nmay = {{ {watchers} }}\n"
    )
}

fn open_policy() -> String {
    policy("pages = \"view\", live = \"manage\"")
}

fn closed_policy() -> String {
    policy("live = \"manage\"")
}

async fn plan() -> (FakeConsole, DoorPlan) {
    let console = FakeConsole::start().await;
    let plan = Door::plan().site("console", &console.url()).policy(&open_policy());
    (console, plan)
}

/// A door with `ada`, an operator, and `bea`, a watcher, both signed in.
struct Stage {
    door: Door,
    admin: Admin,
    ada: Visitor,
    bea: Visitor,
    _console: FakeConsole,
}

impl Stage {
    async fn open() -> Self {
        let (console, plan) = plan().await;
        Self::with(console, plan.open().await).await
    }

    async fn with(console: FakeConsole, door: Door) -> Self {
        let admin = door.admin();
        admin.add_account("ada", "operator").await;
        admin.add_account("bea", "watcher").await;
        let (ada, bea) = (
            door.signed_in("console", "ada").await,
            door.signed_in("console", "bea").await,
        );
        Self {
            door,
            admin,
            ada,
            bea,
            _console: console,
        }
    }

    /// Saves the two policies in turn and measures how long each takes to hold for `bea`.
    async fn alternate(&mut self, how: &str, mut save: impl AsyncFnMut(&mut Door, &str, usize)) {
        let mut took = Vec::new();
        for change in 0..CHANGES {
            let (text, expected) = match change % 2 {
                0 => (closed_policy(), 403),
                _ => (open_policy(), 200),
            };
            save(&mut self.door, &text, change).await;
            let saved = Instant::now();
            self.bea_is_answered(how, expected).await;
            took.push(saved.elapsed());
            self.ada.get("/page").await.expect(200);
        }
        took.sort();
        println!("{how}: held after {took:?}");
        assert!(took[CHANGES / 2] <= LIVE_WITHIN, "{how}: {took:?}");
        assert_eq!(
            self.door
                .metric("stagedoor_reloads_total", &["result=\"failed\""])
                .await,
            0.0
        );
    }

    /// Waits until bea's page is answered so.
    async fn bea_is_answered(&self, why: &str, status: u16) {
        soon(&format!("{why}: bea is answered {status}"), async || {
            // A request that is under way while bea loses the right to it is ended, not answered.
            let request = Request::get("/page").body(body_of("")).expect("a request");
            let answer = self.bea.try_open(request).await.ok()?;
            (answer.status() == status).then_some(())
        })
        .await;
    }

    /// The check of `/readyz` that speaks of the files.
    async fn policy_file_check(&self) -> Value {
        let reply = self.door.readiness().await.expect(200).json();
        let checks = reply["checks"].as_array().expect("checks").clone();
        checks
            .into_iter()
            .find(|check| check["name"] == "policy-file")
            .expect("the check `policy-file`")
    }
}

fn rename_over(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, text).expect("a file can be written");
    std::fs::rename(&fresh, path).expect("a file can be renamed");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_saved_in_place_hold_within_a_second() {
    let mut stage = Stage::open().await;
    let save = async |door: &mut Door, text: &str, _| std::fs::write(door.policy_file(), text).expect("a write");
    stage.alternate("saved in place", save).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_renamed_into_place_hold_within_a_second() {
    let mut stage = Stage::open().await;
    let save = async |door: &mut Door, text: &str, _| rename_over(&door.policy_file(), text);
    stage.alternate("renamed into place", save).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_behind_a_swapped_link_hold_within_a_second() {
    let (console, plan) = plan().await;
    let mut door = plan.prepare();
    // As Kubernetes mounts a ConfigMap: policy.toml -> ..data/policy.toml, ..data -> a folder of its own for each edition.
    std::fs::remove_file(door.policy_file()).expect("it was written");
    swap_edition(door.folder(), &open_policy(), "first");
    std::os::unix::fs::symlink("..data/policy.toml", door.policy_file()).expect("a link");
    door.start().await;
    let mut stage = Stage::with(console, door).await;
    let save =
        async |door: &mut Door, text: &str, change| swap_edition(door.folder(), text, &format!("edition{change}"));
    stage.alternate("swapped a link", save).await;
}

fn swap_edition(folder: &Path, text: &str, edition: &str) {
    let held = folder.join(format!("..{edition}"));
    std::fs::create_dir(&held).expect("a folder");
    std::fs::write(held.join("policy.toml"), text).expect("a file");
    std::os::unix::fs::symlink(held.file_name().expect("a name"), folder.join("..data_tmp")).expect("a link");
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("a rename");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_takes_the_rules_over_at_once() {
    let mut stage = Stage::open().await;
    let save = async |door: &mut Door, text: &str, _| {
        std::fs::write(door.policy_file(), text).expect("a write");
        door.process().signal(Signal::HUP);
    };
    stage.alternate("hangup", save).await;
    let admin = &stage.admin;
    soon("the audit names the signal", async || {
        let changes = admin.audit("event=policy.changed").await;
        changes.iter().any(|event| event["actor"] == "signal").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_put_by_the_api_hold_when_it_answers_and_stand_in_the_file() {
    let stage = Stage::open().await;
    let (admin, door) = (&stage.admin, &stage.door);
    let tag = admin
        .get("/v1/policy")
        .await
        .expect(200)
        .header("etag")
        .map(str::to_owned);
    let tag = tag.expect("a tag");
    admin.replace_policy(&closed_policy(), &tag).await.expect(200);
    stage.bea.get("/page").await.expect(403);
    let file = std::fs::read_to_string(door.policy_file()).expect("the file");
    assert_eq!(file, closed_policy());

    admin.replace_policy(&open_policy(), &tag).await.expect(412);
    let faulty = open_policy().replace("[role.watcher]", "[rolle.watcher]");
    let current = admin
        .get("/v1/policy")
        .await
        .header("etag")
        .map(str::to_owned)
        .expect("a tag");
    assert_ne!(current, tag);
    let refused = admin.replace_policy(&faulty, &current).await.expect(422).json();
    assert_eq!(refused["faults"][0]["line"], 8, "{refused}");
    stage.bea.get("/page").await.expect(403);
    assert_eq!(std::fs::read_to_string(door.policy_file()).expect("the file"), file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_file_keeps_the_last_good_rules_and_is_reported_everywhere() {
    let stage = Stage::open().await;
    let door = &stage.door;
    assert_eq!(stage.policy_file_check().await["ok"], true);
    // It would let everybody in, were it taken over in part.
    let wide = "pages = { paths = [\"/**\"], open_to = \"everyone\" }";
    let faulty = open_policy().replace("pages = { paths = [\"/**\"] }", wide) + "\n[sesion]\nidle = \"1m\"\n";
    std::fs::write(door.policy_file(), &faulty).expect("a write");

    let check = soon("/readyz reports the file", async || {
        let check = stage.policy_file_check().await;
        (check["ok"] == false).then_some(check)
    })
    .await;
    let detail = check["detail"].as_str().expect("a text");
    assert!(
        detail.contains("sesion") && detail.contains("policy.toml:11:"),
        "{detail}"
    );
    let failed = door.metric("stagedoor_reloads_total", &["result=\"failed\""]).await;
    assert_eq!(failed, 1.0);
    let log = door.log();
    assert!(
        log.contains("were not taken over") && log.contains("policy.toml:11:"),
        "{log}"
    );
    let event = soon("the audit has it", async || {
        stage.admin.audit("event=policy.rejected").await.first().cloned()
    })
    .await;
    assert_eq!(event["outcome"], "failed", "{event}");
    let status = stage.admin.get("/v1/policy/status").await.expect(200).json();
    assert!(status["last_fault"].to_string().contains("sesion"), "{status}");

    stage.door.visitor("console").get("/page").await.expect(401);
    stage.bea.get("/page").await.expect(200);
    std::fs::write(door.policy_file(), closed_policy()).expect("a write");
    stage.bea_is_answered("the file is mended", 403).await;
    assert_eq!(stage.policy_file_check().await["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_keeps_the_last_good_rules_until_it_is_back() {
    let stage = Stage::open().await;
    std::fs::remove_file(stage.door.policy_file()).expect("it was there");
    soon("/readyz reports the file", async || {
        (stage.policy_file_check().await["ok"] == false).then_some(())
    })
    .await;
    stage.bea.get("/page").await.expect(200);
    stage.door.visitor("console").get("/page").await.expect(401);
    std::fs::write(stage.door.policy_file(), closed_policy()).expect("a write");
    stage.bea_is_answered("the file is back", 403).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_file_never_takes_effect() {
    const WRITING: Duration = Duration::from_secs(2);
    /// The door looks every 250 ms and takes what reads the same twice: a writer must not have paused for longer.
    const PAUSE_MAX: Duration = Duration::from_millis(200);
    let stage = Stage::open().await;
    let stranger = stage.door.visitor("console");
    // Every beginning of it is a whole policy, and a wide one; only its end narrows it.
    let beginning = "[site.console.areas]\npages = { paths = [\"/**\"], open_to = \"everyone\" }\n";
    for attempt in 0..10 {
        let started = Instant::now();
        let mut text = format!("# attempt {attempt}\n{beginning}");
        let mut longest_pause = Duration::ZERO;
        while started.elapsed() < WRITING {
            let written = Instant::now();
            std::fs::write(stage.door.policy_file(), &text).expect("a write");
            let answer = stranger.get("/page").await;
            longest_pause = longest_pause.max(written.elapsed());
            if longest_pause > PAUSE_MAX {
                break;
            }
            assert_eq!(answer.status, 401, "a half-written file let a stranger in");
            text.push_str("# and on it goes\n");
        }
        std::fs::write(stage.door.policy_file(), open_policy()).expect("a write");
        if longest_pause <= PAUSE_MAX {
            println!("attempt {attempt}: longest pause of the writer {longest_pause:?}");
            return;
        }
    }
    panic!("this machine is too busy: no attempt wrote without pausing");
}

type Socket = WebSocketStream<TcpStream>;

/// An event stream whose first event has arrived.
async fn event_stream(visitor: &Visitor) -> Incoming {
    let request = Request::get("/events").body(body_of("")).expect("a request");
    let mut body = visitor.open(request).await.into_body();
    let first = body.frame().await.expect("an event").expect("a frame");
    assert!(first.is_data());
    body
}

async fn says_back(socket: &mut Socket, word: &'static str) {
    socket.send(Message::text(word)).await.expect("the socket is open");
    let answer = socket.next().await.expect("an answer").expect("a message");
    assert_eq!(answer, Message::text(word));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_streams_that_are_no_longer_permitted_end_within_a_second_and_others_stay() {
    let stage = Stage::open().await;
    let mut adas_socket = stage.ada.websocket("/socket").await.expect("ada may");
    let mut beas_socket = stage.bea.websocket("/socket").await.expect("bea may");
    says_back(&mut adas_socket, "before").await;
    says_back(&mut beas_socket, "before").await;
    let (mut adas_events, mut beas_events) = (event_stream(&stage.ada).await, event_stream(&stage.bea).await);

    std::fs::write(stage.door.policy_file(), policy("pages = \"view\"")).expect("a write");
    let saved = Instant::now();
    let last_of_the_socket = async {
        let last = tokio::time::timeout(Duration::from_secs(20), beas_socket.next()).await;
        (last.expect("bea's socket ends"), saved.elapsed())
    };
    let last_of_the_events = async {
        let last = tokio::time::timeout(Duration::from_secs(20), beas_events.frame()).await;
        (last.expect("bea's events end"), saved.elapsed())
    };
    let ((message, socket_took), (frame, events_took)) = tokio::join!(last_of_the_socket, last_of_the_events);
    println!("after the save: the WebSocket ended after {socket_took:?}, the event stream after {events_took:?}");
    match message {
        Some(Ok(Message::Close(Some(close)))) => assert_eq!(u16::from(close.code), 1008, "{close:?}"),
        other => panic!("not a close frame with a reason: {other:?}"),
    }
    assert!(!matches!(frame, Some(Ok(_))), "another event came");
    assert!(
        socket_took.max(events_took) <= LIVE_WITHIN,
        "the save took effect too late"
    );

    says_back(&mut adas_socket, "after").await;
    let still_open = tokio::time::timeout(Duration::from_millis(1), adas_events.frame()).await;
    assert!(still_open.is_err(), "ada's event stream ended too");
    assert!(stage.bea.websocket("/socket").await.is_err(), "bea got in again");
}

/// Rewrites a part of the building file.
fn edit_building(door: &Door, from: &str, to: &str) {
    let text = std::fs::read_to_string(door.building_file()).expect("the building");
    assert!(text.contains(from), "`{from}` is not in:\n{text}");
    rename_over(&door.building_file(), &text.replace(from, to));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_upstream_is_asked_within_a_second_of_the_save() {
    let (first, second) = (Recorder::start().await, Recorder::start().await);
    let door = Door::plan().site("console", &first.url()).policy(&open_policy());
    let door = door.open().await;
    door.admin().add_account("ada", "operator").await;
    let ada = door.signed_in("console", "ada").await;
    let (mut took, mut urls) = (Vec::new(), [first.url(), second.url()]);
    for change in 0..CHANGES {
        edit_building(&door, &urls[0], &urls[1]);
        let saved = Instant::now();
        let recorder = if change % 2 == 0 { &second } else { &first };
        let before = recorder.seen().len();
        soon("the other upstream is asked", async || {
            ada.get("/page").await.expect(200);
            (recorder.seen().len() > before).then_some(())
        })
        .await;
        took.push(saved.elapsed());
        urls.reverse();
    }
    took.sort();
    println!("another upstream: asked after {took:?}");
    assert!(took[CHANGES / 2] <= LIVE_WITHIN, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_requests_meets_no_failure_and_no_mixture_during_twenty_reloads() {
    const RELOADS: usize = 20;
    let (first, second) = (Recorder::start().await, Recorder::start().await);
    // Upstream and identity header change together: a request made half of each edition would show at the console.
    let door = Door::plan().site_with("console", &first.url(), "identity_headers = [\"stagedoor\"]");
    let door = door.policy(&open_policy()).open().await;
    door.admin().add_account("ada", "operator").await;
    let ada = door.signed_in("console", "ada").await;
    let over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..3)
        .map(|_| {
            let (ada, over) = (ada.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let mut asked = 0;
                while !over.load(Ordering::Relaxed) {
                    ada.get("/page").await.expect(200);
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    let mut editions = [
        format!("upstream = \"{}\"\nidentity_headers = [\"stagedoor\"]", first.url()),
        format!("upstream = \"{}\"\nidentity_headers = [\"remote\"]", second.url()),
    ];
    for reload in 1..=RELOADS {
        edit_building(&door, &editions[0], &editions[1]);
        editions.reverse();
        soon("the edition is taken over", async || {
            let taken_over = door.metric("stagedoor_reloads_total", &["result=\"ok\""]).await;
            (taken_over >= reload as f64).then_some(())
        })
        .await;
    }
    over.store(true, Ordering::Relaxed);
    let mut asked = 0;
    for asker in askers {
        asked += asker.await.expect("no request failed");
    }
    for (recorder, ours, others) in [
        (&first, "x-stagedoor-user", "remote-user"),
        (&second, "remote-user", "x-stagedoor-user"),
    ] {
        let seen = recorder.seen();
        assert!(!seen.is_empty(), "an edition met no request");
        for request in &seen {
            assert_eq!(request.values(ours), ["ada"], "{}", request.head);
            assert!(request.values(others).is_empty(), "{}", request.head);
        }
    }
    let (seen, failed) = (
        first.seen().len() + second.seen().len(),
        door.metric("stagedoor_reloads_total", &["result=\"failed\""]).await,
    );
    println!("{asked} requests during {RELOADS} reloads");
    assert_eq!((seen, failed), (asked, 0.0));
}

/// Whether a handshake shows this certificate.
async fn is_shown(door: &Door, certificates: &Certificates) -> bool {
    let port = door.https.expect("TLS is planned");
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("somebody listens");
    let name = ServerName::try_from("console.localhost").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(certificates.client(&["http/1.1"]));
    connector.connect(name, stream).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_certificate_is_shown_to_new_handshakes_and_a_broken_one_is_not() {
    let (_console, plan) = plan().await;
    let mut door = plan.with_tls().prepare();
    let first = Certificates::write(door.folder(), &["console.localhost"]);
    door.start().await;
    assert!(is_shown(&door, &first).await);

    let second = Certificates::write(door.folder(), &["console.localhost"]);
    let saved = Instant::now();
    soon("the second certificate is shown", async || {
        is_shown(&door, &second).await.then_some(())
    })
    .await;
    println!("the certificate was shown after {:?}", saved.elapsed());
    assert!(!is_shown(&door, &first).await);

    for (what, text) in [("half", "-----BEGIN CERTIFICATE-----\nMIIB"), ("empty", "")] {
        let complaints = door.log().matches("the former certificate stays").count();
        std::fs::write(&second.certificate, text).expect("a write");
        soon(&format!("the log reports the {what} certificate"), async || {
            (door.log().matches("the former certificate stays").count() > complaints).then_some(())
        })
        .await;
        assert!(is_shown(&door, &second).await, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_in_other_files_is_shown_once_the_building_names_them() {
    let (_console, plan) = plan().await;
    let mut door = plan.with_tls().prepare();
    Certificates::write(door.folder(), &["console.localhost"]);
    door.start().await;
    let elsewhere = door.folder().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    let other = Certificates::write(&elsewhere, &["console.localhost"]);
    edit_building(
        &door,
        "certificate = \"door.crt\"\nkey = \"door.key\"",
        "certificate = \"elsewhere/door.crt\"\nkey = \"elsewhere/door.key\"",
    );
    soon("the other certificate is shown", async || {
        is_shown(&door, &other).await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_need_a_restart_say_so_and_keep_their_value() {
    let stage = Stage::open().await;
    let door = &stage.door;
    let other = stagedoor_tests::free_port();
    edit_building(door, &format!("127.0.0.1:{}", door.http), &format!("127.0.0.1:{other}"));
    let status = soon("the restart is named", async || {
        let status = stage.admin.get("/v1/policy/status").await.expect(200).json();
        (status["restart_needed"] != serde_json::json!([])).then_some(status)
    })
    .await;
    assert_eq!(status["restart_needed"], serde_json::json!(["listen.http"]), "{status}");
    assert!(door.log().contains("`listen.http` was changed"), "{}", door.log());
    stage.ada.get("/page").await.expect(200);
    assert!(TcpStream::connect(("127.0.0.1", other)).await.is_err());

    edit_building(door, &format!("127.0.0.1:{other}"), &format!("127.0.0.1:{}", door.http));
    soon("nothing waits for a restart", async || {
        let status = stage.admin.get("/v1/policy/status").await.expect(200).json();
        (status["restart_needed"] == serde_json::json!([])).then_some(())
    })
    .await;
}
