//! One HTTP/2 connection: its streams become requests, each in a slot of its own. Pingora has a loop for this, which does not
//! tell of what it rejects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use pingora::apps::HttpServerApp as _;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{self, H2Accept, HttpSession};
use pingora::protocols::{Digest, Stream};
use pingora::server::ShutdownWatch;
use stagedoor_config::Limits;
use tokio::time::{Interval, MissedTickBehavior};

use super::entry::Connection;
use crate::open::Ran;
use crate::pace::Pace;
use crate::wire::{self, Turn, WireFault};

/// Requests under way at once on one connection.
const STREAMS_MAX: u32 = 100;
/// Malformed requests on one connection, after which it is closed.
const MALFORMED_MAX: u32 = 32;

/// Serves the connection to its end.
pub(super) async fn converse(connection: &Arc<Connection>, stream: Stream, limits: &Limits, shutdown: ShutdownWatch) {
    let slot = connection.slot();
    let ran = Arc::clone(&slot)
        .run(Pace::at_first(limits), serve(connection, stream, limits, shutdown))
        .await;
    let fault = match ran {
        Ran::TooSlow => Some(WireFault::HeadTooSlow),
        _ => slot.turn().fault(),
    };
    note_end(connection, slot.turn(), fault);
}

/// What the stages do not see of a request: bytes that HTTP/1 would not carry, whether a body is still to come, and a method
/// that pingora would answer itself. `turn` is the stream's; the connection's knows of targets that are no longer what they were.
pub(super) fn prepare(session: &mut ServerSession, turn: &Turn, of_connection: &Turn, limits: &Limits) {
    if let Some(fault) = of_connection.fault() {
        turn.refuse(fault);
    }
    if of_connection.cut_targets().take(session.req_header().raw_path()) {
        turn.refuse(WireFault::TargetByte);
    }
    let has_body = !session.is_body_empty();
    if let Err(fault) = wire::http2::check(session.req_header(), has_body, limits.header_count_max) {
        turn.refuse(fault);
    }
    if session.req_header().method == Method::CONNECT {
        let request = session.req_header_mut();
        request.set_method(Method::GET);
        request.set_uri(http::Uri::from_static("/"));
    }
    turn.becomes_stream();
    if has_body {
        turn.body_begins();
        turn.awaits_body();
    }
}

async fn serve(connection: &Arc<Connection>, stream: Stream, limits: &Limits, mut shutdown: ShutdownWatch) {
    let digest = Arc::new(Digest {
        ssl_digest: stream.get_ssl_digest(),
        timing_digest: stream.get_timing_digest(),
        proxy_digest: stream.get_proxy_digest(),
        socket_digest: stream.get_socket_digest(),
    });
    let mut options = server::default_h2_options();
    options.max_concurrent_streams(STREAMS_MAX);
    options.max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX));
    let Ok(mut requests) = server::handshake(stream, Some(options)).await else {
        return;
    };
    let (mut malformed, mut closing) = (0, false);
    let mut idleness = Idleness::new(limits.keepalive);
    loop {
        let accepted = tokio::select! {
            biased;
            changed = shutdown.changed(), if !closing => {
                if changed.is_err() || *shutdown.borrow() {
                    requests.graceful_shutdown();
                    closing = true;
                }
                continue;
            }
            accepted = HttpSession::from_h2_conn(&mut requests, Arc::clone(&digest)) => accepted,
            () = idleness.passes() => return,
        };
        match accepted {
            Ok(Some(H2Accept::Session(session))) => idleness.spawn(connection, session, &shutdown),
            Ok(Some(H2Accept::Rejected)) => {
                malformed += 1;
                connection.note_malformed(1);
                connection
                    .entry
                    .note_broken(connection.address(), WireFault::Http2Request);
                if malformed >= MALFORMED_MAX {
                    return;
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
}

/// What ended the connection, and what the library reset without telling anybody, which may be the same.
fn note_end(connection: &Connection, turn: &Turn, fault: Option<WireFault>) {
    let resets = turn.take_malformed();
    connection.note_malformed(resets.max(u32::from(fault.is_some_and(WireFault::is_malformed))));
    let reset = (resets > 0 && fault != Some(WireFault::Http2Connection)).then_some(WireFault::Http2Connection);
    for fault in fault.into_iter().chain(reset) {
        connection.entry.note_broken(connection.address(), fault);
    }
}

/// Knows how long no request has been under way.
struct Idleness {
    tick: Interval,
    begun: u64,
    begun_at_last_tick: Option<u64>,
    finished: Arc<AtomicU64>,
}

impl Idleness {
    fn new(after: Duration) -> Self {
        let mut tick = tokio::time::interval(after.max(Duration::from_millis(1)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            tick,
            begun: 0,
            begun_at_last_tick: None,
            finished: Arc::default(),
        }
    }

    fn spawn(&mut self, connection: &Arc<Connection>, session: HttpSession, shutdown: &ShutdownWatch) {
        self.begun += 1;
        let (connection, shutdown) = (Arc::clone(connection), shutdown.clone());
        let finished = Finished(Arc::clone(&self.finished));
        tokio::spawn(async move {
            let _finished = finished;
            connection
                .process_new_http(ServerSession::new_http2(session), &shutdown)
                .await;
        });
    }

    /// Resolves once nothing has been under way from one tick to the next.
    async fn passes(&mut self) {
        loop {
            self.tick.tick().await;
            let idle = self.finished.load(Ordering::Relaxed) == self.begun;
            if idle && self.begun_at_last_tick == Some(self.begun) {
                return;
            }
            self.begun_at_last_tick = Some(self.begun);
        }
    }
}

/// Counts its request as finished when dropped, panic or not.
struct Finished(Arc<AtomicU64>);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
