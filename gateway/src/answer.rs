//! What a refused visitor is told: a page for a person, JSON for a program, and the way to the sign-in page where that
//! helps. Every refusal is noted in the audit under the support code that the visitor is shown.

use axum::body::Body;
use http::header::{SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pingora::Result;
use pingora::proxy::Session;
use stagedoor_policy::rules::MessageKey;
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Refusal, Scope};
use stagedoor_portal::Audience;
use stagedoor_portal::refusal::{Look, RefusalView};

use crate::bridge;
use crate::context::RequestContext;
use crate::https;
use crate::proxy::Gate;
use crate::refusal::Refused;
use crate::websocket::handshake;

/// When to ask again whether the store is back.
const STORE_BACK_SECONDS: u64 = 1;

/// Answers a refused request and notes it. `rule` is the policy's key path that refused, where one did. Answers the status.
///
/// # Errors
/// Where the visitor is gone.
pub async fn refuse(
    gate: &Gate,
    session: &mut Session,
    ctx: &mut RequestContext,
    refused: &Refused,
    rule: Option<String>,
) -> Result<u16> {
    ctx.refused_area = refused.area();
    let support_code = gate.audit.refused(gate, ctx, refused, rule);
    ctx.outcome = refused.code();
    if let (true, Some(slot)) = (refused.is_malformed(), &ctx.slot) {
        slot.turn().note_malformed(1);
    }
    let request = session.req_header();
    let audience = if unread(refused) {
        Audience::Person
    } else {
        Audience::of(&request.headers)
    };
    let person_may_sign_in = refused.asks_to_sign_in() && audience == Audience::Person;
    let mut answer = if person_may_sign_in && matches!(request.method, Method::GET | Method::HEAD) {
        to_sign_in(ctx, session)
    } else {
        page(ctx, refused, support_code, audience, gate.door.now())
    };
    if *refused == Refused::HandshakeVersion {
        // What there is instead (RFC 6455, section 4.4; RFC 9110, section 15.5.22).
        let headers = answer.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(handshake::VERSION));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    bridge::drain(session, bridge::DRAINED_BYTES_MAX).await;
    ctx.status = bridge::send(session, &ctx.snapshot.building, answer).await?;
    Ok(ctx.status)
}

/// Sends a browser that came by plain HTTP on to HTTPS.
///
/// # Errors
/// Where the visitor is gone.
pub async fn to_https(session: &mut Session, ctx: &mut RequestContext, location: &str) -> Result<()> {
    ctx.outcome = "to_https";
    bridge::drain(session, bridge::DRAINED_BYTES_MAX).await;
    let answer = https::sent_on(location)?;
    ctx.status = bridge::send(session, &ctx.snapshot.building, answer).await?;
    Ok(())
}

/// Whether the head was too large to be read, so that nothing in it says who reads the answer: it is browsers that collect so
/// many cookies, and people whom the page tells how to get rid of them.
fn unread(refused: &Refused) -> bool {
    matches!(refused, Refused::Wire(_)) && refused.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
}

/// A browser's navigation goes to the sign-in page and comes back here afterwards.
fn to_sign_in(ctx: &RequestContext, session: &Session) -> http::Response<Body> {
    let (status, headers) = stagedoor_portal::refusal::to_sign_in(&look(ctx), session.req_header().raw_path());
    answer(status, headers, Body::empty())
}

fn look(ctx: &RequestContext) -> Look {
    let portal = &ctx.snapshot.building.portal;
    Look {
        prefix: portal.prefix.clone(),
        title: portal.title.clone(),
    }
}

fn page(
    ctx: &RequestContext,
    refused: &Refused,
    support_code: String,
    audience: Audience,
    now: Timestamp,
) -> http::Response<Body> {
    let mut view = RefusalView::new(look(ctx), refused.status(), refused.code());
    view.support_code = Some(support_code);
    view.address = ctx.address.map(stagedoor_policy::request::ClientAddress::ip);
    view.reason = own_sentence(ctx, refused).map(str::to_owned);
    view.retry_after_seconds = (*refused == Refused::StoreLost).then_some(STORE_BACK_SECONDS);
    if let Refused::SessionEnded(ended) = refused {
        view.ended = Some(ended.clone());
    }
    if audience == Audience::Person {
        tell_person(&mut view, ctx, refused, now);
    }
    let (status, headers, body) = stagedoor_portal::refusal::answer(&view, audience);
    answer(status, headers, Body::from(body))
}

/// What no program is told.
fn tell_person(view: &mut RefusalView, ctx: &RequestContext, refused: &Refused, now: Timestamp) {
    view.request_id = Some(ctx.id.to_string());
    view.at = Some(now);
    view.site = ctx.known_site_name();
    view.account = ctx.account_name();
    view.sign_in_link = refused.asks_to_sign_in().then(|| format!("{}login", view.look.prefix));
    view.has_start = has_start(ctx, refused);
}

/// The policy's sentence in the place of the door's own.
fn own_sentence<'c>(ctx: &'c RequestContext, refused: &Refused) -> Option<&'c str> {
    let policy = &ctx.snapshot.policy;
    let Refused::Policy(refusal) = refused else { return None };
    match refusal {
        Refusal::AddressNotAllowed(Scope::Role | Scope::Account) | Refusal::AccountHasNoNetworks => {
            policy.own_message(MessageKey::AddressNotAllowed)
        }
        Refusal::ChannelNotAllowed => policy.own_channel_refused(ctx.session.as_ref()?.channel()),
        _ => None,
    }
}

/// Whether the site's start page may be another page than the one refused, and open.
fn has_start(ctx: &RequestContext, refused: &Refused) -> bool {
    let elsewhere = ctx.target.as_ref().is_none_or(|(_, spelling)| spelling.path() != "/");
    let shut = matches!(
        refused,
        Refused::Policy(Refusal::AddressNotAllowed(_) | Refusal::AccountHasNoNetworks | Refusal::RoleUnknown)
    );
    ctx.site.is_some() && elsewhere && !shut
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> http::Response<Body> {
    let mut answer = http::Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}
