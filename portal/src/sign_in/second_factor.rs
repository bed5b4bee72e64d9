//! The second step, for who has enrolled: a code of the app, or a recovery code.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::sign_in::{SignInRefusal, Ticket};

use super::{at_step, outcome, password, tidy_code};
use crate::carried::Step;
use crate::halt::Halt;
use crate::page::SecondFactorPage;
use crate::visit::{Posted, Visit, with_cookies};
use crate::words;

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    ticket: Option<String>,
    code: String,
}

/// `GET login/second-factor`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match at_step(&visit, Step::SecondFactor).await {
        Ok(Ok(_)) => code_page(&visit, None).await,
        Ok(Err(elsewhere)) => Ok(elsewhere),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST login/second-factor`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Json(fields)) => by_program(&visit, fields).await,
        Ok(Posted::Form(fields)) => by_form(&visit, fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn by_program(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let ticket = Ticket::from_text(&fields.ticket.ok_or(Halt::Malformed)?);
    let progress = visit
        .portal
        .door
        .second_factor(&ticket, &tidy_code(&fields.code), visit.origin())
        .await;
    Ok(outcome::for_program(visit, progress).await)
}

async fn by_form(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let Some(bond) = visit.form_bond() else {
        return password::begin_again(visit).await;
    };
    visit.check_form(Some(&bond), &fields.csrf).await?;
    let pending = match at_step(visit, Step::SecondFactor).await? {
        Ok(pending) => pending,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let code = tidy_code(&fields.code);
    match visit
        .portal
        .door
        .second_factor(&pending.ticket(), &code, visit.origin())
        .await
    {
        Ok(progress) => outcome::for_person(visit, &bond, progress, &pending.to, &[]).await,
        Err(refusal @ (SignInRefusal::InvalidCode | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable)) => {
            code_page(visit, Some(&refusal)).await
        }
        Err(refusal) => password::refused(visit, &refusal).await,
    }
}

async fn code_page(visit: &Visit, refusal: Option<&SignInRefusal>) -> Result<Response, Halt> {
    let form = visit.strangers_form().await?;
    let error = refusal.map(|refusal| visit.sentence(refusal));
    let page = SecondFactorPage {
        look: visit.look(),
        token: form.token,
        error,
    };
    let mut answer = visit.page(refusal.map_or(StatusCode::OK, words::sign_in_status), &page)?;
    if let Some(refusal) = refusal {
        outcome::advise_waiting(visit, refusal, &mut answer);
    }
    Ok(with_cookies(answer, [form.cookie]))
}
