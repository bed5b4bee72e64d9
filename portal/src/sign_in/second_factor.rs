//! The second step, for who has enrolled: a code of the app, or a recovery code.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::sign_in::{SignInRefusal, Ticket};

use super::later::LaterStep;
use super::{outcome, password, tidy_code};
use crate::carried::{Pending, Step};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::SecondFactorPage;
use crate::visit::{Visit, with_cookies};
use crate::words;

/// What the form or the JSON holds.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    csrf: String,
    ticket: Option<String>,
    code: String,
}

impl LaterStep for Fields {
    const STEP: Step = Step::SecondFactor;

    fn token(&self) -> &str {
        &self.csrf
    }

    fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    async fn page(visit: &Visit, _: &Pending) -> Result<Response, Halt> {
        code_page(visit, None).await
    }

    async fn by_program(self, visit: &Visit, ticket: Ticket) -> Result<Response, Halt> {
        let code = tidy_code(&self.code);
        let progress = visit.portal.door.second_factor(&ticket, &code, visit.origin()).await;
        Ok(outcome::for_program(visit, outcome::IN_THE_TICKET, progress).await)
    }

    async fn by_form(self, visit: &Visit, bond: &Bond, pending: Pending) -> Result<Response, Halt> {
        let (door, code) = (&visit.portal.door, tidy_code(&self.code));
        match door.second_factor(&pending.ticket(), &code, visit.origin()).await {
            Ok(progress) => outcome::for_person(visit, bond, progress, &pending.to, &[]).await,
            Err(refusal @ (SignInRefusal::InvalidCode | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable)) => {
                code_page(visit, Some(&refusal)).await
            }
            Err(refusal) => password::refused(visit, &refusal).await,
        }
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
