//! A forgotten password: asking for a link by e-mail, and choosing a new one with it. Whoever asks is told the same whether
//! there is such an account or not.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Secret;
use stagedoor_identity::sign_in::SignInRefusal;

use super::{Asked, Fields, Kind, form_page, refused, token_of};
use crate::halt::Halt;
use crate::page::{AskResetPage, PasswordSetPage};
use crate::sign_in::new_password::typed_twice;
use crate::visit::{Posted, Visit, with_cookies};

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    csrf: String,
    email: String,
}

/// `GET reset` and `GET reset?token=…`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let token = token_of(asked);
    let answer = if token.is_empty() {
        ask_page(&visit, false).await
    } else {
        form_page(&visit, Kind::Reset, token, StatusCode::OK, None, Vec::new()).await
    };
    visit.finish(answer)
}

/// `POST reset/ask`.
pub(crate) async fn ask(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Wish>(request).await {
        Ok(Posted::Form(wish)) => send(&visit, wish).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST reset`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Form(fields)) => reset(&visit, fields).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn send(visit: &Visit, wish: Wish) -> Result<Response, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &wish.csrf).await?;
    if visit.portal.door.letterhead().is_none() {
        return Err(Halt::NotFound);
    }
    let asked = visit.portal.door.ask_password_reset(&wish.email, &visit.origin()).await;
    asked.map_err(|fault| {
        tracing::error!(request_id = %visit.caller.request_id, %fault, "a reset could not be asked for");
        Halt::Unavailable
    })?;
    ask_page(visit, true).await
}

async fn reset(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &fields.csrf).await?;
    let policy = visit.portal.door.policy();
    let typed = typed_twice(&policy, Kind::Reset.unfit(), &fields.new_password, &fields.repeat);
    let password = match typed {
        Ok(password) => password,
        Err(sentence) => {
            let (status, error) = (StatusCode::UNPROCESSABLE_ENTITY, Some(sentence));
            return form_page(visit, Kind::Reset, fields.token, status, error, Vec::new()).await;
        }
    };
    let token = Secret::new(fields.token.as_str());
    let door = &visit.portal.door;
    match door.reset_password_by_link(&token, &password, &visit.origin()).await {
        Ok(name) => {
            let page = PasswordSetPage {
                look: visit.look(),
                name: name.as_str().to_owned(),
            };
            visit.page(StatusCode::OK, &page)
        }
        Err(refusal @ (SignInRefusal::PasswordUnfit(_) | SignInRefusal::Busy { .. } | SignInRefusal::LinkDead)) => {
            refused(visit, Kind::Reset, fields.token, &refusal).await
        }
        Err(_) => Err(Halt::Unavailable),
    }
}

/// Where letters are not sent, there is no such page: an administrator resets the password.
async fn ask_page(visit: &Visit, asked: bool) -> Result<Response, Halt> {
    if visit.portal.door.letterhead().is_none() {
        return Err(Halt::NotFound);
    }
    let form = visit.strangers_form().await?;
    let page = AskResetPage {
        look: visit.look(),
        token: form.token,
        asked,
    };
    Ok(with_cookies(visit.page(StatusCode::OK, &page)?, [form.cookie]))
}
