//! A forgotten password: a letter is asked for by one's address, and its link sets a new one.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Secret;
use stagedoor_identity::port::LinkPurpose;

use super::{Asked, Fields, Words, password_page, refused, token, typed};
use crate::halt::Halt;
use crate::page::AskResetPage;
use crate::sign_in::password_set;
use crate::visit::{Posted, Visit, with_cookies};

const SHOWN: (&Words, LinkPurpose) = (
    &Words {
        title: "Choose a new password",
        lead: "Every session of yours ends when you do. A few words in a row that only you would think of make a good one.",
        action: "reset/password",
        button: "Set the password",
    },
    LinkPurpose::PasswordReset,
);

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    csrf: String,
    email: String,
}

/// `GET reset`, with a link's token or without one.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = match token(asked) {
        Some(link) => password_page(&visit, SHOWN, link, (StatusCode::OK, None, Vec::new())).await,
        None => ask_page(&visit, false).await,
    };
    visit.finish(answer)
}

/// `POST reset`: the answer is the same whether or not anybody has the address.
pub(crate) async fn ask(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Address>(request).await {
        Ok(Posted::Form(fields)) => send(&visit, fields).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST reset/password`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Form(fields)) => set(&visit, fields).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn send(visit: &Visit, fields: Address) -> Result<Response, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &fields.csrf).await?;
    if visit.portal.door.letterhead().is_none() {
        return Err(Halt::NotFound);
    }
    let asked = visit
        .portal
        .door
        .ask_password_reset(fields.email.trim(), &visit.origin())
        .await;
    asked.map_err(|fault| {
        tracing::error!(request_id = %visit.caller.request_id, %fault, "a link for a new password could not be made");
        Halt::Unavailable
    })?;
    ask_page(visit, true).await
}

async fn set(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let password = match typed(visit, SHOWN, &fields).await? {
        Ok(password) => password,
        Err(page) => return Ok(page),
    };
    let link = Secret::new(fields.link.as_bytes());
    let reset = visit
        .portal
        .door
        .reset_password_by_link(&link, &password, &visit.origin())
        .await;
    match reset {
        Ok(name) => password_set(visit, name.as_str()).await,
        Err(refusal) => refused(visit, SHOWN, fields.link, &refusal).await,
    }
}

/// Without a mail server there is no such page.
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
