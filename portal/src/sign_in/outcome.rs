//! What a step came to, told to a person or a program.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use stagedoor_identity::Secret;
use stagedoor_identity::sign_in::{Enrolment, NextStep, OpenSession, Progress, RefusedBecause, SignInRefusal};

use super::{page_of, password};
use crate::carried::{Carried, Pending, Step};
use crate::cookie::{self, Jar};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::RecoveryCodesPage;
use crate::visit::{Visit, with_cookies};
use crate::when::{self, When};
use crate::words;

/// Leads a person on: in, or to the next step. Recovery codes that were just made are shown first.
pub(crate) async fn for_person(
    visit: &Visit,
    bond: &Bond,
    progress: Progress,
    asked: &str,
    codes: &[Secret],
) -> Result<Response, Halt> {
    let (onward, cookies) = match progress {
        Progress::Open(open) => {
            let onward = visit.lands_on(asked, &open.session.account()).as_str().to_owned();
            (onward, session_cookies(visit, &open).await)
        }
        Progress::Needs(next, ticket) => {
            let pending = match next {
                NextStep::EnrolSecondFactor => {
                    match visit.portal.door.begin_enrolment(&ticket, &visit.origin()).await {
                        Ok(enrolment) => Pending::enrolment(Step::Enrol, &enrolment, asked),
                        Err(refusal) => return password::refused(visit, &refusal).await,
                    }
                }
                NextStep::SecondFactor | NextStep::ChangePassword => Pending::new(next, &ticket, asked),
            };
            let onward = visit.path(page_of(pending.step));
            (onward, vec![visit.carry(&Carried::Pending(pending), bond).await?])
        }
    };
    let answer = if codes.is_empty() {
        visit.redirect(&onward)
    } else {
        show_codes(visit, codes, onward)
    };
    Ok(with_cookies(answer?, cookies))
}

/// The channel of a step that has only a ticket.
pub(super) const IN_THE_TICKET: &str = "";

/// Leads a program on: 200 and the cookie, or 401 with what is missing and a ticket.
pub(super) async fn for_program(visit: &Visit, channel: &str, progress: Result<Progress, SignInRefusal>) -> Response {
    match progress {
        Ok(Progress::Open(open)) => {
            let cookies = session_cookies(visit, &open).await;
            with_cookies(Json(session_as_json(&open)).into_response(), cookies)
        }
        Ok(Progress::Needs(next, ticket)) => {
            let (code, message) = needed(next);
            let body = json!({ "error": code, "message": message, "ticket": ticket.as_text() });
            (StatusCode::UNAUTHORIZED, Json(body)).into_response()
        }
        Err(refusal) => refusal_for_program(visit, channel, &refusal),
    }
}

/// After a program has confirmed an enrolment: the codes whatever comes next, and what that is.
pub(super) async fn enrolled_for_program(visit: &Visit, codes: &[Secret], progress: Progress) -> Response {
    let (mut body, cookies) = match progress {
        Progress::Open(open) => (session_as_json(&open), session_cookies(visit, &open).await),
        Progress::Needs(next, ticket) => {
            let (code, message) = needed(next);
            (
                json!({ "next": code, "message": message, "ticket": ticket.as_text() }),
                Vec::new(),
            )
        }
    };
    if let Some(fields) = body.as_object_mut() {
        let codes: Value = codes.iter().map(|code| Value::from(code.expose_text())).collect();
        fields.insert("recovery_codes".to_owned(), codes);
    }
    with_cookies(Json(body).into_response(), cookies)
}

/// A fresh secret, for a program to show.
pub(super) fn enrolment_for_program(enrolment: &Enrolment) -> Response {
    let body = json!({
        "uri": enrolment.uri.expose_text(),
        "secret": enrolment.typed.expose_text(),
        "ticket": enrolment.ticket.as_text(),
    });
    Json(body).into_response()
}

/// A refused step: `{"error","message",…}`.
pub(super) fn refusal_for_program(visit: &Visit, channel: &str, refusal: &SignInRefusal) -> Response {
    let message = visit.sentence_on(refusal, channel);
    let mut body = json!({ "error": refusal.code(), "message": message });
    let more = match refusal {
        SignInRefusal::Locked { until } => json!({ "until": when::rfc3339(*until) }),
        SignInRefusal::Refused { reason } => json!({ "reason": reason_code(*reason) }),
        SignInRefusal::SessionLimit { opened_at, address } => {
            json!({ "opened_at": when::rfc3339(*opened_at), "address": address })
        }
        SignInRefusal::PasswordUnfit(problems) => json!({ "problems": problems }),
        _ => Value::Null,
    };
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    let mut answer = (words::sign_in_status(refusal), Json(body)).into_response();
    advise_waiting(visit, refusal, &mut answer);
    answer
}

/// Says when to try again, where waiting helps.
pub(crate) fn advise_waiting(visit: &Visit, refusal: &SignInRefusal, answer: &mut Response) {
    if let Some(seconds) = words::sign_in_retry_after_seconds(refusal, visit.caller.now) {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// The recovery codes: on this one answer and never again.
pub(crate) fn show_codes(visit: &Visit, codes: &[Secret], onward: String) -> Result<Response, Halt> {
    let page = RecoveryCodesPage {
        look: visit.look(),
        codes: codes.iter().map(|code| code.expose_text().to_owned()).collect(),
        onward,
        host: visit.caller.host.clone(),
        at: When::of(visit.caller.now),
    };
    visit.page(StatusCode::OK, &page)
}

/// The cookies of a session that was just opened. The session this browser had before ends: nobody could use it any more.
async fn session_cookies(visit: &Visit, open: &OpenSession) -> Vec<Option<HeaderValue>> {
    if let Some(before) = visit.signed_in()
        && before.session.id() != open.session.id()
        && let Err(fault) = visit.portal.door.sign_out(&before.token, &visit.origin()).await
    {
        tracing::warn!(request_id = %visit.caller.request_id, %fault, "the session before could not be ended");
    }
    let secure = visit.caller.secure;
    vec![cookie::set_session(&open.token, secure), Jar::Step.clear(secure)]
}

fn session_as_json(open: &OpenSession) -> Value {
    let account = open.session.account();
    json!({
        "account": account.name.as_str(),
        "role": account.role,
        "session": open.session.id(),
        "expires_at": when::rfc3339(open.session.expires_at()),
        "displaced": open.displaced,
    })
}

fn needed(next: NextStep) -> (&'static str, &'static str) {
    match next {
        NextStep::SecondFactor => ("second_factor_required", "A code of the second factor is needed."),
        NextStep::EnrolSecondFactor => (
            "second_factor_enrolment_required",
            "A second factor must be set up before this account can sign in.",
        ),
        NextStep::ChangePassword => (
            "password_change_required",
            "The password is temporary and must be changed.",
        ),
    }
}

fn reason_code(reason: RefusedBecause) -> &'static str {
    match reason {
        RefusedBecause::Address => "address",
        RefusedBecause::Channel => "channel",
        RefusedBecause::Inactive => "inactive",
        RefusedBecause::EnrolmentRight => "enrolment_right",
        RefusedBecause::Device => "device",
    }
}
