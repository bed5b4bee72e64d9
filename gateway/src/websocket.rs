//! From a permitted handshake to a tunnel.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};
use stagedoor_config::OnStoreLoss;

use crate::answer;
use crate::context::RequestContext;
use crate::https;
use crate::metrics::Counted;
use crate::open::hands_over;
use crate::proxy::{Gate, refused_by};
use crate::refusal::Refused;
use crate::seats::{Seat, Sitter};
use crate::stage::forward::Passport;
use crate::stage::target::raw_host;
use crate::stage::{forward, reply};
use crate::tunnel::{self, Handshake};
use crate::upstream::strict::Asks;
use crate::way;
use crate::wire::Turn;

pub mod handshake;

/// Whether a WebSocket is asked for. Pingora calls any offer to change the protocol an upgrade (curl and Java offer h2c
/// unasked); such a request is an ordinary one, with a body perhaps. So is one that asks for a WebSocket with a body: bytes of
/// a body must not become bytes of a tunnel.
pub fn is_asked_for(request: &RequestHeader) -> bool {
    let offers = request.headers.get_all(http::header::UPGRADE);
    if offers.iter().next().is_none() {
        return false;
    }
    let has_body = request.headers.contains_key(http::header::TRANSFER_ENCODING)
        || (request.headers.get(http::header::CONTENT_LENGTH)).is_some_and(|length| length.as_bytes() != b"0");
    request.version == http::Version::HTTP_11
        && request.method == http::Method::GET
        && !has_body
        && offers
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|offer| offer.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// A page of another origin may not open a WebSocket here: the browser would send our cookie along. Programs send no
/// Origin and carry no ambient cookie.
///
/// # Errors
/// Where the Origin is another than the host asked for, or a plain page speaks for its host over TLS.
pub fn check_origin(request: &RequestHeader, secure: bool) -> Result<(), Refused> {
    let mut origins = request.headers.get_all(http::header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| Refused::ForeignOrigin)?;
    let host = way::raw_host_text(request);
    let own = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://").filter(|_| !secure));
    if own.is_some_and(|own| own.eq_ignore_ascii_case(&host)) && origins.next().is_none() {
        Ok(())
    } else {
        Err(Refused::ForeignOrigin)
    }
}

/// Opens the tunnel and stays until it ends.
///
/// # Errors
/// Where the visitor is gone.
pub async fn open(gate: &Gate, session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
    let seat = handshake::check(&session.req_header().headers).and_then(|()| take_seat(gate, ctx));
    let shaken = match seat {
        Ok(seat) => shake_hands(gate, session, ctx).await.map(|shaken| (seat, shaken)),
        Err(refused) => Err(refused),
    };
    match shaken {
        Ok((seat, Handshake::Switched(mut console, answer))) => {
            let _seat = seat;
            tunnel_through(gate, session, ctx, &mut console, answer).await
        }
        Ok((_, Handshake::Declined(mut console, mut answer))) => {
            // Nothing the visitor sent after the handshake is to be read as a request.
            session.set_keepalive(None);
            let (Some(admitted), Some(site)) = (ctx.admitted.as_ref(), ctx.permitted_site()) else {
                return Error::e_explain(ErrorType::InternalError, "no permit, no way upstream");
            };
            reply::finish(&mut answer, site, admitted, None)?;
            https::promise(&mut answer, session, &ctx.snapshot.building)?;
            (ctx.outcome, ctx.status) = ("allowed", answer.status.as_u16());
            pass_on(session, &mut console, *answer).await
        }
        Err(refused) => {
            session.set_keepalive(None);
            answer::refuse(gate, session, ctx, &refused, None).await.map(|_| ())
        }
    }
}

fn take_seat(gate: &Gate, ctx: &RequestContext) -> Result<Seat, Refused> {
    let admitted = ctx.admitted.as_ref().ok_or(Refused::Internal)?;
    let seats_max = ctx.snapshot.building.limits.websockets_per_account_max;
    gate.seats.sit(Sitter::of(admitted), seats_max).ok_or_else(|| {
        gate.metrics.websockets_refused.inc();
        Refused::TooManyWebSockets
    })
}

async fn tunnel_through(
    gate: &Gate,
    session: &mut Session,
    ctx: &mut RequestContext,
    console: &mut tunnel::ConsoleSession,
    mut answer: Box<pingora::http::ResponseHeader>,
) -> Result<()> {
    reply::clean(&mut answer)?;
    let idle = ctx
        .permitted_site()
        .map_or(tunnel::IDLE_DEFAULT, |site| site.timeouts.websocket_idle);
    let rule = ctx
        .permitted_site()
        .map_or(OnStoreLoss::Refuse, |site| site.on_store_loss);
    let Some((slot, admitted)) = ctx.slot.clone().zip(ctx.admitted.clone()) else {
        return Error::e_explain(ErrorType::InternalError, "no permit, no way upstream");
    };
    session.as_downstream_mut().write_response_header(answer).await?;
    (ctx.outcome, ctx.status) = ("allowed", 101);
    admitted.becomes_tunnel();
    slot.turn().becomes_tunnel();
    let _counted = Counted::one_more(&gate.metrics.tunnels_open);
    let used = || {
        if let Some(session) = &admitted.session {
            gate.door.used(session, gate.door.now());
        }
    };
    let may_pass = || admitted.may_pass(&gate.door, rule);
    let end = tunnel::pass(session, console, &slot, idle, &used, &may_pass).await;
    tracing::debug!(request = %ctx.id, ?end, "a tunnel ended");
    Ok(())
}

async fn shake_hands(gate: &Gate, session: &mut Session, ctx: &RequestContext) -> Result<Handshake, Refused> {
    let slot = ctx.slot.as_ref().ok_or(Refused::Internal)?;
    if slot.turn().has_more_behind() {
        return Err(Refused::HandshakeOvertaken);
    }
    let (Some(admitted), Some(site)) = (ctx.admitted.as_ref(), ctx.permitted_site()) else {
        return Err(Refused::Internal);
    };
    let mut request = session.req_header().clone();
    let passport = Passport {
        admitted: &Arc::clone(admitted),
        site,
        now: ctx.judged_at.unwrap_or_else(|| gate.door.now()),
        id: ctx.id,
        secure: way::is_secure(session),
        host: raw_host(session.req_header()).unwrap_or_default(),
        policy: &ctx.snapshot.policy,
        assertions: &gate.assertions,
        mark: &gate.mark,
    };
    tunnel::drop_nominated(&mut request);
    let prepared =
        forward::rewrite(&mut request, &passport, &mut slot.lines()).and_then(|()| tunnel::prepare(&mut request));
    prepared.map_err(|_| Refused::Internal)?;
    let line = gate.upstreams.line(site).await?;
    let shaken = async {
        // A tunnel has a connection of its own, from its first byte to its last.
        let stream = line.open(Asks::Tunnel).await?;
        tunnel::shake_hands(stream, request).await
    };
    unless_overtaken(session, slot.turn(), shaken)
        .await?
        .map_err(|error| refused_by(&error).unwrap_or(Refused::UpstreamUnreachable))
}

/// Waits for the console, and meanwhile for what a visitor may not send before it is answered (RFC 6455, section 4.1): bytes
/// that were meant for an HTTP server must not become a tunnel's.
async fn unless_overtaken<T>(
    session: &mut Session,
    turn: &Turn,
    shaken: impl Future<Output = T>,
) -> Result<T, Refused> {
    let mut shaken = pin!(shaken);
    let mut silence = pin!(session.downstream_session.read_body_or_idle(true));
    let mut gone = false;
    std::future::poll_fn(|context| {
        let answered = shaken.as_mut().poll(context);
        // Looked at behind the console's answer, so that what is there when it comes is seen. That the visitor is gone shows
        // once the answer is written.
        gone = gone || silence.as_mut().poll(context).is_ready();
        if turn.has_more_behind() {
            return Poll::Ready(Err(Refused::HandshakeOvertaken));
        }
        answered.map(Ok)
    })
    .await
}

/// A console that declines says so in an ordinary answer, which the visitor is to see.
async fn pass_on(
    session: &mut Session,
    console: &mut tunnel::ConsoleSession,
    mut answer: pingora::http::ResponseHeader,
) -> Result<()> {
    answer.remove_header(&http::header::TRANSFER_ENCODING);
    let no_body = matches!(
        answer.status,
        http::StatusCode::NO_CONTENT | http::StatusCode::NOT_MODIFIED
    );
    if !no_body && !answer.headers.contains_key(http::header::CONTENT_LENGTH) {
        // So that a body that breaks off can be told from one that is over.
        answer.insert_header(http::header::TRANSFER_ENCODING, "chunked")?;
    }
    answer.insert_header(http::header::CONNECTION, "close")?;
    answer.set_version(http::Version::HTTP_11);
    session.write_response_header(Box::new(answer), no_body).await?;
    while let Some(bytes) = console.read_body_bytes().await.map_err(pingora::Error::into_up)? {
        hands_over(bytes.len());
        session.write_response_body(Some(bytes), false).await?;
    }
    session.write_response_body(None, true).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(headers: &[(&'static str, &str)]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/ws", None).unwrap();
        request.insert_header("Host", "console.test:8080").unwrap();
        headers.iter().for_each(|(name, value)| {
            request.append_header(*name, *value).unwrap();
        });
        request
    }

    #[test]
    fn only_pages_of_the_same_origin_and_programs_open_websockets() {
        assert_eq!(check_origin(&handshake(&[]), true), Ok(()));
        assert_eq!(
            check_origin(&handshake(&[("Origin", "https://console.test:8080")]), true),
            Ok(())
        );
        for foreign in [
            "https://evil.test",
            "null",
            "https://console.test:8080.evil.test",
            "https://console.test",
        ] {
            assert_eq!(
                check_origin(&handshake(&[("Origin", foreign)]), false),
                Err(Refused::ForeignOrigin),
                "{foreign}"
            );
        }
        let two = handshake(&[("Origin", "https://console.test:8080"), ("Origin", "https://evil.test")]);
        assert_eq!(check_origin(&two, false), Err(Refused::ForeignOrigin));
    }

    #[test]
    fn a_plain_page_may_open_a_plain_websocket_but_none_over_tls() {
        let plain = handshake(&[("Origin", "http://console.test:8080")]);
        assert_eq!(check_origin(&plain, false), Ok(()));
        assert_eq!(check_origin(&plain, true), Err(Refused::ForeignOrigin));
    }

    #[test]
    fn an_offer_of_another_protocol_is_no_websocket() {
        for (offers, asked) in [
            (&[][..], false),
            (&[("Upgrade", "h2c")], false),
            (&[("Upgrade", "TLS/1.2, h2c")], false),
            (&[("Upgrade", "WebSocket")], true),
            (&[("Upgrade", "h2c, websocket")], true),
            (&[("Upgrade", "h2c"), ("Upgrade", "websocket")], true),
        ] {
            assert_eq!(is_asked_for(&handshake(offers)), asked, "{offers:?}");
        }
    }
}
