//! 200 people a second who sign in with a wrong password while others' requests are served: more than the hashing threads
//! can check, so that the queue is full all the time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::door::Plan;
use crate::load::{self, Shape, paced, wrk};
use crate::options::Options;
use crate::report::{Section, fact};
use crate::rig::{PEOPLE, Rig, Serving};
use crate::sessions;

const REQUESTS_PER_SECOND: f64 = 2_000.0;
const SIGN_INS_PER_SECOND: u32 = 200;
const DOOR: Plan = Plan::FULL;

/// What became of attempts.
#[derive(Debug, Default)]
struct Attempts {
    checked: AtomicUsize,
    turned_away: AtomicUsize,
    resident_kib_most: AtomicUsize,
    failed_requests: AtomicUsize,
}

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let attempts = Attempts::default();
    let during = Duration::from_secs(options.seconds.into()) * 2;
    let measure = |serving: &Serving, folder: &Path, sign_ins: bool| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        wrk::warm_up(serving, &requests)?;
        let answered = std::thread::scope(|scope| {
            if sign_ins {
                scope.spawn(|| attempt(serving.listen, during, &attempts));
            }
            paced::load(serving, &requests, REQUESTS_PER_SECOND, during)
        })?;
        if sign_ins {
            let resident = usize::try_from(load::resident_kib(serving)?)?;
            attempts.resident_kib_most.fetch_max(resident, Ordering::Relaxed);
        }
        attempts.failed_requests.fetch_add(answered.failed, Ordering::Relaxed);
        Ok((answered.within(0.99).as_secs_f64() * 1e6, None))
    };
    let entrants = [
        Entrant {
            name: "undisturbed",
            does: "",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, false),
        },
        Entrant {
            name: "with-sign-ins",
            does: "200 a second",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, true),
        },
    ];
    let rows = take(rig, options, &entrants)?;
    let seconds = during.as_secs_f64() * options.rounds as f64;
    let rate = |count: AtomicUsize| count.into_inner() as f64 / seconds;
    Ok(Section {
        about: "p99 in microseconds at 2,000 requests a second, the door on one core; target: 1.2".to_owned(),
        rows,
        facts: vec![
            fact("passwords checked", rate(attempts.checked), "a second", None),
            fact("attempts turned away", rate(attempts.turned_away), "a second", None),
            fact(
                "resident memory",
                attempts.resident_kib_most.into_inner() as f64 / 1024.0,
                "MiB at most",
                None,
            ),
            fact(
                "requests that failed",
                attempts.failed_requests.into_inner() as f64,
                "requests",
                Some("none"),
            ),
        ],
        ..Section::default()
    })
}

/// Each from an address of its own, so that nobody is locked out for what others do.
fn attempt(listen: SocketAddr, during: Duration, attempts: &Attempts) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let outcomes = runtime.block_on(async {
        let (began, mut under_way, mut outcomes) = (Instant::now(), JoinSet::new(), Vec::new());
        for number in 0.. {
            let due = began + Duration::from_secs(1) * number / SIGN_INS_PER_SECOND;
            if due > began + during {
                break;
            }
            tokio::time::sleep_until(due).await;
            under_way.spawn(sign_in(listen, number as usize));
            while let Some(done) = under_way.try_join_next() {
                outcomes.push(done);
            }
        }
        outcomes.extend(under_way.join_all().await.into_iter().map(Ok));
        outcomes
    });
    for outcome in outcomes {
        match outcome {
            Ok(Ok(401)) => attempts.checked.fetch_add(1, Ordering::Relaxed),
            _ => attempts.turned_away.fetch_add(1, Ordering::Relaxed),
        };
    }
}

/// The status of the answer.
async fn sign_in(listen: SocketAddr, number: usize) -> Result<u16, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let [.., high, low] = (number % 60_000 + 256).to_be_bytes();
    let socket = TcpSocket::new_v4().map_err(|error| text(&error))?;
    let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 7, high, low)), 0);
    socket.bind(from).map_err(|error| text(&error))?;
    let mut stream = socket.connect(listen).await.map_err(|error| text(&error))?;
    let name = sessions::name(number % PEOPLE);
    let body = serde_json::json!({ "username": name, "password": "not the password 1" }).to_string();
    let request = format!(
        "POST /.stagedoor/login HTTP/1.1\r\nHost: {listen}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| text(&error))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(|error| text(&error))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or(answer)
}
