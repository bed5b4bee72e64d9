//! What a console answers, and whose connection it answers by. The consoles here are bytes: what no server should say, and
//! what ties a visitor to a connection.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, header};
use stagedoor_tests::{Door, DoorPlan, Recorder, Seen, Visitor, Way, Ways, body_of, raw, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[path = "answers/certificates.rs"]
mod certificates;
#[path = "answers/connections.rs"]
mod connections;
#[path = "answers/framing.rs"]
mod framing;
#[path = "answers/headers.rs"]
mod headers;
#[path = "answers/time.rs"]
mod time;
#[path = "answers/websockets.rs"]
mod websockets;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\
    open = { paths = [\"/open/**\"], open_to = \"everyone\" }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n";
/// What a console says that has nothing to hide.
const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

/// The door in front of a recorder, with `ada` and `bob`, who may do everything.
struct Stage {
    ways: Ways,
    console: Recorder,
}

impl Stage {
    async fn before(console: Recorder, settings: &str, more: impl FnOnce(DoorPlan) -> DoorPlan) -> Self {
        let settings = format!("{}{settings}", console.settings());
        let plan = Door::plan()
            .site_with("console", &console.url(), &settings)
            .policy(POLICY);
        let ways = Ways::open(more(plan), &["console"]).await;
        for name in ["ada", "bob"] {
            ways.door.admin().add_account(name, "keeper").await;
        }
        Self { ways, console }
    }

    async fn visitor(&self, way: Way, name: &str) -> Visitor {
        self.ways.signed_in(way, "console", name).await
    }
}

/// A console in clear and one inside TLS, which answer alike.
async fn both<A: Fn(&Seen) -> Vec<u8> + Send + Sync + 'static>(answer: impl Fn() -> A) -> [Recorder; 2] {
    [
        Recorder::answering(answer()).await,
        Recorder::answering_in_tls(answer()).await,
    ]
}

/// The door before each of [`both`], by every way.
async fn stages<A>(answer: impl Fn() -> A) -> impl Iterator<Item = (Arc<Stage>, Way)>
where
    A: Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stages = Vec::new();
    for console in both(answer).await {
        stages.push(Arc::new(Stage::before(console, "", |plan| plan).await));
    }
    let by_every_way = |stage: Arc<Stage>| Way::ALL.into_iter().map(move |way| (Arc::clone(&stage), way));
    stages.into_iter().flat_map(by_every_way)
}

/// What a console answers to each path; `FINE` to every other.
fn by_path(answers: Vec<(&'static str, Vec<u8>)>) -> impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static {
    move |seen| {
        let found = answers.iter().find(|(path, _)| *path == seen.target());
        found.map_or_else(|| FINE.to_vec(), |(_, answer)| answer.clone())
    }
}

/// The lines that make a request `visitor`'s.
fn lines_of(visitor: &Visitor) -> String {
    let cookies = visitor.cookie_header().expect("a visitor who is signed in");
    format!("Host: console.localhost\r\nCookie: {cookies}\r\n")
}

/// One answer with a length, from a connection that stays open.
async fn read_answer(wire: &mut (impl tokio::io::AsyncRead + Unpin)) -> (String, String) {
    let head = raw::read_head(wire).await;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    wire.read_exact(&mut body).await.expect("the body comes");
    (head, String::from_utf8_lossy(&body).into_owned())
}
