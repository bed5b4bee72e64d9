//! The last step, for who has a temporary password: one of their own.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Password;
use stagedoor_identity::sign_in::{SignInRefusal, Ticket};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use super::later::LaterStep;
use super::{outcome, password};
use crate::carried::{Pending, Step};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::NewPasswordPage;
use crate::visit::{Visit, with_cookies};
use crate::words;

/// What the form or the JSON holds.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    csrf: String,
    ticket: Option<String>,
    new_password: String,
    /// Only pages ask twice.
    #[serde(default)]
    repeat: String,
}

/// Looks at a password that was typed twice; answers the policy's sentence about what is wrong with the typing.
pub(crate) fn typed_twice(policy: &Policy, unfit: MessageKey, first: &str, second: &str) -> Result<Password, String> {
    let sentence = |key| policy.message(key).to_owned();
    if first.is_empty() {
        return Err(sentence(MessageKey::PasswordEmpty));
    }
    match (Password::new(first), Password::new(second)) {
        (Some(first), Some(second)) if first.matches(&second) => Ok(first),
        (Some(_), _) => Err(sentence(MessageKey::PasswordConfirmation)),
        (None, _) => Err(sentence(unfit)),
    }
}

impl LaterStep for Fields {
    const STEP: Step = Step::ChangePassword;

    fn token(&self) -> &str {
        &self.csrf
    }

    fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    async fn page(visit: &Visit, _: &Pending) -> Result<Response, Halt> {
        password_page(visit, StatusCode::OK, None, Vec::new()).await
    }

    async fn by_program(self, visit: &Visit, ticket: Ticket) -> Result<Response, Halt> {
        let Some(new) = Password::new(self.new_password) else {
            return Ok(outcome::refusal_for_program(
                visit,
                outcome::IN_THE_TICKET,
                &SignInRefusal::PasswordUnfit(Vec::new()),
            ));
        };
        let door = &visit.portal.door;
        let progress = door.change_temporary_password(&ticket, new, visit.origin()).await;
        Ok(outcome::for_program(visit, outcome::IN_THE_TICKET, progress).await)
    }

    async fn by_form(self, visit: &Visit, bond: &Bond, pending: Pending) -> Result<Response, Halt> {
        let policy = visit.portal.door.policy();
        let typed = typed_twice(&policy, MessageKey::NewPasswordUnfit, &self.new_password, &self.repeat);
        let new = match typed {
            Ok(new) => new,
            Err(sentence) => {
                return password_page(visit, StatusCode::UNPROCESSABLE_ENTITY, Some(sentence), Vec::new()).await;
            }
        };
        let door = &visit.portal.door;
        match door
            .change_temporary_password(&pending.ticket(), new, visit.origin())
            .await
        {
            Ok(progress) => outcome::for_person(visit, bond, progress, &pending.to, &[]).await,
            Err(
                refusal @ (SignInRefusal::PasswordUnfit(_) | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable),
            ) => {
                let error = Some(visit.sentence(&refusal));
                let status = words::sign_in_status(&refusal);
                let mut answer = password_page(visit, status, error, problems(&refusal)).await?;
                outcome::advise_waiting(visit, &refusal, &mut answer);
                Ok(answer)
            }
            Err(refusal) => password::refused(visit, &refusal).await,
        }
    }
}

/// The rules a new password breaks, one sentence each.
pub(crate) fn problems(refusal: &SignInRefusal) -> Vec<String> {
    match refusal {
        SignInRefusal::PasswordUnfit(problems) => problems.clone(),
        _ => Vec::new(),
    }
}

async fn password_page(
    visit: &Visit,
    status: StatusCode,
    error: Option<String>,
    problems: Vec<String>,
) -> Result<Response, Halt> {
    let form = visit.strangers_form().await?;
    let page = NewPasswordPage {
        look: visit.look(),
        token: form.token,
        error,
        problems,
    };
    Ok(with_cookies(visit.page(status, &page)?, [form.cookie]))
}
