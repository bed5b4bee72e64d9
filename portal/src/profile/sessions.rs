//! Ending one's own sessions in other places.

use axum::extract::Request;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::{Actor, ChangeFault, EndReason, SessionId};

use super::done;
use crate::carried::Done;
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::visit::{Posted, SignedIn, Visit};

/// In place of one session's name: all but this one.
const ALL_OTHERS: &str = "others";

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    /// A session's public name, or [`ALL_OTHERS`].
    end: String,
}

/// `POST profile/sessions`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = end(&visit, request).await;
    visit.finish(answer)
}

async fn end(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let Posted::Form(fields) = visit.read::<Fields>(request).await? else {
        return Err(Halt::WrongType);
    };
    visit
        .check_form(Some(&Bond::of_session(signed_in.session.id())), &fields.csrf)
        .await?;
    // Only one's own are looked through, so nobody else's can be named; this one is ended by signing out.
    let current = signed_in.session.id();
    let own = visit.portal.door.sessions_of(signed_in.session.account().id);
    let named = |id: SessionId| fields.end == ALL_OTHERS || fields.end == id.0.to_string();
    let mut ended = 0;
    for record in own.iter().filter(|record| record.id != current && named(record.id)) {
        if end_one(visit, signed_in, record.id).await? {
            ended += 1;
        }
    }
    let said = if fields.end == ALL_OTHERS || ended == 0 {
        Done::SessionsEnded(ended)
    } else {
        Done::SessionEnded
    };
    done(visit, signed_in, said).await
}

async fn end_one(visit: &Visit, signed_in: &SignedIn, id: SessionId) -> Result<bool, Halt> {
    let by = Actor::account(&signed_in.session.account())
        .from(Some(visit.caller.address.ip()))
        .in_request(Some(visit.caller.request_id.clone()));
    let ended = visit.portal.door.end_session(id, EndReason::SignedOut, &by).await;
    ended.map_err(|fault: ChangeFault| {
        tracing::error!(request_id = %visit.caller.request_id, %fault, "a session could not be ended");
        Halt::Unavailable
    })
}
