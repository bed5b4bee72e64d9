//! The way of a request up to the permit: the stages in their order, and the three places it can end — the portal, the
//! console, a refusal.

use std::sync::Arc;
use std::time::Instant;

use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};
use stagedoor_config::{Site, SiteEntry, Snapshot};
use stagedoor_policy::Refusal;
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_portal::Caller;

use crate::asks::Asks;
use crate::bound;
use crate::bridge::{self, Received};
use crate::context::RequestContext;
use crate::due::Due;
use crate::https;
use crate::panics::{caught, caught_at_once};
use crate::proxy::Gate;
use crate::refusal::Refused;
use crate::spelling::Spelling;
use crate::stage::decide::Asked;
use crate::stage::session::Subject;
use crate::stage::{address, decide, outage, session as session_stage, target};
use crate::{answer, websocket};

/// Where the stages lead.
#[derive(Debug)]
enum Way {
    /// To the console.
    Console,
    /// To the console, by a tunnel.
    Tunnel,
    /// To the portal.
    Portal,
    /// To this address, by HTTPS.
    ToHttps(String),
    /// Nowhere; the rule that refused, where one did.
    Nowhere(Refused, Option<String>),
    /// It is not known yet: what other doors changed has not been heard.
    NotKnownYet,
}

/// Takes a request through the stages. `Ok(true)`: it has been answered. `Ok(false)`: it goes on to the console.
///
/// # Errors
/// Where the visitor is gone.
pub async fn travel(gate: &Gate, session: &mut Session, ctx: &mut RequestContext) -> Result<bool> {
    let mut way = if session_stage::is_as_stored(gate, session).await {
        caught_at_once("request", || Ok(establish(gate, session, ctx)))?
    } else {
        Way::Nowhere(Refused::StoreLost, None)
    };
    if matches!(way, Way::NotKnownYet) {
        ctx.has_waited = true;
        Box::pin(gate.door.wait_until_fresh()).await;
        // The rules may have changed meanwhile, too.
        ctx.snapshot = gate.live.current();
        way = caught_at_once("request", || Ok(establish(gate, session, ctx)))?;
    }
    let decided = Instant::now();
    gate.metrics.decided(decided.saturating_duration_since(ctx.started));
    ctx.seen = decided;
    if matches!(way, Way::Console) {
        return Ok(false);
    }
    // Large, and rarely taken: on the way to a console nobody is to carry it along.
    Box::pin(caught("request", follow(way, gate, session, ctx))).await?;
    Ok(true)
}

/// Goes the way to its end here at the door.
async fn follow(way: Way, gate: &Gate, session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
    match way {
        Way::Console => {}
        // Much larger than the others, which a flood may make.
        Way::Tunnel => Box::pin(websocket::open(gate, session, ctx)).await?,
        Way::Portal => Box::pin(visit_portal(gate, session, ctx)).await?,
        Way::ToHttps(location) => answer::to_https(session, ctx, &location).await?,
        Way::Nowhere(refused, rule) => {
            answer::refuse(gate, session, ctx, &refused, rule).await?;
        }
        // It has been waited for.
        Way::NotKnownYet => {
            answer::refuse(gate, session, ctx, &Refused::StoreLost, None).await?;
        }
    }
    Ok(())
}

/// Whether the visitor came by TLS.
pub fn is_secure(session: &Session) -> bool {
    session.digest().is_some_and(|digest| digest.ssl_digest.is_some())
}

/// The host as sent, for headers; empty where there is none (such a request has been refused).
pub fn raw_host_text(request: &RequestHeader) -> String {
    target::raw_host(request)
        .map(|raw| String::from_utf8_lossy(raw).into_owned())
        .unwrap_or_default()
}

fn establish(gate: &Gate, session: &Session, ctx: &mut RequestContext) -> Way {
    let snapshot = Arc::clone(&ctx.snapshot);
    match checked(gate, session, &snapshot, ctx) {
        Ok((address, entry, target)) => match https::instead(session, &snapshot, &target) {
            Ok(None) => judge(gate, session, ctx, &snapshot, address, &entry, &target),
            Ok(Some(location)) => Way::ToHttps(location),
            Err(refused) => Way::Nowhere(refused, None),
        },
        Err(refused) => Way::Nowhere(refused, None),
    }
}

/// Address, site and target: what can be told without knowing who is asking.
fn checked<'s>(
    gate: &Gate,
    session: &'s Session,
    snapshot: &Arc<Snapshot>,
    ctx: &mut RequestContext,
) -> Result<(ClientAddress, Arc<SiteEntry>, Target<'s>), Refused> {
    let address = address::establish(session, snapshot)?;
    ctx.address = Some(address);
    if let Some(fault) = ctx.wire_fault() {
        return Err(Refused::Wire(fault));
    }
    let request = session.req_header();
    ctx.asks = Asks::of(&request.headers);
    if ctx.asks.marked && gate.mark.is_on(&request.headers) {
        return Err(Refused::Loop);
    }
    let entry = target::site(request, snapshot, ctx.slot.as_deref())?;
    ctx.site = Some(Arc::clone(&entry));
    let target = target::establish(request, snapshot.policy.leniencies(entry.id))?;
    ctx.target = Some((target.method().clone(), Spelling::of(&target, request)));
    Ok((address, entry, target))
}

fn judge(
    gate: &Gate,
    session: &Session,
    ctx: &mut RequestContext,
    snapshot: &Snapshot,
    address: ClientAddress,
    entry: &SiteEntry,
    target: &Target<'_>,
) -> Way {
    let asked = Asked {
        site: entry.id,
        target,
        address,
        preflight: ctx.asks.preflight,
    };
    if let Err(refusal) = snapshot.policy.admits_to_site(entry.id, address) {
        let rule = rule_to_note(gate, snapshot, &asked, &Subject::Stranger);
        return Way::Nowhere(Refused::Policy(refusal), rule);
    }
    let now = gate.door.now();
    ctx.judged_at = Some(now);
    let headers = &session.req_header().headers;
    let mut subject = session_stage::establish(headers, is_secure(session), &gate.door, now);
    let untold = matches!(subject, Subject::Untold);
    if untold {
        if !ctx.has_waited {
            return Way::NotKnownYet;
        }
        subject = session_stage::last_known(headers, is_secure(session), &gate.door, now);
    }
    if let Subject::Known(session) = &subject {
        ctx.session = Some(Arc::clone(session));
    }
    let prefix = &snapshot.building.portal.prefix;
    let mut readings = target.other_readings().chain([target.decoded_path()]);
    if readings.any(|path| is_reserved(path, prefix)) {
        return match profile_refusal(snapshot, target.decoded_path(), prefix, &subject, address) {
            Some(refusal) => Way::Nowhere(Refused::Policy(refusal), None),
            None => Way::Portal,
        };
    }
    let due = Due::new(ctx.started, entry.site.timeouts.total);
    let spelling = Spelling::of(target, session.req_header());
    match decide::establish(snapshot, &asked, &subject, due, spelling) {
        Ok(admitted) => {
            let rule = entry.site.on_store_loss;
            if untold && !outage::is_passed_over(rule, &gate.door, admitted.permit.level(), outage::Of::Request) {
                return Way::Nowhere(Refused::StoreLost, None);
            }
            if let Some(session) = &admitted.session {
                gate.door.used(session, now);
            }
            if let (Some(limit), true) = (entry.site.body_bytes_max, ctx.asks.length)
                && declared_body_bytes(session.req_header()).is_some_and(|bytes| bytes > limit)
            {
                return Way::Nowhere(Refused::BodyTooLarge, None);
            }
            admit(session, ctx, &entry.site, admitted)
        }
        // Who was not signed in when something was last heard may be by now.
        Err(_) if untold => Way::Nowhere(Refused::StoreLost, None),
        Err(refusal) => {
            let rule = rule_to_note(gate, snapshot, &asked, &subject);
            let refused = match (refusal, subject) {
                (Refusal::SignInRequired, Subject::Former(ended)) => Refused::SessionEnded(ended),
                (refusal, _) => Refused::Policy(refusal),
            };
            Way::Nowhere(refused, rule)
        }
    }
}

/// The rule that refused, for the audit: found by judging anew, step by step, and so only where it will be written.
fn rule_to_note(gate: &Gate, snapshot: &Snapshot, asked: &Asked<'_>, subject: &Subject) -> Option<String> {
    let is_written = gate.audit.has_room(asked.address, gate.door.now());
    is_written
        .then(|| decide::deciding_rule(snapshot, asked, subject))
        .flatten()
}

/// The pages about one's own account are for addresses that the role and the account allow: a stolen cookie is not to change
/// them from elsewhere. Signing in and out are for everybody whom the site lets in.
fn profile_refusal(
    snapshot: &Snapshot,
    path: &str,
    prefix: &str,
    subject: &Subject,
    address: ClientAddress,
) -> Option<Refusal> {
    let below = path.strip_prefix(prefix)?;
    let Subject::Known(session) = subject else { return None };
    if below != "profile" && !below.starts_with("profile/") && !below.starts_with("picture/") {
        return None;
    }
    let facts = session.facts();
    snapshot.policy.admits_address(&facts.visitor(), address).err()
}

fn admit(session: &Session, ctx: &mut RequestContext, site: &Site, admitted: decide::Admitted) -> Way {
    let request = session.req_header();
    let way = if !ctx.asks.upgrade || !websocket::is_asked_for(request) {
        // Another protocol than WebSocket (h2c, TLS) is an offer that the server may ignore; pingora takes it out.
        Way::Console
    } else if !site.websockets {
        return Way::Nowhere(Refused::UpgradeNotAllowed, None);
    } else {
        match websocket::check_origin(request, is_secure(session)) {
            Ok(()) => Way::Tunnel,
            Err(refused) => return Way::Nowhere(refused, None),
        }
    };
    let admitted = Arc::new(admitted);
    if let Some(slot) = &ctx.slot {
        if site.private_connections || (ctx.asks.credentials && bound::asks_to_bind(&request.headers)) {
            slot.private().bind();
        }
        slot.admit(Arc::clone(&admitted));
    }
    ctx.admitted = Some(admitted);
    way
}

/// The reserved prefix by exact segment, with or without its last slash.
fn is_reserved(path: &str, prefix: &str) -> bool {
    path.starts_with(prefix) || prefix.strip_suffix('/') == Some(path)
}

fn declared_body_bytes(request: &RequestHeader) -> Option<u64> {
    request
        .headers
        .get(http::header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

async fn visit_portal(gate: &Gate, session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
    let for_picture = picture_body_bytes_max(ctx);
    let received = bridge::receive(session, for_picture.unwrap_or(stagedoor_portal::BODY_BYTES_MAX)).await?;
    if let Some(slot) = &ctx.slot {
        slot.turn().body_ends();
    }
    let mut caller = caller(gate, session, ctx).ok_or_else(|| Error::new(ErrorType::InternalError))?;
    let body = match received {
        Received::Whole(body) => body,
        Received::TooLarge => {
            session.set_keepalive(None);
            if for_picture.is_none() {
                answer::refuse(gate, session, ctx, &Refused::BodyTooLarge, None).await?;
                return Ok(());
            }
            // Its page says how large a picture may be.
            caller.body_too_large = true;
            bridge::drain(session, bridge::DRAINED_PICTURE_BYTES_MAX).await;
            bytes::Bytes::new()
        }
    };
    ctx.status = bridge::serve(session, &ctx.snapshot.building, &gate.portal, caller, body).await?;
    ctx.outcome = "portal";
    Ok(())
}

/// How large a body may be that carries a picture, from somebody signed in.
fn picture_body_bytes_max(ctx: &RequestContext) -> Option<usize> {
    let building = &ctx.snapshot.building;
    ctx.session.as_ref()?;
    let (method, spelling) = ctx.target.as_ref()?;
    let page = spelling
        .path()
        .strip_prefix(building.portal.prefix.as_str())
        .filter(|_| method == http::Method::POST)?;
    stagedoor_portal::body_bytes_max(page, building.limits.picture_bytes_max)
}

fn caller(gate: &Gate, session: &Session, ctx: &RequestContext) -> Option<Caller> {
    Some(Caller {
        address: ctx.address?,
        secure: is_secure(session),
        host: raw_host_text(session.req_header()),
        site: ctx.known_site_name(),
        request_id: ctx.id.to_string(),
        now: gate.door.now(),
        picture_bytes_max: ctx.snapshot.building.limits.picture_bytes_max,
        body_too_large: false,
    })
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn the_prefix_is_reserved_by_whole_segments_only() {
        for path in ["/.stagedoor/", "/.stagedoor/login", "/.stagedoor"] {
            assert!(is_reserved(path, "/.stagedoor/"), "{path}");
        }
        for path in [
            "/",
            "/.stagedoorx",
            "/.stagedoorx/login",
            "/.STAGEDOOR/login",
            "/x/.stagedoor/login",
        ] {
            assert!(!is_reserved(path, "/.stagedoor/"), "{path}");
        }
    }
}
