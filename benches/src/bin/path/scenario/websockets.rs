//! Idle WebSockets of 10,000 people, or of as many as the machine lets one process have files for, and how soon one of them
//! is gone whose session is ended.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use http::Method;
use stagedoor_tests::Admin;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::Failure;
use crate::candidate::door::Plan;
use crate::report::{Section, fact, median};
use crate::rig::{PEOPLE, Rig, start};

const KICKS: usize = 50;
/// The visitor's connection and the console's.
const FILES_EACH: usize = 2;
/// What a door needs beside connections.
const FILES_BESIDE: usize = 400;
/// Below the number of ports that one address has for connections outwards.
const PEOPLE_PER_ADDRESS: usize = 1_000;
const AT_ONCE: usize = 64;

type Socket = WebSocketStream<TcpStream>;

pub(super) fn run(rig: &Rig) -> Result<Section, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let console = serve_console().await?;
        let folder = rig.fresh("websockets")?;
        rig.people(&folder)?;
        let (command, listen) = Plan::FULL.command(rig, &folder, console)?;
        let process = start("stagedoor", command, &folder, listen)?;
        let people = (open_files_max()?.saturating_sub(FILES_BESIDE) / FILES_EACH).min(PEOPLE);
        let cookies = rig.cookies.get(..people).ok_or("too few people")?;
        let before = crate::process::resident_kib(process.id())?;
        let mut sockets = open_all(cookies, listen)
            .await
            .map_err(|error| format!("{error}\n{}", process.log()))?;
        let after = crate::process::resident_kib(process.id())?;
        let cpu = crate::process::cpu_time(process.id())?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let idle = crate::process::cpu_time(process.id())?.saturating_sub(cpu);
        let admin = super::admin(&folder)?;
        let gone = kick_some(&admin, &mut sockets).await?;
        Ok(Section {
            about: format!("{} WebSockets open, each of somebody else", sockets.len()),
            facts: vec![
                fact(
                    "memory of each",
                    (after - before) as f64 * 1024.0 / sockets.len() as f64,
                    "bytes",
                    None,
                ),
                fact(
                    "CPU time while all are idle",
                    idle.as_secs_f64() * 1e3 / 5.0,
                    "ms a second",
                    None,
                ),
                fact(
                    "gone after the order to end its session, median of 50",
                    median(&gone).unwrap_or(f64::NAN),
                    "ms",
                    None,
                ),
                fact(
                    "the slowest",
                    gone.iter().copied().fold(0.0, f64::max),
                    "ms",
                    Some("below 100"),
                ),
            ],
            ..Section::default()
        })
    })
}

/// That a process may have, at most: what this one's children inherit.
fn open_files_max() -> Result<usize, Failure> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    most.ok_or_else(|| "this machine does not tell how many files may be open".into())
}

/// Accepts WebSockets and keeps them.
async fn serve_console() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
                while let Some(Ok(_)) = socket.next().await {}
                Some(())
            });
        }
    });
    Ok(address)
}

async fn open_all(cookies: &[String], listen: SocketAddr) -> Result<Vec<(usize, Socket)>, String> {
    let (mut sockets, mut opening) = (Vec::with_capacity(PEOPLE), JoinSet::new());
    for (number, cookie) in cookies.iter().enumerate() {
        if opening.len() >= AT_ONCE
            && let Some(opened) = opening.join_next().await
        {
            sockets.push(opened.map_err(|error| error.to_string())??);
        }
        opening.spawn(open(listen, number, cookie.clone()));
    }
    while let Some(opened) = opening.join_next().await {
        sockets.push(opened.map_err(|error| error.to_string())??);
    }
    Ok(sockets)
}

async fn open(listen: SocketAddr, number: usize, cookie: String) -> Result<(usize, Socket), String> {
    let text = |error: &dyn std::error::Error| format!("WebSocket {number}: {error}");
    let address = u8::try_from(number / PEOPLE_PER_ADDRESS).unwrap_or(0);
    let socket = TcpSocket::new_v4().map_err(|error| text(&error))?;
    let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 8, 0, address + 1)), 0);
    socket.bind(from).map_err(|error| text(&error))?;
    let stream = socket.connect(listen).await.map_err(|error| text(&error))?;
    let mut request = format!("ws://{listen}/area-7/socket")
        .into_client_request()
        .map_err(|error| text(&error))?;
    let cookie = cookie.parse().map_err(|error| text(&error))?;
    request.headers_mut().insert(http::header::COOKIE, cookie);
    let opened = tokio_tungstenite::client_async(request, stream).await;
    opened.map(|(socket, _)| (number, socket)).map_err(|error| text(&error))
}

/// Ends sessions spread over all, one after another: milliseconds from the order to the end of its WebSocket.
async fn kick_some(admin: &Admin, sockets: &mut [(usize, Socket)]) -> Result<Vec<f64>, Failure> {
    let mut gone = Vec::new();
    let step = (sockets.len() / KICKS).max(1);
    for (number, socket) in sockets.iter_mut().step_by(step) {
        let id = uuid::Uuid::from_u128(*number as u128 + 1);
        let (path, began) = (format!("/v1/sessions/{id}"), Instant::now());
        let ended = async {
            while let Some(Ok(_)) = socket.next().await {}
            began.elapsed()
        };
        let (reply, took) = tokio::join!(admin.ask(Method::DELETE, &path, None), ended);
        if !reply.status.is_success() {
            return Err(format!("session {id} cannot be ended: {reply:?}").into());
        }
        gone.push(took.as_secs_f64() * 1e3);
    }
    Ok(gone)
}
