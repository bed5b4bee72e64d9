//! Whatever ends a session ends what it has open, idle or not.

use super::*;

/// Everything that a session can have open: all of it idle.
struct Streams {
    socket: WebSocketStream<TcpStream>,
    events: Vec<(&'static str, Incoming)>,
}

impl Streams {
    async fn open(ways: &Ways, ada: &Visitor) -> Self {
        let token = ada.cookie("stagedoor").expect("ada is signed in");
        let socket = ada.websocket("/socket").await.expect("a WebSocket opens");
        let mut events = Vec::new();
        for (name, way) in [("events by HTTP/1.1", Way::Http1), ("events by HTTP/2", Way::Http2)] {
            // One session, seen by every way.
            let visitor = ways.visitor(way, "console");
            visitor.put_cookie(way.session_cookie(), &token);
            let answer = visitor
                .open(Request::get("/events").body(body_of("")).expect("a request"))
                .await;
            assert_eq!(answer.status(), 200, "{name}");
            let mut body = answer.into_body();
            let first = tokio::time::timeout(PATIENCE, body.frame())
                .await
                .expect("the first event comes");
            let data = first.expect("the stream goes on").expect("no fault").into_data();
            assert_eq!(data.expect("an event"), "data: hello\n\n", "{name}");
            events.push((name, body));
        }
        Self { socket, events }
    }

    /// Fails the test unless everything is still open.
    fn are_open(&mut self, why: &str) {
        assert!(
            self.socket.next().now_or_never().is_none(),
            "{why}: the WebSocket has ended already"
        );
        for (name, body) in &mut self.events {
            assert!(
                body.frame().now_or_never().is_none(),
                "{why}: the {name} have ended already"
            );
        }
    }

    /// Waits for the end of everything; fails the test where something outlives the promise and the margin.
    async fn end(self, why: &str, acknowledged: Instant) {
        let Self { mut socket, events } = self;
        let mut ends = tokio::task::JoinSet::new();
        ends.spawn(async move {
            until_closed(&mut socket).await;
            ("the WebSocket", acknowledged.elapsed())
        });
        for (name, mut body) in events {
            ends.spawn(async move {
                while let Some(Ok(_)) = body.frame().await {}
                (name, acknowledged.elapsed())
            });
        }
        let ended = tokio::time::timeout(ENDED_WITHIN, ends.join_all()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{why}: a stream is open after {:?}", ENDED_WITHIN));
        for (name, after) in ended {
            println!("{why}: {name} ended after {after:?}");
        }
    }
}

/// What ends a session, by name, and what the former visitor is told.
const ENDINGS: [(&str, &str); 9] = [
    ("disabling", "account_disabled"),
    ("role change", "account_changed"),
    ("password reset", "credentials_changed"),
    ("sign-out", "sign_in_required"),
    ("session end by the administrator", "session_ended_by_administrator"),
    ("all sessions ended by the command", "session_ended_by_administrator"),
    ("displacement", "session_displaced"),
    ("narrowed networks", "account_changed"),
    ("removal", "account_removed"),
];

async fn make_it_end(number: usize, name: &str, stage: (&Ways, &Admin), visitor: &Visitor) {
    let (ways, admin) = stage;
    let account = format!("/v1/accounts/{name}");
    match number {
        0 => drop(
            admin
                .change_account(name, json!({ "disabled": true }))
                .await
                .expect(200),
        ),
        1 => drop(
            admin
                .change_account(name, json!({ "role": "nobody" }))
                .await
                .expect(200),
        ),
        2 => {
            let new = json!({ "password": "another nine quiet herons" });
            let answer = admin.ask(Method::POST, &format!("{account}/password"), Some(new)).await;
            assert!(answer.status.is_success(), "{}", answer.text());
        }
        3 => {
            let answer = visitor.sign_out().await;
            assert!(answer.status.is_success(), "{}", answer.text());
        }
        4 => {
            let session = admin.sessions(name).await[0]["id"].clone();
            let id = session.as_str().map_or_else(|| session.to_string(), str::to_owned);
            let answer = admin.ask(Method::DELETE, &format!("/v1/sessions/{id}"), None).await;
            assert!(answer.status.is_success(), "{}", answer.text());
        }
        5 => {
            let arguments = ["session", "end", "--account", name];
            let ended = tokio::task::block_in_place(|| ways.door.command(&arguments));
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        6 => {
            let other = ways.door.visitor("console").from("127.0.0.9");
            sign_in(&other, name, PASSWORD).await.expect(200);
        }
        7 => drop(
            admin
                .change_account(name, json!({ "networks": ["10.0.0.0/8"] }))
                .await
                .expect(200),
        ),
        _ => {
            let answer = admin.ask(Method::DELETE, &account, None).await;
            assert!(answer.status.is_success(), "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_session_ends_its_idle_streams_within_a_second() {
    let console = FakeConsole::start().await;
    let plan = Door::plan().site("console", &console.url()).policy(AREAS);
    let ways = Ways::open(plan, &["console"]).await;
    let admin = ways.door.admin();
    // Somebody whom none of it concerns.
    admin.add_account("bystander", "keeper").await;
    let bystander = ways.door.signed_in("console", "bystander").await;
    let mut unconcerned = Streams::open(&ways, &bystander).await;
    for (number, (why, told)) in ENDINGS.into_iter().enumerate() {
        let name = format!("ada{number}");
        admin.add_account(&name, "keeper").await;
        let visitor = ways.door.visitor("console");
        sign_in(&visitor, &name, PASSWORD).await.expect(200);
        let before = visitor.cookie_header().expect("a cookie");
        let mut streams = Streams::open(&ways, &visitor).await;
        streams.are_open(why);
        make_it_end(number, &name, (&ways, &admin), &visitor).await;
        streams.end(why, Instant::now()).await;
        let request = Request::get("/cached")
            .header("cookie", before)
            .body(body_of(""))
            .expect("a request");
        let answer = ways.door.visitor("console").send(request).await;
        assert_eq!(answer.status, 401, "{why}: {}", answer.text());
        println!("{why}: told {}", answer.json()["error"]);
        assert!(
            told == "sign_in_required" || answer.json()["error"] == told,
            "{why}: {}",
            answer.text()
        );
    }
    unconcerned.are_open("the bystander");
}
