//! Letters, from the running door to a real mail server: what arrives, what waits, what is given up, and that a letter is
//! neither lost nor sent twice, whoever is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::mail::{Line, MAIL_PASSWORD, MailServer, Received, Scripted, Slipping, Tls, USER};
use stagedoor_tests::{Certificates, Door, DoorPlan, FakeConsole, eventually, soon};

#[path = "mail/command.rs"]
mod command;
#[path = "mail/killed.rs"]
mod killed;

/// For what the door tries again after some seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Retries come fast here: a second, two, four.
const FAST: &str = "retry_after = \"1s\"\n";

/// A door that sends letters, and the console behind it.
struct Stage {
    door: Door,
    _console: FakeConsole,
}

/// `[mail]` for a server in the clear on this port.
fn in_the_clear(port: u16) -> String {
    mail(
        &format!("smtp://127.0.0.1:{port}"),
        &format!("starttls = \"off\"\n{FAST}"),
    )
}

/// `[mail]` for this URL.
fn mail(url: &str, more: &str) -> String {
    format!(
        "[mail]\nurl = \"{url}\"\nfrom = \"Bühne & Söhne <door@mail.example>\"\n\
         public_url = \"https://console.example\"\n{more}"
    )
}

/// `[mail]` for a server that asks for a sign-in and has TLS. The files are in the door's folder.
fn signed_in(scheme: &str, port: u16) -> String {
    let more = format!("password_file = \"mail.password\"\nca_file = \"mail.ca\"\n{FAST}");
    mail(&format!("{scheme}://{USER}@127.0.0.1:{port}"), &more)
}

async fn plan(mail: &str) -> (DoorPlan, FakeConsole) {
    let console = FakeConsole::start().await;
    let plan = Door::plan()
        .site("console", &console.url())
        .policy("[site.console.areas]\nall = { paths = [\"/**\"] }\n")
        .building(mail);
    (plan, console)
}

impl Stage {
    async fn open(mail: &str) -> Self {
        let (plan, console) = plan(mail).await;
        let door = plan.open().await;
        Self {
            door,
            _console: console,
        }
    }

    /// With the files that [`signed_in`] names.
    async fn trusting(server: &MailServer, mail: &str, password: &str) -> Self {
        let (plan, console) = plan(mail).await;
        let mut door = plan.prepare();
        let certificate = std::fs::read(server.certificate()).expect("the server's certificate");
        std::fs::write(door.folder().join("mail.ca"), certificate).expect("a file");
        std::fs::write(door.folder().join("mail.password"), format!("{password}\n")).expect("a file");
        door.start().await;
        Self {
            door,
            _console: console,
        }
    }

    /// Queues a letter; its id.
    async fn queue(&self, to: &str) -> String {
        let (admin, trial) = (self.door.admin(), json!({ "to": to }));
        let queued = admin
            .ask(Method::POST, "/v1/letters", Some(trial))
            .await
            .expect(202)
            .json();
        queued["id"].as_str().expect("an id").to_owned()
    }

    async fn waiting(&self) -> Vec<Value> {
        let list = self.door.admin().get("/v1/letters").await.expect(200).json();
        list["items"].as_array().expect("a list").clone()
    }

    /// Waits until a letter has failed, and says why it did.
    async fn why_it_waits(&self) -> String {
        eventually("a letter has failed", PATIENCE, async || {
            let waiting = self.waiting().await;
            waiting.first()?["last_failure"].as_str().map(str::to_owned)
        })
        .await
    }

    async fn none_waits(&self) {
        eventually("no letter waits", PATIENCE, async || {
            self.waiting().await.is_empty().then_some(())
        })
        .await;
    }

    async fn events(&self, kind: &str) -> Vec<Value> {
        self.door.admin().audit(&format!("event={kind}")).await
    }

    /// Waits for the newest event of that kind: it is written a moment after what it tells of.
    async fn event(&self, kind: &str) -> Value {
        soon(&format!("`{kind}` is in the audit"), async || {
            self.events(kind).await.into_iter().next()
        })
        .await
    }
}

/// How often each letter arrived, by its Message-ID.
fn by_message_id(letters: &[Received]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for letter in letters {
        *counted.entry(letter.header("message-id")).or_insert(0) += 1;
    }
    counted
}

#[tokio::test]
async fn a_letter_arrives_whole_over_starttls_from_who_signed_in() {
    let mut server = MailServer::new(Tls::StartTls).with_sign_in();
    server.start().await;
    let stage = Stage::trusting(&server, &signed_in("smtp", server.port), MAIL_PASSWORD).await;
    let id = stage.queue("ann@example.org").await;
    let letter = server.took_over(1).await.remove(0);

    assert!(letter.over_tls());
    assert_eq!(letter.user(), Some(USER));
    assert_eq!((letter.sender(), letter.to()), ("door@mail.example", "ann@example.org"));
    assert_eq!(letter.header("from"), "Bühne & Söhne <door@mail.example>");
    assert_eq!(letter.header("to"), "ann@example.org");
    assert_eq!(
        letter.header("subject"),
        "A letter from Stagedoor to see whether letters arrive"
    );
    assert_eq!(letter.header("message-id"), format!("<{id}@mail.example>"));
    assert_eq!(letter.header("auto-submitted"), "auto-generated");
    assert!(letter.header("date").ends_with("+0000"), "{}", letter.header("date"));
    assert!(letter.text().contains("Letters from Stagedoor reach this address."));
    assert!(letter.html().contains("Letters from Stagedoor reach this address."));
    assert_eq!(letter.defects(), Vec::<Value>::new());
    assert!(letter.raw().is_ascii(), "what is not ASCII is encoded");
    for line in letter.raw().split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']), "{line:?}");
    }

    stage.none_waits().await;
    let sent = stage.event("letter.sent").await;
    assert!(!sent.to_string().contains("ann@example.org"), "{sent}");
    assert_eq!(
        stage.door.metric("stagedoor_letters_total", &["trial", "sent"]).await,
        1.0
    );
    assert!(!stage.door.log().contains(MAIL_PASSWORD));
}

#[tokio::test]
async fn a_letter_arrives_over_tls_from_the_first_byte_and_by_login_alone() {
    let mut server = MailServer::new(Tls::Wrapped).with_sign_in().by_login_only();
    server.start().await;
    let stage = Stage::trusting(&server, &signed_in("smtps", server.port), MAIL_PASSWORD).await;
    stage.queue("ann@example.org").await;
    let letter = server.took_over(1).await.remove(0);
    assert_eq!((letter.over_tls(), letter.user()), (true, Some(USER)));
}

#[tokio::test]
async fn an_address_in_another_script_is_written_to_where_the_server_can_and_given_up_where_it_cannot() {
    let server = MailServer::started(Tls::None).await;
    let stage = Stage::open(&in_the_clear(server.port)).await;
    stage.queue("änn@example.org").await;
    assert_eq!(server.took_over(1).await[0].to(), "änn@example.org");

    let plain = Scripted::start(&[&[]]).await;
    let more = format!("starttls = \"off\"\n{FAST}");
    let stage = Stage::open(&mail(&format!("smtp://{}", plain.address), &more)).await;
    stage.queue("änn@example.org").await;
    let given_up = stage.event("letter.given_up").await;
    assert!(given_up.to_string().contains("SMTPUTF8"), "{given_up}");
    assert_eq!(plain.heard_of("MAIL"), 0);
}

#[tokio::test]
async fn letters_that_wait_together_go_over_one_connection() {
    let mut server = MailServer::new(Tls::None);
    let stage = Stage::open(&in_the_clear(server.port)).await;
    for number in 0..10 {
        stage.queue(&format!("ann{number}@example.org")).await;
    }
    stage.why_it_waits().await;
    server.start().await;
    let letters = server.took_over(10).await;
    stage.none_waits().await;
    let mut connections: Vec<u64> = letters.iter().map(Received::peer_port).collect();
    connections.dedup();
    // The one that was tried while there was no server comes back by itself, and may come later than the rest.
    assert!(connections.len() <= 2, "{connections:?}");
}

#[tokio::test]
async fn a_server_that_offers_no_starttls_is_told_nothing_and_the_letter_waits() {
    let server = MailServer::started(Tls::None).await;
    let stage = Stage::open(&mail(&format!("smtp://127.0.0.1:{}", server.port), FAST)).await;
    stage.queue("ann@example.org").await;
    let why = stage.why_it_waits().await;
    assert!(
        why.contains("securing the connection") && why.contains("STARTTLS"),
        "{why}"
    );
    assert!(server.letters().is_empty());
    let delayed = stage.event("letter.delayed").await;
    assert!(delayed.to_string().contains("STARTTLS"), "{delayed}");

    // The operator says that it is so: taken over without a restart.
    let file = stage.door.building_file();
    let building = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, format!("{building}starttls = \"off\"\n")).expect("a file");
    server.took_over(1).await;
    stage.none_waits().await;
}

#[tokio::test]
async fn what_is_slipped_in_behind_the_answer_to_starttls_is_not_believed() {
    // As if the server had said, before TLS, that it takes everything: this letter's recipient too, whom it refuses.
    const FORGED: &str = "250 forged\r\n250 forged\r\n250 forged\r\n354 forged\r\n250 forged\r\n";
    let server = MailServer::started(Tls::StartTls).await;
    for (forged, arrives) in [(FORGED, false), ("", true)] {
        let line = Slipping::before(server.port, forged).await;
        let mail = mail(
            &format!("smtp://{}", line.address),
            &format!("ca_file = \"mail.ca\"\n{FAST}"),
        );
        let stage = Stage::trusting(&server, &mail, "").await;
        if arrives {
            stage.queue("ann@example.org").await;
            server.took_over(1).await;
            continue;
        }
        stage.queue("nobody@example.org").await;
        let why = stage.why_it_waits().await;
        assert!(why.contains("securing the connection"), "{why}");
        assert!(stage.events("letter.sent").await.is_empty());
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_the_servers_is_refused() {
    let server = MailServer::started(Tls::StartTls).await;
    let mail = mail(
        &format!("smtp://127.0.0.1:{}", server.port),
        &format!("ca_file = \"mail.ca\"\n{FAST}"),
    );
    let stage = Stage::trusting(&server, &mail, "").await;
    // Trusted, but for another name; then for the name, but signed by somebody else.
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = Certificates::write(folder.path(), &["127.0.0.1"]);
    std::fs::copy(&stranger.certificate, stage.door.folder().join("mail.ca")).expect("a file");
    stage.queue("ann@example.org").await;
    let why = stage.why_it_waits().await;
    assert!(
        why.contains("securing the connection") && why.contains("certificate"),
        "{why}"
    );
    assert!(server.letters().is_empty());

    std::fs::copy(server.certificate(), stage.door.folder().join("mail.ca")).expect("a file");
    server.took_over(1).await;
}

#[tokio::test]
async fn a_wrong_password_costs_no_letter_and_the_right_one_is_taken_without_a_restart() {
    let mut server = MailServer::new(Tls::StartTls).with_sign_in();
    server.start().await;
    let stage = Stage::trusting(&server, &signed_in("smtp", server.port), "guessed").await;
    stage.queue("ann@example.org").await;
    let why = stage.why_it_waits().await;
    assert!(why.contains("signing in") && why.contains("535"), "{why}");
    assert!(!why.contains("guessed") && !stage.door.log().contains("guessed"));
    assert!(server.letters().is_empty());

    std::fs::write(stage.door.folder().join("mail.password"), MAIL_PASSWORD).expect("a file");
    server.took_over(1).await;
    stage.none_waits().await;
}

#[tokio::test]
async fn a_letter_that_is_refused_for_now_is_tried_again_and_the_others_go_on() {
    let server = MailServer::started(Tls::None).await;
    let stage = Stage::open(&in_the_clear(server.port)).await;
    for to in ["later@example.org", "busy@example.org", "ann@example.org"] {
        stage.queue(to).await;
    }
    let letters = server.took_over(3).await;
    stage.none_waits().await;
    assert!(server.has_refused("later") && server.has_refused("busy"));
    assert_eq!(letters[0].to(), "ann@example.org", "who waits holds nobody up");
    assert_eq!(by_message_id(&letters).len(), 3);
    assert_eq!(stage.door.metric("stagedoor_letters_total", &["delayed"]).await, 2.0);
    assert!(
        stage.events("letter.repeated").await.is_empty(),
        "a refusal is an answer"
    );
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_given_up_at_once_and_the_audit_says_why() {
    let server = MailServer::started(Tls::None).await;
    let stage = Stage::open(&in_the_clear(server.port)).await;
    for to in ["nobody@example.org", "spam@example.org", "ann@example.org"] {
        stage.queue(to).await;
    }
    let letters = server.took_over(1).await;
    stage.none_waits().await;
    assert_eq!(letters[0].to(), "ann@example.org");
    let told = json!(stage.events("letter.given_up").await).to_string();
    for said in [
        "550",
        "no such user here",
        "nobody@example.org",
        "554",
        "spam@example.org",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert_eq!(stage.door.metric("stagedoor_letters_total", &["given_up"]).await, 2.0);
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_holds_nothing_up_and_gets_every_letter_later() {
    let mut server = MailServer::new(Tls::None);
    let stage = Stage::open(&in_the_clear(server.port)).await;
    for number in 0..5 {
        stage.queue(&format!("ann{number}@example.org")).await;
    }
    let why = stage.why_it_waits().await;
    assert!(why.contains("while connecting"), "{why}");
    assert_eq!(
        stage.door.readiness().await.status,
        200,
        "a door without letters is a door"
    );
    stage.door.visitor("console").get("/.stagedoor/login").await.expect(200);
    soon("the metrics say how many wait", async || {
        (stage.door.metric("stagedoor_letters_waiting", &[]).await == 5.0).then_some(())
    })
    .await;
    server.start().await;
    let letters = server.took_over(5).await;
    stage.none_waits().await;
    assert!(by_message_id(&letters).values().all(|count| *count == 1));
    assert_eq!(server.letters().len(), 5);
}

#[tokio::test]
async fn who_listens_and_never_answers_is_given_up_on_in_time() {
    let server = Scripted::start(&[&[Line::FallSilent("EHLO")]]).await;
    let more = format!("starttls = \"off\"\ntimeout = \"500ms\"\n{FAST}");
    let stage = Stage::open(&mail(&format!("smtp://{}", server.address), &more)).await;
    stage.queue("ann@example.org").await;
    let why = stage.why_it_waits().await;
    assert!(why.contains("no answer within"), "{why}");
}

#[tokio::test]
async fn a_full_outbox_refuses_the_next_letter_and_says_so() {
    let more = format!("starttls = \"off\"\nletters_max = 2\n{FAST}");
    let nobody = MailServer::new(Tls::None);
    let stage = Stage::open(&mail(&format!("smtp://127.0.0.1:{}", nobody.port), &more)).await;
    stage.queue("ann@example.org").await;
    stage.queue("bob@example.org").await;
    let body = json!({ "to": "eve@example.org" });
    let refused = stage
        .door
        .admin()
        .ask(Method::POST, "/v1/letters", Some(body))
        .await
        .expect(503);
    assert_eq!(refused.json()["code"], "outbox_full");
    assert_eq!(stage.waiting().await.len(), 2);
}

#[tokio::test]
async fn a_server_that_takes_few_letters_over_a_connection_gets_them_all() {
    let server = Scripted::start(&[&[Line::Answer("MAIL FROM", "421 enough for now\r\n")], &[]]).await;
    let stage = Stage::open(&mail(
        &format!("smtp://{}", server.address),
        &format!("starttls = \"off\"\n{FAST}"),
    ))
    .await;
    for number in 0..3 {
        stage.queue(&format!("ann{number}@example.org")).await;
    }
    stage.none_waits().await;
    assert_eq!(server.heard_of("."), 3, "each once: {:?}", server.heard());
    assert!(stage.events("letter.given_up").await.is_empty());
}
