//! What a refused visitor is told: a page for a person, JSON for a program, and the way to the sign-in page where that
//! helps. Every refusal is noted in the audit under the support code that the visitor is shown.

use axum::body::Body;
use http::header::{CACHE_CONTROL, LOCATION, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, Method, StatusCode};
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr as _, Result};
use stagedoor_policy::time::Timestamp;
use stagedoor_portal::Audience;
use stagedoor_portal::refusal::{Look, RefusalView};

use crate::bridge;
use crate::context::RequestContext;
use crate::https;
use crate::proxy::Gate;
use crate::refusal::Refused;
use crate::websocket::handshake;

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
    let audience = Audience::of(&request.headers);
    let person_may_sign_in = refused.asks_to_sign_in() && audience == Audience::Person;
    let mut answer = if person_may_sign_in && matches!(request.method, Method::GET | Method::HEAD) {
        to_sign_in(ctx, session)?
    } else {
        page(ctx, refused, &support_code, audience, gate.door.now())
    };
    if *refused == Refused::HandshakeVersion {
        // What there is instead (RFC 6455, section 4.4; RFC 9110, section 15.5.22).
        let headers = answer.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(handshake::VERSION));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    bridge::drain(session).await;
    ctx.status = bridge::send(session, &ctx.snapshot.building, answer).await?;
    Ok(ctx.status)
}

/// Sends a browser that came by plain HTTP on to HTTPS.
///
/// # Errors
/// Where the visitor is gone.
pub async fn to_https(session: &mut Session, ctx: &mut RequestContext, location: &str) -> Result<()> {
    ctx.outcome = "to_https";
    bridge::drain(session).await;
    let answer = https::sent_on(location)?;
    ctx.status = bridge::send(session, &ctx.snapshot.building, answer).await?;
    Ok(())
}

/// A browser's navigation goes to the sign-in page and comes back here afterwards.
fn to_sign_in(ctx: &RequestContext, session: &Session) -> Result<http::Response<Body>> {
    let wanted = session.req_header().raw_path();
    let prefix = &ctx.snapshot.building.portal.prefix;
    let to = sign_in_location(prefix, wanted);
    http::Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(LOCATION, to)
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .body(Body::empty())
        .or_err(ErrorType::InternalError, "writing the way to the sign-in page")
}

/// The sign-in page, and where to go from there. Only bytes that cannot end a query parameter or a header go in as they are.
fn sign_in_location(prefix: &str, wanted: &[u8]) -> String {
    let mut location = format!("{prefix}login?to=");
    for byte in wanted {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                location.push(char::from(*byte));
            }
            other => location.push_str(&format!("%{other:02X}")),
        }
    }
    location
}

fn page(
    ctx: &RequestContext,
    refused: &Refused,
    support_code: &str,
    audience: Audience,
    now: Timestamp,
) -> http::Response<Body> {
    let portal = &ctx.snapshot.building.portal;
    let look = Look {
        prefix: portal.prefix.clone(),
        title: portal.title.clone(),
    };
    let mut view = RefusalView::new(look, refused.status(), refused.code());
    view.support_code = Some(support_code.to_owned());
    view.request_id = Some(ctx.id.to_string());
    view.at = Some(now);
    view.site = ctx.known_site_name();
    view.address = ctx.address.map(stagedoor_policy::request::ClientAddress::ip);
    view.account = ctx.account_name();
    view.sign_in_link = refused.asks_to_sign_in().then(|| format!("{}login", portal.prefix));
    if let Refused::SessionEnded(ended) = refused {
        view.ended = Some(ended.clone());
    }
    let (status, headers, body) = stagedoor_portal::refusal::answer(&view, audience);
    let mut answer = http::Response::new(Body::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

#[cfg(test)]
mod tests {
    use super::sign_in_location;

    #[test]
    fn the_way_back_is_carried_whole_and_cannot_break_out_of_the_header() {
        assert_eq!(
            sign_in_location("/.stagedoor/", b"/a/b?x=1&y=2"),
            "/.stagedoor/login?to=/a/b%3Fx%3D1%26y%3D2"
        );
        assert!(!sign_in_location("/.stagedoor/", b"/\r\nSet-Cookie: x=1").contains(['\r', '\n', ' ', ':']));
    }
}
