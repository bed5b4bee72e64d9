//! What the callbacks do between the permit and the console's last byte.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, Result};

use super::Gate;
use crate::bound::{self, Group};
use crate::context::RequestContext;
use crate::stage::forward::Passport;
use crate::stage::target::raw_host;
use crate::stage::{forward as forwarding, reply as replying};
use crate::upstream::patience;
use crate::way;

/// Where to; the limits of the site are the connection's.
pub(super) async fn peer(gate: &Gate, session: &mut Session, ctx: &mut RequestContext) -> Result<Box<HttpPeer>> {
    let has_stray_body = has_stray_body(session);
    // A second attempt comes later than the judgement.
    let now = if ctx.upstream_started.is_some() {
        Instant::now()
    } else {
        ctx.seen
    };
    (ctx.upstream_started, ctx.seen) = (Some(now), now);
    if let Some(slot) = &ctx.slot {
        slot.turn().awaits_console(true);
    }
    let (Some(admitted), Some(site)) = (ctx.admitted.as_ref(), ctx.permitted_site()) else {
        return no_permit();
    };
    let group = if has_stray_body {
        Some(Group::of(admitted))
    } else {
        ctx.group()
    };
    match gate.upstreams.peer(site, group.as_deref()).await {
        Ok(peer) => {
            if let Some(slot) = &ctx.slot {
                slot.patience().begin(patience::Limits {
                    read: site.timeouts.read.min(admitted.due.left(now)),
                    write: site.timeouts.write,
                });
            }
            Ok(Box::new(peer))
        }
        Err(_) => Error::e_explain(ErrorType::ConnectError, "the upstream's name does not resolve"),
    }
}

/// Whether there is a body where consoles may not look for one (RFC 9110, section 9.3.1): one that does not would take it for
/// the next request on its connection, which must then be nobody's.
fn has_stray_body(session: &mut Session) -> bool {
    let method = &session.req_header().method;
    let looks_for_none = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE);
    looks_for_none && !session.is_body_empty()
}

/// The visitor's request as it goes to the console.
pub(super) fn forward(gate: &Gate, session: &Session, request: &mut RequestHeader, ctx: &RequestContext) -> Result<()> {
    let (Some(admitted), Some(site), Some(slot)) = (ctx.admitted.as_ref(), ctx.permitted_site(), ctx.slot.as_ref())
    else {
        return no_permit();
    };
    let passport = Passport {
        admitted,
        site,
        now: ctx.judged_at.unwrap_or_else(|| gate.door.now()),
        id: ctx.id,
        secure: way::is_secure(session),
        host: raw_host(session.req_header()).unwrap_or_default(),
        policy: &ctx.snapshot.policy,
        assertions: &gate.assertions,
        mark: &gate.mark,
    };
    forwarding::rewrite(request, &passport, &mut slot.lines())
}

/// A piece of the visitor's body.
pub(super) fn request_body(body: &mut Option<Bytes>, end_of_stream: bool, ctx: &mut RequestContext) -> Result<()> {
    if let Some(limit) = ctx.permitted_site().and_then(|site| site.body_bytes_max) {
        ctx.body_bytes_seen += body.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if ctx.body_bytes_seen > limit {
            return Error::e_explain(ErrorType::HTTPStatus(413), "the body is larger than the site allows");
        }
    }
    // The end of no body was not waited for.
    if !(end_of_stream && body.is_none() && ctx.body_bytes_seen == 0) {
        ctx.seen = Instant::now();
    }
    if end_of_stream {
        await_header(ctx);
        // An empty last chunk would end a chunked body twice and poison the pooled connection (cloudflare/pingora#935).
        if body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
    }
    in_time(ctx)
}

/// The console's answer as it came.
pub(super) fn answered(answer: &ResponseHeader, ctx: &mut RequestContext) -> Result<()> {
    ctx.seen = Instant::now();
    ctx.is_first_piece = true;
    if answer.status.is_informational() {
        await_header(ctx);
        return in_time(ctx);
    }
    if let Some(admitted) = &ctx.admitted {
        admitted.due.header_is_there();
    }
    if let Some(slot) = ctx.slot.as_ref().filter(|_| bound::offers_to_bind(&answer.headers)) {
        slot.private().bind();
    }
    in_time(ctx)
}

/// A piece of the console's body.
pub(super) fn answer_body(body: Option<&Bytes>, is_last: bool, ctx: &mut RequestContext) -> Result<Option<Duration>> {
    // The first piece mostly comes along with the header; where it does not, the next one or the keeper notices.
    if !std::mem::take(&mut ctx.is_first_piece) {
        ctx.seen = Instant::now();
    }
    if let Some(slot) = &ctx.slot {
        slot.turn().hands_over(body.map_or(0, Bytes::len));
        if is_last {
            slot.turn().awaits_console(false);
        }
    }
    in_time(ctx).map(|()| None)
}

/// The console's answer as the visitor gets it.
pub(super) fn reply(
    gate: &Gate,
    session: &Session,
    answer: &mut ResponseHeader,
    ctx: &mut RequestContext,
) -> Result<()> {
    if !answer.status.is_informational() {
        if let Some(started) = ctx.upstream_started.take() {
            let took = ctx.seen.saturating_duration_since(started);
            gate.metrics.upstream_answered(ctx.site_name(), took);
        }
        ctx.outcome = "allowed";
    }
    let (Some(admitted), Some(site)) = (ctx.admitted.as_ref(), ctx.permitted_site()) else {
        return no_permit();
    };
    // HTTP/2 packs headers in a way of its own.
    let slot = ctx.slot.as_ref().filter(|_| !session.is_http2());
    let mut lines = slot.map(|slot| slot.answer_lines());
    replying::finish(answer, site, admitted, lines.as_deref_mut())
}

fn await_header(ctx: &RequestContext) {
    if let (Some(admitted), Some(site)) = (&ctx.admitted, ctx.permitted_site()) {
        admitted.due.await_header(ctx.seen, site.timeouts.read);
    }
}

fn in_time(ctx: &RequestContext) -> Result<()> {
    let over = |due: &crate::due::Due| due.left(ctx.seen).is_zero();
    if ctx.admitted.as_ref().is_some_and(|admitted| over(&admitted.due)) {
        return Err(Error::explain(
            ErrorType::ReadTimedout,
            "the request and its answer took too long in all",
        )
        .into_up());
    }
    Ok(())
}

fn no_permit<T>() -> Result<T> {
    Error::e_explain(ErrorType::HTTPStatus(500), "no permit, no way upstream")
}
