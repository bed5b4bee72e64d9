//! The second step, for who must enrol: a new secret for the app, proved by a code of it.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::sign_in::{SignInRefusal, Ticket};

use super::later::LaterStep;
use super::{outcome, password, tidy_code};
use crate::carried::{Pending, Step};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::EnrolPage;
use crate::visit::{Visit, with_cookies};
use crate::{qr, words};

/// What the form or the JSON holds.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    csrf: String,
    ticket: Option<String>,
    code: Option<String>,
}

impl LaterStep for Fields {
    const STEP: Step = Step::Enrol;

    fn token(&self) -> &str {
        &self.csrf
    }

    fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    /// The secret was made by the post before, so a reload shows the same one.
    async fn page(visit: &Visit, pending: &Pending) -> Result<Response, Halt> {
        enrol_page(visit, pending, None).await
    }

    /// Without a code: a fresh secret. With one: the confirmation.
    async fn by_program(self, visit: &Visit, ticket: Ticket) -> Result<Response, Halt> {
        let door = &visit.portal.door;
        let Some(code) = self.code else {
            let begun = door.begin_enrolment(&ticket, &visit.origin()).await;
            return Ok(match begun {
                Ok(enrolment) => outcome::enrolment_for_program(&enrolment),
                Err(refusal) => outcome::refusal_for_program(visit, outcome::IN_THE_TICKET, &refusal),
            });
        };
        let confirmed = door.confirm_enrolment(&ticket, &tidy_code(&code), visit.origin()).await;
        Ok(match confirmed {
            Ok((codes, progress)) => outcome::enrolled_for_program(visit, &codes, progress).await,
            Err(refusal) => outcome::refusal_for_program(visit, outcome::IN_THE_TICKET, &refusal),
        })
    }

    async fn by_form(self, visit: &Visit, bond: &Bond, pending: Pending) -> Result<Response, Halt> {
        let (door, code) = (&visit.portal.door, tidy_code(&self.code.unwrap_or_default()));
        match door.confirm_enrolment(&pending.ticket(), &code, visit.origin()).await {
            Ok((codes, progress)) => outcome::for_person(visit, bond, progress, &pending.to, &codes).await,
            Err(refusal @ (SignInRefusal::InvalidCode | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable)) => {
                enrol_page(visit, &pending, Some(&refusal)).await
            }
            Err(refusal) => password::refused(visit, &refusal).await,
        }
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
