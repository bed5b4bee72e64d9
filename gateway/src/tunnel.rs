//! WebSockets: a tunnel of our own, since pingora's loses handshakes whose 101 arrives early (cloudflare/pingora#946) and
//! cannot be ended by a revocation.
//!
//! Bytes pass untouched. The tunnel only counts frames on the way to the visitor, so that it can say goodbye with a Close
//! frame at a frame's end (RFC 6455, section 5.5.1) instead of just going silent.

use std::time::Duration;

use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
pub use pingora::protocols::http::v1::client::HttpSession as ConsoleSession;
use pingora::protocols::l4::stream::Stream;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};
use tokio::time::Instant;

use crate::headers::nominated;
use crate::open::{Farewell, Slot, hands_over};
use crate::upstream::fault::AnswerFault;
use crate::websocket::handshake::check_agreement;

pub mod frames;
pub use frames::FrameCounter;

/// How long the console may take to answer the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a blocked write may take in either direction.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// A tunnel over which nothing moves for this long is closed, where the site says nothing else.
pub const IDLE_DEFAULT: Duration = Duration::from_secs(3600);
/// Between two looks at whether what is held back may pass.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long a goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(200);
/// Policy violation (RFC 6455, section 7.4.1): the endpoint ends the connection because of its rules.
const CLOSE_POLICY: u16 = 1008;
/// Going away: the server is about to end (ibid.).
const CLOSE_GOING_AWAY: u16 = 1001;

/// How a tunnel came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelEnd {
    /// One side closed it.
    Closed,
    /// Nothing was sent for longer than the site's limit.
    Idle,
    /// The rules or the session no longer permit it.
    Revoked,
    /// This process is about to end.
    GoingAway,
}

impl TunnelEnd {
    /// The code and the reason that the visitor is told; `None` where one side has closed it.
    fn goodbye(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Closed => None,
            Self::Idle => Some((CLOSE_POLICY, "idle for too long")),
            Self::Revoked => Some((CLOSE_POLICY, "your session has ended")),
            Self::GoingAway => Some((CLOSE_GOING_AWAY, "connect again")),
        }
    }
}

/// The console's answer to a handshake.
pub enum Handshake {
    /// It agreed: here is the console's side.
    Switched(Box<ConsoleSession>, Box<ResponseHeader>),
    /// It did not: its answer, to be passed on, and the console's side to read the body from.
    Declined(Box<ConsoleSession>, Box<ResponseHeader>),
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Switched(_, answer) | Self::Declined(_, answer)) = self;
        write!(f, "Handshake({})", answer.status)
    }
}

/// Takes out what the visitor's `Connection` header names, as pingora does on its own path.
pub fn drop_nominated(request: &mut RequestHeader) {
    for name in nominated(&request.headers) {
        request.remove_header(name.as_str());
    }
}

/// Makes a request header one that asks for a WebSocket and nothing else.
///
/// # Errors
/// Where a header cannot be written.
pub fn prepare(request: &mut RequestHeader) -> Result<()> {
    let one_hop = [
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
    ];
    for name in one_hop
        .into_iter()
        .chain(["content-length", "http2-settings", "expect"])
    {
        request.remove_header(name);
    }
    request.insert_header("Connection", "Upgrade")?;
    request.insert_header("Upgrade", "websocket")
}

/// Sends the handshake to the console, over a connection that is read strictly.
///
/// # Errors
/// Where the console does not answer in time, or says what is no answer.
pub async fn shake_hands(stream: Stream, request: RequestHeader) -> Result<Handshake> {
    let asked = request.headers.clone();
    let mut console = Box::new(ConsoleSession::new(Box::new(stream)));
    console.read_timeout = Some(HANDSHAKE_TIMEOUT);
    console.write_timeout = Some(WRITE_TIMEOUT);
    let exchange = async {
        console.write_request_header(Box::new(request)).await?;
        loop {
            let answer = console.read_resp_header_parts().await?;
            if answer.status == http::StatusCode::SWITCHING_PROTOCOLS {
                check_agreement(&asked, &answer.headers).map_err(not_passed_on)?;
            }
            if answer.status == http::StatusCode::SWITCHING_PROTOCOLS || !answer.status.is_informational() {
                return Ok::<_, Box<Error>>(answer);
            }
        }
    };
    let answer = tokio::time::timeout(HANDSHAKE_TIMEOUT, exchange).await;
    let answer = answer
        .map_err(|_| Error::new_up(ErrorType::ReadTimedout))?
        .map_err(Error::into_up)?;
    if answer.status == http::StatusCode::SWITCHING_PROTOCOLS {
        console.read_timeout = None;
        console.maybe_upgrade_body_writer();
        Ok(Handshake::Switched(console, answer))
    } else {
        Ok(Handshake::Declined(console, answer))
    }
}

fn not_passed_on(fault: AnswerFault) -> Box<Error> {
    Error::because(ErrorType::InvalidHTTPHeader, "the console's answer", fault)
}

/// Passes bytes until one side closes, nothing moves for `idle`, or the slot is ended. `used` is told of whatever the visitor
/// sends, so that who works over a WebSocket alone is not idle. What arrives while it may not pass is held back until it may, or
/// until the slot is ended: a machine that stood still must not hand on what came meanwhile.
///
/// # Errors
/// Where a write fails or is blocked too long.
pub async fn pass(
    session: &mut Session,
    console: &mut ConsoleSession,
    slot: &Slot,
    idle: Duration,
    used: &(dyn Fn() + Sync),
    may_pass: &(dyn Fn() -> bool + Sync),
) -> Result<TunnelEnd> {
    session.set_read_timeout(None);
    session.set_write_timeout(Some(WRITE_TIMEOUT));
    let (mut to_visitor, mut writing) = (FrameCounter::default(), false);
    // The wait for the slot stands outside the loop, so that a write that is blocked cannot outlive a revocation.
    let end = tokio::select! {
        biased;
        why = slot.farewell() => match why {
            Farewell::Revoked => TunnelEnd::Revoked,
            Farewell::GoingAway => TunnelEnd::GoingAway,
        },
        end = pass_until_closed(session, console, idle, (used, may_pass), &mut to_visitor, &mut writing) => end?,
    };
    if let Some((code, reason)) = end.goodbye()
        && !writing
        && to_visitor.at_frame_end()
    {
        let goodbye = session
            .downstream_session
            .write_response_body(close_frame(code, reason), true);
        let _gone = tokio::time::timeout(GOODBYE_TIMEOUT, goodbye).await;
    }
    // It flushes first, and a console that reads nothing would keep that waiting for ever.
    let _gone = tokio::time::timeout(GOODBYE_TIMEOUT, console.shutdown()).await;
    Ok(end)
}

async fn pass_until_closed(
    session: &mut Session,
    console: &mut ConsoleSession,
    idle: Duration,
    (used, may_pass): (&(dyn Fn() + Sync), &(dyn Fn() -> bool + Sync)),
    to_visitor: &mut FrameCounter,
    writing: &mut bool,
) -> Result<TunnelEnd> {
    let timer = tokio::time::sleep(idle);
    tokio::pin!(timer);
    loop {
        tokio::select! {
            () = &mut timer => return Ok(TunnelEnd::Idle),
            bytes = session.downstream_session.read_request_body() => match bytes {
                Ok(Some(bytes)) => {
                    hold_until(may_pass).await;
                    used();
                    console.write_body(&bytes).await.map_err(pingora::Error::into_up)?;
                }
                Ok(None) | Err(_) => return Ok(TunnelEnd::Closed),
            },
            bytes = console.read_body_bytes() => match bytes {
                Ok(Some(bytes)) => {
                    hold_until(may_pass).await;
                    to_visitor.count(&bytes);
                    *writing = true;
                    hands_over(bytes.len());
                    session.downstream_session.write_response_body(bytes, false).await?;
                    *writing = false;
                }
                Ok(None) | Err(_) => return Ok(TunnelEnd::Closed),
            },
        }
        timer.as_mut().reset(Instant::now() + idle);
    }
}

async fn hold_until(may_pass: &(dyn Fn() -> bool + Sync)) {
    while !may_pass() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// A Close frame as a server sends it: unmasked, with a code and a reason of at most 123 bytes.
fn close_frame(code: u16, reason: &str) -> Bytes {
    let reason: String = reason.chars().filter(char::is_ascii).take(123).collect();
    let length = u8::try_from(reason.len() + 2).unwrap_or(2);
    let mut frame = vec![0x88, length];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame.into()
}
