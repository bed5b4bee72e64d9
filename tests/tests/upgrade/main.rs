//! A running door hands over to a new process: nobody notices but by a WebSocket that is closed in its time.

mod ending;
mod failing;
mod load;
mod nodes;
mod passing;
mod revocations;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::process::{Pid, Signal};
use stagedoor_tests::{Door, DoorPlan, FakeConsole, PASSWORD, Visitor, Ways, body_of, eventually};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n\
    [role.keeper]\nmay = { \"*\" = \"all\" }\n\n[role.nobody]\nmay = {}\n\n\
    [session]\nper_account = 100\n";
/// For whatever comes by itself on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// What the new process says once it serves.
const TAKEN_OVER: &str = "this process has taken over";
/// What the former one says of a hand-over that came to nothing.
const GIVEN_UP: &str = "not upgraded; this process goes on serving";

type Socket = WebSocketStream<TcpStream>;

/// A door by every way, and the console behind it.
struct Stage {
    ways: Arc<Ways>,
    _console: FakeConsole,
}

impl Stage {
    /// What is under way may go on for that long.
    async fn open(drain: &str) -> Self {
        Self::with(drain, |plan| plan).await
    }

    async fn with(drain: &str, further: impl FnOnce(DoorPlan) -> DoorPlan) -> Self {
        let console = FakeConsole::start().await;
        let limits = format!("[limits]\ndrain_deadline = \"{drain}\"\n");
        let plan = Door::plan()
            .site("console", &console.url())
            .policy(POLICY)
            .building(&limits);
        let ways = Ways::open(further(plan), &["console"]).await;
        Self {
            ways: Arc::new(ways),
            _console: console,
        }
    }

    fn door(&self) -> &Door {
        &self.ways.door
    }

    /// An account, and somebody signed in to it.
    async fn signed_in(&self, name: &str) -> Visitor {
        self.door().admin().add_account(name, "keeper").await;
        self.door().signed_in_patiently("console", name).await
    }
}

/// A process by its id: of a hand-over, the tests' own child starts the other.
fn send(signal: Signal, pid: i32) {
    let pid = Pid::from_raw(pid).expect("an id");
    rustix::process::kill_process(pid, signal).expect("a signal can be sent");
}

fn is_there(pid: i32) -> bool {
    rustix::process::test_kill_process(Pid::from_raw(pid).expect("an id")).is_ok()
        && !std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// The ids that the log names on lines with that text, under that key.
fn pids(door: &Door, text: &str, key: &str) -> Vec<i32> {
    let key = format!(" {key}=");
    let log = plain(&door.log());
    let of_line = |line: &str| {
        let (_, rest) = line.split_once(&key)?;
        rest.split(|byte: char| !byte.is_ascii_digit()).next()?.parse().ok()
    };
    log.lines()
        .filter(|line| line.contains(text))
        .filter_map(of_line)
        .collect()
}

/// Without the colours of a terminal.
fn plain(log: &str) -> String {
    let mut text = String::new();
    let mut pieces = log.split('\u{1b}');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        text.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    text
}

/// Asks a process to be succeeded.
fn ask_for_upgrade(pid: i32) {
    send(Signal::USR2, pid);
}

/// Waits until so many processes have taken over, and answers the last one's id.
async fn taken_over(door: &Door, times: usize) -> i32 {
    eventually("another process serves", PATIENCE, async || {
        let heirs = pids(door, TAKEN_OVER, "pid");
        (heirs.len() >= times).then(|| *heirs.last().expect("one of them"))
    })
    .await
}

/// Hands over from that process to another, and answers that one's id.
async fn upgrade(door: &Door, from: i32) -> i32 {
    let before = pids(door, TAKEN_OVER, "pid").len();
    ask_for_upgrade(from);
    taken_over(door, before + 1).await
}

/// The id of the process that the test started.
fn first_process(door: &Door) -> i32 {
    i32::try_from(door.process_id()).expect("an id")
}

async fn until_gone(pid: i32) {
    eventually("the former process ends", PATIENCE, async || {
        (!is_there(pid)).then_some(())
    })
    .await;
}

/// Says something, and hears it said back.
async fn echoes(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.expect("it is open");
    loop {
        match socket.next().await.expect("it is open").expect("it is open") {
            Message::Text(said) => return assert_eq!(said.as_str(), text),
            _ => continue,
        }
    }
}

/// Reads until the end, and answers the code that it was closed with.
async fn close_code(socket: &mut Socket) -> Option<u16> {
    let until_closed = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(Some(frame)) = message {
                return Some(u16::from(frame.code));
            }
        }
        None
    };
    tokio::time::timeout(PATIENCE, until_closed)
        .await
        .expect("the WebSocket is closed")
}

/// Asks once, by a connection of its own.
async fn status(visitor: &Visitor) -> u16 {
    let request = http::Request::get("/page").body(body_of("")).expect("a request");
    visitor.send(request).await.status.as_u16()
}
