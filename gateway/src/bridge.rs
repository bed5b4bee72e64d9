//! Between pingora and the portal: a small request body in, an answer out, in this process and on this thread.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::response::Parts;
use http::{HeaderName, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, OrErr as _, Result};
use stagedoor_config::Building;
use stagedoor_portal::Caller;
use tower::ServiceExt as _;

use crate::https;
use crate::open::{SLOT, hands_over};

/// How long the body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(15);

/// Of a refused body, as much is read and thrown away; a form or a small file, so that its sender sees why.
pub const DRAINED_BYTES_MAX: usize = 1024 * 1024;
/// Of a picture that is too large, from somebody signed in: what a camera makes.
pub const DRAINED_PICTURE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long that may take.
const DRAIN_DEADLINE: Duration = Duration::from_secs(2);

/// What Pingora has to know of an answer to frame it.
const FRAMING: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];

/// Whether the body was read, or why not.
#[derive(Debug)]
pub enum Received {
    /// All of it.
    Whole(Bytes),
    /// More than may be.
    TooLarge,
}

/// Reads the request's body, at most `bytes_max` of it and within the deadline.
///
/// # Errors
/// Where it breaks off or is not well-formed.
pub async fn receive(session: &mut Session, bytes_max: usize) -> Result<Received> {
    let declared = session
        .get_header(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > bytes_max) {
        return Ok(Received::TooLarge);
    }
    let expects = session
        .get_header(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expects && !session.is_body_empty() {
        session.as_downstream_mut().write_continue_response().await?;
    }
    let read = tokio::time::timeout(BODY_DEADLINE, read_all(session, bytes_max)).await;
    read.map_err(|_| Error::new_down(ErrorType::ReadTimedout))?
}

/// Reads what is left of a body that nobody wants, as far as is cheap: with unread bytes behind it, a connection is closed in
/// a way that can take the answer away from the visitor, and a stream of HTTP/2 is reset.
pub async fn drain(session: &mut Session, bytes_max: usize) {
    let waits_for_leave = session.get_header(EXPECT).is_some();
    if waits_for_leave || session.is_body_done() {
        return;
    }
    let reading = async {
        let mut left = bytes_max;
        while let Ok(Some(piece)) = session.read_request_body().await {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whether it came to its end or not, the answer goes out now.
    let _either = tokio::time::timeout(DRAIN_DEADLINE, reading).await;
}

async fn read_all(session: &mut Session, bytes_max: usize) -> Result<Received> {
    let mut body = BytesMut::new();
    while let Some(chunk) = session.read_request_body().await.map_err(pingora::Error::into_down)? {
        if body.len() + chunk.len() > bytes_max {
            return Ok(Received::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received::Whole(body.freeze()))
}

/// Asks the portal and sends what it says. Answers the status.
///
/// # Errors
/// Where the visitor is gone.
pub async fn serve(
    session: &mut Session,
    building: &Building,
    portal: &Router,
    caller: Caller,
    body: Bytes,
) -> Result<u16> {
    let mut request = http::Request::from_parts(session.req_header().as_owned_parts(), Body::from(body));
    request.extensions_mut().insert(caller);
    let answer = match portal.clone().oneshot(request).await {
        Ok(answer) => answer,
        Err(impossible) => match impossible {},
    };
    send(session, building, answer).await
}

/// Sends an answer of our own, framed as the visitor's protocol wants it. Answers the status.
///
/// # Errors
/// Where the visitor is gone.
pub async fn send(session: &mut Session, building: &Building, answer: http::Response<Body>) -> Result<u16> {
    let (parts, mut body) = answer.into_parts();
    let exact = body.size_hint().exact();
    let bodiless = is_bodiless(parts.status);
    let empty = bodiless || exact == Some(0) || session.req_header().method == http::Method::HEAD;
    let header = head(&parts, exact, session, building)?;
    session.write_response_header(Box::new(header), empty).await?;
    if !empty {
        while let Some(frame) = body.frame().await {
            let frame = frame.or_err(ErrorType::InternalError, "the portal's body broke off")?;
            if let Ok(data) = frame.into_data() {
                hands_over(data.len());
                session.write_response_body(Some(data), false).await?;
            }
        }
        session.write_response_body(None, true).await?;
    } else if session.downstream_session.is_http2() {
        // Pingora ends the stream with what it answers itself only; dropped unended, it would be reset.
        session.write_response_body(None, true).await?;
    }
    Ok(parts.status.as_u16())
}

/// The head of an answer whose body has `exact` bytes, where that is known. What Pingora need not know goes behind it as it is
/// (HTTP/1), and not through Pingora's maps: a flood of refusals is answered by this.
fn head(parts: &Parts, exact: Option<u64>, session: &Session, building: &Building) -> Result<ResponseHeader> {
    let slot = SLOT.try_with(Arc::clone).ok().filter(|_| !session.is_http2());
    let mut lines = slot.as_ref().map(|slot| slot.answer_lines());
    if let Some(lines) = &mut lines {
        lines.begin();
    }
    let mut head = ResponseHeader::build(parts.status, None)?;
    let bodiless = is_bodiless(parts.status);
    for (name, value) in &parts.headers {
        match &mut lines {
            _ if bodiless && name == CONTENT_LENGTH => {}
            Some(lines) if !FRAMING.contains(name) => lines.say_titled(name, value),
            _ => head.append_header(name, value).map(drop)?,
        }
    }
    if let Some(lines) = &mut lines {
        lines.end();
    }
    https::promise(&mut head, session, building)?;
    if !bodiless && !head.headers.contains_key(CONTENT_LENGTH) {
        match exact {
            Some(bytes) => head.insert_header(CONTENT_LENGTH, bytes)?,
            None if session.req_header().version == http::Version::HTTP_11 => {
                head.insert_header(TRANSFER_ENCODING, "chunked")?;
            }
            None => {}
        }
    }
    Ok(head)
}

fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
