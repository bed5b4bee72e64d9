//! The second step, for who must enrol: a new secret for the app, proved by a code of it.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::sign_in::{SignInRefusal, Ticket};

use super::{at_step, outcome, password, tidy_code};
use crate::carried::{Pending, Step};
use crate::halt::Halt;
use crate::page::EnrolPage;
use crate::visit::{Posted, Visit, with_cookies};
use crate::{qr, words};

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    ticket: Option<String>,
    code: Option<String>,
}

/// `GET login/enrol`. The secret was made by the post before, so a reload shows the same one.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match at_step(&visit, Step::Enrol).await {
        Ok(Ok(pending)) => enrol_page(&visit, &pending, None).await,
        Ok(Err(elsewhere)) => Ok(elsewhere),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST login/enrol`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Json(fields)) => by_program(&visit, fields).await,
        Ok(Posted::Form(fields)) => by_form(&visit, fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// Without a code: a fresh secret. With one: the confirmation.
async fn by_program(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let door = &visit.portal.door;
    let ticket = Ticket::from_text(&fields.ticket.ok_or(Halt::Malformed)?);
    let Some(code) = fields.code else {
        let begun = door.begin_enrolment(&ticket, &visit.origin()).await;
        return Ok(match begun {
            Ok(enrolment) => outcome::enrolment_for_program(&enrolment),
            Err(refusal) => outcome::refusal_for_program(visit, &refusal),
        });
    };
    Ok(
        match door.confirm_enrolment(&ticket, &tidy_code(&code), visit.origin()).await {
            Ok((codes, progress)) => outcome::enrolled_for_program(visit, &codes, progress).await,
            Err(refusal) => outcome::refusal_for_program(visit, &refusal),
        },
    )
}

async fn by_form(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let Some(bond) = visit.form_bond() else {
        return password::begin_again(visit).await;
    };
    visit.check_form(Some(&bond), &fields.csrf).await?;
    let pending = match at_step(visit, Step::Enrol).await? {
        Ok(pending) => pending,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let code = tidy_code(&fields.code.unwrap_or_default());
    match visit
        .portal
        .door
        .confirm_enrolment(&pending.ticket(), &code, visit.origin())
        .await
    {
        Ok((codes, progress)) => outcome::for_person(visit, &bond, progress, &pending.to, &codes).await,
        Err(refusal @ (SignInRefusal::InvalidCode | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable)) => {
            enrol_page(visit, &pending, Some(&refusal)).await
        }
        Err(refusal) => password::refused(visit, &refusal).await,
    }
}

async fn enrol_page(visit: &Visit, pending: &Pending, refusal: Option<&SignInRefusal>) -> Result<Response, Halt> {
    let form = visit.strangers_form().await?;
    let secret = pending.secret.as_ref().ok_or(Halt::Broken)?;
    let page = EnrolPage {
        look: visit.look(),
        token: form.token,
        error: refusal.map(|refusal| visit.sentence(refusal)),
        qr: qr::image(&secret.uri),
        typed: secret.typed.clone(),
        action: "login/enrol",
        demanded: true,
    };
    let mut answer = visit.page(refusal.map_or(StatusCode::OK, words::sign_in_status), &page)?;
    if let Some(refusal) = refusal {
        outcome::advise_waiting(visit, refusal, &mut answer);
    }
    Ok(with_cookies(answer, [form.cookie]))
}
