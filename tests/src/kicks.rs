//! How long somebody who is kicked is still served: two doors on one Redis, a request after the other at both and a WebSocket
//! at both, and an administrator who ends the session at one of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::{Door, FakeConsole, Redis, Visitor};

/// Between two requests or messages: often enough to tell milliseconds apart, seldom enough not to be what is measured.
const BETWEEN: Duration = Duration::from_micros(500);
/// Nobody who was kicked is served for as long.
const PATIENCE: Duration = Duration::from_secs(30);
const ACCOUNT: &str = "ada";
const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n\n\
    [lockout]\nfailures = 1000\nfailures_from_anywhere = 1000\n";

/// What was measured, one figure for each kick, from the moment at which the kick was sent.
#[derive(Debug, Default)]
pub struct Kicks {
    /// Until it was acknowledged.
    pub acknowledged: Vec<Duration>,
    /// Until the last byte of a page was served at the door of the kick, and at the other one.
    pub requests: [Vec<Duration>; 2],
    /// Until the last byte came out of a WebSocket there, and at the other one.
    pub sockets: [Vec<Duration>; 2],
    /// Pages that were asked for after the acknowledgement and served all the same: none, or a promise is broken.
    pub served_after: usize,
}

/// When somebody was served last, until they were no longer.
#[derive(Debug, Clone, Copy)]
struct Served {
    began: Instant,
    ended: Instant,
}

/// Kicks so often, at either door in turn.
pub async fn measure_kicks(times: usize) -> Kicks {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = Redis::start(folder.path());
    let console = FakeConsole::start().await;
    let door = async |name: &str| {
        let plan = Door::plan().site("console", &console.url()).policy(POLICY);
        plan.node(name, &redis).open().await
    };
    let doors = [door("one").await, door("two").await];
    doors[0].admin().add_account(ACCOUNT, "keeper").await;
    let mut kicks = Kicks::default();
    for number in 0..times {
        kick(&doors[number % 2], &doors[1 - number % 2], &mut kicks).await;
    }
    kicks
}

async fn kick(here: &Door, there: &Door, kicks: &mut Kicks) {
    let visitor = here.signed_in_patiently("console", ACCOUNT).await;
    let (mut requests, mut sockets) = (Vec::new(), Vec::new());
    for door in [here, there] {
        let at_door = door.visited_by(&visitor);
        requests.push(watched(|last| asks(at_door.clone(), last)).await);
        sockets.push(watched(|last| talks(at_door.clone(), last)).await);
    }
    let path = format!("/v1/sessions?account={ACCOUNT}");
    let sent = Instant::now();
    here.admin().ask(Method::DELETE, &path, None).await.expect(200);
    let acknowledged = Instant::now();
    kicks.acknowledged.push(acknowledged - sent);
    for (which, (request, socket)) in requests.into_iter().zip(sockets).enumerate() {
        let (request, socket) = (last_of(request).await, last_of(socket).await);
        kicks.requests[which].push(request.ended.saturating_duration_since(sent));
        kicks.sockets[which].push(socket.ended.saturating_duration_since(sent));
        kicks.served_after += usize::from(request.began > acknowledged);
    }
}

type Last = watch::Sender<Option<Served>>;

/// Sets somebody to work and waits until they were served for the first time.
async fn watched<F: Future<Output = Option<Served>> + Send + 'static>(
    work: impl FnOnce(Last) -> F,
) -> JoinHandle<Option<Served>> {
    let (last, mut seen) = watch::channel(None);
    let working = tokio::spawn(work(last));
    let first = tokio::time::timeout(PATIENCE, seen.wait_for(Option::is_some)).await;
    assert!(matches!(first, Ok(Ok(_))), "somebody who is signed in is served");
    working
}

async fn last_of(work: JoinHandle<Option<Served>>) -> Served {
    let ended = tokio::time::timeout(PATIENCE, work)
        .await
        .expect("it ends with the kick");
    ended.expect("no panic").expect("served once at least")
}

/// One request after the other on one connection, until one is refused.
async fn asks(visitor: Visitor, last: Last) -> Option<Served> {
    let stream = visitor.try_connect().await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    loop {
        let request = Request::get("/page")
            .header(header::HOST, visitor.host())
            .header(header::COOKIE, visitor.cookie_header().unwrap_or_default());
        let began = Instant::now();
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let Ok(answer) = sender.send_request(request).await else {
            break;
        };
        let status = answer.status();
        let whole = answer.into_body().collect().await.is_ok();
        if whole && status == 503 {
            // The machine was so busy that the door could not tell for a moment: that is not the end.
            tokio::time::sleep(BETWEEN).await;
            continue;
        }
        if !whole || status != 200 {
            break;
        }
        let ended = Instant::now();
        last.send_replace(Some(Served { began, ended }));
        tokio::time::sleep(BETWEEN).await;
    }
    *last.borrow()
}

/// One message after the other, until one is not said back.
async fn talks(visitor: Visitor, last: Last) -> Option<Served> {
    let patience = Instant::now() + PATIENCE;
    let mut socket = loop {
        match visitor.websocket("/socket").await {
            Ok(socket) => break socket,
            Err(_refused) if Instant::now() < patience => tokio::time::sleep(BETWEEN).await,
            Err(_refused) => return None,
        }
    };
    loop {
        let began = Instant::now();
        if socket.send(Message::text("still there?")).await.is_err() {
            break;
        }
        match socket.next().await {
            Some(Ok(message)) if message.is_text() => {}
            _ => break,
        }
        let ended = Instant::now();
        last.send_replace(Some(Served { began, ended }));
        tokio::time::sleep(BETWEEN).await;
    }
    *last.borrow()
}
