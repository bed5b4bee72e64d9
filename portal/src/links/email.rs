//! Confirming an address: the link opens a page with a button, so that what follows links of letters by itself, such as a
//! mail filter, confirms nothing.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Secret;
use stagedoor_identity::port::StoreError;

use super::{Asked, Kind, dead, name_behind, token_of};
use crate::halt::Halt;
use crate::profile::page::ConfirmEmailPage;
use crate::visit::{Posted, Visit, with_cookies};

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    token: String,
}

/// `GET email?token=…`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = ask(&visit, token_of(asked)).await;
    visit.finish(answer)
}

/// `POST email`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Form(fields)) => confirm(&visit, fields).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn ask(visit: &Visit, link: String) -> Result<Response, Halt> {
    let Some(name) = name_behind(visit, Kind::Email, &link).await? else {
        return dead(visit, Kind::Email);
    };
    let form = visit.strangers_form().await?;
    let page = ConfirmEmailPage {
        look: visit.look(),
        token: form.token,
        link,
        name,
        confirmed: false,
    };
    Ok(with_cookies(visit.page(StatusCode::OK, &page)?, [form.cookie]))
}

async fn confirm(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &fields.csrf).await?;
    let token = Secret::new(fields.token.as_str());
    match visit.portal.door.confirm_email(&token, &visit.origin()).await {
        Ok(account) => {
            let page = ConfirmEmailPage {
                look: visit.look(),
                token: String::new(),
                link: String::new(),
                name: account.name.as_str().to_owned(),
                confirmed: true,
            };
            visit.page(StatusCode::OK, &page)
        }
        Err(StoreError::LinkDead) => dead(visit, Kind::Email),
        Err(fault) => {
            tracing::error!(request_id = %visit.caller.request_id, %fault, "an address could not be confirmed");
            Err(Halt::Unavailable)
        }
    }
}
