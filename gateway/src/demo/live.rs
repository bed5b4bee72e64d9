//! What lives as long as the visitor may stay: a WebSocket that ticks, and the same as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior};

use super::Console;
use super::page::{page, refusal};
use super::visitor::Visitor;

/// Open WebSockets and event streams, together.
pub(super) const STREAMS_MAX: usize = 64;

const TICK: Duration = Duration::from_secs(1);
/// The largest message that is taken from the browser, in bytes; the page sends none.
const MESSAGE_BYTES_MAX: usize = 4096;

const BODY: &str = r#"<p id="state" class="notice" role="status">Connecting…</p>
<dl class="figures"><div><dt>Seconds</dt><dd id="tick">0</dd></div><div><dt>Devices</dt><dd id="devices">-</dd></div>
<div><dt>Online</dt><dd id="online">-</dd></div></dl>
<p>This page is kept up to date over a WebSocket. When the door withdraws your session, it ends, and this page says so.</p>
<noscript><p>Without JavaScript there is nothing to see here; <a href="/events">the same as a stream of events</a>.</p></noscript>
<script src="/static/live.js" defer></script>"#;

pub(super) async fn watch(visitor: Visitor) -> Response {
    page(&visitor, "/live", "Live", BODY)
}

/// A reading each second, the first at once.
struct Readings {
    console: Console,
    interval: Interval,
    tick: u64,
    /// Given back when the stream ends.
    _permit: OwnedSemaphorePermit,
}

impl Readings {
    /// `None` when as many streams are open as there may be.
    fn begin(console: Console) -> Option<Self> {
        let permit = console.streams.clone().try_acquire_owned().ok()?;
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Some(Self {
            console,
            interval,
            tick: 0,
            _permit: permit,
        })
    }

    async fn next(&mut self) -> String {
        self.interval.tick().await;
        let (devices, online) = self.console.lighthouse().counts();
        let tick = self.tick;
        self.tick += 1;
        // Written by hand: the order of the keys of a JSON value depends on what else is compiled in.
        format!(r#"{{"devices":{devices},"online":{online},"tick":{tick}}}"#)
    }
}

pub(super) async fn socket(State(console): State<Console>, visitor: Visitor, upgrade: WebSocketUpgrade) -> Response {
    match Readings::begin(console) {
        Some(readings) => upgrade
            .max_message_size(MESSAGE_BYTES_MAX)
            .on_upgrade(|socket| send_readings(socket, readings)),
        None => too_many(&visitor),
    }
}

async fn send_readings(mut socket: WebSocket, mut readings: Readings) {
    loop {
        tokio::select! {
            reading = readings.next() => {
                if socket.send(Message::Text(reading.into())).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

pub(super) async fn events(State(console): State<Console>, visitor: Visitor) -> Response {
    let Some(readings) = Readings::begin(console) else {
        return too_many(&visitor);
    };
    let events = stream::unfold(readings, |mut readings| async move {
        let reading = readings.next().await;
        Some((Ok::<_, Infallible>(Event::default().data(reading)), readings))
    });
    Sse::new(events).into_response()
}

fn too_many(visitor: &Visitor) -> Response {
    refusal(
        visitor,
        StatusCode::SERVICE_UNAVAILABLE,
        "As many live pages are open as there may be.",
    )
}
